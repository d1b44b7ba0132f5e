"""Expressions of a request: what they name and what they are given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from twin.front.dynamodb.operands import check_key_condition, check_operands
from twin.front.dynamodb.tables import TableShape
from twin.front.dynamodb.values import InvalidRequest, check_attributes

_EXPRESSIONS: Final = (
    "ConditionExpression",
    "FilterExpression",
    "KeyConditionExpression",
    "ProjectionExpression",
    "UpdateExpression",
)
_VALUE: Final = re.compile(r":\w+")
_NAME: Final = re.compile(r"#\w+")
_WORDS: Final = re.compile(r"(?<![\w.#:])(#?[A-Za-z_]\w*|#\w+)(?!\w*\s*\()")
_KEYWORDS: Final = frozenset(("and", "or", "not", "between", "in"))

_SET: Final = re.compile(r"(#\w+|[A-Za-z_]\w*)\s*=\s*(:\w+)\s*(?=,|$|\b(?:REMOVE|ADD|DELETE)\b)", re.IGNORECASE)

Params = Mapping[str, Any]


def check_expressions(params: Params) -> None:
    """Check that values and names are given where they are used, and used where they are given.

    Raises:
        InvalidRequest: one is not.
    """
    given = {kind: params[kind] for kind in _EXPRESSIONS if params.get(kind) is not None}
    for field, pattern, noun in (
        ("ExpressionAttributeNames", _NAME, "name"),
        ("ExpressionAttributeValues", _VALUE, "value"),
    ):
        _check_given(params, field, given)
        defined: Params = params.get(field) or {}
        used = {found for text in given.values() for found in pattern.findall(text)}
        unused = sorted(defined.keys() - used)
        if unused:
            raise InvalidRequest(f"Value provided in {field} unused in expressions: keys: {{{', '.join(unused)}}}")
        for kind, text in given.items():
            for found in pattern.findall(text):
                if found not in defined:
                    where = " in the document path" if noun == "name" else " in expression"
                    raise InvalidRequest(
                        f"Invalid {kind}: An expression attribute {noun} used{where} is not defined; "
                        f"attribute {noun}: {found}"
                    )
    values: Params = params.get("ExpressionAttributeValues") or {}
    check_attributes(values)
    for kind, text in given.items():
        check_operands(kind, text, values)


def _check_given(params: Params, field: str, given: Mapping[str, str]) -> None:
    if field not in params:
        return
    if not given:
        raise InvalidRequest(f"{field} can only be specified when using expressions")
    if not params[field]:
        raise InvalidRequest(f"{field} must not be empty")


def check_query(params: Params, table: TableShape) -> None:
    """Check a query's condition, and refuse a filter on the key of what is queried.

    Raises:
        InvalidRequest: the filter names a key attribute, or the condition is none on keys.
    """
    names: Params = params.get("ExpressionAttributeNames") or {}
    shape = table.indexes.get(params.get("IndexName") or "", table.key)
    values: Params = params.get("ExpressionAttributeValues") or {}
    check_key_condition(params.get("KeyConditionExpression") or "", names, values, shape)
    for word in _WORDS.findall(params.get("FilterExpression") or ""):
        name = names.get(word, word)
        if name in shape.names and word.lower() not in _KEYWORDS:
            raise InvalidRequest(
                f"Filter Expression can only contain non-primary key attributes: Primary key attribute: {name}"
            )
    for name in params.get("QueryFilter") or {}:
        if name in shape.names:
            raise InvalidRequest(
                f"QueryFilter can only contain non-primary key attributes: Primary key attribute: {name}"
            )


def check_index_updates(params: Params, table: TableShape) -> None:
    """Refuse an update that gives an index key a value of another type; what is computed is checked once it is known.

    Raises:
        InvalidRequest: it does.
    """
    names: Params = params.get("ExpressionAttributeNames") or {}
    values: Params = params.get("ExpressionAttributeValues") or {}
    types = {name: kind for shape in table.indexes.values() for name, kind in shape.attributes}
    for path, value in _SET.findall(params.get("UpdateExpression") or ""):
        kind = types.get(names.get(path, path))
        if kind is not None and kind not in values[value]:
            raise InvalidRequest(
                "The update expression attempted to update the secondary index key to unsupported type"
            )
