"""What the providers check of a JSON Schema before they use it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator, SchemaError

_MAPS = ("properties", "$defs", "definitions", "patternProperties")
_PARTS = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_MAX_PARTS = 5_000


def iter_schemas(schema: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Yield each schema in a schema with its path, itself first."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), schema)]
    for _ in range(_MAX_PARTS):
        if not waiting:
            return
        path, node = waiting.pop(0)
        if not isinstance(node, Mapping):
            continue
        yield path, node
        for name in _MAPS:
            inner = node.get(name)
            waiting += [((*path, name, key), one) for key, one in inner.items()] if isinstance(inner, Mapping) else []
        waiting += [((*path, name), node[name]) for name in _PARTS if name in node]
        for name in _LISTS:
            listed = node.get(name)
            waiting += [
                ((*path, name, str(at)), one) for at, one in enumerate(listed if isinstance(listed, list) else ())
            ]


def find_schema_error(schema: Mapping[str, Any]) -> str | None:
    """Return what makes a schema no JSON Schema of draft 2020-12, or None."""
    try:
        Draft202012Validator.check_schema(dict(schema))
    except SchemaError as error:
        return error.message
    return None
