"""Pinecone's metadata filter language, compiled to a predicate.

Source: docs.pinecone.io/guides/search/filter-by-metadata. A list field matches ``$eq`` and ``$in`` when any element
does; ``$ne`` and ``$nin`` are their negations, so they also match records without the field.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from twin.vectors.errors import BadRequest
from twin.vectors.fulltext import MATCH_OPERATORS, compile_match

Metadata = Mapping[str, Any]
Predicate = Callable[[Metadata], bool]

MAX_DEPTH = 32
MAX_VALUES = 10_000
"""Most values of one ``$in`` or ``$nin`` (docs.pinecone.io/reference/api/database-limits)."""

_ABSENT = object()
_ORDER: dict[str, Callable[[float, float], bool]] = {
    "$gt": lambda left, right: left > right,
    "$gte": lambda left, right: left >= right,
    "$lt": lambda left, right: left < right,
    "$lte": lambda left, right: left <= right,
}


def compile_filter(filter_: Any, depth: int = 0, *, searched: Collection[str] = ()) -> Predicate:
    """Return a predicate over metadata for a filter expression.

    Args:
        filter_: the expression.
        depth: how deep it stands in another one.
        searched: fields that a schema declares to be searched; they take text-match operators and no others.

    Raises:
        BadRequest: If the expression is not valid.
    """
    if not isinstance(filter_, Mapping):
        raise BadRequest("filter must be an object")
    if depth > MAX_DEPTH:
        raise BadRequest("filter is nested too deeply")
    parts: list[Predicate] = []
    for key, value in filter_.items():
        if key in ("$and", "$or"):
            parts.append(_combine(key, value, depth, searched))
        elif key.startswith("$"):
            raise BadRequest(f"{key} is not a valid operator")
        elif key in searched:
            parts.append(_build_text_test(key, value))
        else:
            parts.append(_build_field_test(key, value))
    return lambda metadata: all(part(metadata) for part in parts)


def _build_text_test(name: str, condition: Any) -> Predicate:
    if not isinstance(condition, Mapping) or not condition:
        raise BadRequest(f"{name} is a searched field: it takes {', '.join(MATCH_OPERATORS)} only")
    test = compile_match(condition)
    return lambda metadata: test(metadata.get(name))


def _combine(operator: str, operands: Any, depth: int, searched: Collection[str]) -> Predicate:
    if not isinstance(operands, list) or not operands:
        raise BadRequest(f"{operator} operator must be followed by a list of expressions")
    parts = [compile_filter(operand, depth + 1, searched=searched) for operand in operands]
    if operator == "$and":
        return lambda metadata: all(part(metadata) for part in parts)
    return lambda metadata: any(part(metadata) for part in parts)


def _build_field_test(name: str, condition: Any) -> Predicate:
    if not isinstance(condition, Mapping):
        condition = {"$in": condition} if isinstance(condition, list) else {"$eq": condition}
    if not condition:
        raise BadRequest(f"the filter on {name} has no operator")
    tests = [_build_test(operator, operand) for operator, operand in condition.items()]
    return lambda metadata: all(test(metadata.get(name, _ABSENT)) for test in tests)


def _build_test(operator: str, operand: Any) -> Callable[[Any], bool]:
    if operator in MATCH_OPERATORS:
        raise BadRequest(f"{operator} is supported on full-text search fields only")
    if operator in _ORDER:
        return _build_order_test(operator, operand)
    if operator in ("$in", "$nin"):
        return _build_membership_test(operator, operand)
    if operator in ("$eq", "$ne"):
        if not _is_scalar(operand):
            raise BadRequest(f"the {operator} operator must be followed by a string, boolean or a number")
        wanted = [operand]
        return lambda value: _has_equal(value, wanted) == (operator == "$eq")
    if operator == "$exists":
        if not isinstance(operand, bool):
            raise BadRequest("the $exists operator must be followed by a boolean")
        return lambda value: (value is not _ABSENT) == operand
    raise BadRequest(f"{operator} is not a valid operator")


def _build_order_test(operator: str, operand: Any) -> Callable[[Any], bool]:
    if isinstance(operand, bool) or not isinstance(operand, int | float):
        raise BadRequest(f"the {operator} operator must be followed by a number, got {operand!r} instead")
    compare = _ORDER[operator]
    number = float(operand)

    def test(value: Any) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and compare(value, number)

    return test


def _build_membership_test(operator: str, operand: Any) -> Callable[[Any], bool]:
    if not isinstance(operand, list) or not all(_is_scalar(item) for item in operand):
        raise BadRequest(f"the {operator} operator must be followed by a list of strings, booleans or numbers")
    if len(operand) > MAX_VALUES:
        raise BadRequest(f"the {operator} operator takes at most {MAX_VALUES} values")
    return lambda value: _has_equal(value, operand) == (operator == "$in")


def _has_equal(value: Any, wanted: list[Any]) -> bool:
    if value is _ABSENT:
        return False
    values = value if isinstance(value, list) else [value]
    # True equals 1 in Python but not in Pinecone.
    return any(
        item == other and isinstance(item, bool) == isinstance(other, bool) for item in values for other in wanted
    )


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | bool | int | float)
