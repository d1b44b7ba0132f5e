"""What DynamoDB refuses of conditions and filters: functions, operands by number, type and order.

The limits are those of the developer guide, "Quotas"; the words are DynamoDB's own. An operand that is a path has no
type here: what an item holds is compared when the item is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from twin.front.dynamodb.language.nodes import Given, Node, Path, Term
from twin.front.dynamodb.language.parser import COMPARISONS
from twin.front.dynamodb.language.tokens import SyntaxFault
from twin.front.dynamodb.values import decode_binary, parse_number

IN_OPERANDS: Final = 100
"""Most operands of IN (developer guide, "Quotas")."""

FUNCTIONS: Final = {
    "attribute_exists": 1,
    "attribute_not_exists": 1,
    "attribute_type": 2,
    "begins_with": 2,
    "contains": 2,
    "size": 1,
}
"""Functions of conditions, and how many operands each has."""

OPERATORS: Final = (*COMPARISONS, "BETWEEN", "IN")
JOINS: Final = ("AND", "OR", "NOT")
_ORDERED: Final = ("S", "N", "B")
_TYPES: Final = ("B", "NULL", "SS", "BOOL", "L", "BS", "N", "NS", "S", "M")
_WITHOUT_SIZE: Final = ("N", "BOOL", "NULL")


def check_condition(root: Node) -> None:
    """Check a condition.

    Raises:
        SyntaxFault: DynamoDB refuses it; the message is DynamoDB's, without the name of the expression.
    """
    calls = [node for node in walk(root) if isinstance(node, Term)]
    for call in calls:
        if call.name not in (*FUNCTIONS, *OPERATORS, *JOINS):
            raise SyntaxFault(f"Invalid function name; function: {call.name}")
    _check_uses(root, calls)
    for call in calls:
        if call.name not in JOINS:
            _check_call(call)


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and all below it, in the order in which they are written; sums may be as deep as they are long."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        if isinstance(current, Term):
            waiting.extend(reversed(current.operands))


def _check_uses(root: Node, calls: list[Term]) -> None:
    """A function is a condition of its own; `size` is an operand, and nothing else."""
    joined = [root, *(operand for call in calls if call.name in JOINS for operand in call.operands)]
    operands = [operand for call in calls if call.name not in JOINS for operand in call.operands]
    for node, wanted in ((joined, False), (operands, True)):
        for one in node:
            if isinstance(one, Term) and one.name in FUNCTIONS and (one.name == "size") != wanted:
                raise SyntaxFault(
                    f"The function is not allowed to be used this way in an expression; function: {one.name}"
                )


def _check_call(call: Term) -> None:
    number = FUNCTIONS.get(call.name, len(call.operands))
    if len(call.operands) != number:
        raise SyntaxFault(
            "Incorrect number of operands for operator or function; "
            f"operator or function: {call.name}, number of operands: {len(call.operands)}"
        )
    first = call.operands[0]
    if len(call.operands) == 2 and isinstance(first, Path) and _is_same(first, call.operands[1]):
        raise SyntaxFault(
            "The first operand must be distinct from the remaining operands for this operator or function; "
            f"operator: {call.name}, first operand: {first}"
        )
    if call.name == "BETWEEN":
        _check_bounds(*call.operands[1:])
    elif call.name == "IN" and len(call.operands) - 1 > IN_OPERANDS:
        told = f"number of operands: {len(call.operands) - 1}"
        raise SyntaxFault(f"The IN operator is provided with too many operands; {told}")
    elif call.name in ("attribute_exists", "attribute_not_exists"):
        check_path(call)
    elif call.name == "attribute_type":
        _check_type_name(call)
    else:
        _check_types(call)


def _is_same(first: Path, second: Node) -> bool:
    return isinstance(second, Path) and first.parts == second.parts


def check_path(call: Term) -> None:
    """Check that the first operand of a function is a path.

    Raises:
        SyntaxFault: it is none.
    """
    if not isinstance(call.operands[0], Path):
        raise SyntaxFault(f"Operator or function requires a document path; operator or function: {call.name}")


def _check_type_name(call: Term) -> None:
    wanted = call.operands[1]
    found = wanted.kind if isinstance(wanted, Given) else "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}"
    if not isinstance(wanted, Given) or found != "S":
        raise refuse_type(call.name, found)
    if wanted.value["S"] not in _TYPES:
        shown = ",".join(_TYPES)
        raise SyntaxFault(f"Invalid attribute type name found; type: {wanted.value['S']}, valid types: {{{shown}}}")


def _check_types(call: Term) -> None:
    taken = {"begins_with": ("S", "B"), **dict.fromkeys(("<", "<=", ">", ">="), _ORDERED)}.get(call.name)
    for operand in call.operands:
        if not isinstance(operand, Given):
            continue
        if (taken is not None and operand.kind not in taken) or (call.name == "size" and operand.kind in _WITHOUT_SIZE):
            raise refuse_type(call.name, operand.kind)


def refuse_type(name: str, kind: str) -> SyntaxFault:
    """Return the error of an operand whose type an operator or function does not take."""
    told = f"operator or function: {name}, operand type: {kind}"
    return SyntaxFault(f"Incorrect operand type for operator or function; {told}")


def _check_bounds(low: Node, high: Node) -> None:
    given = [bound for bound in (low, high) if isinstance(bound, Given)]
    for bound in given:
        if bound.kind not in _ORDERED:
            raise refuse_type("BETWEEN", bound.kind)
    if len(given) < 2:
        return
    first, second = given
    shown = [f"AttributeValue: {{{one.kind}:{one.value[one.kind]}}}" for one in given]
    operands = f"lower bound operand: {shown[0]}, upper bound operand: {shown[1]}"
    if first.kind != second.kind:
        raise SyntaxFault(f"The BETWEEN operator requires same data type for lower and upper bounds; {operands}")
    if order_value(first.value) > order_value(second.value):
        raise SyntaxFault(
            f"The BETWEEN operator requires upper bound to be greater than or equal to lower bound; {operands}"
        )


def order_value(value: dict[str, Any]) -> Any:
    """Return what a string, number or binary value is ordered by among those of its type."""
    # Strings are ordered by their UTF-8, which is the order of their code points.
    [(kind, content)] = value.items()
    if kind == "N":
        return parse_number(content)
    return decode_binary(content) if kind == "B" else content
