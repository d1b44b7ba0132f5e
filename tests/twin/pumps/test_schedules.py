"""Schedule expressions fire when AWS's documentation says, by a clock that the test moves."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.twin.pumps.world import World, att, queue, until, world
from twin.pumps.schedules.expressions import ScheduleError, parse_schedule

START = datetime(2026, 1, 1, 12, 30, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("rate(1 minute)", "2026-01-01T12:31:20"),
        ("rate(2 hours)", "2026-01-01T14:30:20"),
        ("rate(1 day)", "2026-01-02T12:30:20"),
        ("at(2026-02-03T04:05:06)", "2026-02-03T04:05:06"),
        ("cron(0 12 * * ? *)", "2026-01-02T12:00:00"),
        ("cron(0/15 * * * ? *)", "2026-01-01T12:45:00"),
        ("cron(15 10 ? * MON-FRI *)", "2026-01-02T10:15:00"),
        ("cron(0 8 1 * ? *)", "2026-02-01T08:00:00"),
        ("cron(0 18 L * ? *)", "2026-01-31T18:00:00"),
        ("cron(0 9 ? * 6#2 *)", "2026-01-09T09:00:00"),
        ("cron(0 9 ? * SUNL *)", "2026-01-25T09:00:00"),
        ("cron(0 9 3W * ? *)", "2026-01-02T09:00:00"),
        ("cron(0 0 29 FEB ? *)", "2028-02-29T00:00:00"),
        ("cron(30,31 12 * * ? *)", "2026-01-01T12:31:00"),
    ],
)
def test_next_moment(expression: str, expected: str) -> None:
    found = parse_schedule(expression, START).next_after(START)
    assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_cron_follows_its_time_zone_through_a_change_of_clocks() -> None:
    schedule = parse_schedule("cron(0 9 * * ? *)", START, "Europe/Berlin")
    winter = schedule.next_after(datetime(2026, 3, 28, 0, tzinfo=UTC))
    summer = schedule.next_after(datetime(2026, 3, 29, 0, tzinfo=UTC))
    assert winter is not None
    assert summer is not None
    assert (winter.hour, summer.hour) == (8, 7)


def test_past_moment_never_fires() -> None:
    assert parse_schedule("at(2025-01-01T00:00:00)", START).next_after(START) is None
    assert parse_schedule("cron(0 0 1 1 ? 2025)", START).next_after(START) is None


@pytest.mark.parametrize(
    "expression",
    ["hourly", "rate(0 days)", "rate(1 week)", "cron(0 12 * * *)", "cron(0 12 * * * *)", "cron(61 * * * ? *)"],
)
def test_malformed_expression_is_refused(expression: str) -> None:
    with pytest.raises(ScheduleError):
        parse_schedule(expression, START)


class HandClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = START

    def now(self) -> datetime:
        return self.moment


def test_scheduled_rule_sends_the_event_of_its_moment(tmp_path: Path) -> None:
    resources = {
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "Name": "daily",
                "ScheduleExpression": "rate(1 day)",
                "Targets": [{"Id": "T0", "Arn": att("WorkerFunction")}],
            },
        },
        "Permission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": att("WorkerFunction"),
                "Principal": "events.amazonaws.com",
                "SourceArn": att("Rule"),
            },
        },
    }
    clock = HandClock()
    with world(resources, tmp_path, clock=clock, worker=lambda _: {}) as twin:
        assert twin.pumps.timetable.fire_due() == 0
        clock.moment += timedelta(days=1)
        assert twin.pumps.timetable.fire_due() == 1
        assert twin.pumps.timetable.fire_due() == 0
        [event] = until(lambda: twin.received("worker"))
    assert event.pop("id")
    assert event == {
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": "2026-01-02T12:30:20Z",
        "region": "us-east-1",
        "resources": ["arn:aws:events:us-east-1:123456789012:rule/daily"],
        "detail": {},
    }


def test_missed_moments_fire_once(tmp_path: Path) -> None:
    resources = {
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {"Name": "often", "ScheduleExpression": "rate(1 minute)", "Targets": []},
        }
    }
    clock = HandClock()
    with world(resources, tmp_path, clock=clock) as twin:
        clock.moment += timedelta(hours=5)
        assert twin.pumps.timetable.fire_due() == 1
        assert twin.pumps.timetable.next_moment() == clock.moment + timedelta(minutes=1)


def test_a_rule_that_was_disabled_does_not_fire_and_does_not_make_up_for_it(tmp_path: Path) -> None:
    resources = {
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {"Name": "often", "ScheduleExpression": "rate(1 hour)", "Targets": []},
        }
    }
    clock = HandClock()
    with world(resources, tmp_path, clock=clock) as twin:
        twin.client("events").disable_rule(Name="often")
        clock.moment += timedelta(hours=1)
        assert twin.pumps.timetable.fire_due() == 0
        twin.client("events").enable_rule(Name="often")
        assert twin.pumps.timetable.fire_due() == 0
        # The next one can be had before its time.
        assert twin.pumps.timetable.fire_due(clock.moment + timedelta(hours=1)) == 1
        clock.moment += timedelta(hours=1)
        assert twin.pumps.timetable.fire_due() == 0


def make_schedule(twin: World, expression: str, **more: Any) -> None:
    """Make a schedule through the API, as an operator does while the twin runs."""
    body = json.dumps({"due": "<aws.scheduler.scheduled-time>", "from": "<aws.scheduler.schedule-arn>"})
    target = {"Arn": "arn:aws:sqs:us-east-1:123456789012:inbox", "RoleArn": "arn:aws:iam::123456789012:role/r"}
    twin.client("scheduler").create_schedule(
        Name="later",
        ScheduleExpression=expression,
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=target | {"Input": body},
        **more,
    )


def names_of(twin: World) -> list[str]:
    return [one["Name"] for one in twin.client("scheduler").list_schedules()["Schedules"]]


def test_schedule_made_later_fires_at_its_moment_and_goes_when_it_has_completed(tmp_path: Path) -> None:
    clock = HandClock()
    with world({"Inbox": queue("inbox")}, tmp_path, clock=clock) as twin:
        make_schedule(
            twin, "at(2026-01-01T14:00:00)", ScheduleExpressionTimezone="Europe/Berlin", ActionAfterCompletion="DELETE"
        )
        assert twin.pumps.timetable.next_moment() == datetime(2026, 1, 1, 13, tzinfo=UTC)
        clock.moment = datetime(2026, 1, 1, 13, 0, 7, tzinfo=UTC)
        assert twin.pumps.timetable.fire_due() == 1
        [message] = twin.taken("inbox")
        assert names_of(twin) == []
    assert json.loads(message["Body"]) == {
        "due": "2026-01-01T13:00:00Z",
        "from": "arn:aws:scheduler:us-east-1:123456789012:schedule/default/later",
    }


def test_schedule_that_is_changed_or_deleted_fires_as_it_is_now(tmp_path: Path) -> None:
    clock = HandClock()
    with world({"Inbox": queue("inbox")}, tmp_path, clock=clock) as twin:
        scheduler = twin.client("scheduler")
        make_schedule(twin, "rate(1 hour)")
        stored = scheduler.get_schedule(Name="later")
        same = {name: stored[name] for name in ("Name", "FlexibleTimeWindow", "Target")}
        scheduler.update_schedule(ScheduleExpression="rate(2 hours)", **same)
        assert twin.pumps.timetable.next_moment() == START + timedelta(hours=2)
        scheduler.update_schedule(ScheduleExpression="rate(2 hours)", State="DISABLED", **same)
        assert twin.pumps.timetable.next_moment() is None
        scheduler.delete_schedule(Name="later")
        clock.moment += timedelta(hours=5)
        assert twin.pumps.timetable.fire_due() == 0


def test_schedule_that_nobody_touched_keeps_its_moment_when_another_is_made(tmp_path: Path) -> None:
    clock = HandClock()
    with world({"Inbox": queue("inbox")}, tmp_path, clock=clock) as twin:
        make_schedule(twin, "rate(1 hour)")
        clock.moment += timedelta(minutes=30)
        twin.client("scheduler").create_schedule(
            Name="other",
            ScheduleExpression="rate(1 day)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": "arn:aws:sqs:us-east-1:123456789012:inbox", "RoleArn": "arn:aws:iam::123456789012:role/r"},
        )
        assert twin.pumps.timetable.next_moment() == START + timedelta(hours=1)


def test_schedule_with_an_expression_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with world({"Inbox": queue("inbox")}, tmp_path, clock=HandClock()) as twin:
        with pytest.raises(ClientError, match="ValidationException"):
            make_schedule(twin, "every day")
        assert names_of(twin) == []
