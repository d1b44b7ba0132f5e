"""A remote tool's schema as a model may be given it: without references, which must lead nowhere else."""

from typing import Any

from pentad.domain.errors import InvalidInput
from pentad.domain.schemas import MAX_SCHEMA_DEPTH

Json = dict[str, Any]
_PLACES = ("#/$defs/", "#/definitions/")
_DATA = ("const", "default", "enum", "examples")
_NAMED = ("properties", "patternProperties", "dependentSchemas")
HEADER = "x-mcp-header"
_LEFT_OUT = ("$dynamicRef", "$anchor", "$dynamicAnchor", "$schema", "$id", HEADER)
"""Words for readers of documents and for the transport alone: a provider might refuse them."""
_MOST_PARTS = 5_000
_PLACE = 200


class _Budget:
    """Counts the parts that a schema is written out to: references can double it again and again."""

    def __init__(self) -> None:
        self._left = _MOST_PARTS

    def spend(self) -> None:
        """Count one part.

        Raises:
            InvalidInput: there are too many.
        """
        self._left -= 1
        if self._left < 0:
            raise InvalidInput(f"written out, it has more than {_MOST_PARTS:,} parts", field="inputSchema")


def inline_references(schema: Json) -> Json:
    """Return a schema with what it refers to put in its places, and without what a model needs nothing of.

    Raises:
        InvalidInput: a reference leads outside of the schema, to nothing, or to itself; or all of it is too large.
    """
    definitions = {
        f"#/{section}/{name}": part
        for section in ("$defs", "definitions")
        if isinstance(schema.get(section), dict)
        for name, part in schema[section].items()
    }
    plain = {name: part for name, part in schema.items() if name not in ("$defs", "definitions")}
    found = _expand(plain, definitions, (), _Budget())
    if not isinstance(found, dict):
        raise InvalidInput("it refers to something that is not an object", field="inputSchema")
    found.setdefault("properties", {})
    return found


def check_form(schema: Json) -> None:
    """Check that a schema is one: nothing could be held against it otherwise.

    Raises:
        InvalidInput: a word of it has a value that it can't have.
    """
    # Imported here: jsonschema takes 0.2 s to load, and a call does not check its tool's schema anew.
    from jsonschema import Draft202012Validator, SchemaError
    from jsonschema.validators import validator_for

    if not isinstance(schema.get("$schema", ""), str):
        raise InvalidInput("it is not JSON Schema at $.$schema", field="inputSchema")
    kind: Any = validator_for(schema, default=Draft202012Validator)
    try:
        # Without formats: patterns are RE2's, see `check_schema_limits`, and Python's re knows others.
        kind.check_schema(schema, format_checker=None)
    except SchemaError as error:
        raise InvalidInput(f"it is not JSON Schema at {error.json_path[:_PLACE]}", field="inputSchema") from error


def _expand(part: Any, definitions: Json, path: tuple[str, ...], budget: _Budget) -> Any:
    budget.spend()
    if isinstance(part, list):
        return [_expand(one, definitions, path, budget) for one in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _resolve(part, definitions, path, budget)
    found: Json = {}
    for name, value in part.items():
        if name in _DATA:
            found[name] = value
        elif name in _NAMED and isinstance(value, dict):
            found[name] = {key: _expand(one, definitions, path, budget) for key, one in value.items()}
        elif name not in _LEFT_OUT:
            found[name] = _expand(value, definitions, path, budget)
    return found


def _resolve(part: Json, definitions: Json, path: tuple[str, ...], budget: _Budget) -> Any:
    place = part["$ref"]
    if not isinstance(place, str) or not place.startswith(_PLACES) or place not in definitions:
        raise InvalidInput("it refers to something that is not among its own definitions", field="inputSchema")
    if place in path:
        raise InvalidInput("one of its types refers to itself", field="inputSchema")
    if len(path) >= MAX_SCHEMA_DEPTH:
        raise InvalidInput(f"its references lead through more than {MAX_SCHEMA_DEPTH} types", field="inputSchema")
    target = definitions[place]
    beside = {name: value for name, value in part.items() if name != "$ref"}
    whole = {**target, **beside} if isinstance(target, dict) else target
    return _expand(whole, definitions, (*path, place), budget)
