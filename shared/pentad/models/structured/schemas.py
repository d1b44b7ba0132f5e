"""A pydantic model's JSON Schema in the strict form that both providers' structured output takes: pure.

What both take is the intersection of their SDKs' own helpers (anthropic 2.12.0 `lib/_parse/_transform.py`, openai
3.54.0 `lib/_pydantic.py`): every object is closed and all of its properties are required, a ``$ref`` stands alone,
``oneOf`` is ``anyOf``, and what can't be enforced (lengths, bounds, patterns, defaults) is told in the description; the
pydantic model checks it afterwards. One form for both keeps the prompt's prefix the same when the provider changes.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from pentad.domain.errors import InvalidInput

FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"})
_PLAIN = frozenset({"string", "integer", "number", "boolean", "null"})
_DROPPED = frozenset({"title", "discriminator"})  # they repeat what names and constants say
_REF = "#/$defs/"


def build_strict_schema(output: type[BaseModel]) -> dict[str, Any]:
    """Return the strict schema of a model.

    Raises:
        InvalidInput: the model holds what no strict schema can say; ``field`` is where.
    """
    schema = output.model_json_schema()
    definitions: dict[str, Any] = schema.pop("$defs", {})
    if "$ref" in schema:  # of a recursive model: the root has to be the object itself
        schema = {**definitions[_name(schema.pop("$ref"))], **schema}
    if schema.get("type") != "object":
        raise _make_error("", "the root is no object", "wrap it in a field of a model")
    strict = _convert_node(schema, "")
    if definitions:
        strict["$defs"] = {name: _convert_node(each, name) for name, each in definitions.items()}
    return strict


def _make_error(path: str, what: str, fix: str) -> InvalidInput:
    return InvalidInput(f"structured output can't ask for this: {what}", field=path or "output", fix=fix)


def _name(ref: str) -> str:
    return ref.removeprefix(_REF)


def _convert_node(schema: Any, path: str) -> dict[str, Any]:
    if not isinstance(schema, Mapping) or not schema:
        raise _make_error(path, "a value of any type", "give the field a type")
    left = {key: value for key, value in schema.items() if key not in _DROPPED}
    if left.get("default", ...) is None:
        del left["default"]
    description = left.pop("description", None)
    made = _convert_shape(left, path)
    if left:
        notes = "{" + ", ".join(f"{key}: {value}" for key, value in left.items()) + "}"
        description = f"{description}\n\n{notes}" if description else notes
    if description and "$ref" in made:
        made = {"anyOf": [made]}  # nothing may stand beside a reference
    return {**made, "description": description} if description else made


def _convert_shape(left: dict[str, Any], path: str) -> dict[str, Any]:
    """Return what is enforced of a schema, and take it out of ``left``."""
    if "$ref" in left:
        return {"$ref": left.pop("$ref")}
    for union in ("anyOf", "oneOf", "allOf"):
        if union in left:
            return _convert_union(left.pop(union), union, path)
    if "const" in left or "enum" in left:
        return _convert_literals(left, path)
    kind = left.pop("type", None)
    if kind == "object":
        return _convert_object(left, path)
    if kind == "array":
        return _convert_array(left, path)
    if kind not in _PLAIN:
        raise _make_error(path, "a value of any type", "give the field a type")
    made: dict[str, Any] = {"type": kind}
    if kind == "string" and left.get("format") in FORMATS:
        made["format"] = left.pop("format")
    return made


def _convert_union(variants: list[Any], union: str, path: str) -> dict[str, Any]:
    if union == "allOf" and len(variants) > 1:
        raise _make_error(path, "a value of several types at once", "use one model")
    made = [_convert_node(variant, path) for variant in variants]
    return made[0] if union == "allOf" else {"anyOf": made}


def _convert_literals(left: dict[str, Any], path: str) -> dict[str, Any]:
    made: dict[str, Any] = {key: left.pop(key) for key in ("type", "const", "enum") if key in left}
    values = [made["const"]] if "const" in made else made["enum"]
    if not all(value is None or isinstance(value, str | int | float) for value in values):
        raise _make_error(path, "a constant that is no plain value", "use strings or numbers")
    return made


def _convert_object(left: dict[str, Any], path: str) -> dict[str, Any]:
    properties = left.pop("properties", None)
    extra, _ = left.pop("additionalProperties", None), left.pop("required", None)
    if properties is None and extra is not False and extra is not None:
        raise _make_error(path, "an object with free keys", "use a list of objects with a key and a value")
    made = {name: _convert_node(each, f"{path}.{name}" if path else name) for name, each in (properties or {}).items()}
    return {"type": "object", "properties": made, "required": list(made), "additionalProperties": False}


def _convert_array(left: dict[str, Any], path: str) -> dict[str, Any]:
    if "prefixItems" in left:
        raise _make_error(path, "a tuple of several types", "use a model with a field for each")
    made: dict[str, Any] = {"type": "array", "items": _convert_node(left.pop("items", None), f"{path}[]")}
    if left.get("minItems") in (0, 1):
        made["minItems"] = left.pop("minItems")
    return made
