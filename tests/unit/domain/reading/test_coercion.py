"""Values of another form: what has one meaning is taken for it, what has two is not."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentad.domain.reading.coercion import coerce
from pentad.domain.schemas import find_violations

LIMITED = {"type": "integer", "minimum": 1}
NUMBERS = {"type": "array", "items": {"type": "integer"}}


def wrap(schema: Any, *, required: bool = True) -> dict[str, Any]:
    needed = {"required": ["x"]} if required else {}
    return {"type": "object", "properties": {"x": schema}, "additionalProperties": False, **needed}


@pytest.mark.parametrize(
    ("schema", "came", "taken"),
    [
        ({"type": "integer"}, "3", 3),
        ({"type": "integer"}, " -3.0 ", -3),
        ({"type": "integer"}, "1e3", 1000),
        ({"type": "number"}, "2.50", 2.5),
        ({"type": "number"}, "3", 3),
        ({"type": "number"}, ".5", 0.5),
        ({"type": "number"}, "-.25e1", -2.5),
        ({"type": "number"}, "2.", 2.0),
        ({"type": "integer"}, "2.", 2),
        (
            {"type": "object", "patternProperties": {"^n": {"type": "integer"}}},
            {"n1": "3", "m": "3"},
            {"n1": 3, "m": "3"},
        ),
        (
            {"type": "object", "patternProperties": {"^n": {"type": ["integer", "null"]}, "1$": {"enum": [1, 2]}}},
            {"n1": "2", "n2": "", "x1": "1"},
            {"n1": 2, "n2": None, "x1": 1},
        ),
        (
            {"type": "object", "patternProperties": {"^n": {"type": "integer"}}, "additionalProperties": False},
            {"n1": "3", "gone": None},
            {"n1": 3},
        ),
        ({"type": "boolean"}, "True", True),
        ({"type": "string"}, 42, "42"),
        ({"type": "string"}, 2.5, "2.5"),
        (NUMBERS, None, []),
        (NUMBERS, 3, [3]),
        (NUMBERS, "3", [3]),
        (NUMBERS, '["1", 2]', [1, 2]),
        (NUMBERS, ["1", 2.0, 3], [1, 2.0, 3]),
        ({"type": "array", "items": {"type": "string"}}, "a word", ["a word"]),
        (
            {"type": "array", "items": {"type": "string"}},
            "rock\u2019n\u2019roll: g\u0326ente.",
            ["rock\u2019n\u2019roll: g\u0326ente."],
        ),
        ({"type": "object", "properties": {"n": {"type": "integer"}}}, '{"n": "4"}', {"n": 4}),
        ({"type": "object"}, r'{"\udc00": ["\ud83d", "\\ud83d"]}', {"\ufffd": ["\ufffd", r"\ud83d"]}),
        ({"enum": ["low", "high"]}, " High ", "high"),
        ({"enum": [1, 2]}, "2", 2),
        ({"const": "A"}, "a", "A"),
        ({"enum": [" 3.10", "3.9"]}, "3.10 ", " 3.10"),
        ({"enum": [0.1, 0.25]}, "0.10", 0.1),
        ({"enum": [9007199254740993, 9007199254740992]}, "9007199254740993", 9007199254740993),
        ({"enum": [1000]}, "1e3", 1000),
        ({"enum": ["20260101", "20260102"]}, 20260102, "20260102"),
        ({"type": "string", "enum": ["3.1", "3.2"]}, 3.1, "3.1"),
        ({"type": "integer"}, "9007199254740991.0", 9007199254740991),
        ({"type": ["integer", "null"]}, "", None),
        ({"type": ["integer", "null"]}, "5", 5),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "None", None),
        ({"anyOf": [{"type": "integer"}, {"type": "boolean"}]}, "true", True),
        ({"oneOf": [wrap({"type": "integer"}), wrap({"type": "boolean"})]}, {"x": "7"}, {"x": 7}),
        ({"allOf": [{"type": "integer"}, {"minimum": 2}]}, "3", 3),
        ({"$ref": "#/$defs/n"}, "3", 3),
        ({"type": "array", "prefixItems": [{"type": "integer"}, {"type": "boolean"}]}, ["1", "false"], [1, False]),
    ],
)
def test_a_form_with_one_meaning_is_taken(schema: Any, came: Any, taken: Any) -> None:
    whole = wrap(schema) | {"$defs": {"n": LIMITED}}
    found = coerce(whole, {"x": came})
    assert (found, type(found["x"])) == ({"x": taken}, type(taken))
    deep = {"type": "object", "properties": {"a": {"type": "array", "items": whole}}, "$defs": {"n": LIMITED}}
    assert coerce(deep, {"a": [{"x": came}]}) == {"a": [{"x": taken}]}


@pytest.mark.parametrize(
    ("schema", "came"),
    [
        ({"type": "integer"}, "three"),
        ({"type": "integer"}, "3 days"),
        ({"type": "integer"}, "1,5"),
        ({"type": "integer"}, "1,000"),
        ({"type": "integer"}, 3.5),
        ({"type": "integer"}, "007"),
        ({"type": "integer"}, ".5"),
        ({"type": "number"}, "."),
        ({"type": "number"}, "1\u0663"),
        *(
            ({"type": "array", "items": {"type": "string"}}, f"a{mark}b")
            for mark in ",;|\n\u3001\uff0c\uff1b\uff64\u060c\u061b\u1363\ua4fe"
        ),
        ({"type": "integer"}, True),
        ({"type": "integer"}, None),
        ({"type": "integer"}, [3]),
        ({"type": "number"}, "NaN"),
        ({"type": "number"}, "1e999"),
        ({"type": "number"}, "0x10"),
        ({"type": "boolean"}, 1),
        ({"type": "boolean"}, "yes"),
        ({"type": "string"}, True),
        ({"type": "string"}, None),
        ({"type": "string"}, ["a"]),
        (LIMITED, "0"),
        (NUMBERS, "1, 2"),
        (NUMBERS, ""),
        ({**NUMBERS, "minItems": 1}, None),
        ({"type": "array", "items": {"type": "string"}}, "a, b"),
        ({"enum": ["a", "A"]}, " a"),
        ({"enum": ["low"]}, "lower"),
        *((schema, "10000004") for schema in ({"enum": ["10000001", "20000001"]}, {"const": "10000001"})),
        *(({"enum": [20260101, 20250101]}, came) for came in ("20260102", 20260102, 20260102.0)),
        ({"const": 123456.7}, "123456.74"),
        ({"enum": [0.1]}, "0.1000000000000000055"),
        ({"enum": [9007199254740993]}, "9007199254740992"),
        ({"enum": [9007199254740993]}, 9007199254740992.0),
        *(({"enum": ["3.10", "3.9"]}, came) for came in ("3.1", 3.1, "3.100", "+3.10")),
        *(({"enum": ["3.10", "3.1"], **kind}, 3.1) for kind in ({}, {"type": "string"})),
        ({"enum": ["1000"]}, "1e3"),
        ({"enum": ["1"]}, "1.0"),
        ({"enum": ["1"]}, 1.0),
        ({"type": "integer"}, "2.00000000000000001"),
        ({"type": "integer"}, "9007199254740990.9999"),
        ({"type": "integer"}, "1e-400"),
        ({"anyOf": [{"type": "integer"}, NUMBERS]}, "3"),
        ({"type": "object"}, "[1]"),
        ({"type": "object"}, '{"a": NaN}'),
        ({"type": "object"}, '{"a": 1e999}'),
        ({"type": "object"}, '{"a": {"b": [1, -2.5E+400]}}'),
        ({"type": "array"}, "[1e999]"),
        ({"type": "array"}, "[Infinity]"),
        ({"type": "object"}, '{"a": 1, "a": 2}'),
        ({"type": "object"}, r'{"a": 1, "\u0061": 1}'),
        ({"type": "array", "items": {"type": "object"}}, '[{"b": {"a": 1, "a": 2}}]'),
        ({"type": "object"}, '{"a": ' + "[" * 40 + "]" * 40 + "}"),
        ({"type": "array", "items": {"type": "string"}}, "[[1e999]]"),
        ({"type": "object"}, '{"a":' * 18_000),
    ],
)
def test_a_form_with_two_meanings_or_none_stays(schema: Any, came: Any) -> None:
    given = {"x": came}
    assert coerce(wrap(schema), given) is given


@pytest.mark.parametrize(
    ("schema", "came", "taken"),
    [
        ({"type": "integer"}, {"x": None}, {}),
        ({"type": "integer"}, {"x": "null"}, {}),
        ({"type": "string", "format": "date", "pattern": "^[0-9-]{10}$"}, {"x": ""}, {}),
        ({"enum": ["a", "b"]}, {"x": ""}, {}),
        (NUMBERS, {"x": None}, {}),
        ({"type": "string"}, {"x": None}, {}),
        ({"type": "integer"}, {"x": 1, "y": None}, {"x": 1}),
    ],
)
def test_what_is_not_required_and_says_nothing_is_left_out(schema: Any, came: Any, taken: Any) -> None:
    assert coerce(wrap(schema, required=False), came) == taken


@pytest.mark.parametrize(
    ("schema", "taken"),
    [
        ({"type": ["string", "null"]}, {"x": None}),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, {"x": None}),
        (NUMBERS, {"x": []}),
        ({"type": "string"}, {}),
        ({"type": "object"}, {}),
        ({**NUMBERS, "minItems": 1}, {}),
    ],
)
def test_what_is_required_and_not_there_is_null_or_an_empty_list_where_these_are_allowed(
    schema: Any, taken: Any
) -> None:
    assert coerce(wrap(schema), {}) == taken


def test_a_value_that_fits_is_never_touched() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": ["string", "null"]}, "c": {}}}
    for value in ({"a": "3", "b": None, "c": "null"}, {"a": "", "b": "null"}, {"z": None}):
        assert coerce(schema, value) is value


def test_words_that_a_string_may_hold_stay_though_another_field_is_mended() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}, "n": {"type": "integer"}}}
    assert coerce(schema, {"a": "null", "n": "3"}) == {"a": "null", "n": 3}


def test_whoever_is_stricter_than_the_schema_gets_the_strict_form() -> None:
    assert coerce(wrap({"type": "integer"}), {"x": 3.0}) == {"x": 3.0}
    assert type(coerce(wrap({"type": "integer"}), {"x": 3.0}, refused=True)["x"]) is int


@pytest.mark.parametrize("target", ["#/properties/x", "https://a.example/s", "#anchor"])
def test_schemas_with_other_references_are_left_alone(target: str) -> None:
    schema = {"type": "object", "properties": {"x": {"type": "integer"}, "y": {"$ref": target}}}
    given = {"x": "3"}
    assert coerce(schema, given) is given


def test_a_large_or_branching_value_is_left_alone_in_time() -> None:
    branching: dict[str, Any] = {"type": "integer"}
    for _ in range(12):
        branching = {
            "anyOf": [{"type": "array", "items": branching}, {"type": "object", "properties": {"x": branching}}]
        }
    value: Any = "word"
    for _ in range(12):
        value = [value]
    assert coerce(wrap(branching), {"x": value}) == {"x": value}
    many = {"x": ["1"] * 100_000}
    assert coerce(wrap(NUMBERS), many) is many


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.sampled_from(["", "3", "null", "a", "[1]"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abx"), inner, max_size=2),
    max_leaves=6,
)
SCHEMAS = st.recursive(
    st.sampled_from([{"type": kind} for kind in ("integer", "string", "boolean", "null", "number")] + [{}]),
    lambda inner: (
        st.builds(lambda one: {"type": "array", "items": one}, inner)
        | st.builds(lambda one, two: {"anyOf": [one, two]}, inner, inner)
        | st.builds(lambda one: wrap(one), inner)
        | st.builds(lambda one: wrap(one, required=False), inner)
    ),
    max_leaves=4,
)


@given(SCHEMAS, VALUES)
def test_what_is_taken_fits_and_what_came_is_not_changed(schema: Any, value: Any) -> None:
    before = copy.deepcopy(value)
    taken = coerce(schema, value)
    assert repr(value) == repr(before)
    assert taken is value or not find_violations(schema, taken)
    assert repr(coerce(schema, taken)) == repr(taken)
