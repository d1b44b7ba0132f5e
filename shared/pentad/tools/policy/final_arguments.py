"""The arguments of a call in the form in which they run: of a call that asks, a human is shown just that. Pure."""

from collections.abc import Mapping
from typing import Any

from pentad.domain.canonical import arguments_hash
from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.reading.coercion import coerce
from pentad.domain.runs import ToolCall

_MAX_DEPTH = 8


def finalise_call(tool: ToolSpec, call: ToolCall) -> ToolCall:
    """Return a call with its final arguments, and their hash: those are shown, and those run."""
    arguments = canonicalise_arguments(tool, call.arguments)
    rewritten = call.rewritten or arguments != call.arguments
    hashed = arguments_hash(arguments)
    return call.model_copy(update={"arguments": arguments, "arguments_hash": hashed, "rewritten": rewritten})


def canonicalise_arguments(tool: ToolSpec, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments as the tool's function takes them: forms that have one meaning, and defaults filled in.

    A default of null is left out.
    """
    taken = coerce(tool.input_schema, arguments)
    return fill_arguments(tool, taken if isinstance(taken, dict) else arguments)


def fill_arguments(tool: ToolSpec, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return arguments with defaults filled in, and whole numbers as such."""
    filled = _fill(tool.input_schema, arguments, 0)
    return filled if isinstance(filled, dict) else arguments


def _fill(schema: Any, value: Any, depth: int) -> Any:
    if not isinstance(schema, Mapping) or depth > _MAX_DEPTH:
        return value
    if isinstance(value, float) and _takes_whole(schema) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, list):
        return [_fill(schema.get("items"), entry, depth + 1) for entry in value]
    fields = schema.get("properties")
    if not isinstance(value, dict) or not isinstance(fields, Mapping):
        return value
    filled = {name: _fill(fields.get(name), part, depth + 1) for name, part in value.items()}
    for name, part in fields.items():
        if name not in filled and isinstance(part, Mapping) and part.get("default") is not None:
            filled[name] = part["default"]
    return filled


def _takes_whole(schema: Mapping[str, Any]) -> bool:
    """Tell whether of numbers a schema takes whole ones only."""
    choices = [schema, *(one for key in ("anyOf", "oneOf") for one in schema.get(key) or ())]
    kinds = {one.get("type") for one in choices if isinstance(one, Mapping) and isinstance(one.get("type"), str)}
    return "integer" in kinds and "number" not in kinds


def keep_defaults(schema: Any, depth: int = 0) -> dict[str, Any]:
    """Return what of a schema `canonicalise_arguments` fills in arguments by; empty where it fills in nothing."""
    if not isinstance(schema, Mapping) or depth > _MAX_DEPTH:
        return {}
    kept: dict[str, Any] = {}
    if schema.get("default") is not None:
        kept["default"] = schema["default"]
    if _takes_whole(schema):
        kept["type"] = "integer"
    fields = {name: keep_defaults(part, depth + 1) for name, part in (schema.get("properties") or {}).items()}
    if any(fields.values()):
        kept["properties"] = {name: part for name, part in fields.items() if part}
    items = keep_defaults(schema.get("items"), depth + 1)
    return kept | ({"items": items} if items else {})
