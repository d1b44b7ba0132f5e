"""A promise of the design is kept only by exactly its count."""

from dataclasses import replace

import pytest

from benchmarks.history import Payload
from benchmarks.turn import Turn, constant_size, promises
from tests.unit.benchmarks.builders import PLAIN, turn

TOOLS = turn(
    name="2 tool calls",
    tool_calls=2,
    transitions=9,
    states=("Recall", "Think", "Decide", "Act", "Call", "Call", "Think", "Decide", "Deliver"),
    turns=(5, 3),
)


def broken(found: Turn) -> list[str]:
    return [promise.what for promise in promises(found) if not promise.kept]


@pytest.mark.parametrize("found", [PLAIN, TOOLS], ids=lambda one: one.name)
def test_what_is_as_designed_breaks_no_promise(found: Turn) -> None:
    assert broken(found) == []


def test_one_transition_more_in_a_plain_answer_is_told() -> None:
    longer = turn(transitions=5, states=(*PLAIN.states, "Extra"))
    assert broken(longer) == ["plain answer: transitions"]


def test_one_state_more_in_a_tool_turn_is_told() -> None:
    assert broken(replace(TOOLS, turns=(6, 3))) == ["2 tool calls: turns, 3 + k and closing"]


def test_a_run_that_did_not_succeed_is_told() -> None:
    assert broken(turn(status="degraded")) == ["plain answer: the run's end"]


def test_a_retried_task_is_told() -> None:
    assert broken(turn(failures=1)) == ["plain answer: failed attempts"]


def test_a_trace_that_differs_from_the_history_is_told() -> None:
    assert broken(turn(states=PLAIN.states[:-1])) == ["plain answer: transitions in trace and history"]


def test_counters_that_differ_from_the_log_are_told() -> None:
    assert broken(turn(counted=3)) == ["plain answer: requests in counters and log"]


@pytest.mark.parametrize(("size", "kept"), [(700, True), (764, True), (765, False), (100_700, False)])
def test_the_largest_payload_must_not_grow_with_the_message(size: int, kept: bool) -> None:
    large = turn(name="long", largest=Payload(size, "Deliver", "TaskSucceeded", "output"))
    assert constant_size(PLAIN, large).kept is kept
