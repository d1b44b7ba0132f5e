"""Definitions, parsed once: parsing takes longer than most executions; and what AWS refuses that the parser takes."""

import json
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from moto.core.exceptions import AWSError
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

from twin.machine.distributed.faults import find_map_faults
from twin.machine.distributed.fields import attach_fields, take_fields
from twin.machine.jsonata.expressions import mark_locations

_PROGRAMS: Final = 128

_lock = threading.Lock()
_programs: OrderedDict[str, Any] = OrderedDict()


def parse_program(definition: str) -> Any:
    """Return the parsed program of a definition; evaluation keeps no state in it, so that executions share it."""
    with _lock:
        found = _programs.get(definition)
        if found is not None:
            _programs.move_to_end(definition)
            return found
    plain, taken = take_fields(definition)
    parsed = AmazonStateLanguageParser.parse(plain)[0]
    mark_locations(parsed)
    attach_fields(parsed, taken)
    with _lock:
        _programs[definition] = parsed
        while len(_programs) > _PROGRAMS:
            _programs.popitem(last=False)
    return parsed


class InvalidDefinitionError(AWSError):
    """A definition that the parser refuses; moto sends this error without a name."""

    TYPE = "InvalidDefinition"
    STATUS = 400

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"Invalid State Machine Definition: '{reason}'")


def forget_programs() -> None:
    """Forget every parsed definition."""
    with _lock:
        _programs.clear()


class Diagnostic(NamedTuple):
    """What is wrong with a definition, and where; empty where nobody knows."""

    code: str
    message: str
    location: str = ""

    @property
    def text(self) -> str:
        """The diagnostic as AWS writes it into the error of CreateStateMachine."""
        return f"{self.code}: {self.message} at {self.location}" if self.location else f"{self.code}: {self.message}"


def find_diagnostics(definition: str) -> list[Diagnostic]:
    """Return what keeps a definition from being created.

    Codes, and the wording of transitions, are AWS's; what the parser refuses is told in the parser's words.
    """
    try:
        body = json.loads(definition)
    except (ValueError, RecursionError) as error:
        return [Diagnostic("INVALID_JSON_DESCRIPTION", str(error))]
    faults = list(_find_state_faults(body))
    if faults:
        return faults
    try:
        parse_program(definition)
    except Exception as error:  # the parser refuses a definition with any type of error
        return [Diagnostic("SCHEMA_VALIDATION_FAILED", str(error))]
    return list(find_transition_faults(body))


def find_transition_faults(body: dict[str, Any], place: str = "") -> Iterator[Diagnostic]:
    """Yield the transitions of a definition, and of those within it, that lead nowhere, and states that none leads to.

    Args:
        body: the definition: ``StartAt`` and ``States``. Branches and iterations have states of their own.
        place: where it is.
    """
    states: dict[str, Any] = body["States"]
    named = [(f"{place}/StartAt", body["StartAt"])]
    for name, state in states.items():
        found = list(_iter_targets(state, f"{place}/States/{name}"))
        named += found
        if state["Type"] in _GOES_ON and "Next" not in state and state.get("End") is not True:
            where = f"{place}/States/{name}"
            yield Diagnostic("SCHEMA_VALIDATION_FAILED", "the state has neither Next nor End", where)
    code = "MISSING_TRANSITION_TARGET"
    for where, target in named:
        if target not in states:
            yield Diagnostic(code, f"Missing 'Next' target: {target}", where)
    reached = {target for _, target in named}
    for name in states:
        if name not in reached:
            yield Diagnostic(code, f'State "{name}" is not reachable.', f"{place}/States/{name}")
    for name, state in states.items():
        for where, inner in _iter_inner(state, f"{place}/States/{name}"):
            yield from find_transition_faults(inner, where)


def _find_state_faults(body: Any, place: str = "") -> Iterator[Diagnostic]:
    """Yield what is wrong with the fields of Map states that the parser does not see."""
    states = body.get("States") if isinstance(body, dict) else None
    for name, state in states.items() if isinstance(states, dict) else ():
        if not isinstance(state, dict):
            continue
        where = f"{place}/States/{name}"
        for message, field in find_map_faults(state):
            yield Diagnostic("SCHEMA_VALIDATION_FAILED", message, f"{where}/{field}")
        for inner_place, inner in _iter_inner(state, where):
            yield from _find_state_faults(inner, inner_place)


_GOES_ON: Final = frozenset(("Pass", "Task", "Wait", "Parallel", "Map"))


def _iter_targets(state: dict[str, Any], where: str) -> Iterator[tuple[str, str]]:
    """Yield where a state leads to."""
    for field in ("Next", "Default"):
        if field in state:
            yield f"{where}/{field}", state[field]
    for field in ("Choices", "Catch"):
        for index, rule in enumerate(state.get(field, ())):
            if "Next" in rule:
                yield f"{where}/{field}[{index}]/Next", rule["Next"]


def _iter_inner(state: dict[str, Any], where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the definitions within a state."""
    for index, branch in enumerate(state.get("Branches", ())):
        yield f"{where}/Branches[{index}]", branch
    for field in ("ItemProcessor", "Iterator"):
        if field in state:
            yield f"{where}/{field}", state[field]
