"""Bring the arguments of a planned call into the bounds of the tool's schema, as a model does that reads it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from jsonschema import Draft202012Validator

from twin.simulator.neutral import Json, Tool, ToolCall
from twin.simulator.rules.arguments.patterns import find_match
from twin.simulator.rules.arguments.schema import get_properties, infer_type, is_complete, list_required
from twin.simulator.rules.arguments.structured import FORMATS, bound_number, bound_text

_FORMATS = Draft202012Validator.FORMAT_CHECKER


def fit_calls(calls: Sequence[ToolCall], tools: Sequence[Tool], question: str) -> list[ToolCall]:
    """Return the calls whose arguments fit their schemas, or can be made to; the others are not made.

    Args:
        calls: as planned.
        tools: those of the request.
        question: where a text that fits a pattern may stand.
    """
    known = {tool.name: tool for tool in tools}
    fitted: list[ToolCall] = []
    for call in calls:
        tool = known.get(call.name)
        arguments = call.arguments if tool is None else fit_arguments(tool, call.arguments, question)
        if arguments is not None:
            fitted.append(ToolCall(call.name, arguments, call.id))
    return fitted


def fit_arguments(tool: Tool, arguments: Json, question: str) -> Json | None:
    """Return arguments that fit a tool's schema, or None: what is not required is left out where it does not fit."""
    validator = Draft202012Validator(tool.schema, format_checker=_FORMATS)
    if validator.is_valid(arguments):
        return arguments
    declared, needed = get_properties(tool), set(list_required(tool))
    fitted: Json = {}
    for name, value in arguments.items():
        schema = declared.get(name)
        if schema is None or _is_fitting(tool, name, value):
            fitted[name] = value
            continue
        mended = _mend(schema, value, question)
        if mended is not None and _is_fitting(tool, name, mended):
            fitted[name] = mended
        elif name in needed:
            return None
    return fitted if is_complete(tool, fitted) and validator.is_valid(fitted) else None


def _is_fitting(tool: Tool, name: str, value: Any) -> bool:
    """Whether a value fits a property; references are resolved against the whole schema."""
    root: Json = {key: tool.schema[key] for key in ("$defs", "definitions") if key in tool.schema}
    schema = (tool.schema.get("properties") or {}).get(name, {})
    whole = {**root, "properties": {"x": schema}}
    return Draft202012Validator(whole, format_checker=_FORMATS).is_valid({"x": value})


def _mend(schema: Json, value: Any, question: str) -> Any:
    wanted = infer_type(schema)
    if wanted in ("integer", "number") and isinstance(value, int | float) and not isinstance(value, bool):
        return bound_number(value, schema, wanted)
    if wanted == "string" and isinstance(value, str):
        if schema.get("format") in FORMATS:
            found = re.search(FORMATS[schema["format"]][0], value) or re.search(FORMATS[schema["format"]][0], question)
            return found.group() if found else None
        if schema.get("pattern"):
            # A pattern is met by what the question holds, or not at all: nothing is made up.
            pattern = str(schema["pattern"])
            return find_match(pattern, value) or find_match(pattern, question)
        return bound_text(value, schema)
    return None
