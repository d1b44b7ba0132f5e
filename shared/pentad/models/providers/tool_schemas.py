"""Bring JSON Schemas into the form that providers take. Pure; what a schema says beyond it is told in words.

The gateway checks arguments and structured replies against the whole schema in any case, so what is told in words here
is still enforced.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pentad.domain.declarations.agents import ToolSpec
from pentad.models.providers.strict_dialects import CLAUDE, OPENAI, StrictDialect
from pentad.models.providers.strict_schemas import NotStrict, StrictForm, make_strict

_COMBINATORS = ("anyOf", "oneOf", "allOf", "not", "enum")
"""What Anthropic and OpenAI refuse at the top level of a tool's schema."""
_MAX_REFERENCES = 16
_MOST_STRICT, _MOST_OPTIONAL, _MOST_UNIONS = 20, 24, 16
"""Of all strict tools of a request to Claude ("Structured outputs", schema complexity limits; read 2026-11)."""
_MOST_PROPERTIES = 100
"""The same, of ours: Claude refuses what compiles into too large a grammar, and says no number."""


@dataclass(frozen=True)
class ToolForm:
    """A tool as a provider is told of it.

    Args:
        description: with what its schema can't say.
        schema: an object's; in a strict form where ``strict`` is given.
        strict: what that form costs; None where the tool is sent without strict mode.
        reason: why it is, with the place.
    """

    description: str
    schema: dict[str, Any]
    strict: StrictForm | None = None
    reason: str = ""


def describe_tool(tool: ToolSpec, dialect: StrictDialect | None) -> ToolForm:
    """Return a tool in a provider's form.

    Args:
        tool: what is declared of it.
        dialect: the provider's strict mode; None for one without.
    """
    words, flat = flatten_tool_schema(tool.description, tool.input_schema)
    if dialect is None:
        return ToolForm(words, flat, reason="no strict mode")
    moved = {name: tool.input_schema[name] for name in _COMBINATORS if name in tool.input_schema}
    if _list_alternative_properties(moved, tool.input_schema):
        return ToolForm(words, flat, reason="alternatives with fields of their own")
    try:
        form = make_strict(flat, dialect, told=moved)
    except NotStrict as error:
        return ToolForm(words, flat, reason=str(error))
    return ToolForm(words, form.schema, strict=form)


def describe_for_openai(tools: Sequence[ToolSpec], *, strict: bool) -> list[ToolForm]:
    """Return tools as OpenAI takes them: each strict, where it can be."""
    return [describe_tool(tool, OPENAI if strict else None) for tool in tools]


def describe_for_claude(tools: Sequence[ToolSpec], *, strict: bool) -> list[ToolForm]:
    """Return tools as Claude takes them: the first ones that fit into a request's limits are strict, in their order."""
    found: list[ToolForm] = []
    left = [_MOST_STRICT, _MOST_OPTIONAL, _MOST_UNIONS, _MOST_PROPERTIES]
    for tool in tools:
        form = describe_tool(tool, CLAUDE if strict else None)
        if form.strict is not None:
            cost = (1, form.strict.optional, form.strict.unions, form.strict.properties)
            if any(one > rest for one, rest in zip(cost, left, strict=True)):
                reason = "the strict tools before it use up the limit of a request"
                form = ToolForm(*flatten_tool_schema(tool.description, tool.input_schema), reason=reason)
            else:
                left = [rest - one for one, rest in zip(cost, left, strict=True)]
        found.append(form)
    return found


