"""Bring what clients write in other forms, but can mean in one way only, into the form of OpenAI's chat completions.

The forms are those of OpenAI's other API (Responses), of other servers of this protocol, and what is left out where
nothing else could stand. What could mean two things stays as it is, and is refused by name. `docs/door.md` lists them.
"""

import json
from typing import Any

from pentad.api.door.reading import drop_nulls

Json = dict[str, Any]
_REQUIRED = ("any", "required")
_PART_KINDS = {
    "input_text": "text",
    "output_text": "text",
    "input_image": "image_url",
    "input_file": "file",
}
"""The Responses API's names of parts, and ours."""
_CONTENTS = ("text", "refusal", "image_url", "file")
"""Fields that hold what a part is, which is the part's type too."""


def shape_tool(value: Any) -> Any:
    """Return a tool with its type, and with what describes it in ``function``."""
    if not isinstance(value, dict):
        return value
    value = drop_nulls(value)
    if value.get("type", "function") != "function":
        return value
    if "function" in value:
        return {"type": "function", **value}
    if "name" not in value:
        return value
    return {"type": "function", "function": {name: each for name, each in value.items() if name != "type"}}


def shape_parameters(value: Json) -> Json:
    """Return a tool's parameters with ``object`` as their type: arguments of a call are an object and nothing else."""
    kinds = value.get("type", "object")
    if isinstance(kinds, list) and "object" in kinds:
        kinds = "object"
    return {"properties": {}, **value, "type": kinds}


def shape_choice(value: Any) -> Any:
    """Return a choice of tools: a word, one function, or allowed tools."""
    if isinstance(value, dict):
        return _shape_chosen(drop_nulls(value))
    if value == "":
        return None
    return "required" if value == "any" else value


def _shape_chosen(value: Json) -> Any:
    kind = value.get("type")
    if kind == "allowed_tools":
        return {"type": kind, "allowed_tools": _shape_allowed(value.get("allowed_tools", value))}
    named = "function" in value or "name" in value
    if not named and kind in ("auto", "none", *_REQUIRED):
        return "required" if kind in _REQUIRED else kind
    return _shape_named(value)


def _shape_allowed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    value = drop_nulls(value)
    tools = value.get("tools")
    shaped = [_shape_named(one) for one in tools] if isinstance(tools, list) else tools
    return {"mode": "auto", **value, "tools": shaped}


def _shape_named(value: Any) -> Any:
    """Return the name of a function, as ``{"type": "function", "function": {"name": ...}}``."""
    if not isinstance(value, dict):
        return value
    value = drop_nulls(value)
    if value.get("type", "function") not in ("function", "tool"):
        return value
    if "function" in value:
        return {**value, "type": "function"}
    return {"type": "function", "function": {"name": value["name"]}} if "name" in value else value


def shape_format(value: Json) -> Json:
    """Return a response format: its schema where `json_schema` has it, and JSON of any object where there is none."""
    value = drop_nulls(value)
    kind, described = value.get("type"), value.get("json_schema")
    if kind is None and described is None and "schema" not in value:
        return {**value, "type": "text"}
    if kind in ("json_object", "json_schema", None) and described is None and "schema" in value:
        return {"type": "json_schema", "json_schema": {"schema": value["schema"]}}
    if kind is None:
        return {**value, "type": "json_schema"}
    if kind == "json_schema" and isinstance(described, dict) and described.get("schema") is None:
        return {"type": "json_object"}
    return value


def shape_content(value: Any) -> Any:
    """Return a message's content: a text, or a list of parts with their types."""
    if isinstance(value, dict):
        value = [value]
    return [_shape_part(part) for part in value] if isinstance(value, list) else value


def shape_result(value: Any) -> Any:
    """Return the content of a tool's result: a text, or parts; any other value is its JSON."""
    parts = isinstance(value, list) and all(isinstance(one, dict) and "type" in one for one in value)
    part = isinstance(value, dict) and value.get("type") in (*_CONTENTS, *_PART_KINDS)
    return shape_content(value) if isinstance(value, str) or parts or part else json.dumps(value, ensure_ascii=False)


def _shape_part(part: Any) -> Any:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if not isinstance(part, dict):
        return part
    part = drop_nulls(part)
    held = [name for name in _CONTENTS if name in part]
    kind = part.get("type", held[0] if len(held) == 1 else None)
    if kind == "input_file" and "file" not in part:
        return {"type": "file", "file": {name: each for name, each in part.items() if name != "type"}}
    if not isinstance(kind, str):
        return part
    url = part.get("image_url")
    image = {"image_url": {"url": url}} if isinstance(url, str) else {}
    return {**part, **image, "type": _PART_KINDS.get(kind, kind)}
