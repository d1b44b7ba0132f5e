"""Operands of expressions: what DynamoDB's operators and functions take, by type, order and number.

The limits are those of the developer guide, "Quotas"; the words are DynamoDB's own where they are known. An operand
that is a path has no type here: what an item holds is compared when the item is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from twin.front.dynamodb.tables import KeyShape
from twin.front.dynamodb.values import InvalidRequest, decode_binary, parse_number

EXPRESSION_BYTES: Final = 4096
"""Longest expression string, in UTF-8 (developer guide, "Quotas")."""

IN_OPERANDS: Final = 100
"""Most operands of IN (developer guide, "Quotas")."""

OPERATORS: Final = 300
"""Most operators and functions of an UpdateExpression (developer guide, "Quotas"): `a = :b + :c` has one."""

_OPERATOR: Final = re.compile(r"[+]|(?<=[\w\])\s])-|\w\s*\(")
_PATH: Final = r"(?:[#\w][\w.\[\]#]*)"
_BEGINS: Final = re.compile(rf"\b(begins_with)\s*\(\s*{_PATH}\s*,\s*(:\w+)\s*\)")
_COMPARED: Final = re.compile(r"(?<![<>=])(<=|>=|<(?!>)|>)\s*(:\w+)")
_COMPARES: Final = re.compile(r"(:\w+)\s*(<=|>=|<(?!>)|(?<!<)>)")
_BETWEEN: Final = re.compile(r"\bBETWEEN\s+(:\w+)\s+AND\s+(:\w+)", re.IGNORECASE)
_IN: Final = re.compile(r"\bIN\s*\(([^()]*)\)", re.IGNORECASE)
_CONTAINS: Final = re.compile(rf"\bcontains\s*\(\s*({_PATH})\s*,\s*({_PATH})\s*\)")
_KEY_CONDITION: Final = re.compile(
    rf"begins_with\s*\(\s*({_PATH})\s*,\s*(:\w+)\s*\)|({_PATH})\s*(?:<=|>=|<|>|=|\bBETWEEN\b)\s*(:\w+)", re.IGNORECASE
)
_ORDERED: Final = ("S", "N", "B")

Values = Mapping[str, Any]


def check_operands(kind: str, text: str, values: Values) -> None:
    """Check the operands of an expression.

    Args:
        kind: the request's field, such as ``FilterExpression``.
        text: the expression.
        values: the request's values by their placeholders, all of them defined.

    Raises:
        InvalidRequest: an operand is of a type, or stands in an order, that its operator does not take.
    """
    _check_size(kind, text)
    for operator, name in _list_typed(text):
        found = _read_type(values[name])
        if found not in (_ORDERED if operator != "begins_with" else ("S", "B")):
            raise InvalidRequest(
                f"Invalid {kind}: Incorrect operand type for operator or function; "
                f"operator or function: {operator}, operand type: {found}"
            )
    for low, high in _BETWEEN.findall(text):
        _check_bounds(kind, values[low], values[high])
    for operands in _IN.findall(text):
        if operands.count(",") >= IN_OPERANDS:
            raise InvalidRequest(
                f"Invalid {kind}: The IN operator is provided with too many operands; "
                f"number of operands: {operands.count(',') + 1}"
            )
    for first, second in _CONTAINS.findall(text):
        if first == second:
            raise InvalidRequest(
                f"Invalid {kind}: The first operand must be distinct from the remaining operands for this operator or "
                f"function; operator: contains, first operand: [{first}]"
            )


def _check_size(kind: str, text: str) -> None:
    if not text.strip():
        raise InvalidRequest(f"Invalid {kind}: The expression can not be empty;")
    if len(text.encode()) > EXPRESSION_BYTES:
        size = len(text.encode())
        raise InvalidRequest(
            f"Invalid {kind}: Expression size has exceeded the maximum allowed size; expression size: {size}"
        )
    if kind == "UpdateExpression" and len(_OPERATOR.findall(text)) > OPERATORS:
        # The developer guide has the limit; AWS's own words are not recorded.
        raise InvalidRequest(f"Invalid {kind}: The expression contains more than {OPERATORS} operators and functions")


def check_key_condition(text: str, names: Mapping[str, str], values: Values, shape: KeyShape) -> None:
    """Check a query's condition: one for a key, with values of the keys' types.

    Raises:
        InvalidRequest: it is not so.
    """
    types, seen = dict(shape.attributes), set()
    for match in _KEY_CONDITION.finditer(text):
        path, placeholder = match[1] or match[3], match[2] or match[4]
        name = names.get(path, path)
        if name in seen:
            raise InvalidRequest(
                "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key"
            )
        seen.add(name)
        if name in types and types[name] not in values[placeholder]:
            raise InvalidRequest(
                "One or more parameter values were invalid: Condition parameter type does not match schema type"
            )


def _list_typed(text: str) -> Iterator[tuple[str, str]]:
    yield from _BEGINS.findall(text)
    yield from _COMPARED.findall(text)
    yield from ((operator, name) for name, operator in _COMPARES.findall(text))


def _check_bounds(kind: str, low: Values, high: Values) -> None:
    types = _read_type(low), _read_type(high)
    shown = [f"AttributeValue: {{{one}:{value[one]}}}" for one, value in zip(types, (low, high), strict=True)]
    operands = f"lower bound operand: {shown[0]}, upper bound operand: {shown[1]}"
    for found in types:
        if found not in _ORDERED:
            raise InvalidRequest(
                f"Invalid {kind}: Incorrect operand type for operator or function; "
                f"operator or function: BETWEEN, operand type: {found}"
            )
    if types[0] != types[1]:
        raise InvalidRequest(
            f"Invalid {kind}: The BETWEEN operator requires same data type for lower and upper bounds; {operands}"
        )
    if _order(low, types[0]) > _order(high, types[0]):
        raise InvalidRequest(
            f"Invalid {kind}: The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
            f"{operands}"
        )


def _order(value: Values, kind: str) -> Any:
    # Strings are ordered by their UTF-8, which is the order of their code points.
    if kind == "N":
        return parse_number(value["N"])
    return decode_binary(value["B"]) if kind == "B" else value["S"]


def _read_type(value: Values) -> str:
    return str(next(iter(value)))
