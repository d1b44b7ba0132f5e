"""The report is readable and complete, as tables and as JSON."""

import json

import pytest
from pydantic import ValidationError
from rich.console import Console

from benchmarks import tables
from benchmarks.__main__ import arguments, report
from benchmarks.invocations import Repeat
from benchmarks.items import Stored
from benchmarks.purposes import purpose
from benchmarks.requests import Row
from benchmarks.scenarios import LONG, PLAIN, TOOLS, Measured
from benchmarks.stage import Case
from benchmarks.timing import FunctionTimes, Spread
from benchmarks.turn import Promise
from pentad.orchestration.lifecycle.start import RunRequest
from tests.unit.benchmarks.builders import turn

ONE = Spread(1.0, 2.0, 3.0, 3)


def measured(*promises: Promise) -> Measured:
    tool = turn(
        name=TOOLS[0].name,
        tool_calls=1,
        repeats=(Repeat("deliver", "GetItem", "run", 2),),
        stored=(Stored("table state", 6, 0, 3150, 3150),),
    )
    grown = turn(name="after 2 messages", history=2)
    functions = [FunctionTimes("gateway", ONE, ONE, ONE, 84)]
    return Measured([turn(), tool, grown], list(promises), functions, [], ONE, 2.0)


def printed(found: Measured) -> str:
    console = Console(width=160)
    with console.capture() as capture:
        tables.show(console, found)
    return capture.get()


def test_the_tables_show_counts_repeats_storage_and_times() -> None:
    text = printed(measured())
    for piece in (
        "plain answer",
        "Read more than once",
        "3,150",
        "p50 2 ms",
        "do not grow",
        "1 / 2 / 3",
    ):
        assert piece in text


def test_a_broken_promise_is_shown() -> None:
    assert "BROKEN" in printed(measured(Promise("transitions", "4", "5", kept=False)))


def test_a_check_that_holds_is_only_counted() -> None:
    text = printed(measured(Promise("a check", "0", "0", kept=True, check=True)))
    assert "a check" not in text
    assert "1 checks hold" in text


def test_requests_that_grow_with_the_session_are_told() -> None:
    short, long = turn(history=2), turn(history=50, dynamodb=(Row("gateway", "Query", "state", "message", 9),))
    assert "GROW" in tables.growth([short, long])


def test_the_json_has_everything_and_says_whether_all_was_kept() -> None:
    found = measured(Promise("transitions", "4", "5", kept=False))
    content = json.loads(json.dumps(report(found, {"front": ONE}, 12.34)))
    assert content["kept"] is False
    assert content["turns"][0]["largest"]["bytes"] == 700
    assert content["start_seconds"]["front"]["median"] == 2.0


def test_a_frequent_request_has_a_purpose() -> None:
    assert "ledger" in purpose(Row("gateway", "PutItem", "ledger", "model attempt", 2))


def test_the_tool_runners_requests_have_their_purposes() -> None:
    for operation, items in (("TransactWriteItems", "audit entry, end of the audit"), ("Query", "end of the audit")):
        assert purpose(Row("run-tool", operation, "ledger", items, 1)) != "?"


def test_a_request_that_nobody_explained_has_a_question_mark() -> None:
    assert purpose(Row("gateway", "Scan", "state", "run", 1)) == "?"


def test_the_long_message_is_the_longest_that_the_api_takes() -> None:
    RunRequest(agent="assistant", message=LONG.message)
    with pytest.raises(ValidationError):
        RunRequest(agent="assistant", message=LONG.message + "!")


@pytest.mark.parametrize("case", TOOLS, ids=lambda case: case.name)
def test_a_case_with_tools_scripts_all_its_calls_in_one_turn(case: Case) -> None:
    replies = case.replies()
    assert len(replies) == 2
    assert len(replies[0]["reply"]["tool_calls"]) == len(case.tool_calls)


def test_a_plain_case_scripts_one_reply() -> None:
    assert len(PLAIN.replies()) == 1


def test_counts_out_of_bounds_are_refused() -> None:
    with pytest.raises(SystemExit):
        arguments(["--starts", "1000"])
