"""An entry as a trajectory for the deployed loop."""

from dataclasses import dataclass
from typing import Any

from pentad.orchestration.turn.decision import CALLS_PER_TURN
from tests.twin.trajectories.bfcl.entries import Entry, Function, arguments, parsed
from tests.twin.trajectories.bfcl.truth import Application, Database, as_tool_result
from tests.twin.trajectories.loader import CLOSING, Call, Reply, Trajectory, UserTurn

Json = dict[str, Any]
_TYPES: dict[str, Any] = {
    "string": str,
    "integer": int,
    "float": int | float,
    "boolean": bool,
    "array": list,
    "dict": dict,
}


@dataclass(frozen=True)
class Conversation:
    """An entry: as a trajectory, and as the benchmark's executor has applied it."""

    trajectory: Trajectory
    application: Application

    def left(self) -> Database:
        """Return the records that the right calls leave."""
        return self.application.database()


def unplayable(entry: Entry, functions: dict[str, Function]) -> str | None:
    """Return why an entry can't be runs of an agent that has the documented functions, or None."""
    if not all(turn.question.strip() for turn in entry.turns):
        return "the user says nothing in a turn"
    if not all(_documented(functions[method], values, named) for method, values, named in map(parsed, entry.calls)):
        return "a right call has an argument of another type than the benchmark documents"
    return None


def _documented(function: Function, values: list[Any], named: Json) -> bool:
    schemas: Json = function.parameters["properties"]
    given = arguments(function, values, named)
    return all(isinstance(value, _TYPES[schemas[name]["type"]]) for name, value in given.items())


def conversation(entry: Entry, functions: dict[str, Function], changing: set[str]) -> Conversation:
    """Return an entry as a conversation: the users' turns, the right calls with their results, what stands before.

    Args:
        entry: the entry.
        functions: all functions by method.
        changing: the methods that change their backend's state.
    """
    application = Application(entry)
    database = application.database()
    turns = []
    for place, turn in enumerate(entry.turns):
        results = application.run(*turn.calls)
        calls = [
            _call(f"call_{place}_{number}", text, functions, result)
            for number, (text, result) in enumerate(zip(turn.calls, results, strict=True))
        ]
        methods = [functions[parsed(text)[0]] for text in turn.calls]
        replies = [Reply("", tuple(calls[first:last])) for first, last in _together(methods, changing)]
        turns.append(UserTurn(turn.question, (*replies, Reply(CLOSING))))
    return Conversation(Trajectory(entry.name, tuple(turns), database), application)


def _call(call_id: str, text: str, functions: dict[str, Function], result: str) -> Call:
    method, given, named = parsed(text)
    function = functions[method]
    return Call(call_id, function.tool, arguments(function, given, named), as_tool_result(result))


def _together(methods: list[Function], changing: set[str]) -> list[tuple[int, int]]:
    """Return where the replies begin and end: calls of one reply run at once, so their order must not matter.

    It does not matter between different backends, nor between calls of one backend that only read it.
    """
    found: list[tuple[int, int]] = []
    for place, function in enumerate(methods):
        first = found[-1][0] if found else place
        apart = all(
            one.class_name != function.class_name or not {one.method, function.method} & changing
            for one in methods[first:place]
        )
        if found and apart and place - first < CALLS_PER_TURN:
            found[-1] = (first, place + 1)
        else:
            found.append((place, place + 1))
    return found
