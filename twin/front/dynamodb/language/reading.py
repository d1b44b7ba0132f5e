"""The expressions of a request, each read and checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from twin.front.dynamodb.language.conditions import check_condition, walk
from twin.front.dynamodb.language.nodes import Action, Node, Path
from twin.front.dynamodb.language.parser import Parser
from twin.front.dynamodb.language.tokens import SyntaxFault
from twin.front.dynamodb.language.updates import check_actions, check_distinct
from twin.front.dynamodb.values import InvalidRequest

EXPRESSION_BYTES: Final = 4096
"""Longest expression string, in UTF-8 (developer guide, "Quotas")."""

CONDITIONS: Final = ("ConditionExpression", "KeyConditionExpression", "FilterExpression")
EXPRESSIONS: Final = (
    *("ProjectionExpression", "FilterExpression", "UpdateExpression"),
    *("ConditionExpression", "KeyConditionExpression"),
)

Params = Mapping[str, Any]


@dataclass
class Expressions:
    """What the expressions of a request say."""

    conditions: dict[str, Node] = field(default_factory=dict)
    actions: list[Action] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)


def read_expressions(params: Params) -> Expressions:
    """Read and check the expressions of a request; the names and values that they use are defined.

    Raises:
        InvalidRequest: one is none, or breaks a rule.
    """
    found = Expressions()
    for kind in CONDITIONS:
        if params.get(kind) is not None:
            found.conditions[kind] = _read(params, kind, _read_condition)
    if params.get("UpdateExpression") is not None:
        found.actions = _read(params, "UpdateExpression", _read_actions)
    if params.get("ProjectionExpression") is not None:
        found.paths = _read(params, "ProjectionExpression", _read_paths)
    return found


def _read(params: Params, kind: str, read: Callable[[Parser], Any]) -> Any:
    text = params[kind]
    try:
        if not text.strip():
            raise SyntaxFault("The expression can not be empty;")
        size = len(text.encode())
        if size > EXPRESSION_BYTES:
            raise SyntaxFault(f"Expression size has exceeded the maximum allowed size; expression size: {size}")
        names, values = (params.get(f"ExpressionAttribute{given}") or {} for given in ("Names", "Values"))
        return read(Parser(text, names, values))
    except SyntaxFault as fault:
        raise InvalidRequest(f"Invalid {kind}: {fault}") from fault


def _read_condition(parser: Parser) -> Node:
    root = parser.read_condition()
    if parser.has_redundant_parentheses:
        raise SyntaxFault("The expression has redundant parentheses;")
    _check_words(walk(root))
    check_condition(root)
    return root


def _read_actions(parser: Parser) -> list[Action]:
    actions = parser.read_actions()
    values = (node for action in actions if action.value is not None for node in walk(action.value))
    _check_words([*(action.path for action in actions), *values])
    check_actions(actions)
    return actions


def _read_paths(parser: Parser) -> list[Path]:
    paths = parser.read_paths()
    _check_words(paths)
    check_distinct(paths)
    return paths


def _check_words(nodes: Iterable[Node]) -> None:
    for node in nodes:
        for name in node.written if isinstance(node, Path) else ():
            if name.upper() in _list_reserved():
                raise SyntaxFault(f"Attribute name is a reserved keyword; reserved keyword: {name}")


@cache
def _list_reserved() -> frozenset[str]:
    return frozenset(ReservedKeywords.get_reserved_keywords())
