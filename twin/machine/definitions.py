"""Definitions: parsed once, and their strings read as JSON.

What moto gets wrong: it parses the definition anew for each execution, which takes longer than most executions; it
leaves the escapes of some strings in place and reads those of others as Python's, so that escaped slashes and
characters outside the basic plane come out wrong.
"""

import json
import threading
from collections import OrderedDict
from typing import Any, Final

from moto.core.exceptions import AWSError
from moto.stepfunctions.parser import models
from moto.stepfunctions.parser.asl.antlt4utils import antlr4utils
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor

from twin.machine.expressions import mark_locations
from twin.machine.patching import Patches

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


class _Parser:
    """Stands in for the parser where moto validates a definition, so that the result is used again."""

    @staticmethod
    def parse(definition: str) -> tuple[Any, None]:
        return parse_program(definition), None


def _validate(definition: str) -> None:
    try:
        parse_program(definition)
    except Exception as exc:  # the parser refuses a definition with any type of error
        raise InvalidDefinitionError(str(exc)) from exc


def _decode_literal(parser_rule_context: Any) -> str:
    text = str(parser_rule_context.getText())
    if not (text.startswith('"') and text.endswith('"') and len(text) > 1):
        return text
    try:
        return str(json.loads(text))
    except ValueError:
        return text[1:-1]


def _wrap_inner_string(original: Any) -> Any:
    def decode_inner(parser_rule_context: Any) -> str | None:
        return None if original(parser_rule_context) is None else _decode_literal(parser_rule_context)

    return staticmethod(decode_inner)


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    patches.replace_everywhere(antlr4utils.from_string_literal, _decode_literal)
    patches.set_attribute(Preprocessor, "_inner_string_of", _wrap_inner_string(Preprocessor._inner_string_of))
    patches.set_attribute(models, "AmazonStateLanguageParser", _Parser)
    patches.set_attribute(models.StepFunctionsParserBackend, "_validate_definition", staticmethod(_validate))
    patches.on_undo(_programs.clear)
