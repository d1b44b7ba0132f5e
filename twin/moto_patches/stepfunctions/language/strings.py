"""Strings of a definition, read as JSON.

What moto gets wrong: it leaves the escapes of some strings in place and reads those of others as Python's, so that
escaped slashes and characters outside the basic plane come out wrong.
"""

import json
from typing import Any

from moto.stepfunctions.parser.asl.antlt4utils import antlr4utils
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor

from twin.moto_patches.patching import Patches


def _decode_literal(parser_rule_context: Any) -> str:
    text = str(parser_rule_context.getText())
    if not (text.startswith('"') and text.endswith('"') and len(text) > 1):
        return text
    try:
        return str(json.loads(text))
    except (ValueError, RecursionError):
        return text[1:-1]


def _wrap_inner_string(original: Any) -> Any:
    def inner(parser_rule_context: Any) -> str | None:
        return None if original(parser_rule_context) is None else _decode_literal(parser_rule_context)

    return staticmethod(inner)


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    patches.replace_everywhere(antlr4utils.from_string_literal, _decode_literal)
    patches.set_attribute(Preprocessor, "_inner_string_of", _wrap_inner_string(Preprocessor._inner_string_of))
