"""Values that must not be: `not`, and alternatives of which one alone may fit."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from twin.simulator.rules.arguments.others import MOST_OTHERS, list_others
from twin.simulator.rules.arguments.structured import Filler

SCHEMAS: list[dict[str, Any]] = [
    {"type": "string", "not": {"enum": ["none", "hello"]}},
    {"type": "integer", "not": {"minimum": 0}},
    {"type": "integer", "minimum": 0, "maximum": 10, "not": {"multipleOf": 2}},
    {"type": "integer", "minimum": 1, "maximum": 3, "not": {"enum": [1, 2]}},
    {"type": "number", "minimum": 0, "maximum": 1, "not": {"const": 0}},
    {"not": {"type": "string"}},
    {"not": {"type": ["string", "null", "object"]}},
    {"type": ["string", "null"], "not": {"type": "string"}},
    {"type": "string", "not": {"pattern": "^[a-z]"}},
    {"type": "string", "not": {"maxLength": 5}},
    {"type": "string", "not": {"minLength": 5}},
    {"type": "string", "pattern": "^[ab]{2}$", "not": {"enum": ["aa", "ab"]}},
    {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "not": {"required": ["a"]}},
    {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
        "required": ["a"],
        "not": {"required": ["a", "b"]},
    },
    {
        "type": "object",
        "properties": {"a": {"type": "integer"}},
        "required": ["a"],
        "not": {"properties": {"a": {"minimum": 0}}},
    },
    {
        "type": "object",
        "properties": {"mode": {"enum": ["x", "y", "z"]}},
        "required": ["mode"],
        "not": {"properties": {"mode": {"const": "x"}}},
    },
    {"type": "array", "items": {"type": "string"}, "not": {"minItems": 2}},
    {"type": "array", "items": {"type": "integer"}, "not": {"maxItems": 3}},
    {"type": "array", "items": {"type": "integer"}, "not": {"contains": {"const": 1}}},
    {"enum": ["a", "b", "c"], "not": {"enum": ["a", "b"]}},
    {"type": "boolean", "not": {"const": True}},
    {"type": "boolean", "not": {"const": False}},
    {"oneOf": [{"type": "integer", "minimum": 0}, {"type": "integer", "maximum": 10}]},
    {"oneOf": [{"type": "number"}, {"type": "integer"}]},
    {"oneOf": [{"type": "string", "maxLength": 10}, {"type": "string", "minLength": 5}]},
    {"oneOf": [{"multipleOf": 3, "type": "integer"}, {"multipleOf": 5, "type": "integer"}]},
    {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
        "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
    },
    {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "string"}, "c": {"type": "string"}},
        "oneOf": [{"required": ["a", "b"]}, {"required": ["c"]}],
    },
    {
        "type": "object",
        "oneOf": [
            {"properties": {"k": {"const": "x"}}, "required": ["k"]},
            {"properties": {"k": {"type": "string"}}, "required": ["k"]},
        ],
    },
    {
        "oneOf": [
            {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]},
            {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
        ]
    },
    {
        "oneOf": [
            {"type": "array", "items": {"type": "string"}},
            {"type": "array", "maxItems": 2, "items": {"type": "string"}},
        ]
    },
    {
        "type": "object",
        "required": ["x"],
        "properties": {"x": {"oneOf": [{"type": "string"}, {"enum": ["none", "a"]}]}},
    },
    {
        "type": "object",
        "required": ["x"],
        "properties": {"x": {"type": "string", "not": {"const": "none"}}},
        "additionalProperties": False,
    },
    {"oneOf": [{"enum": ["a", "b"]}, {"enum": ["b", "c"]}]},
    {"allOf": [{"type": "integer", "minimum": 3}, {"not": {"enum": [3, 4]}}]},
    {"type": "string", "not": {"anyOf": [{"pattern": "\\s"}, {"const": "none"}]}},
    {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 2, "not": {"maxProperties": 2}},
    {
        "type": "object",
        "required": ["p"],
        "properties": {
            "p": {
                "type": "object",
                "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
                "oneOf": [{"required": ["a"]}, {"required": ["b"]}, {"required": ["a", "b"]}],
            }
        },
    },
]
TEXTS = ("The order 12 of Anna is open and costs 30 euro.", "hello", "", "none", "Please set a to 3 and b to 5, 1, 2.")


@pytest.mark.parametrize("schema", SCHEMAS, ids=json.dumps)
def test_a_value_is_none_that_must_not_be_and_fits_one_alternative_alone(schema: dict[str, Any]) -> None:
    for text in TEXTS:
        assert Draft202012Validator(schema).is_valid(Filler(text).fill(schema))


def test_others_are_bounded_and_a_schema_that_nothing_fits_ends() -> None:
    wide = {f"k{number}": number for number in range(40)}
    assert len(list(list_others(wide, {"type": "object"}, lambda _: 0))) == MOST_OTHERS
    nothing = {"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "not": {"type": "string"}}}}
    assert not Draft202012Validator(nothing).is_valid(Filler("a").fill(nothing))
