"""The JSON Schema of a tool's arguments: closed, without references, without the titles that pydantic makes up."""

from typing import Any

from pydantic import BaseModel, PydanticUserError

from pentad.domain.errors import ConfigurationError
from pentad.tools.declare.second_names import check_names
from pentad.tools.declare.shown_defaults import ShownDefaults

Json = dict[str, Any]

# Where a schema holds schemas under names of the author's choice: there, "title" is a name, not a keyword.
_NAMED = ("properties", "patternProperties", "dependentSchemas")
_DATA = ("const", "default", "enum", "examples")
_LENGTHS = frozenset({"minLength", "maxLength"})
# pydantic's own names stand in a schema only where it could not turn them into keywords of JSON Schema.
_BOUNDS = frozenset({"ge", "gt", "le", "lt", "multiple_of"})
_DIGITS = frozenset({"max_digits", "decimal_places"})
_UNFIT = {
    "string": _BOUNDS,
    "array": _BOUNDS,
    "object": _BOUNDS,
    "boolean": _BOUNDS | _LENGTHS | _DIGITS,
    "integer": _LENGTHS | _DIGITS,
    "number": _LENGTHS | _DIGITS,
}


def build_input_schema(model: type[BaseModel]) -> Json:
    """Return the schema of a model for a provider: type object, additionalProperties false, $refs inlined.

    Raises:
        ConfigurationError: a type refers to itself, which can't be written without references, or has no schema;
            a default can't be shown to an approver; or a field is taken by a name that the schema does not show.
    """
    try:
        schema = model.model_json_schema(schema_generator=ShownDefaults)
    except PydanticUserError as error:
        raise ConfigurationError(
            f"a parameter's type has no JSON schema: {error.message}",
            field="parameters",
            fix="use JSON types or models",
        ) from error
    check_names(model)
    definitions = schema.pop("$defs", {})
    inlined: Json = _expand_refs(schema, definitions, ())
    inlined.pop("description", None)
    inlined.setdefault("properties", {})
    inlined["additionalProperties"] = False
    for name, part in inlined["properties"].items():
        _refuse_unfit(name, part)
    return inlined


def _refuse_unfit(name: str, schema: Any) -> None:
    """Refuse a bound that the parameter's type has not: pydantic takes it, and every call would end in a TypeError.

    Raises:
        ConfigurationError: there is one, in the parameter or in a part of it.
    """
    if not isinstance(schema, dict):
        return
    unfit = _UNFIT.get(str(schema.get("type")), frozenset()).intersection(schema)
    if unfit and "format" not in schema:
        raise ConfigurationError(
            f"'{name}' has the bound {min(unfit)} of Field(), which does not fit its type {schema['type']}",
            field="parameters",
            fix="use ge and le for numbers, min_length and max_length for texts, lists and maps",
        )
    for key in ("items", "additionalProperties"):
        _refuse_unfit(name, schema.get(key))
    for part in schema.get("anyOf", ()):
        _refuse_unfit(name, part)
    for inner, part in schema.get("properties", {}).items():
        _refuse_unfit(f"{name}.{inner}", part)


def _expand_refs(schema: Any, definitions: Json, path: tuple[str, ...]) -> Any:
    if isinstance(schema, list):
        return [_expand_refs(part, definitions, path) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _resolve(schema, definitions, path)
    result: Json = {}
    for key, value in schema.items():
        if key in _DATA:
            result[key] = value
        elif key in _NAMED:
            result[key] = {name: _expand_refs(part, definitions, path) for name, part in value.items()}
        elif key == "discriminator":
            continue  # it maps to $defs that are gone; the variants' const fields tell them apart
        elif key != "title":
            result[key] = _expand_refs(value, definitions, path)
    return _close_object(result)


def _close_object(schema: Json) -> Json:
    if schema.get("type") == "object" and "properties" in schema:
        schema.setdefault("additionalProperties", False)
    return schema


def _resolve(schema: Json, definitions: Json, path: tuple[str, ...]) -> Any:
    name = schema["$ref"].rsplit("/", 1)[-1]
    if name in path:
        raise ConfigurationError(
            f"the type {name} refers to itself",
            field="parameters",
            fix="use a type of bounded depth, or a list of rows",
        )
    beside = {key: value for key, value in schema.items() if key != "$ref"}
    return _expand_refs({**definitions[name], **beside}, definitions, (*path, name))
