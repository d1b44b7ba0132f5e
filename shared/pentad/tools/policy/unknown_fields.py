"""Find fields in arguments that their schema does not have: neither a rule nor an approver has looked at them. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pentad.domain.errors import InvalidInput
from pentad.domain.schemas import compile_linear

_MAX_DEPTH: Final = 40
"""Levels of a schema, its choices counted: more than a declared one may have (`pentad.domain.schemas`)."""
_CHOICES: Final = ("anyOf", "oneOf")
Place = tuple[str | int, ...]


def find_unknown_fields(schema: Any, value: Any, place: Place = ()) -> list[tuple[Place, list[str]]]:
    """Return the fields that a closed object of a schema does not have, each with the names of those that it has.

    Of several choices one that has all fields will do; where none does, it is told of the one that knows most.

    Args:
        schema: a JSON Schema without references.
        value: JSON.
        place: where the value stands.
    """
    if not isinstance(schema, Mapping) or not isinstance(value, dict | list) or len(place) > _MAX_DEPTH:
        return []
    found = [*_find_in_entries(schema, value, place), *_find_in_fields(schema, value, place)]
    for part in schema.get("allOf") or ():
        found += find_unknown_fields(part, value, place)
    choices = [find_unknown_fields(one, value, place) for one in _iter_choices(schema, value)]
    return found + min(choices, key=len, default=[])


def find_by_pattern(schema: Mapping[str, Any], name: str) -> Any:
    """Return the first schema whose pattern a field's name has, or None; the time grows with the name alone."""
    patterns = schema.get("patternProperties")
    return next((one for pattern, one in _iter_items(patterns) if _fits(pattern, name)), None)


def _find_in_fields(schema: Mapping[str, Any], value: Any, place: Place) -> Iterator[tuple[Place, list[str]]]:
    if not isinstance(value, dict):
        return
    fields = dict(_iter_items(schema.get("properties")))
    others = schema.get("additionalProperties", True)
    for name, part in value.items():
        inner = fields[name] if name in fields else find_by_pattern(schema, name)
        if inner is None and others is False:
            yield (*place, name), list(fields)
        else:
            yield from find_unknown_fields(others if inner is None else inner, part, (*place, name))


def _find_in_entries(schema: Mapping[str, Any], value: Any, place: Place) -> Iterator[tuple[Place, list[str]]]:
    if not isinstance(value, list):
        return
    first = schema.get("prefixItems")
    first = first if isinstance(first, list) else []
    for at, entry in enumerate(value):
        yield from find_unknown_fields(first[at] if at < len(first) else schema.get("items"), entry, (*place, at))


def _iter_choices(schema: Mapping[str, Any], value: Any) -> Iterator[Mapping[str, Any]]:
    wanted = "array" if isinstance(value, list) else "object"
    for one in (branch for key in _CHOICES for branch in schema.get(key) or () if isinstance(branch, Mapping)):
        kind = one.get("type", wanted)
        if kind == wanted or (isinstance(kind, list) and wanted in kind):
            yield one


def _iter_items(given: Any) -> Iterator[tuple[str, Any]]:
    yield from given.items() if isinstance(given, Mapping) else ()


def _fits(pattern: str, name: str) -> bool:
    try:
        return compile_linear(pattern).is_in(name)
    except InvalidInput:
        return False
