"""Expressions are refused as DynamoDB refuses them, and what it takes is taken."""

from typing import Any

import pytest

from twin.front.dynamodb.language.reading import read_expressions
from twin.front.dynamodb.values import InvalidRequest

_S: dict[str, Any] = {"S": "x"}
_N: dict[str, Any] = {"N": "1"}
VALUES: dict[str, Any] = {":s": _S, ":n": _N, ":m": {"N": "2"}, ":b": {"BOOL": True}, ":l": {"L": []}}
VALUES |= {":set": {"SS": ["a"]}, ":t": {"S": "SS"}}
NAMES = {"#s": "status", "#v": "v"}


def refuse(kind: str, text: str) -> str:
    """Return what is said of an expression, without the name of its parameter."""
    given = {"ExpressionAttributeValues": VALUES, "ExpressionAttributeNames": NAMES}
    with pytest.raises(InvalidRequest) as caught:
        read_expressions({kind: text, **given})
    return str(caught.value).removeprefix(f"Invalid {kind}: ")


_OPERAND = "Incorrect operand type for operator or function; operator or function: "
_CONDITIONS = [
    ("((v = :s))", "The expression has redundant parentheses;"),
    ("((v)) = :s", "The expression has redundant parentheses;"),
    ("v = :s AND ((n = :n))", "The expression has redundant parentheses;"),
    ("foo(v)", "Invalid function name; function: foo"),
    ("ATTRIBUTE_EXISTS(v)", "Invalid function name; function: ATTRIBUTE_EXISTS"),
    ("size(v)", "The function is not allowed to be used this way in an expression; function: size"),
    ("NOT size(v)", "The function is not allowed to be used this way in an expression; function: size"),
    ("v = contains(v, :s)", "The function is not allowed to be used this way in an expression; function: contains"),
    ("status = :s", "Attribute name is a reserved keyword; reserved keyword: status"),
    ("v.Name = :s", "Attribute name is a reserved keyword; reserved keyword: Name"),
    ("begins_with(v)", "Incorrect number of operands for operator or function; operator or function: begins_with, "),
    ("attribute_exists(:s)", "Operator or function requires a document path; operator or function: attribute_exists"),
    ("attribute_type(v, :n)", f"{_OPERAND}attribute_type, operand type: N"),
    ("attribute_type(v, v2)", f"{_OPERAND}attribute_type, operand type: {{NS,SS,"),
    ("attribute_type(v, :s)", "Invalid attribute type name found; type: x, valid types: {"),
    ("size(:n) = :n", f"{_OPERAND}size, operand type: N"),
    (
        "v = #v",
        "The first operand must be distinct from the remaining operands for this operator or function; operator:",
    ),
    (":b < v", f"{_OPERAND}<, operand type: BOOL"),
    ("v BETWEEN :b AND v2", f"{_OPERAND}BETWEEN, operand type: BOOL"),
    ("v = 5", 'Syntax error; token: "5", near: "= 5"'),
    ('v = "x"', 'Syntax error; token: """'),
    ("v == :s", 'Syntax error; token: "=", near: "== :s"'),
    ("v != :s", 'Syntax error; token: "!"'),
    ("v = :s AND", 'Syntax error; token: "<EOF>", near: "AND"'),
    ("v = :s v = :s", 'Syntax error; token: "v", near: ":s v ="'),
    ("(v = :s", 'Syntax error; token: "<EOF>"'),
    ("v IN :s", 'Syntax error; token: ":s", near: "IN :s"'),
    ("v IN ()", 'Syntax error; token: ")"'),
    ("v", 'Syntax error; token: "<EOF>", near: "v"'),
    ("v BETWEEN :n OR :m", 'Syntax error; token: "OR"'),
    ("a[x] = :s", 'Syntax error; token: "x", near: "[x]"'),
    ("a[-1] = :s", 'Syntax error; token: "-"'),
    ("(" * 1500 + "v = :s", ""),
]


@pytest.mark.parametrize(("text", "message"), _CONDITIONS, ids=[text[:40] for text, _ in _CONDITIONS])
def test_a_condition_is_refused_in_dynamodbs_words(text: str, message: str) -> None:
    assert refuse("ConditionExpression", text).startswith(message)
    assert refuse("FilterExpression", text).startswith(message)


