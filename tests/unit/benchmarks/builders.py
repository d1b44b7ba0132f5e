"""Runs as the benchmarks measure them, with what a test does not care about filled in."""

from dataclasses import replace
from typing import Any

from benchmarks.history import Payload
from benchmarks.requests import Key, Request, Row
from benchmarks.turn import Turn
from twin.host.model import InvocationReport

PLAIN = Turn(
    name="plain answer",
    tool_calls=0,
    status="succeeded",
    transitions=4,
    states=("Recall", "Think", "Decide", "Deliver"),
    turns=(3,),
    failures=0,
    largest=Payload(700, "Deliver", "TaskSucceeded", "output"),
    dynamodb=(Row("gateway", "GetItem", "state", "run", 2),),
    counted=2,
    other={"lambda Invoke by recall": 1},
    invocations={"gateway": 2},
    stored=(),
    repeats=(),
    read_bytes=10,
    history=0,
    input_tokens=100,
)


def turn(**changes: Any) -> Turn:
    """Return a plain answer with changes."""
    return replace(PLAIN, **changes)


def report(
    function: str, started_ms: int, *, init_ms: float | None = None, duration_ms: float = 10.0
) -> InvocationReport:
    """Return a REPORT record; its request id says function and start."""
    return InvocationReport(function, f"{function}@{started_ms}", started_ms, duration_ms, init_ms, 64, "success", None)


def request(principal: str, at_ms: float, operation: str = "GetItem", pk: str = "T#t#R#r", sk: str = "META") -> Request:
    """Return a request about one item of the state table."""
    return Request(at_ms, principal, operation, (Key("pentad-dev-state-stateX-1", pk, sk),))
