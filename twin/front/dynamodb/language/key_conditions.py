"""A query's condition on keys: one for the partition, at most one for the sort key, with values that a key can have.

The words are DynamoDB's own where they are known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from twin.front.dynamodb.language.conditions import order_value
from twin.front.dynamodb.language.nodes import Given, Node, Path, Term
from twin.front.dynamodb.tables import KeyShape
from twin.front.dynamodb.values import InvalidRequest, check_value

_TURNED: Final = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_TAKEN: Final = (*_TURNED, "BETWEEN", "begins_with")
_LEGACY: Final = {
    **{"EQ": "=", "LT": "<", "LE": "<=", "GT": ">", "GE": ">="},
    **{"BETWEEN": "BETWEEN", "BEGINS_WITH": "begins_with"},
}


@dataclass(frozen=True)
class KeyCondition:
    """A condition on one key attribute.

    Attributes:
        name: Of the attribute.
        operator: `=`, `<`, `<=`, `>`, `>=`, `BETWEEN` or `begins_with`.
        values: What it is compared with.
    """

    name: str
    operator: str
    values: tuple[dict[str, Any], ...]


def read_key_conditions(root: Node) -> list[KeyCondition]:
    """Return the conditions of a KeyConditionExpression.

    Raises:
        InvalidRequest: it is none.
    """
    found: dict[str, KeyCondition] = {}
    for call in _split(root):
        condition = _read(call)
        if condition.name in found:
            raise InvalidRequest(
                "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key"
            )
        found[condition.name] = condition
    return list(found.values())


def _split(node: Node) -> Iterator[Term]:
    if isinstance(node, Term) and node.name == "AND":
        for operand in node.operands:
            yield from _split(operand)
    elif isinstance(node, Term):
        yield node


def _read(call: Term) -> KeyCondition:
    if call.name not in _TAKEN:
        raise InvalidRequest(f"Invalid operator used in KeyConditionExpression: {call.name}")
    if any(isinstance(operand, Term) for operand in call.operands):
        raise InvalidRequest("KeyConditionExpressions cannot contain nested operations")
    paths = [operand for operand in call.operands if isinstance(operand, Path)]
    where = "Invalid condition in KeyConditionExpression: "
    if call.name in ("BETWEEN", "begins_with") and not isinstance(call.operands[0], Path):
        raise InvalidRequest(f"{where}{call.name} operator must have the key attribute as its first operand")
    if len(paths) > 1:
        raise InvalidRequest(f"{where}Multiple attribute names used in one condition")
    if not paths:
        raise InvalidRequest(f"{where}No key attribute specified")
    if len(paths[0].parts) > 1:
        raise InvalidRequest("KeyConditionExpressions cannot have conditions on nested attributes")
    operator = call.name if isinstance(call.operands[0], Path) else _TURNED[call.name]
    values = tuple(operand.value for operand in call.operands if isinstance(operand, Given))
    return KeyCondition(str(paths[0].parts[0]), operator, values)


def read_legacy_conditions(conditions: Mapping[str, Any]) -> list[KeyCondition]:
    """Return the conditions of a request's `KeyConditions`.

    Raises:
        InvalidRequest: an operator is none for keys, or a value is none.
    """
    found = []
    for name, one in conditions.items():
        values = one.get("AttributeValueList") or []
        for value in values:
            check_value(value)
        operator = _LEGACY.get(one["ComparisonOperator"])
        if operator is None:
            raise InvalidRequest("Attempted conditional constraint is not an indexable operation")
        if len(values) != (2 if operator == "BETWEEN" else 1):
            raise InvalidRequest(
                "One or more parameter values were invalid: Invalid number of argument(s) for the "
                f"{one['ComparisonOperator']} ComparisonOperator"
            )
        if operator == "BETWEEN":
            _check_legacy_bounds(*values)
        found.append(KeyCondition(name, operator, tuple(values)))
    return found


def _check_legacy_bounds(low: Mapping[str, Any], high: Mapping[str, Any]) -> None:
    # The words are those of expressions; for the legacy parameter AWS's own are not recorded.
    where = "One or more parameter values were invalid: The BETWEEN condition"
    if low.keys() != high.keys():
        raise InvalidRequest(f"{where} was provided with bounds of different types")
    if order_value(dict(low)) > order_value(dict(high)):
        raise InvalidRequest(f"{where} was provided a range where the lower bound is greater than the upper bound")


def check_key_conditions(conditions: list[KeyCondition], shape: KeyShape) -> None:
    """Check conditions against the keys of what is queried.

    Raises:
        InvalidRequest: they are not for these keys, or a value is none of a key.
    """
    if not 1 <= len(conditions) <= 2:
        raise InvalidRequest("Conditions can be of length 1 or 2 only")
    by_name = {condition.name: condition for condition in conditions}
    for name in shape.names[: len(conditions)]:
        if name not in by_name:
            raise InvalidRequest(f"Query condition missed key schema element: {name}")
    if len(shape.names) < len(conditions) or by_name[shape.names[0]].operator != "=":
        raise InvalidRequest("Query key condition not supported")
    for name, kind in shape.attributes:
        for value in by_name[name].values if name in by_name else ():
            if kind not in value:
                raise InvalidRequest(
                    "One or more parameter values were invalid: Condition parameter type does not match schema type"
                )
            shape.check_key_values({name: value})


def check_start(start: Mapping[str, Any], conditions: list[KeyCondition]) -> None:
    """Check that a query may begin after a key: it fits the conditions.

    Raises:
        InvalidRequest: it does not.
    """
    for condition in conditions:
        if not _is_met(start[condition.name], condition):
            partition = condition.operator == "=" and condition is conditions[0]
            raise InvalidRequest(
                "The provided starting key is outside query boundaries based on provided conditions"
                if partition
                else "The provided starting key does not match the range key predicate"
            )


def _is_met(value: dict[str, Any], condition: KeyCondition) -> bool:
    found, bounds = order_value(value), [order_value(one) for one in condition.values]
    if condition.operator == "begins_with":
        return bool(found[: len(bounds[0])] == bounds[0])
    if condition.operator == "BETWEEN":
        return bool(bounds[0] <= found <= bounds[1])
    below, above = bool(found < bounds[0]), bool(found > bounds[0])
    return {"=": not below and not above, "<": below, "<=": not above, ">": above, ">=": not below}[condition.operator]