@pytest.mark.parametrize(
    "text",
    [
        "v = :s and not (n < :n or attribute_not_exists(m.a[0].b)) AND contains(m, :n)",
        "(v = :s) OR (n IN (:n, :m) AND size(v) >= :n)",
        "(v) = (:s)",
        "NOT contains(v, :s)",
        "NOT NOT (NOT v = :s)",
        "#s BETWEEN :n AND :m AND n = :n",
        "attribute_type(#s.x, :t)",
        "begins_with(v,:s)OR v<>:s",
        "v <> :b AND :n < v2",
        "(attribute_exists(v))",
    ],
)
def test_a_condition_of_dynamodbs_language_is_taken(text: str) -> None:
    given = {"ExpressionAttributeValues": VALUES, "ExpressionAttributeNames": NAMES}
    assert read_expressions({"ConditionExpression": text, **given}).conditions


_OVERLAP = "Two document paths overlap with each other; must remove or rewrite one of these paths; "
_UPDATES = [
    ("SET v = :s, #v = :n", f"{_OVERLAP}path one: [v], path two: [v]"),
    ("SET m.a = :s REMOVE m", f"{_OVERLAP}path one: [m, a], path two: [m]"),
    ("REMOVE l[1], l[1].a", f"{_OVERLAP}path one: [l, [1]], path two: [l, [1], a]"),
    ("SET m.a = :s, m[0] = :s", "Two document paths conflict with each other; must remove or rewrite one of these"),
    ("SET v = :s SET n = :n", 'The "SET" section can only be used once in an update expression;'),
    ("SET v = size(v)", "Invalid function name; function: size"),
    ("SET status = :s", "Attribute name is a reserved keyword; reserved keyword: status"),
    ("SET v = if_not_exists(:s, :n)", "Operator or function requires a document path; operator or function: if_not_"),
    ("SET v = if_not_exists(v)", "Incorrect number of operands for operator or function; operator or function: if_"),
    ("SET n = n + :s", f"{_OPERAND}+, operand type: S"),
    ("SET l = list_append(l, :s)", f"{_OPERAND}list_append, operand type: S"),
    ("ADD v :s", "Incorrect operand type for operator or function; operator: ADD, operand type: STRING"),
    ("DELETE v :n", "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER"),
    ("ADD n n", 'Syntax error; token: "n", near: "n n"'),
    ("SET v :s", 'Syntax error; token: ":s", near: "v :s"'),
    ("SET v = :s,", 'Syntax error; token: "<EOF>", near: ","'),
    ("PUT v = :s", 'Syntax error; token: "PUT"'),
    ("SET", 'Syntax error; token: "<EOF>", near: "SET"'),
    ("SET n = :n" + "+:n" * 1300, "The expression contains more than 300 operators and functions"),
]


@pytest.mark.parametrize(("text", "message"), _UPDATES, ids=[text[:40] for text, _ in _UPDATES])
def test_an_update_is_refused_in_dynamodbs_words(text: str, message: str) -> None:
    assert refuse("UpdateExpression", text).startswith(message)


def test_an_update_of_dynamodbs_language_is_taken() -> None:
    text = (
        "set v = :s, n = (if_not_exists(n, :n) + :m), l[0] = :s, l[1] = :s, m.a = m.b remove q add k :n delete d :set"
    )
    given = {"ExpressionAttributeValues": VALUES, "ExpressionAttributeNames": NAMES}
    actions = read_expressions({"UpdateExpression": text, **given}).actions
    sections = [action.section for action in actions]
    assert sections == ["SET"] * 5 + ["REMOVE", "ADD", "DELETE"]


_PROJECTIONS = [
    ("m, m.a", f"{_OVERLAP}path one: [m], path two: [m, a]"),
    ("m.a[0], m.a", f"{_OVERLAP}path one: [m, a, [0]], path two: [m, a]"),
    ("v, #v", f"{_OVERLAP}path one: [v], path two: [v]"),
    ("m.a, m[0]", "Two document paths conflict with each other"),
    ("a.status", "Attribute name is a reserved keyword; reserved keyword: status"),
    ("size(v)", 'Syntax error; token: "("'),
    ("v,", 'Syntax error; token: "<EOF>", near: ","'),
    ("a-b", 'Syntax error; token: "-", near: "a-b"'),
    ("1a", 'Syntax error; token: "1a", near: "1a"'),
]


@pytest.mark.parametrize(("text", "message"), _PROJECTIONS, ids=[text for text, _ in _PROJECTIONS])
def test_a_projection_is_refused_in_dynamodbs_words(text: str, message: str) -> None:
    assert refuse("ProjectionExpression", text).startswith(message)


def test_a_projection_of_parts_of_one_map_is_taken() -> None:
    text = "m.a, m.b[0], m.b[1].c, #s,v"
    paths = read_expressions({"ProjectionExpression": text, "ExpressionAttributeNames": NAMES}).paths
    assert [str(path) for path in paths] == ["[m, a]", "[m, b, [0]]", "[m, b, [1], c]", "[status]", "[v]"]
