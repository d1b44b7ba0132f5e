"""Schemas that somebody else wrote: their limits, their patterns, and values held against them in bounded steps."""

from typing import Any

import jsonschema
import pytest

from pentad.domain.errors import InvalidInput
from pentad.domain.schemas import LinearPattern, check_schema_limits, find_violations

ENDLESS = ["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(.*)*$x", "^(([a-z])+.)+[A-Z]([a-z])+$", "(a*)*b", "^a*a*a*a*a*a*a*b$"]


@pytest.mark.parametrize("pattern", ENDLESS)
@pytest.mark.parametrize("place", ["pattern", "patternProperties", "propertyNames", "additionalProperties"])
def test_patterns_that_never_end_elsewhere_end_here(pattern: str, place: str) -> None:
    text = "a" * 50_000 + "!"
    schemas: dict[str, tuple[dict[str, Any], Any]] = {
        "pattern": ({"items": {"pattern": pattern}}, [text]),
        "patternProperties": ({"patternProperties": {pattern: False}}, {text: 1}),
        "propertyNames": ({"propertyNames": {"pattern": pattern}}, {text: 1}),
        "additionalProperties": ({"patternProperties": {pattern: {}}, "additionalProperties": False}, {text: 1}),
    }
    schema, value = schemas[place]
    check_schema_limits(schema, "schema")
    assert not LinearPattern(pattern).is_in(text)
    assert bool(find_violations(schema, value)) == (place != "patternProperties")


CASES: list[tuple[dict[str, Any], Any]] = [
    ({"pattern": "^a+$"}, "aaa"),
    ({"pattern": "^a+$"}, "b"),
    ({"pattern": "b"}, "abc"),
    ({"pattern": "a"}, 3),
    ({"patternProperties": {"^x-": {"type": "integer"}}}, {"x-a": 1, "y": "z"}),
    ({"patternProperties": {"^x-": {"type": "integer"}}}, {"x-a": "1"}),
    ({"patternProperties": {"^x-": {}}, "additionalProperties": False}, {"x-a": 1, "y": 1}),
    ({"patternProperties": {"^x-": {}}, "properties": {"y": {}}, "additionalProperties": False}, {"x-a": 1, "y": 1}),
    ({"patternProperties": {"^x-": {}}, "additionalProperties": {"type": "string"}}, {"x-a": 1, "y": 1}),
    ({"properties": {"a": {}}, "additionalProperties": False}, {"a": 1, "b": 2}),
    ({"additionalProperties": {"type": "string"}}, {"a": 1, "b": "2"}),
    ({"uniqueItems": True}, [1, 1.0]),
    ({"uniqueItems": True}, [1, True, "1", None, [1], {"a": 1}]),
    ({"uniqueItems": True}, [{"a": [1, {"b": 2}]}, {"a": [1.0, {"b": 2}]}]),
    ({"uniqueItems": True}, [0, False]),
    ({"uniqueItems": False}, [1, 1]),
    ({"unevaluatedProperties": False, "properties": {"a": {}}}, {"a": 1, "b": 1}),
    ({"anyOf": [{"type": "string", "pattern": "^a"}, {"type": "integer"}]}, "b"),
    ({"$defs": {"n": {"properties": {"n": {"$ref": "#/$defs/n"}}, "required": ["v"]}}, "$ref": "#/$defs/n"}, {"n": {}}),
    ({"$schema": "http://json-schema.org/draft-07/schema#", "pattern": "^a$", "items": [{"type": "string"}]}, [1]),
]


@pytest.mark.parametrize(("schema", "value"), CASES)
def test_a_value_fits_as_it_does_for_jsonschema_itself(schema: dict[str, Any], value: Any) -> None:
    plain = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)(schema)
    found = {(error.json_path, error.validator) for error in find_violations(schema, value)}
    assert found == {(error.json_path, error.validator) for error in plain.iter_errors(value)}


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"\u00e9", "é", True),
        (r"\\u00e9", "é", False),
        (r"^\d{4}-\d{2}$", "2026-11", True),
        (r"^[\w.-]+@[\w-]+\.[a-z]{2,}$", "ada@example.org", True),
        ("^a$", "a\n", False),
        ("a", "\ud800a", True),
    ],
)
def test_common_patterns_mean_what_they_mean_elsewhere(pattern: str, text: str, expected: bool) -> None:
    assert LinearPattern(pattern).is_in(text) is expected


