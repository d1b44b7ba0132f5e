"""Definitions, parsed once: parsing takes longer than most executions."""

import threading
from collections import OrderedDict
from typing import Any, Final

from moto.core.exceptions import AWSError
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

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
    parsed = AmazonStateLanguageParser.parse(definition)[0]
    mark_locations(parsed)
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
        super().__init__(f"Invalid State Machine Definition: '{reason}'")


def forget_programs() -> None:
    """Forget every parsed definition."""
    with _lock:
        _programs.clear()
