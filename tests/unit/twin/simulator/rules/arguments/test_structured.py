"""Values that the simulator fills into a schema."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from twin.simulator.rules.arguments.structured import Filler

_SCALE = {"enum": ["high", "medium", "low"]}
_NUMBER = {"type": "number"}


def fill(name: str, schema: dict[str, Any], text: str = "There are 3 of them.", **options: Any) -> Any:
    whole = {"type": "object", "properties": {name: schema}, "required": [name]}
    filled = Filler(text, **options).fill(whole)
    assert Draft202012Validator(whole).is_valid(filled)
    return filled[name]


@pytest.mark.parametrize(
    ("name", "schema", "value"),
    [
        *((name, _NUMBER, 0.5) for name in ("confidence", "probability", "certainty", "likelihood_score")),
        *((name, _NUMBER, 0.8) for name in ("score", "relevance_score", "quality")),
        ("rating", {"type": "integer", "minimum": 1, "maximum": 5}, 4),
        ("confidence", _SCALE, "medium"),
        ("confidenceLevel", {"enum": ["very low", "low", "medium", "high", "very high"]}, "medium"),
        ("certainty", {"enum": ["high", "low"]}, "low"),
        ("certainty", {"enum": ["low", "high"]}, "low"),
        ("confidence", {"enum": ["VERY_HIGH", "HIGH", "LOW", "VERY_LOW"]}, "LOW"),
        ("confidence", {"enum": [5, 4, 3, 2, 1]}, 3),
        ("confidence", {"enum": ["high", "medium", "low", None]}, "medium"),
        ("confidence", {"const": "high"}, "high"),
        ("quality", _SCALE, "medium"),
        ("sure", {"type": "boolean"}, False),
        ("is_confident", {"type": "boolean"}, False),
        ("certain", {"enum": [True, False]}, False),
        ("uncertain", {"type": "boolean"}, True),
        ("measured", {"type": "boolean"}, True),
    ],
)
def test_rules_have_no_confidence_whatever_they_found(name: str, schema: dict[str, Any], value: Any) -> None:
    assert fill(name, schema) == value


def test_what_a_text_says_is_no_confidence_in_it_but_may_be_a_quality() -> None:
    assert fill("confidence", _SCALE, "Confidence is high, and so is the quality.") == "medium"
    assert fill("quality", _SCALE, "The quality is high.") == "high"


@pytest.mark.parametrize(("sure", "scale", "number", "told"), [(0.95, "high", 0.95, True), (0.1, "low", 0.1, False)])
def test_a_marker_sets_how_sure_each_kind_of_field_is(sure: float, scale: str, number: float, told: bool) -> None:
    assert (fill("confidence", _SCALE, sure=sure), fill("confidence", _NUMBER, sure=sure)) == (scale, number)
    assert (fill("sure", {"type": "boolean"}, sure=sure), fill("unsure", {"type": "boolean"}, sure=sure)) == (
        told,
        not told,
    )


def test_a_pattern_is_met_by_a_whole_name_of_the_text_or_by_none_of_it() -> None:
    order = {"type": "string", "pattern": "^[A-Z]-\\d{4}$"}
    assert fill("order", order, "Refund C-4711.") == "C-4711"
    assert fill("order", order, "Refund ABC-47112.") not in "ABC-47112"
    assert fill("price", {"type": "string", "pattern": "^\\d+\\$$"}, "It costs 12$ now.") == "12$"


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
    assert Filler("text").fill({"type": "object", "properties": {"x": _SHORT_WORD}, "required": ["x"]}).keys() == {"x"}
