"""Intrinsic functions resolve as CloudFormation resolves them."""

from typing import Any

import pytest

from twin.deploy.errors import UnresolvedReference
from twin.deploy.intrinsics import Resolver, collect_references


class Values:
    """A scope with fixed values."""

    def resolve_ref(self, logical_id: str) -> Any:
        known = {"Table": "table-1", "AWS::Region": "eu-west-1", "List": ["a", "b"]}
        if logical_id not in known:
            raise UnresolvedReference(logical_id)
        return known[logical_id]

    def resolve_attribute(self, logical_id: str, name: str) -> Any:
        return f"{logical_id}:{name}"

    def resolve_import(self, export: str) -> Any:
        return f"imported {export}"

    def resolve_mapping(self, name: str, top: str, second: str) -> Any:
        return f"{name}/{top}/{second}"

    def resolve_condition(self, name: str) -> bool:
        return name == "Yes"


def resolve(value: Any) -> Any:
    return Resolver(Values()).resolve(value)


@pytest.mark.parametrize(
    ("fragment", "expected"),
    [
        ("text", "text"),
        (3, 3),
        ({"Ref": "Table"}, "table-1"),
        ({"Fn::GetAtt": ["Table", "Arn"]}, "Table:Arn"),
        ({"Fn::GetAtt": "Table.Nested.Arn"}, "Table:Nested.Arn"),
        ({"Fn::Sub": "${Table}/${Table.Arn}/${!Literal}"}, "table-1/Table:Arn/${Literal}"),
        ({"Fn::Sub": ["${x}-${Table}", {"x": {"Ref": "AWS::Region"}}]}, "eu-west-1-table-1"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Table"}]]}, "a-table-1"),
        ({"Fn::Join": [",", {"Ref": "List"}]}, "a,b"),
        ({"Fn::Select": [1, {"Fn::Split": ["/", "a/b/c"]}]}, "b"),
        ({"Fn::Select": ["0", {"Ref": "List"}]}, "a"),
        ({"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "k"]}, "M/eu-west-1/k"),
        ({"Fn::ImportValue": {"Fn::Sub": "${Table}-out"}}, "imported table-1-out"),
        ({"Fn::If": ["Yes", 1, 2]}, 1),
        ({"Fn::If": ["No", 1, 2]}, 2),
        ({"Fn::Base64": "hi"}, "aGk="),
        ({"a": {"Ref": "AWS::NoValue"}, "b": 1}, {"b": 1}),
        ([1, {"Ref": "AWS::NoValue"}, 2], [1, 2]),
        ({"a": {"Fn::If": ["No", 1, {"Ref": "AWS::NoValue"}]}}, {}),
        ({"Ref": "Table", "Other": 1}, {"Ref": "Table", "Other": 1}),
    ],
)
def test_value(fragment: Any, expected: Any) -> None:
    assert resolve(fragment) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"Fn::Equals": [{"Ref": "Table"}, "table-1"]}, True),
        ({"Fn::Equals": ["true", True]}, True),
        ({"Fn::Equals": ["1", 1]}, True),
        ({"Fn::Equals": ["a", "b"]}, False),
        ({"Fn::And": [{"Condition": "Yes"}, {"Fn::Equals": [1, 1]}]}, True),
        ({"Fn::And": [{"Condition": "Yes"}, {"Condition": "No"}]}, False),
        ({"Fn::Or": [{"Condition": "No"}, {"Condition": "Yes"}]}, True),
        ({"Fn::Not": [{"Condition": "No"}]}, True),
    ],
)
def test_condition(expression: Any, expected: bool) -> None:
    assert Resolver(Values()).is_true(expression) is expected


@pytest.mark.parametrize(
    "fragment",
    [
        {"Ref": "Unknown"},
        {"Fn::Cidr": ["10.0.0.0/8", 2, 3]},
        {"Fn::Select": [5, ["a"]]},
        "{{resolve:secretsmanager:name:SecretString}}",
    ],
)
def test_what_cannot_be_resolved_is_an_error(fragment: Any) -> None:
    with pytest.raises(UnresolvedReference):
        resolve(fragment)


def test_references_are_found_in_every_form() -> None:
    fragment = {
        "a": {"Ref": "A"},
        "b": [{"Fn::GetAtt": ["B", "Arn"]}, {"Fn::GetAtt": "C.Arn"}],
        "c": {"Fn::Sub": ["${D} ${E.Arn} ${x} ${!F}", {"x": {"Ref": "G"}}]},
        "d": {"Fn::If": ["Condition", {"Fn::Sub": "${H}"}, {"Ref": "AWS::NoValue"}]},
    }
    assert collect_references(fragment) - {"AWS::NoValue"} == {"A", "B", "C", "D", "E", "G", "H"}
