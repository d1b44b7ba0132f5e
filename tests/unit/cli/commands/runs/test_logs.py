"""``pentad logs``: a run's lines over CloudWatch Logs as moto has it, for people and programs, and its exit codes."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import typer
from botocore.exceptions import ClientError
from moto import mock_aws
from typer.testing import CliRunner

from pentad.cli import operator
from pentad.cli.commands.runs import logs
from pentad.cli.console import EXIT_FAILED, EXIT_UNAVAILABLE, EXIT_USAGE, OPTIONS
from pentad.domain.ids import make_id
from tests.moto_clients import client

NOW = datetime.now(UTC)
RUN = make_id("run", NOW)
GATEWAY, DELIVER = "/aws/lambda/pentad-dev-gateway", "/aws/lambda/pentad-dev-deliver"


class Logs:
    """The log groups of a stage."""

    def __init__(self) -> None:
        self.client = client("logs")
        self.count = 0
        for group in (GATEWAY, DELIVER):
            self.client.create_log_group(logGroupName=group)
            self.client.create_log_stream(logGroupName=group, logStreamName="s")

    def write(self, group: str, text: str | None = None, **fields: Any) -> None:
        self.count += 1
        line = {"level": "INFO", "service": group[23:], "run": RUN, "tenant": "acme", **fields}
        at = NOW + timedelta(milliseconds=self.count)
        event: Any = {"timestamp": int(at.timestamp() * 1000), "message": text or json.dumps(line)}
        self.client.put_log_events(logGroupName=group, logStreamName="s", logEvents=[event])


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[Logs]:
    with mock_aws():
        found = Logs()
        monkeypatch.setattr(operator, "create_client", lambda service, stage, **options: found.client)
        yield found


def run_command(*arguments: str, as_json: bool = False) -> tuple[int, str, str]:
    app = typer.Typer()
    app.command()(logs.logs)
    OPTIONS.json = as_json
    reply = CliRunner().invoke(app, [*arguments])
    return reply.exit_code, reply.stdout, reply.stderr


def test_lines_of_all_functions_are_shown_by_time(written: Logs) -> None:
    written.write(
        GATEWAY, message="run.loop", event="run.loop", level="WARNING", step=2, tool="notes", request_id="q-1"
    )
    written.write(DELIVER, message="run.failed", event="run.failed", level="ERROR", error="Timeout")
    written.write(GATEWAY, "2026-11-30T09:00:04Z q-1 Task timed out after 30.00 seconds")
    code, shown, _ = run_command(RUN)
    rows = [row.split() for row in shown.splitlines()]
    assert code == 0
    assert [row[1:5] for row in rows[:2]] == [
        ["WARNING", "gateway", "2", "run.loop"],
        ["ERROR", "deliver", "run.failed", "error=Timeout"],
    ]
    assert "Task timed out after 30.00 seconds" in shown.splitlines()[2]
    assert run_command(RUN, "--level", "error")[1].splitlines() == shown.splitlines()[1:]


def test_json_has_all_that_a_line_holds(written: Logs) -> None:
    written.write(GATEWAY, message="a.b", event="a.b", detail="x" * 5_000, step=1)
    code, shown, _ = run_command(RUN, as_json=True)
    [line] = json.loads(shown)
    assert (code, line["group"], line["detail"], line["step"]) == (0, GATEWAY, "x" * 5_000, 1)


def test_characters_that_act_or_hide_are_shown_as_what_they_are(written: Logs) -> None:
    written.write(GATEWAY, message="a\x1b[2Jb\u202ec\x00", event="x.y", detail="\ud83d and \x9b31m")
    _, shown, _ = run_command(RUN)
    assert r"a\u001b[2Jb\u202ec\u0000" in shown and r"\ud83d and \u009b31m" in shown
    _, shown, _ = run_command(RUN, as_json=True)
    assert json.loads(shown)[0]["message"] == "a\x1b[2Jb\u202ec\x00"


def test_no_more_lines_are_shown_than_were_asked_for_and_that_is_told(written: Logs) -> None:
    for number in range(5):
        written.write(GATEWAY, message=f"m{number}")
    code, shown, told = run_command(RUN, "--limit", "2")
    assert (code, len(shown.splitlines())) == (0, 2)
    assert "there are 5 lines, and the first 2 are shown" in told


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("options", [("--tenant", "other"), ("--level", "error"), ("--until", "2020-01-01")])
def test_no_line_is_an_exit_code_and_a_sentence(written: Logs, options: tuple[str, ...], as_json: bool) -> None:
    written.write(GATEWAY, message="m")
    code, shown, told = run_command(RUN, *options, as_json=as_json)
    assert code == EXIT_FAILED
    assert f"no such line of '{RUN}'" in told
    assert shown.strip() == ("[]" if as_json else "")


@pytest.mark.parametrize("arguments", [("run_x",), ("../x",), (RUN, "--tenant", "A B")])
def test_an_id_that_is_none_is_refused_before_anything_is_read(arguments: tuple[str, ...]) -> None:
    code, _, told = run_command(*arguments)
    assert code == EXIT_FAILED and "is not well formed" in told


def test_usage_that_is_wrong_is_told(written: Logs) -> None:
    assert run_command(RUN, "--limit", "0")[0] == EXIT_USAGE
    assert run_command(RUN, "--level", "loud")[0] == EXIT_USAGE


def test_a_stage_that_is_not_there_is_told(written: Logs) -> None:
    code, _, told = run_command(RUN, "--stage", "prod")
    assert code == EXIT_UNAVAILABLE and "no log group begins with '/aws/lambda/pentad-prod-'" in told


def test_a_group_that_goes_while_it_is_read_has_no_lines(written: Logs, monkeypatch: pytest.MonkeyPatch) -> None:
    written.write(GATEWAY, message="m")
    listed = written.client.describe_log_groups()["logGroups"]
    written.client.delete_log_group(logGroupName=DELIVER)
    monkeypatch.setattr(written.client, "describe_log_groups", lambda **given: {"logGroups": listed}, raising=False)
    assert run_command(RUN)[0] == 0


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("AccessDeniedException", "the AWS credentials may not list the log groups"),
        ("ThrottlingException", "CloudWatch Logs did not answer: ThrottlingException"),
    ],
)
def test_what_aws_refuses_is_told_in_a_line(
    written: Logs, monkeypatch: pytest.MonkeyPatch, code: str, told: str
) -> None:
    def refuse(**given: Any) -> Any:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, "DescribeLogGroups")

    monkeypatch.setattr(written.client, "describe_log_groups", refuse, raising=False)
    found = run_command(RUN)
    assert found[0] == EXIT_UNAVAILABLE and told in found[2]


def test_following_tells_each_line_once_until_the_end_of_the_run(
    written: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "_POLL_SECONDS", 0.0)
    written.write(GATEWAY, message="a.b", event="a.b")
    written.write(
        DELIVER, message="invoke_agent clerk", span={"name": "invoke_agent clerk", "start": 0, "end": 5_000_000}
    )
    code, shown, _ = run_command(RUN, "--follow", as_json=True)
    assert code == 0
    assert [json.loads(row)["message"] for row in shown.splitlines()] == ["a.b", "invoke_agent clerk"]


def test_what_was_said_is_shown_from_a_log_of_its_own_each_line_once(written: Logs) -> None:
    group = "/pentad/pentad-dev/contents"
    code, _, told = run_command(RUN, "--content")
    assert code == EXIT_FAILED and "leaves it out" in told
    written.client.create_log_group(logGroupName=group)
    written.client.create_log_stream(logGroupName=group, logStreamName="s")
    said = {"run": RUN, "tenant": "acme", "role": "user", "kind": "text", "step": 0}
    for line in ("m.0.0", "m.0.0", "m.1.0"):
        written.write(group, json.dumps({**said, "line": line, "text": f"said \x1b[2J {line}"}))
    written.write(group, json.dumps({**said, "line": "x", "tenant": "other", "text": "of another"}))
    code, shown, _ = run_command(RUN, "--content", "--tenant", "acme")
    assert code == 0
    assert shown.count("m.0.0") == shown.count("m.1.0") == 1
    assert "\x1b" not in shown and "of another" not in shown
    assert len(json.loads(run_command(RUN, "--content", as_json=True)[1])) == 3
    assert "there are 2 lines, and the first is shown" in run_command(RUN, "--content", "-t", "acme", "--limit", "1")[2]
    assert run_command(RUN, "--content", "--follow")[0] == EXIT_USAGE


def test_a_reader_who_may_not_read_what_was_said_is_told_so(written: Logs, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**given: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "FilterLogEvents")

    monkeypatch.setattr(written.client, "filter_log_events", refuse, raising=False)
    code, _, told = run_command(RUN, "--content")
    assert code == EXIT_UNAVAILABLE
    assert "the AWS credentials may not read the log group '/pentad/pentad-dev/contents'" in " ".join(told.split())
