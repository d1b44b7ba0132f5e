"""What DynamoDB refuses of updates and projections: paths that overlap, operands by number and type.

The limit is that of the developer guide, "Quotas"; the words are DynamoDB's own where they are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from twin.front.dynamodb.language.conditions import check_path, refuse_type, walk
from twin.front.dynamodb.language.nodes import Action, Given, Path, Term
from twin.front.dynamodb.language.tokens import SyntaxFault

OPERATORS: Final = 300
"""Most operators and functions of an UpdateExpression (developer guide, "Quotas"): `a = :b + :c` has one."""

_TAKEN: Final = {"if_not_exists": None, "list_append": "L", "+": "N", "-": "N"}
"""Functions and operators, and the type that they want of values."""

_TOLD: Final = {"S": "STRING", "N": "NUMBER", "B": "BINARY", "NULL": "NULL", "BOOL": "BOOLEAN", "L": "LIST", "M": "MAP"}
_OPERANDS: Final = 2


def check_actions(actions: Sequence[Action]) -> None:
    """Check an update.

    Raises:
        SyntaxFault: DynamoDB refuses it; the message is DynamoDB's, without the name of the expression.
    """
    values = [action.value for action in actions if action.value is not None]
    calls = [node for value in values for node in walk(value) if isinstance(node, Term)]
    for call in calls:
        if call.name not in _TAKEN:
            raise SyntaxFault(f"Invalid function name; function: {call.name}")
    if len(calls) > OPERATORS:
        # The developer guide has the limit; AWS's own words are not recorded.
        raise SyntaxFault(f"The expression contains more than {OPERATORS} operators and functions")
    check_distinct([action.path for action in actions])
    for action in actions:
        _check_operand(action)
    for call in calls:
        _check_call(call)


def check_distinct(paths: Sequence[Path]) -> None:
    """Check that no path leads to a part of another one, and that no two take one place for a map and for a list.

    Raises:
        SyntaxFault: one does, or two do.
    """
    for number, second in enumerate(paths):
        for first in paths[:number]:
            if first.parts[0] != second.parts[0]:
                continue
            fault = _compare(first, second)
            if fault is not None:
                raise SyntaxFault(
                    f"Two document paths {fault} with each other; must remove or rewrite one of these paths; "
                    f"path one: {first}, path two: {second}"
                )


def _compare(first: Path, second: Path) -> str | None:
    for one, other in zip(first.parts, second.parts, strict=False):
        if type(one) is not type(other):
            return "conflict"
        if one != other:
            return None
    return "overlap"


def _check_operand(action: Action) -> None:
    if action.section not in ("ADD", "DELETE") or not isinstance(action.value, Given):
        return
    kind = action.value.kind
    if kind in _TOLD and (action.section, kind) != ("ADD", "N"):
        told = f"operator: {action.section}, operand type: {_TOLD[kind]}"
        raise SyntaxFault(f"Incorrect operand type for operator or function; {told}")


def _check_call(call: Term) -> None:
    if len(call.operands) != _OPERANDS:
        raise SyntaxFault(
            "Incorrect number of operands for operator or function; "
            f"operator or function: {call.name}, number of operands: {len(call.operands)}"
        )
    if call.name == "if_not_exists":
        check_path(call)
    for operand in call.operands:
        if isinstance(operand, Given) and _TAKEN[call.name] not in (None, operand.kind):
            raise refuse_type(call.name, operand.kind)
