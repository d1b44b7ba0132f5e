"""Values that the simulator fills into a schema."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from twin.simulator.rules.arguments.structured import Filler


@pytest.mark.parametrize("name", ["score", "relevance_score"])
def test_a_score_comes_from_no_number_of_the_text(name: str) -> None:
    schema = {"type": "object", "properties": {name: {"type": "number"}}, "required": [name]}
    assert Filler("There are 3 of them.", 0.7).fill(schema) == {name: 0.7}


@pytest.mark.parametrize("name", ["confidence", "probability", "certainty", "likelihood_score"])
def test_rules_have_no_confidence_whatever_they_found(name: str) -> None:
    schema = {"type": "object", "properties": {name: {"type": "number"}}, "required": [name]}
    assert Filler("There are 3 of them.", 0.95).fill(schema) == {name: 0.5}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "^[A-Z]{2}-\\d{4,6}$"},
        {"type": "string", "pattern": "^(red|green)\\s\\w+!?$"},
        {"type": "string", "pattern": "^(a+)-\\1$"},
        {"type": "string", "pattern": "[^a0A]x"},
        {"type": "string", "pattern": "^\\S{3}\\D\\W$"},
        {"type": "integer", "minimum": 10, "maximum": 20},
        {"type": "integer", "exclusiveMinimum": 3, "multipleOf": 5},
        {"type": "number", "maximum": -1},
        {"type": "string", "minLength": 4, "maxLength": 6},
    ],
)
def test_a_schema_with_bounds_and_patterns_is_met(schema: dict[str, Any]) -> None:
    whole = {"type": "object", "properties": {"x": schema}, "required": ["x"]}
    assert Draft202012Validator(whole).is_valid(Filler("There are 3 of them.").fill(whole))


_INTEGERS: dict[str, Any] = {"type": "array", "items": {"type": "integer"}}
_SHORT_WORD = {"type": "string", "maxLength": 2, "minLength": 3}
_KEYED: dict[str, Any] = {"type": "object", "properties": {"k": {"type": "string"}}, "required": ["k"]}
_FOUR = {"required": ["w"], "properties": {"w": {"type": "integer", "minimum": 4}}}
_CLOSED = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}


@pytest.mark.parametrize("text", ["There are 3 of them.", "", "Set 12 and 15, please: x_a is blue, and not red."])
@pytest.mark.parametrize(
    "schema",
    [
        _INTEGERS | {"minItems": 3, "uniqueItems": True},
        {"type": "array", "items": {"type": "boolean"}, "minItems": 2, "uniqueItems": True},
        {"type": "array", "items": {"enum": ["x", "y", "z"]}, "minItems": 3, "uniqueItems": True},
        {"type": "array", "items": _CLOSED, "minItems": 2, "uniqueItems": True},
        {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False, "minItems": 2},
        {"type": "array", "contains": {"const": 7}},
        _INTEGERS | {"contains": {"minimum": 50}, "minContains": 2},
        {"type": "string", "pattern": "^[a-z]+$", "minLength": 8},
        {"type": "string", "pattern": "^[a-z]*\\d?$", "minLength": 8, "maxLength": 10},
        {"type": "string", "allOf": [{"minLength": 3}, {"maxLength": 5}]},
        {"allOf": [{"type": "string"}, {"pattern": "^x\\d+$"}, {"minLength": 6}]},
        {"type": "string", "maxLength": 0},
        {"type": "string", "pattern": "^(?=.*\\d)(?=.*[a-z]).{8,}$"},
        {"type": "string", "pattern": "^(?=.*[A-Z])\\S{6,12}$"},
        {"type": "object", "minProperties": 2},
        {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 3},
        {"type": "object", "patternProperties": {"^x_\\w*$": {}}, "additionalProperties": False, "minProperties": 2},
        {"type": "object", "propertyNames": {"maxLength": 2}, "minProperties": 3},
        {"type": "object", "maxProperties": 1, "properties": {"a": {"type": "string"}, "b": {"type": "string"}}},
        _KEYED | {"if": {"required": ["k"]}, "then": _FOUR},
        _KEYED | {"dependentSchemas": {"k": _FOUR}},
        _KEYED | {"dependentRequired": {"k": ["m"]}},
        {"oneOf": [_CLOSED, {"type": "string"}]},
        {"anyOf": [_SHORT_WORD, {"type": "integer"}]},
        {"type": "integer", "not": {"const": 0}},
    ],
)
def test_values_fit_rules_of_every_kind(schema: dict[str, Any], text: str) -> None:
    whole = {"type": "object", "properties": {"x": schema}, "required": ["x"]}
    assert Draft202012Validator(whole).is_valid(Filler(text).fill(whole))
    if schema.get("type") == "object":
        assert Draft202012Validator(schema).is_valid(Filler(text).fill(schema))


def test_what_nothing_fits_ends_all_the_same() -> None:
    Filler("text").fill({"type": "object", "properties": {"x": _SHORT_WORD}, "required": ["x"]})
