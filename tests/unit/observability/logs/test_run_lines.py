"""A run's lines are found over all log groups, in order, and nothing of another run or tenant with them."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pentad.domain.errors import NotFound
from pentad.domain.ids import derive_id, make_id
from pentad.observability.logs.ports import StoredLine, TooManyPages
from pentad.observability.logs.run_lines import FoundLines, RunLine, RunLines, choose_lines, find_begin, follow_lines

AT = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
RUN, OTHER = "run_" + "0" * 25 + "1", "run_" + "0" * 25 + "2"
GATEWAY, DELIVER = "/aws/lambda/pentad-dev-gateway", "/aws/lambda/pentad-dev-deliver"
MACHINE = "/aws/vendedlogs/states/pentad-dev-agent-clerk"


class Lines:
    """A source of lines that are written by hand."""

    def __init__(self) -> None:
        self.groups: dict[str, list[StoredLine]] = {GATEWAY: [], DELIVER: [], MACHINE: []}
        self.endless: set[str] = set()

    def write(self, group: str, second: float, text: str | None = None, **fields: Any) -> None:
        at = AT + timedelta(seconds=second)
        line = text if text is not None else json.dumps({"level": "INFO", "run": RUN, "tenant": "acme", **fields})
        self.groups[group].append(StoredLine(f"{len(self.groups[group]):06d}", at, group, line))

    def list_groups(self, prefix: str) -> list[str]:
        return sorted(group for group in self.groups if group.startswith(prefix))

    def iter_lines(
        self, group: str, words: Sequence[str], *, since: datetime, until: datetime | None = None
    ) -> Iterator[StoredLine]:
        for line in self.groups[group]:
            if line.at >= since and (until is None or line.at <= until) and any(word in line.text for word in words):
                yield line
        if group in self.endless:
            raise TooManyPages(group)

    def find(self, tenant: str | None = None, since: datetime = AT, until: datetime | None = None) -> FoundLines:
        return RunLines(self, "pentad-dev", RUN, tenant_id=tenant).find(since, until)


def read_messages(found: FoundLines) -> list[str]:
    return [line.fields["message"] for line in found.lines]


def test_lines_of_all_functions_come_by_time() -> None:
    source = Lines()
    source.write(GATEWAY, 3, message="third")
    source.write(DELIVER, 2, message="second")
    source.write(GATEWAY, 1, message="first")
    source.write(GATEWAY, 9, message="too late")
    found = source.find(until=AT + timedelta(seconds=5))
    assert read_messages(found) == ["first", "second", "third"]
    assert [line.service for line in found.lines] == ["gateway", "deliver", "gateway"]


def test_lines_of_other_runs_and_tenants_that_name_the_run_are_left_out() -> None:
    source = Lines()
    source.write(GATEWAY, 1, run=OTHER, source=RUN, message="forked from it")
    source.write(GATEWAY, 2, tenant="other", message="says that it is the run")
    source.write(GATEWAY, 3, text=f'{{"run": "{RUN}", "tenant": "acme", "message": "cut of')
    source.write(GATEWAY, 4, message="own")
    assert read_messages(source.find("acme")) == ["own"]
    assert read_messages(source.find("nobody")) == []


def test_what_lambda_and_libraries_said_in_an_invocation_of_the_run_is_with_it() -> None:
    source = Lines()
    source.write(GATEWAY, 1, text="START RequestId: q-1 Version: 4")
    source.write(GATEWAY, 2, request_id="q-1", message="invocation.began")
    source.write(GATEWAY, 3, text="[WARNING]\t2026-11-30T09:00:03Z\tq-1\tthe pool is full\nof connections")
    source.write(GATEWAY, 4, text="2026-11-30T09:00:04Z q-1 Task timed out after 30.00 seconds")
    source.write(GATEWAY, 5, text="END RequestId: q-1")
    source.write(GATEWAY, 6, text="REPORT RequestId: q-1\tDuration: 30000 ms\tStatus: timeout")
    source.write(GATEWAY, 7, text="2026-11-30T09:00:04Z q-2 Task timed out after 30.00 seconds")
    source.write(GATEWAY, 8, run=OTHER, request_id="q-1", message="of another message of the batch")
    found = source.find()
    assert [(line.level, line.fields["message"].split(" ")[0]) for line in found.lines] == [
        ("INFO", "invocation.began"),
        ("WARNING", "the"),
        ("ERROR", "2026-11-30T09:00:04Z"),
        ("ERROR", "REPORT"),
    ]
    assert len(choose_lines(found.lines, "ERROR")) == 2


@pytest.mark.parametrize("form", ["execution:{}:{}", "express:{}:{}:6d7e3b1c-0000-4000-8000-000000000000"])
def test_the_ends_and_faults_of_the_execution_are_with_it_and_its_other_states_not(form: str) -> None:
    source = Lines()
    arn = f"arn:aws:states:eu-west-1:1:{form.format('pentad-dev-agent-clerk', RUN)}"
    for second, kind in enumerate(("ExecutionStarted", "TaskStateEntered", "TaskTimedOut", "ExecutionFailed")):
        source.write(MACHINE, second, text=json.dumps({"type": kind, "execution_arn": arn}))
    source.write(MACHINE, 5, text=json.dumps({"type": "ExecutionStarted", "execution_arn": arn, "input": OTHER}))
    source.write(MACHINE, 6, text=json.dumps({"type": "ExecutionStarted", "execution_arn": f"x:{OTHER}", "by": RUN}))
    assert read_messages(source.find()) == ["ExecutionStarted", "TaskTimedOut", "ExecutionFailed", "ExecutionStarted"]
    assert read_messages(source.find("acme")) == []  # an execution's line does not say whose it is
    source.write(GATEWAY, 7, message="own")
    assert len(source.find("acme").lines) == 5


def test_a_group_that_is_not_read_to_its_end_is_told_of() -> None:
    source = Lines()
    source.write(GATEWAY, 1, message="own")
    source.endless.add(GATEWAY)
    found = source.find()
    assert read_messages(found) == ["own"]
    assert found.notes == [f"'{GATEWAY}' has more pages than are read: give a later --since or an earlier --until"]


def test_a_stage_without_log_groups_is_told_by_name() -> None:
    source = Lines()
    source.groups.clear()
    with pytest.raises(NotFound, match="no log group begins with '/aws/lambda/pentad-dev-'"):
        source.find()


def test_the_begin_is_read_from_an_id_that_tells_it() -> None:
    begun = find_begin(make_id("run", AT), AT + timedelta(days=30))
    assert begun == AT - timedelta(minutes=1)
    assert find_begin(make_id("run", AT), AT - timedelta(hours=1)) is None  # it would begin in the future
    told = [find_begin(derive_id("run", "acme", str(number)), AT) for number in range(500)]
    assert sum(one is not None for one in told) < 10  # of hashes


def test_following_tells_each_line_once_and_ends_after_the_runs_end() -> None:
    source = Lines()
    source.write(GATEWAY, 0, message="first")
    later = [
        lambda: source.write(GATEWAY, 60, message="second"),
        lambda: source.write(DELIVER, 55, message="written before, found after"),
        lambda: source.write(DELIVER, 61, message="end", span={"name": "invoke_agent clerk"}),
    ]

    def pause() -> bool:
        if later:
            later.pop(0)()
        return True

    found = list(follow_lines(lambda since: source.find(since=since), AT, pause=pause))
    assert [read_messages(one) for one in found] == [
        ["first"],
        ["second"],
        ["written before, found after"],
        ["end"],
        [],
        [],
    ]


def test_following_tells_of_an_invocation_that_is_ended_long_after_its_last_line() -> None:
    source = Lines()
    reader = RunLines(source, "pentad-dev", RUN)
    source.write(GATEWAY, 0, message="invocation.began", request_id="q-1")
    source.write(DELIVER, 100, message="other")
    later = [lambda: source.write(GATEWAY, 110, text="2026-11-30T09:01:50Z q-1 Task timed out after 110.00 seconds")]

    def pause() -> bool:
        again = bool(later)
        if later:
            later.pop()()
        return again

    found = list(follow_lines(lambda since: reader.find(since), AT, pause=pause))
    assert [read_messages(one)[-1] for one in found] == [
        "other",
        "2026-11-30T09:01:50Z q-1 Task timed out after 110.00 seconds",
    ]


def test_following_ends_when_its_time_is_over() -> None:
    looks = list(follow_lines(lambda since: FoundLines(), AT, pause=lambda: False))
    assert len(looks) == 1


def test_a_run_is_over_where_its_root_says_so() -> None:
    line = RunLine("1", AT, GATEWAY, "gateway", "INFO", {"span": {"name": "chat m"}})
    assert not line.ends_run
    assert not RunLine("1", AT, GATEWAY, "gateway", "INFO", {"span": "invoke_agent"}).ends_run
