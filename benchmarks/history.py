"""Reads an execution's history: the states it entered, its turns, what failed and the largest payload."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Event = Mapping[str, Any]

_PAYLOADS = ("input", "output", "parameters", "cause", "assignedVariables")
_FAILURES = ("TaskFailed", "TaskTimedOut", "TaskStartFailed", "TaskSubmitFailed", "MapIterationFailed")


@dataclass(frozen=True)
class Payload:
    """One payload of a history, in bytes of UTF-8."""

    bytes: int
    state: str
    event: str
    field: str


def entered(events: Iterable[Event]) -> list[str]:
    """Return the names of the states that were entered, in order: one transition each."""
    return [
        str(event["stateEnteredEventDetails"]["name"]) for event in events if event["type"].endswith("StateEntered")
    ]


def turns(states: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the states of each turn: from one Think to the next. What comes before the first is left out."""
    starts = [index for index, state in enumerate(states) if state == "Think"]
    return [tuple(states[start:end]) for start, end in zip(starts, [*starts[1:], len(states)], strict=True)]


def failures(events: Iterable[Event]) -> int:
    """Return how many attempts of tasks failed; AWS bills each retry as one transition more."""
    return sum(1 for event in events if event["type"] in _FAILURES)


def payloads(events: Iterable[Event]) -> list[Payload]:
    """Return all payloads: inputs, outputs, task parameters, variables and causes, with the state they are of.

    Events of a Map's iterations run side by side, so there the state is the one that was entered last.
    """
    found: list[Payload] = []
    state = "(execution)"
    for event in events:
        for details in (content for name, content in event.items() if name.endswith("EventDetails")):
            if event["type"].endswith("StateEntered"):
                state = str(details["name"])
            shown = "(execution)" if event["type"].startswith("Execution") else state
            found += [
                Payload(_bytes(details[field]), shown, str(event["type"]), field)
                for field in _PAYLOADS
                if details.get(field)
            ]
    return found


def _bytes(content: Any) -> int:
    if isinstance(content, Mapping):
        return sum(len(str(name).encode()) + len(str(value).encode()) for name, value in content.items())
    return len(str(content).encode())


def largest(events: Iterable[Event]) -> Payload:
    """Return the largest payload.

    Raises:
        ValueError: the history has none.
    """
    return max(payloads(events), key=lambda payload: payload.bytes)
