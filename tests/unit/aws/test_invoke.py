"""Waiting for a function that Lambda can't run yet: which errors, how often, until when."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from pentad.aws.errors import SNAP_START
from pentad.aws.invoke import THROTTLED, invoke_when_ready
from tests.unit.models.samples import Clock


class Function:
    """A lambda client whose function can be run after some seconds."""

    def __init__(self, clock: Clock, code: str, *, seconds: float) -> None:
        self._clock, self._code, self._ready = clock, code, clock.now + seconds
        self.calls: list[dict[str, Any]] = []

    def invoke(self, **call: Any) -> str:
        self.calls.append(call)
        if self._clock.now < self._ready:
            raise ClientError({"Error": {"Code": self._code, "Message": "not ready"}}, "Invoke")
        return "done"


def invoke(clock: Clock, function: Function, *, seconds: float) -> Any:
    return invoke_when_ready(function, "f:live", b"{}", deadline=clock.now + seconds, clock=clock, sleep=clock.sleep)


@pytest.mark.parametrize("code", sorted({*SNAP_START, THROTTLED}))
def test_what_will_be_ready_is_waited_for(code: str) -> None:
    clock = Clock()
    function = Function(clock, code, seconds=60)
    assert invoke(clock, function, seconds=290) == "done"
    assert len(function.calls) > 3
    assert function.calls[-1] == {"FunctionName": "f:live", "Payload": b"{}"}


@pytest.mark.parametrize("code", sorted({*SNAP_START, THROTTLED}))
@pytest.mark.parametrize("seconds", [0, 2, 25])
def test_no_wait_ends_after_the_deadline(code: str, seconds: float) -> None:
    clock = Clock()
    began = clock.now
    with pytest.raises(ClientError, match=code):
        invoke(clock, Function(clock, code, seconds=1e9), seconds=seconds)
    assert clock.now <= began + seconds


def test_the_number_of_calls_is_bounded_whatever_the_deadline() -> None:
    clock = Clock()
    function = Function(clock, "SnapStartNotReadyException", seconds=1e9)
    with pytest.raises(ClientError):
        invoke(clock, function, seconds=1e8)
    assert len(function.calls) == 25


@pytest.mark.parametrize("code", ["AccessDeniedException", "ServiceException", "ResourceConflictException"])
def test_another_error_goes_on_at_once(code: str) -> None:
    clock = Clock()
    function = Function(clock, code, seconds=1)
    with pytest.raises(ClientError, match=code):
        invoke(clock, function, seconds=290)
    assert len(function.calls) == 1
