"""Conditions on keys are those that a query can follow, with values that a key can have."""

from typing import Any

import pytest

from twin.front.dynamodb.language.key_conditions import (
    check_key_conditions,
    check_start,
    read_key_conditions,
    read_legacy_conditions,
)
from twin.front.dynamodb.language.reading import read_expressions
from twin.front.dynamodb.tables import KeyShape
from twin.front.dynamodb.values import InvalidRequest

SHAPE = KeyShape((("pk", "S"), ("sk", "S")))
VALUES: dict[str, Any] = {":p": {"S": "a"}, ":s": {"S": "m"}, ":t": {"S": "p"}, ":n": {"N": "1"}, ":e": {"S": ""}}
VALUES |= {":long": {"S": "é" * 1025}, ":much": {"S": "s" * 1025}}


def read(text: str) -> Any:
    request = {"KeyConditionExpression": text, "ExpressionAttributeValues": VALUES}
    return read_key_conditions(read_expressions(request).conditions["KeyConditionExpression"])


_INVALID = "One or more parameter values were invalid: "
_EMPTY = "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty"
_REFUSED = [
    ("pk = :p OR sk = :s", "Invalid operator used in KeyConditionExpression: OR"),
    ("NOT pk = :p", "Invalid operator used in KeyConditionExpression: NOT"),
    ("pk = :p AND sk <> :s", "Invalid operator used in KeyConditionExpression: <>"),
    ("pk = :p AND sk IN (:s)", "Invalid operator used in KeyConditionExpression: IN"),
    ("pk = :p AND contains(sk, :s)", "Invalid operator used in KeyConditionExpression: contains"),
    ("pk = :p AND size(sk) = :n", "KeyConditionExpressions cannot contain nested operations"),
    ("pk = :p AND sk = v", "Invalid condition in KeyConditionExpression: Multiple attribute names used in one"),
    ("pk = :p AND :s = :t", "Invalid condition in KeyConditionExpression: No key attribute specified"),
    ("pk = :p AND :s BETWEEN sk AND :t", "Invalid condition in KeyConditionExpression: BETWEEN operator must have"),
    ("pk.a = :p", "KeyConditionExpressions cannot have conditions on nested attributes"),
    ("pk = :p AND pk = :s", "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition"),
    ("pk = :p AND sk = :s AND v = :s", "Conditions can be of length 1 or 2 only"),
    ("sk = :s", "Query condition missed key schema element: pk"),
    ("pk = :p AND v = :s", "Query condition missed key schema element: sk"),
    ("pk > :p", "Query key condition not supported"),
    ("pk = :n", f"{_INVALID}Condition parameter type does not match schema type"),
    ("pk = :p AND sk BETWEEN :s AND :n", "Invalid KeyConditionExpression: The BETWEEN operator requires same data"),
    ("pk = :e", _EMPTY),
    ("pk = :p AND begins_with(sk, :e)", _EMPTY),
    ("pk = :long", f"{_INVALID}Size of hashkey has exceeded the maximum size limit of2048 bytes"),
    ("pk = :p AND sk > :much", f"{_INVALID}Aggregated size of all range keys has exceeded the size limit of 1024"),
]


@pytest.mark.parametrize(("text", "message"), _REFUSED, ids=[text for text, _ in _REFUSED])
def test_a_condition_that_no_query_can_follow_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_key_conditions(read(text), SHAPE)
    assert str(caught.value).startswith(message)


def test_conditions_of_any_order_and_side_are_taken() -> None:
    for text in ("pk = :p", "sk >= :s AND (pk = :p)", "(pk = :p) AND begins_with(sk, :s)", ":p = pk AND :s < sk"):
        check_key_conditions(read(text), SHAPE)
    assert {one.name: one.operator for one in read(":p = pk AND :s < sk")} == {"pk": "=", "sk": ">"}


def test_conditions_of_the_older_kind_have_the_same_bounds() -> None:
    def ask(operator: str, *values: Any) -> dict[str, Any]:
        return {"ComparisonOperator": operator, "AttributeValueList": list(values)}

    taken = {"pk": ask("EQ", {"S": "a"}), "sk": ask("BETWEEN", {"S": "1"}, {"S": "2"})}
    check_key_conditions(read_legacy_conditions(taken), SHAPE)
    for changed in (
        *({"pk": ask("NE", {"S": "a"})}, {"pk": ask("LT", {"S": "a"})}, {"pk": ask("EQ", {"S": "a" * 2049})}),
        *({"sk": ask("BETWEEN", {"S": "2"}, {"S": "1"})}, {"sk": ask("BETWEEN", {"S": "1"}, {"N": "2"})}),
        *({"sk": ask("BETWEEN", {"S": "1"})}, {"sk": ask("EQ", {"S": ""})}, {"v": ask("EQ", {"S": "1"})}),
    ):
        with pytest.raises(InvalidRequest):
            check_key_conditions(read_legacy_conditions(taken | changed), SHAPE)


@pytest.mark.parametrize(
    ("text", "sk", "fits"),
    [
        ("pk = :p", "z", True),
        ("pk = :p AND sk > :s", "n", True),
        ("pk = :p AND sk > :s", "m", False),
        ("pk = :p AND sk <= :s", "m", True),
        ("pk = :p AND sk BETWEEN :s AND :t", "o", True),
        ("pk = :p AND sk BETWEEN :s AND :t", "q", False),
        ("pk = :p AND begins_with(sk, :s)", "m#1", True),
        ("pk = :p AND begins_with(sk, :s)", "n", False),
    ],
)
def test_a_query_begins_after_a_key_that_fits_its_condition(text: str, sk: str, *, fits: bool) -> None:
    if fits:
        check_start({"pk": {"S": "a"}, "sk": {"S": sk}}, read(text))
        return
    with pytest.raises(InvalidRequest, match="does not match the range key predicate"):
        check_start({"pk": {"S": "a"}, "sk": {"S": sk}}, read(text))


def test_a_query_does_not_begin_in_another_partition() -> None:
    with pytest.raises(InvalidRequest, match="outside query boundaries based on provided conditions"):
        check_start({"pk": {"S": "b"}, "sk": {"S": "1"}}, read("pk = :p"))
