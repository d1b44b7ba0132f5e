"""Read JSON schemas of tools, as pydantic and people write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from twin.simulator.neutral import Json, Tool
from twin.simulator.rules.text import split_words, stem

_MAX_DEPTH = 16


def resolve(schema: Any, root: Mapping[str, Any]) -> Json:
    """Follow references, and take the branch of a union that is not null."""
    for _ in range(_MAX_DEPTH):
        if not isinstance(schema, Mapping):
            return {}
        if "$ref" in schema:
            schema = _follow_reference(str(schema["$ref"]), root)
            continue
        branches = schema.get("anyOf") or schema.get("oneOf")
        if branches:
            useful = [one for one in branches if not (isinstance(one, Mapping) and one.get("type") == "null")]
            rest = {key: value for key, value in schema.items() if key not in ("anyOf", "oneOf")}
            schema = {**rest, **resolve(useful[0], root)} if useful else {"type": "null"}
            continue
        if len(schema.get("allOf", ())) == 1:
            schema = {**{k: v for k, v in schema.items() if k != "allOf"}, **resolve(schema["allOf"][0], root)}
            continue
        return dict(schema)
    return {}


def _follow_reference(reference: str, root: Mapping[str, Any]) -> Any:
    node: Any = root
    for part in reference.removeprefix("#/").split("/"):
        node = node.get(part, {}) if isinstance(node, Mapping) else {}
    return node


def get_properties(tool: Tool) -> dict[str, Json]:
    """Return the tool's properties with references resolved."""
    declared = tool.schema.get("properties") or {}
    return {name: resolve(one, tool.schema) for name, one in declared.items()}


def list_required(tool: Tool) -> list[str]:
    """Return the names of the required properties."""
    return [str(name) for name in tool.schema.get("required") or ()]


def infer_type(schema: Mapping[str, Any]) -> str:
    """Return the JSON type of a property: the first that is not null, or a guess."""
    declared = schema.get("type")
    if isinstance(declared, list):
        declared = next((one for one in declared if one != "null"), "null")
    if declared is None:
        if "properties" in schema:
            return "object"
        values = list_options(schema)
        return "string" if not values or isinstance(values[0], str) else "number"
    return str(declared)


def list_options(schema: Mapping[str, Any]) -> list[Any]:
    """Return the allowed values of a property, or none."""
    return [schema["const"]] if "const" in schema else list(schema.get("enum") or ())


def split_name(name: str) -> list[str]:
    """Split an identifier into stems: ``saveNote_v2`` gives sav, not, v2."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return [stem(word) for word in re.split(r"[\s_.\-]+", spaced) if word]


def has_any_word(tool: Tool, *wanted: str) -> bool:
    """Whether the tool's name or description has one of the words."""
    have = {*split_name(tool.name), *(stem(word) for word in split_words(tool.description))}
    return any(stem(word) in have for word in wanted)


def find_property(tool: Tool, names: tuple[str, ...], types: tuple[str, ...] = ()) -> str | None:
    """Return the first property with one of the names, in the order of the names."""
    declared = get_properties(tool)
    lowered = {name.lower().replace("-", "_"): name for name in declared}
    for name in names:
        real = lowered.get(name)
        if real is not None and (not types or infer_type(declared[real]) in types):
            return real
    return None


def is_complete(tool: Tool, arguments: Json) -> bool:
    """Whether all required properties are there."""
    return all(name in arguments for name in list_required(tool))
