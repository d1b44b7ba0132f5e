"""Bring JSON Schemas into the form that providers take. Pure; what a schema says beyond it is told in words.

The gateway checks arguments and structured replies against the whole schema in any case, so what is told in words here
is still enforced.
"""

import json
from typing import Any

_COMBINATORS = ("anyOf", "oneOf", "allOf", "not", "enum")
"""What Anthropic and OpenAI refuse at the top level of a tool's schema."""


def flatten_tool_schema(description: str, schema: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return a tool's description and schema without combinators at the top level.

    Properties that stand in the alternatives alone become properties of the tool, so that the model knows them. What
    the combinators ask for is added to the description.
    """
    moved = {name: schema[name] for name in _COMBINATORS if name in schema}
    if not moved:
        return description, schema
    flat = {name: value for name, value in schema.items() if name not in moved}
    properties = dict(_list_alternative_properties(moved)) | dict(flat.get("properties") or {})
    flat |= {"type": "object", "properties": properties}
    asked = json.dumps(moved, ensure_ascii=False, separators=(",", ":"))
    return f"{description}\n\nThe arguments must also fit this JSON Schema: {asked}".strip(), flat


def _list_alternative_properties(moved: dict[str, Any]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name in ("anyOf", "oneOf", "allOf"):
        for part in moved.get(name) or ():
            given = part.get("properties") if isinstance(part, dict) else None
            found.extend(given.items() if isinstance(given, dict) else ())
    return found


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
