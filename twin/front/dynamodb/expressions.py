"""Expressions of a request: what they name and what they are given, and what they may not stand beside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from twin.front.dynamodb.language.conditions import walk
from twin.front.dynamodb.language.key_conditions import (
    check_key_conditions,
    check_start,
    read_key_conditions,
    read_legacy_conditions,
)
from twin.front.dynamodb.language.nodes import Action, Given, Path
from twin.front.dynamodb.language.reading import EXPRESSIONS, Expressions, read_expressions
from twin.front.dynamodb.tables import TableShape
from twin.front.dynamodb.values import InvalidRequest, check_attributes

LEGACY: Final = (
    *("AttributesToGet", "QueryFilter", "ScanFilter", "ConditionalOperator", "KeyConditions"),
    *("AttributeUpdates", "Expected"),
)
"""Parameters of the time before expressions (developer guide, "Legacy DynamoDB conditional parameters")."""

_VALUE: Final = re.compile(r":\w+")
_NAME: Final = re.compile(r"#\w+")
_KEY: Final = re.compile(r"[#:]\w+", re.ASCII)

Params = Mapping[str, Any]


def check_expressions(params: Params) -> Expressions:
    """Check that values and names are given where they are used, and used where they are given; and read expressions.

    Raises:
        InvalidRequest: one is not, or an expression breaks a rule.
    """
    given = {kind: params[kind] for kind in EXPRESSIONS if params.get(kind) is not None}
    _check_legacy(params, given)
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
    check_attributes(params.get("ExpressionAttributeValues") or {})
    return read_expressions(params)


def _check_legacy(params: Params, given: Mapping[str, str]) -> None:
    """Refuse older parameters beside expressions; `KeyConditions` may stand beside a filter."""
    older = [name for name in LEGACY if params.get(name) is not None]
    if "KeyConditions" in older and "KeyConditionExpression" not in given:
        older.remove("KeyConditions")
    if older and given:
        raise InvalidRequest(
            "Can not use both expression and non-expression parameters in the same request: "
            f"Non-expression parameters: {{{', '.join(older)}}} Expression parameters: {{{', '.join(given)}}}"
        )


def _check_given(params: Params, field: str, given: Mapping[str, str]) -> None:
    if field not in params:
        return
    if not given:
        raise InvalidRequest(f"{field} can only be specified when using expressions")
    if not params[field]:
        raise InvalidRequest(f"{field} must not be empty")
    sign = "#" if field == "ExpressionAttributeNames" else ":"
    for key in params[field]:
        if not key.startswith(sign) or not _KEY.fullmatch(key):
            raise InvalidRequest(f'{field} contains invalid key: Syntax error; key: "{key}"')


def check_query(params: Params, table: TableShape, expressions: Expressions) -> None:
    """Check a query's condition and starting key, and refuse a filter on the key of what is queried.

    Raises:
        InvalidRequest: the filter names a key attribute, the condition is none on keys, or the key does not fit it.
    """
    shape = table.indexes.get(params.get("IndexName") or "", table.key)
    root = expressions.conditions.get("KeyConditionExpression")
    legacy = read_legacy_conditions(params.get("KeyConditions") or {})
    conditions = legacy if root is None else read_key_conditions(root)
    check_key_conditions(conditions, shape)
    if params.get("ExclusiveStartKey") is not None:
        check_start(params["ExclusiveStartKey"], sorted(conditions, key=lambda one: one.name != shape.names[0]))
    found = expressions.conditions.get("FilterExpression")
    for node in walk(found) if found is not None else ():
        if isinstance(node, Path) and node.parts[0] in shape.names:
            raise InvalidRequest(
                f"Filter Expression can only contain non-primary key attributes: Primary key attribute: {node.parts[0]}"
            )
    for name in params.get("QueryFilter") or {}:
        if name in shape.names:
            raise InvalidRequest(
                f"QueryFilter can only contain non-primary key attributes: Primary key attribute: {name}"
            )


def check_updates(params: Params, table: TableShape, actions: list[Action]) -> None:
    """Refuse an update of the key, or of an index key to another type; what is computed is checked once it is known.

    Raises:
        InvalidRequest: it is one.
    """
    for name in (*(action.path.parts[0] for action in actions), *(params.get("AttributeUpdates") or {})):
        if name in table.key.names:
            raise InvalidRequest(
                "One or more parameter values were invalid: "
                f"Cannot update attribute {name}. This attribute is part of the key"
            )
    types = {name: kind for shape in table.indexes.values() for name, kind in shape.attributes}
    for action in actions:
        kind = types.get(str(action.path.parts[0])) if len(action.path.parts) == 1 else None
        if kind is None:
            continue
        given = action.value.kind if action.section == "SET" and isinstance(action.value, Given) else kind
        if given != kind:
            raise InvalidRequest(
                "The update expression attempted to update the secondary index key to unsupported type"
            )
