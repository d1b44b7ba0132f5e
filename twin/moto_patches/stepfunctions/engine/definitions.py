"""Definitions, parsed once.

What moto gets wrong: it parses a definition anew for each execution, which takes longer than most executions; it sends
the error of an invalid one without a name; it takes transitions that lead nowhere.
"""

from typing import Any

from moto.stepfunctions.parser import models

from twin.machine.definitions import InvalidDefinitionError, find_diagnostics, forget_programs, parse_program
from twin.moto_patches.patching import Patches


class _Parser:
    """Stands in for the parser where moto validates a definition, so that the result is used again."""

    @staticmethod
    def parse(definition: str) -> tuple[Any, None]:
        return parse_program(definition), None


def _validate(definition: str) -> None:
    found = find_diagnostics(definition)
    if found:
        raise InvalidDefinitionError(", ".join(one.text for one in found))


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    patches.set_attribute(models, "AmazonStateLanguageParser", _Parser)
    patches.set_attribute(models.StepFunctionsParserBackend, "_validate_definition", staticmethod(_validate))
    patches.on_undo(forget_programs)
