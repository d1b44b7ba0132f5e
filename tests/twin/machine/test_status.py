"""What is told of the status of executions."""

from collections.abc import Iterator
from queue import Queue
from typing import Any

import pytest

from tests.twin.machine.stage import Stage
from twin.machine import status

_PASS: dict[str, Any] = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
_FAIL: dict[str, Any] = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Broken", "Cause": "on purpose"}}}
_WAIT: dict[str, Any] = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 99_999, "End": True}}}


class Told:
    """What was told of one machine's executions, each waited for."""

    def __init__(self) -> None:
        self._details: Queue[dict[str, Any]] = Queue()

    def take(self, detail: dict[str, Any]) -> None:
        self._details.put(detail)

    def of(self, machine: str) -> dict[str, Any]:
        while True:
            detail = self._details.get(timeout=10)
            if detail["stateMachineArn"] == machine:
                return detail


@pytest.fixture
def told(stage: Stage) -> Iterator[Told]:
    listener = Told()
    status.listen(listener.take)
    yield listener
    status.listen(None)


def test_a_start_and_an_end_are_told_in_order(stage: Stage, told: Told) -> None:
    machine = stage.create(_PASS)
    execution = stage.start_execution(machine, {"a": 1}, name="one")
    running, ended = told.of(machine), told.of(machine)
    assert (running["status"], running["stopDate"], running["output"]) == ("RUNNING", None, None)
    assert (ended["status"], ended["output"], ended["name"]) == ("SUCCEEDED", '{"a":1}', "one")
    assert running["executionArn"] == ended["executionArn"] == execution
    assert ended["stopDate"] >= ended["startDate"]


def test_a_failure_is_told_with_its_error(stage: Stage, told: Told) -> None:
    machine = stage.create(_FAIL)
    stage.start_execution(machine)
    told.of(machine)
    ended = told.of(machine)
    assert (ended["status"], ended["error"], ended["cause"]) == ("FAILED", "Broken", "on purpose")


def test_a_stop_is_told(stage: Stage, told: Told) -> None:
    machine = stage.create(_WAIT)
    execution = stage.start_execution(machine)
    told.of(machine)
    stage.client("stepfunctions").stop_execution(executionArn=execution, error="Cancelled", cause="by a test")
    ended = told.of(machine)
    assert (ended["status"], ended["error"]) == ("ABORTED", "Cancelled")


def test_express_executions_are_not_told_of(stage: Stage, told: Told) -> None:
    express, standard = stage.create(_PASS, kind="EXPRESS"), stage.create(_PASS)
    stage.client("stepfunctions").start_sync_execution(stateMachineArn=express, input="{}")
    stage.start_execution(standard)
    assert told._details.get(timeout=10)["stateMachineArn"] == standard


def test_a_listener_that_fails_breaks_no_execution(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    def broken(detail: dict[str, Any]) -> None:
        raise RuntimeError("on purpose")

    status.listen(broken)
    try:
        assert stage.run(_PASS)["status"] == "SUCCEEDED"
    finally:
        status.listen(None)
    assert "was not sent" in caplog.text
