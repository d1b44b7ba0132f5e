"""The arguments of a call in the form in which they run: of a call that asks, a human is shown just that. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from pentad.domain.canonical import arguments_hash
from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.errors import InvalidInput
from pentad.domain.reading.coercion import coerce
from pentad.domain.runs import CallStatus, ToolCall
from pentad.domain.schemas import find_violations
from pentad.tools.policy.unknown_fields import find_by_pattern

_MAX_DEPTH = 40
"""Levels of a schema, its choices counted: more than a declared one may have (`pentad.domain.schemas`)."""
_BRANCHES = ("anyOf", "oneOf")


def finalise_call(tool: ToolSpec, call: ToolCall) -> ToolCall:
    """Return a call with its final arguments, and their hash: those are shown, and those run."""
    arguments = canonicalise_arguments(tool, call.arguments)
    rewritten = call.rewritten or arguments != call.arguments
    hashed = arguments_hash(arguments)
    return call.model_copy(update={"arguments": arguments, "arguments_hash": hashed, "rewritten": rewritten})


def select_arguments(tool: ToolSpec, call: ToolCall) -> dict[str, Any]:
    """Return the arguments that a tool's function gets: those that its rules were decided by.

    What a human has approved is final as it is stored. What no rule has looked at stays as it was written.
    """
    if isinstance(tool.approval, str) or call.status is CallStatus.APPROVED:
        return call.arguments
    return canonicalise_arguments(tool, call.arguments)


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
        value = _fill_entries(schema, value, depth + 1)
    elif isinstance(value, dict):
        value = _fill_fields(schema, value, depth + 1)
    else:
        return value
    for part in schema.get("allOf") or ():
        value = _fill(part, value, depth + 1)
    return _fill(_pick_branch(schema, value), value, depth + 1)


def _fill_entries(schema: Mapping[str, Any], value: list[Any], depth: int) -> list[Any]:
    first = schema.get("prefixItems")
    first = first if isinstance(first, list) else []
    rest = schema.get("items")
    filled = [_fill(first[at] if at < len(first) else rest, entry, depth) for at, entry in enumerate(value)]
    for part in first[len(value) :]:
        if not isinstance(part, Mapping) or "default" not in part:
            break
        filled.append(part["default"])
    return filled


def _fill_fields(schema: Mapping[str, Any], value: dict[str, Any], depth: int) -> dict[str, Any]:
    fields = schema.get("properties")
    fields = fields if isinstance(fields, Mapping) else {}
    filled = {name: _fill(_find_field(schema, fields, name), part, depth) for name, part in value.items()}
    for name, part in fields.items():
        if name not in filled and isinstance(part, Mapping) and part.get("default") is not None:
            filled[name] = part["default"]
    return filled


def _find_field(schema: Mapping[str, Any], fields: Mapping[str, Any], name: str) -> Any:
    if name in fields:
        return fields[name]
    matched = find_by_pattern(schema, name)
    return schema.get("additionalProperties") if matched is None else matched


def _pick_branch(schema: Mapping[str, Any], value: Any) -> Any:
    """Return which of the choices of a schema a list or an object is read by, or None.

    Of several it is the first that the value fits which knows most of its fields: so does pydantic, and more so once
    the defaults of that one are filled in.
    """
    found = list(_list_branches(schema, value))
    if len(found) > 1:
        found = [one for one in found if _fits(one, value)] or found
    names = set(value) if isinstance(value, dict) else set()
    return max(found, key=lambda one: len(names & set(one.get("properties") or ())), default=None)


def _list_branches(schema: Mapping[str, Any], value: Any) -> Iterator[Mapping[str, Any]]:
    wanted = "array" if isinstance(value, list) else "object"
    for one in (branch for key in _BRANCHES for branch in schema.get(key) or () if isinstance(branch, Mapping)):
        kind = one.get("type", wanted)
        if kind == wanted or (isinstance(kind, list) and wanted in kind):
            yield one


def _fits(schema: Mapping[str, Any], value: Any) -> bool:
    try:
        return not find_violations(schema, value)
    except InvalidInput:
        return False


def _takes_whole(schema: Mapping[str, Any]) -> bool:
    """Tell whether of numbers a schema takes whole ones only."""
    choices = [schema, *(one for key in _BRANCHES for one in schema.get(key) or ())]
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
    for key in ("properties", "patternProperties"):
        fields = {name: keep_defaults(part, depth + 1) for name, part in (schema.get(key) or {}).items()}
        if any(fields.values()):
            kept[key] = {name: part for name, part in fields.items() if part}
    for key in ("items", "additionalProperties"):
        if below := keep_defaults(schema.get(key), depth + 1):
            kept[key] = below
    for key in ("prefixItems", "allOf"):
        parts = [keep_defaults(part, depth + 1) | _keep_null(part) for part in schema.get(key) or ()]
        if any(parts):
            kept[key] = parts
    return kept | _keep_branches(schema, depth + 1)


def _keep_null(schema: Any) -> dict[str, Any]:
    """Return a default of null, which holds a place in a tuple."""
    held = isinstance(schema, Mapping) and "default" in schema and schema["default"] is None
    return {"default": None} if held else {}


def _keep_branches(schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
    """Return the choices below which there are defaults: whole ones where several have to be told apart."""
    kept: dict[str, Any] = {}
    for key in _BRANCHES:
        parts = [part for part in schema.get(key) or () if isinstance(part, Mapping)]
        below = [keep_defaults(part, depth) for part in parts]
        if not any("type" not in one or len(one) > 1 for one in below if one):
            continue
        several = len([part for part in parts if part.get("type") in ("array", "object", None)]) > 1
        kinds = [{"type": part["type"]} if "type" in part else {} for part in parts]
        kept[key] = parts if several else [kind | one for kind, one in zip(kinds, below, strict=True)]
    return kept