def flatten_tool_schema(description: str, schema: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return a tool's description and schema, an object's at the top level and without combinators there.

    Properties that stand in the alternatives alone become properties of the tool, so that the model knows them. What
    the combinators ask for is added to the description. A reference at the top is replaced by what it means. A list
    that says nothing of its items says that they are anything, as OpenAI asks.
    """
    schema = _name_items(schema)
    root, schema = schema, _inline_reference(schema, schema)
    moved = {name: schema[name] for name in _COMBINATORS if name in schema}
    if not moved:
        if schema.get("type") == "object":
            return description, schema
        return description, {"properties": {}, **schema, "type": "object"}
    flat = {name: value for name, value in schema.items() if name not in moved}
    properties = _join_alternatives(_list_alternative_properties(moved, root)) | dict(flat.get("properties") or {})
    flat |= {"type": "object", "properties": properties}
    asked = json.dumps(moved, ensure_ascii=False, separators=(",", ":"))
    return f"{description}\n\nThe arguments must also fit this JSON Schema: {asked}".strip(), flat


def _name_items(schema: Any) -> Any:
    """Return a schema whose lists all say of what they are."""
    if isinstance(schema, list):
        return [_name_items(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    named = {
        name: value if name in ("enum", "const", "default", "examples") else _name_items(value)
        for name, value in schema.items()
    }
    kind = named.get("type")
    is_list = kind == "array" or (isinstance(kind, list) and "array" in kind)
    return named | {"items": {}} if is_list and not {"items", "prefixItems"} & set(named) else named


def _inline_reference(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """Return a schema without a reference at its top; its definitions stay, for references further down."""
    for _ in range(_MAX_REFERENCES):
        target = schema.get("$ref")
        if target is None:
            return schema
        if not isinstance(target, str) or not target.startswith("#/"):
            break
        found: Any = root
        for part in target.removeprefix("#/").split("/"):
            found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
        rest = {name: value for name, value in schema.items() if name != "$ref"}
        schema = {**(found if isinstance(found, dict) else {}), **rest}
    return {name: value for name, value in schema.items() if name != "$ref"}


def _list_alternative_properties(moved: dict[str, Any], root: dict[str, Any], depth: int = 0) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name in ("anyOf", "oneOf", "allOf"):
        for part in moved.get(name) or ():
            if not isinstance(part, dict) or depth > _MAX_REFERENCES:
                continue
            whole = _inline_reference(part, root)
            given = whole.get("properties")
            found.extend(given.items() if isinstance(given, dict) else ())
            found.extend(_list_alternative_properties(whole, root, depth + 1))
    return found


def _join_alternatives(found: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Return the properties of alternatives by name; one that differs between them may be any of its meanings."""
    meanings: dict[str, list[Any]] = {}
    for name, schema in found:
        if schema not in meanings.setdefault(name, []):
            meanings[name].append(schema)
    return {name: each[0] if len(each) == 1 else {"anyOf": each} for name, each in meanings.items()}


def split_types(schema: Any) -> Any:
    """Return a schema in which ``"type": ["string", "null"]`` is an ``anyOf`` of single types."""
    if isinstance(schema, list):
        return [split_types(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    split = {
        name: value if name in ("enum", "const", "default") else split_types(value) for name, value in schema.items()
    }
    kinds = split.get("type")
    if not isinstance(kinds, list) or not all(isinstance(kind, str) for kind in kinds):
        return split
    if "anyOf" in split or "oneOf" in split or len(kinds) == 1:
        return split | {"type": kinds[0]} if len(kinds) == 1 else split
    shared = {name: split.pop(name) for name in ("title", "description", "default") if name in split}
    return shared | {"anyOf": [_keep_for_type(kind, split) for kind in kinds]}


def _keep_for_type(kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of one type; null takes nothing that is said of the others but a fitting enum."""
    if kind == "null":
        return {"type": "null"}
    if "enum" in schema:
        return schema | {"type": kind, "enum": [value for value in schema["enum"] if value is not None]}
    return schema | {"type": kind}


def is_closable(schema: Any) -> bool:
    """Tell if a schema keeps its meaning where every object is closed and every part has a type, as Claude asks.

    A map (``additionalProperties`` with a schema, ``patternProperties``) would become an empty object.
    """
    if not isinstance(schema, dict):
        return False
    if "$ref" in schema:
        return all(is_closable(part) for part in (schema.get("$defs") or {}).values())
    parts = [*(schema.get("$defs") or {}).values(), *(schema.get("properties") or {}).values()]
    parts += [part for name in ("anyOf", "oneOf", "allOf") for part in schema.get(name) or ()]
    parts += [schema["items"]] if "items" in schema else []
    if not all(is_closable(part) for part in parts):
        return False
    if schema.get("type") == "object" or "properties" in schema:
        return "patternProperties" not in schema and not _is_map(schema)
    if schema.get("type") == "array":
        return "items" in schema and "prefixItems" not in schema
    return any(name in schema for name in ("type", "enum", "const", "anyOf", "oneOf", "allOf"))


def _is_map(schema: dict[str, Any]) -> bool:
    more = schema.get("additionalProperties")
    return isinstance(more, dict) or (more is not False and not schema.get("properties"))


def describe_reply(schema: dict[str, Any]) -> str:
    """Return the sentence that asks for a reply of a schema in words."""
    asked = json.dumps(schema, ensure_ascii=False)
    return f"Reply with one JSON value and nothing else. It must fit this JSON Schema:\n{asked}"
