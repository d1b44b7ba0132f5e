"""What is kept of one measured run, and what the design promises of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.history import Payload
from benchmarks.invocations import Repeat
from benchmarks.items import Stored
from benchmarks.requests import Row


@dataclass(frozen=True)
class Turn:
    """One run, measured.

    Attributes:
        name: the case.
        tool_calls: how many calls its first turn makes.
        status: how the run ended.
        transitions: as the API's trace counts them.
        states: the states entered, in order, from the execution's history.
        turns: transitions of each turn: from one Think to the next.
        failures: failed attempts of tasks; each would be billed as one transition more.
        largest: the largest payload of the execution.
        dynamodb: requests to DynamoDB, from the log kept at the front.
        counted: how many they were by the front's own counters.
        other: requests to other services: "service operation" by function.
        invocations: function invocations by function.
        stored: what the run left in tables and buckets.
        repeats: what was read more than once in one invocation.
        read_bytes: size of the items that the run read, each as often as it was read.
        history: messages in the session before the run.
        input_tokens: that the models were sent, cached or not.
    """

    name: str
    tool_calls: int
    status: str
    transitions: int
    states: tuple[str, ...]
    turns: tuple[int, ...]
    failures: int
    largest: Payload
    dynamodb: tuple[Row, ...]
    counted: int
    other: dict[str, int]
    invocations: dict[str, int]
    stored: tuple[Stored, ...]
    repeats: tuple[Repeat, ...]
    read_bytes: int
    history: int
    input_tokens: int

    @property
    def list_requests(self) -> int:
        """DynamoDB requests in all."""
        return sum(row.count for row in self.dynamodb)


@dataclass(frozen=True)
class Promise:
    """What the design fixes. A ``check`` is shown only when it is broken: it says whether the counts mean anything."""

    what: str
    promised: str
    counted: str
    kept: bool
    check: bool = False


PLAIN_TRANSITIONS = 4
"""Recall, Think, Decide, Deliver (docs/architecture.md)."""
TOOL_TURN = 3
"""Think, Decide, Act, and one more for each call (docs/architecture.md)."""
CLOSING_TURN = 3
"""Think, Decide, Deliver."""
PAYLOAD_SLACK = 64
"""Bytes by which the largest payload may differ with the message: response headers hold lengths."""


def _exactly(what: str, promised: int, counted: int, *, check: bool = False) -> Promise:
    return Promise(what, str(promised), str(counted), promised == counted, check)


def promises(turn: Turn) -> list[Promise]:
    """Return what the design promises of a run's transitions."""
    found = [
        Promise(f"{turn.name}: the run's end", "succeeded", turn.status, turn.status == "succeeded", check=True),
        _exactly(f"{turn.name}: failed attempts", 0, turn.failures, check=True),
        _exactly(f"{turn.name}: transitions in trace and history", turn.transitions, len(turn.states), check=True),
        _exactly(f"{turn.name}: requests in counters and log", turn.counted, turn.list_requests, check=True),
    ]
    if not turn.tool_calls:
        return [*found, _exactly(f"{turn.name}: transitions", PLAIN_TRANSITIONS, turn.transitions)]
    tool_turn, closing = TOOL_TURN + turn.tool_calls, CLOSING_TURN
    shape = (tool_turn, closing)
    return [
        *found,
        Promise(f"{turn.name}: turns, 3 + k and closing", _sum(shape), _sum(turn.turns), turn.turns == shape),
        _exactly(f"{turn.name}: transitions, with Recall", 1 + tool_turn + closing, turn.transitions),
    ]


def _sum(counts: Sequence[int]) -> str:
    return " + ".join(map(str, counts)) or "none"


def constant_size(small: Turn, large: Turn) -> Promise:
    """Return whether the execution's largest payload is the same however long the message."""
    change = large.largest.bytes - small.largest.bytes
    return Promise(
        f"largest payload, {large.name} against {small.name}",
        f"at most {PAYLOAD_SLACK} bytes apart",
        f"{change:+} bytes",
        abs(change) <= PAYLOAD_SLACK,
    )
