"""A history tells its transitions, its turns and its largest payload."""

from typing import Any

import pytest

from benchmarks import history


def _entered(kind: str, name: str, content: str = "{}") -> dict[str, Any]:
    return {"type": f"{kind}StateEntered", "stateEnteredEventDetails": {"name": name, "input": content}}


EVENTS: list[dict[str, Any]] = [
    {"type": "ExecutionStarted", "executionStartedEventDetails": {"input": "123", "roleArn": "a" * 500}},
    _entered("Task", "Recall"),
    {"type": "TaskScheduled", "taskScheduledEventDetails": {"parameters": "ä" * 10, "resource": "invoke"}},
    {"type": "TaskFailed", "taskFailedEventDetails": {"error": "E", "cause": "c" * 7}},
    _entered("Task", "Think"),
    _entered("Choice", "Decide"),
    _entered("Map", "Act"),
    _entered("Task", "Call"),
    {"type": "TaskSucceeded", "taskSucceededEventDetails": {"output": "x" * 15}},
    _entered("Task", "Think"),
    _entered("Choice", "Decide"),
    _entered("Task", "Deliver"),
    {"type": "ExecutionSucceeded", "executionSucceededEventDetails": {"output": "{}"}},
]


def test_each_state_entered_is_a_transition() -> None:
    assert len(history.entered(EVENTS)) == 8


def test_a_turn_goes_from_one_think_to_the_next() -> None:
    assert history.turns(history.entered(EVENTS)) == [
        ("Think", "Decide", "Act", "Call"),
        ("Think", "Decide", "Deliver"),
    ]


def test_failed_attempts_are_counted() -> None:
    assert history.failures(EVENTS) == 1


def test_the_largest_payload_is_told_in_bytes_with_its_place() -> None:
    assert history.largest(EVENTS) == history.Payload(20, "Recall", "TaskScheduled", "parameters")


def test_the_execution_s_own_payloads_belong_to_no_state() -> None:
    ends = [one for one in history.payloads(EVENTS) if one.state == "(execution)"]
    assert [one.event for one in ends] == ["ExecutionStarted", "ExecutionSucceeded"]


def test_variables_are_payloads_too() -> None:
    events = [{"type": "TaskStateExited", "stateExitedEventDetails": {"name": "A", "assignedVariables": {"v": "1234"}}}]
    assert history.largest(events).bytes == 5


def test_a_history_without_payloads_has_no_largest() -> None:
    with pytest.raises(ValueError, match="empty"):
        history.largest([])