REFUSED = ["(?=a)", "(?!a)b", "(?<=a)b", r"(a)\1", "(", "a{1001}", "((a{100}){100}){9}", "\ud800"]


@pytest.mark.parametrize("pattern", REFUSED)
def test_what_can_not_be_matched_in_linear_time_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidInput) as error:
        LinearPattern(pattern)
    assert error.value.fix is not None
    assert "RE2" in error.value.fix


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"items": schema}
    return schema


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"properties": {f"p{n}": {} for n in range(19_000)}}, "1,000 parts"),
        ({"anyOf": [{} for _ in range(1_001)]}, "1,000 parts"),
        ({"$defs": {f"d{n}": {"not": {}} for n in range(501)}}, "1,000 parts"),
        (nested(32), "32 levels"),
        ({"allOf": [{"pattern": f"a{n}"} for n in range(101)]}, "100 patterns"),
        ({"enum": list(range(1_001))}, "1,000 choices"),
        ({"description": "x" * 200_001}, "200,000 bytes"),
        ({"const": ["x" * 200_001]}, "200,000 bytes"),
        ({"items": {"$ref": "http://169.254.169.254/latest"}}, "within the schema"),
        ({"$ref": "#/default", "default": {"pattern": "^(a+)+$"}}, "within the schema"),
        ({"$ref": "#/%64efault", "default": {}}, "within the schema"),
        ({"properties": {"a": {"$dynamicRef": "#/$defs/b/enum/0"}}, "$defs": {"b": {"enum": [{}]}}}, "within the"),
        ({"allOf": [{"$ref": "#/properties/a/const"}], "properties": {"a": {"const": {}}}}, "within the schema"),
        ({"unevaluatedProperties": False, "default": {"patternProperties": {"a": {}}}}, "unevaluatedProperties"),
        ({"unevaluatedProperties": False, "patternProperties": {"a": {}}}, "unevaluatedProperties"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_schema_beyond_a_limit_is_refused(schema: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        check_schema_limits(schema, "schema")


def test_a_schema_nested_without_bound_is_refused() -> None:
    with pytest.raises(InvalidInput, match="32 levels"):
        check_schema_limits(nested(100_000), "schema")


def test_a_schema_within_the_limits_is_counted() -> None:
    assert check_schema_limits(nested(31), "schema") == 32
    # Names of the author's choice are no keywords, and data is no schema.
    named = {
        "properties": {"pattern": {"type": "string"}, "enum": {}},
        "default": {"pattern": "("},
        "const": {"$ref": "x"},
    }
    assert check_schema_limits(named, "schema") == 3


def test_a_reference_may_lead_to_any_schema_whatever_it_is_called() -> None:
    named = {"properties": {"default": {"type": "integer"}, "a": {"$ref": "#/properties/default"}}, "items": [{}]}
    for target in ("#", "#/$defs/a~1b", "#/definitions/enum", "#/items/0", "#/properties/a", "#anchor"):
        check_schema_limits({**named, "$defs": {"a/b": {}}, "not": {"$ref": target}}, "schema")
    assert find_violations(named, {"a": "x"}) and not find_violations(named, {"a": 1})


def test_no_way_leads_to_matching_that_never_ends() -> None:
    hidden = {
        "type": "object",
        "$ref": "#/default",
        "unevaluatedProperties": False,
        "default": {"patternProperties": {"^(a+)+$": {}}},
    }
    with pytest.raises(InvalidInput, match="unevaluatedProperties"):
        find_violations(hidden, {"a" * 100 + "!": 1})


def test_a_value_that_takes_too_many_steps_is_refused() -> None:
    twice = {f"d{level}": {"anyOf": [{"$ref": f"#/$defs/d{level + 1}"}] * 2} for level in range(30)}
    branching = {"$ref": "#/$defs/d0", "$defs": {**twice, "d30": {"type": "string"}}}
    many = {"items": {"allOf": [{"type": "integer"}] * 200}}
    for schema, value in ((branching, 1), (many, [1] * 1_000), ({"$ref": "#"}, 1)):
        with pytest.raises(InvalidInput, match="steps"):
            find_violations(schema, value)
    assert find_violations({"uniqueItems": True}, [[number, str(number)] for number in range(8_000)]) == []
