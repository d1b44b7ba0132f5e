"""Schedules in an agent's definition."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from infra.orchestration.machines.agent_files import read_agent
from pentad.domain.declarations.agents import ScheduleSpec
from pentad.domain.declarations.schedules import check_schedule
from pentad.domain.errors import ConfigurationError
from pentad.domain.ids import derive_id
from pentad.orchestration.lifecycle.queue_messages import RunRequested, build_schedule_message, read_message

DAILY = ScheduleSpec(
    name="daily", expression="cron(0 8 ? * MON-FRI *)", tenant_id="acme", message="Report.", session_id="s"
)


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 minute)",
        "rate(12 hours)",
        "at(2027-01-31T08:00:00)",
        "cron(0/15 8-17 ? * 2-6 *)",
        "cron(0 8 L * ? 2027-2030)",
        "cron(30 6 15W JAN,JUL ? *)",
        "cron(0 0 ? * 6#3 *)",
    ],
)
def test_expressions_that_scheduler_takes_are_taken(expression: str) -> None:
    assert check_schedule(expression) == expression


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("every day", "use rate"),
        ("rate(0 minutes)", "use rate"),
        ("rate(1 minutes)", "write rate"),
        ("rate(2 hour)", "write rate"),
        ("at(2027-02-30T08:00:00)", "day"),
        ("cron(0 8 * * *)", "6 fields, not 5|6 fields"),
        ("cron(0 8 * * * *)", "must be"),
        ("cron(0 8 ? * ? *)", "must be"),
        ("cron(61 8 ? * MON *)", "minutes"),
        ("cron(0 25 ? * MON *)", "hours"),
        ("cron(0 8 ? FOO MON *)", "month"),
        ("cron(0 8 ? * 6-2 *)", "day of week"),
    ],
)
def test_other_expressions_are_refused_with_the_reason(expression: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        check_schedule(expression)


def test_a_wrong_expression_is_told_with_its_file_and_field(tmp_path: Path) -> None:
    folder = tmp_path / "clerk"
    folder.mkdir()
    schedule = {"name": "daily", "expression": "every day", "tenant": "acme", "message": "Report."}
    text = {"description": "Reports.", "schedules": [schedule]}
    (folder / "agent.yaml").write_text(json.dumps(text), encoding="utf-8")
    (folder / "prompt.md").write_text("You report.", encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        read_agent(folder)
    told = f"{caught.value.message} {caught.value.field}"
    assert "agent.yaml" in told
    assert "schedules.0.expression" in told


def test_a_schedule_takes_no_field_it_does_not_know() -> None:
    with pytest.raises(ValidationError):
        ScheduleSpec.model_validate(DAILY.model_dump() | {"every": "day"})


def test_what_a_schedule_sends_is_keyed_by_the_time_it_was_due() -> None:
    body = json.dumps(build_schedule_message("clerk", DAILY))
    body = body.replace("<aws.scheduler.scheduled-time>", "2026-11-23T08:00:00Z")
    asked = [read_message(body, message_id) for message_id in ("m1", "m2")]
    assert isinstance(asked[0], RunRequested)
    assert asked[0] == asked[1]
    session = derive_id("ses", "acme", "schedule", "clerk", "s")  # of this schedule alone
    assert (asked[0].trigger, asked[0].message.tenant_id, asked[0].message.session_id) == ("schedule", "acme", session)
    assert asked[0].idempotency_key == "schedule/clerk/daily/2026-11-23T08:00:00Z"
