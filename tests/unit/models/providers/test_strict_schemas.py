"""Strict forms of both providers: public schemas and odd ones take every right call, and refuse wrong ones by name."""

import copy
import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.errors import InvalidInput
from pentad.domain.reading.coercion import coerce
from pentad.domain.schemas import check_schema_limits, find_violations
from pentad.models.providers.strict_dialects import BOTH, CLAUDE, OPENAI
from pentad.models.providers.strict_schemas import NotStrict, make_strict
from pentad.models.providers.tool_schemas import ToolForm, describe_for_claude, describe_for_openai, describe_tool
from tests.unit.models.providers.public_schemas import read_aws, read_bfcl
from tests.unit.models.providers.schema_values import find_faults, make_schema, make_value, pad_nulls

Schema = dict[str, Any]
DIALECTS = {"openai": OPENAI, "claude": CLAUDE}
AWS = ("s3", "dynamodb", "lambda", "sqs", "stepfunctions", "secretsmanager", "lexv2-models", "ses", "sns", "events")


def as_tool(schema: Schema, name: str = "act") -> ToolSpec:
    return ToolSpec(name=name, description="Act.", input_schema=schema, effects="none")


@pytest.fixture(scope="module")
def public() -> list[tuple[str, Schema]]:
    """Some 4,000 schemas of functions that others wrote."""
    found = [*read_bfcl(), *read_aws(AWS)]
    assert len(found) > 3_800
    return found


@pytest.fixture(scope="module")
def odd() -> list[Schema]:
    """Schemas that nobody would write."""
    return list(make_odd(500))


def make_odd(count: int) -> Iterator[Schema]:
    rng = random.Random(20261130)
    made = 0
    while made < count:
        schema = make_schema(rng)
        try:
            check_schema_limits(schema, "parameters")
        except InvalidInput:
            continue
        made += 1
        yield schema


@pytest.mark.parametrize("name", DIALECTS)
def test_every_form_is_what_its_provider_documents(
    name: str, public: list[tuple[str, Schema]], odd: list[Schema]
) -> None:
    reasons: Counter[str] = Counter()
    for _, schema in [*public, *(("odd", one) for one in odd)]:
        before = copy.deepcopy(schema)
        form = describe_tool(as_tool(schema), DIALECTS[name])
        assert schema == before
        if form.strict is None:
            reasons[form.reason.rpartition(": ")[2]] += 1
        else:
            assert not find_faults(form.schema, openai=name == "openai"), schema
    # What can't be said in a strict form is one of these, and no other.
    assert reasons.keys() <= REASONS[name]
    assert sum(reasons.values()) < 0.2 * (len(public) + len(odd))


REASONS = {
    "openai": {
        "a value of any type",
        "an object with free keys",
        "a choice that is not of its type 'boolean'",
        "a choice that is not of its type 'integer'",
        "a choice that is not of its type 'array'",
        "a tuple of several types",
        "a constant that is not a plain value",
        "a value of several types at once",
        "a required field without a type",
        "it has more than 1,000 choices",
        "alternatives with fields of their own",
        "a field that may be null and may be missing, which is not the same here",
    }
}
REASONS["claude"] = {one for one in REASONS["openai"] if "1,000" not in one and "missing" not in one} | {
    "the type Tree refers to itself",
    "it has more than 300 choices",
    "it is nested deeper than 6 levels",
}


def test_openais_own_helper_finds_nothing_to_change(public: list[tuple[str, Schema]]) -> None:
    from openai.lib._pydantic import _ensure_strict_json_schema

    for _, schema in public[::7]:
        form = describe_tool(as_tool(schema), OPENAI)
        if form.strict is not None:
            changed = copy.deepcopy(form.schema)
            assert _ensure_strict_json_schema(changed, path=(), root=changed) == form.schema


def test_every_right_call_can_be_written_and_comes_back_as_it_was(
    public: list[tuple[str, Schema]], odd: list[Schema]
) -> None:
    rng = random.Random(7)
    tried = 0
    for schema in [*(drop_patterns(one) for _, one in public[::3]), *odd]:
        value = make_value(schema, schema, rng)
        if find_violations(schema, value):  # a rarer keyword, of which the maker of values knows nothing
            continue
        for name, dialect in DIALECTS.items():
            form = describe_tool(as_tool(schema), dialect)
            if form.strict is None:
                continue
            tried += 1
            written = pad_nulls(value, form.schema, form.schema) if name == "openai" else value
            told = jsonschema_rs.validator_for(form.schema).iter_errors(written)
            assert not [one.message for one in told], (schema, value)
            read = coerce(schema, written)
            assert not find_violations(schema, read), (schema, written)
            assert _drop_nulls(read) == _drop_nulls(value), (schema, written)
    assert tried > 2_000


def drop_patterns(schema: Any) -> Any:
    """Return a schema without patterns, which the maker of values can't make words for."""
    if isinstance(schema, list):
        return [drop_patterns(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {name: drop_patterns(one) for name, one in schema.items() if name != "pattern" or not isinstance(one, str)}


def _drop_nulls(value: Any) -> Any:
    """Return a value without fields that are null: whether one is null or left out, where both may be, is the same."""
    if isinstance(value, list):
        return [_drop_nulls(one) for one in value]
    if isinstance(value, dict):
        return {name: _drop_nulls(one) for name, one in value.items() if one is not None}
    return value


def test_a_wrong_call_is_refused_and_its_field_is_named(public: list[tuple[str, Schema]]) -> None:
    rng = random.Random(11)
    tried = 0
    for _, schema in public[::3]:
        plain = drop_patterns(schema)
        value = make_value(plain, plain, rng)
        if find_violations(plain, value):
            continue
        for field in list(value)[:2]:
            declared = plain["properties"][field]
            if declared.get("type") in ("object", "array", None):
                continue
            tried += 1
            wrong = value | {field: {"not": ["what", "it", "is"]}}
            told = find_violations(plain, coerce(plain, wrong))
            assert [one for one in told if field in one.json_path or field in one.message], (plain, wrong)
        for field in plain.get("required", ())[:1]:
            missing = {name: one for name, one in value.items() if name != field}
            told = find_violations(plain, coerce(plain, missing))
            kind = plain["properties"].get(field, {}).get("type")
            assert told or kind == "array" or kind is None, (plain, missing)
            assert all(field in one.message or field in one.json_path for one in told[:1]) or kind is None
    assert tried > 800


@pytest.mark.parametrize(
    ("part", "openai", "claude"),
    [
        ({"type": "integer", "minimum": 1}, {"type": ["integer", "null"], "minimum": 1}, {"type": "integer"}),
        (
            {"type": "string", "maxLength": 5, "description": "Name."},
            {"type": ["string", "null"], "description": "Name.\n\n{maxLength: 5}"},
            {"type": "string", "description": "Name.\n\n{maxLength: 5}"},
        ),
        (
            {"enum": ["a", 1, None]},
            {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "integer", "enum": [1]}, {"type": "null"}]},
            {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "integer", "enum": [1]}, {"type": "null"}]},
        ),
        (
            {"type": ["string", "integer"], "minimum": 2, "maxLength": 3},
            {
                "anyOf": [
                    {"type": "string", "description": "{maxLength: 3}"},
                    {"type": "integer", "minimum": 2},
                    {"type": "null"},
                ]
            },
            {
                "anyOf": [
                    {"type": "string", "description": "{maxLength: 3}"},
                    {"type": "integer", "description": "{minimum: 2}"},
                ]
            },
        ),
        (
            {"type": "array", "items": {"type": "string"}, "minItems": 2},
            {"anyOf": [{"type": "array", "items": {"type": "string"}, "minItems": 2}, {"type": "null"}]},
            {"type": "array", "items": {"type": "string"}, "description": "{minItems: 2}"},
        ),
    ],
)
def test_what_is_optional_may_be_null_for_openai_and_left_out_for_claude(
    part: Schema, openai: Schema, claude: Schema
) -> None:
    schema = {"type": "object", "properties": {"a": part}}
    made = make_strict(schema, OPENAI).schema
    assert made["properties"]["a"] == openai and made["required"] == ["a"]
    made = make_strict(schema, CLAUDE).schema
    told = dict(made["properties"]["a"])
    if part == {"type": "integer", "minimum": 1}:
        assert told.pop("description") == "{minimum: 1}"
    assert told == claude and made["required"] == []


@pytest.mark.parametrize(
    ("part", "what"),
    [
        ({}, "a value of any type"),
        (True, "a value of any type"),
        ({"type": "any"}, "a value of any type"),
        ({"type": "object"}, "free keys"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "free keys"),
        ({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": True}, "free keys"),
        ({"type": "object", "patternProperties": {"^x": {}}}, "free keys"),
        ({"type": "object", "properties": {}, "required": ["a"], "additionalProperties": False}, "without a type"),
        ({"type": "array"}, "any type"),
        ({"type": "array", "items": [{"type": "string"}]}, "a tuple"),
        ({"type": "array", "prefixItems": [{"type": "string"}]}, "a tuple"),
        ({"enum": []}, "an empty choice"),
        ({"enum": [[1]]}, "not a plain value"),
        ({"type": "string", "enum": [1]}, "not of its type"),
        ({"$ref": "other.json"}, "another place"),
        ({"$ref": "#/properties/a"}, "another place"),
        ({"$ref": "#/$defs/None"}, "another place"),
        ({"anyOf": []}, "without alternatives"),
        ({"allOf": [{"type": "string"}, {"minLength": 3}]}, "several types at once"),
        (
            {"type": "object", "properties": {"a": {"type": "string"}}, "oneOf": [{"properties": {"b": {}}}]},
            "of their own",
        ),
    ],
)
def test_what_no_strict_form_can_say_is_told_with_its_place(part: Any, what: str) -> None:
    schema = {"type": "object", "properties": {"x": {"type": "object", "properties": {"y": part}}}}
    for dialect in (*DIALECTS.values(), BOTH):
        if dialect is BOTH and what == "free keys" and "properties" in str(part):
            continue  # whoever asks for structured output by a pydantic model means what the model names
        with pytest.raises(NotStrict, match=what) as refused:
            make_strict(schema, dialect)
        assert refused.value.path.startswith("x.y") and refused.value.fix


_TEXT: Schema = {"type": "string"}
_MAP: Schema = {"type": "object", "additionalProperties": _TEXT}
_FIELDS: Schema = {"type": "object", "properties": {"a": _TEXT}}


@pytest.mark.parametrize(
    "schema",
    [
        _MAP,
        {"type": "object", "additionalProperties": True},
        {"type": "object", "additionalProperties": {}},
        {"type": "object", "properties": {}, "additionalProperties": _TEXT},
        {"$ref": "#/$defs/Labels", "$defs": {"Labels": _MAP}},
        {"type": "object", "patternProperties": {"^x": _TEXT}},
        {"type": "object", "propertyNames": {"pattern": "^x"}},
        {"type": "object", "minProperties": 1},
        {"type": "object", "unevaluatedProperties": _TEXT},
        {"type": "object", "anyOf": [_MAP]},
        _FIELDS | {"allOf": [{"$ref": "#/$defs/Loop"}], "$defs": {"Loop": {"allOf": [{"$ref": "#/$defs/Loop"}]}}},
        {"type": "object", "allOf": [{"$ref": "#/$defs/Labels"}], "$defs": {"Labels": _MAP}},
        {"type": "object", "allOf": [{"allOf": [_MAP]}]},
        {"type": "object", "not": {"maxProperties": 0}},
        {"type": "object", "enum": [{"a": 1}, {"b": 2}]},
        _FIELDS | {"propertyNames": {"maxLength": 3}},
        _FIELDS | {"minProperties": 2},
        _FIELDS | {"allOf": [_MAP]},
        _FIELDS | {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
        _FIELDS | {"dependentRequired": {"a": ["b"]}},
        _FIELDS | {"if": {"required": ["a"]}, "then": {"required": ["b"]}},
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_an_object_whose_keys_are_free_is_never_closed(schema: Schema, nested: bool) -> None:
    given = schema
    if nested:
        field = {name: value for name, value in schema.items() if name != "$defs"}
        given = {"type": "object", "properties": {"x": field}, "$defs": schema.get("$defs", {})}
    for dialect in DIALECTS.values():
        form = describe_tool(as_tool(given), dialect)
        assert form.strict is None and form.reason
        assert form.schema.get("additionalProperties") is not False


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {"type": "object", "properties": {}},
        {"type": "object", "additionalProperties": False},
        _FIELDS | {"minProperties": 1},
        _FIELDS | {"additionalProperties": False, "propertyNames": {"maxLength": 3}},
        _FIELDS | {"anyOf": [{"required": ["a"]}, {"minProperties": 0}]},
    ],
)
def test_an_object_whose_keys_are_all_named_is_closed(schema: Schema) -> None:
    for dialect in DIALECTS.values():
        form = describe_tool(as_tool(schema), dialect)
        assert form.strict is not None and form.schema["additionalProperties"] is False


def test_the_fixtures_of_requests_that_went_wrong_elsewhere_are_taken() -> None:
    either = {
        "type": "object",
        "properties": {"route": {"type": "string"}, "file": {"type": "string"}},
        "anyOf": [{"required": ["route"]}, {"required": ["file"]}],
    }
    [form] = describe_for_openai([as_tool(either)], strict=True)
    assert form.strict is not None and '{"anyOf":[{"required":["route"]}' in form.description
    assert coerce(either, {"route": "/a", "file": None}) == {"route": "/a"}
    assert find_violations(either, coerce(either, {"route": None, "file": None}))


def test_alternatives_that_say_a_field_differently_are_all_told() -> None:
    kinds = [{"type": "object", "properties": {"kind": {"const": one}}, "required": ["kind"]} for one in ("cat", "dog")]
    form = describe_tool(as_tool({"oneOf": kinds}), OPENAI)
    assert form.schema["properties"]["kind"] == {"anyOf": [{"const": "cat"}, {"const": "dog"}]}
    assert (form.strict, form.reason) == (None, "alternatives with fields of their own")


def describe_each(schemas: list[Schema]) -> list[ToolForm]:
    return describe_for_claude([as_tool(one, f"tool_{number}") for number, one in enumerate(schemas)], strict=True)


def test_a_request_to_claude_has_no_more_strict_tools_than_it_takes() -> None:
    text: Schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    free: Schema = {"type": "object", "properties": {f"p{number}": {"type": "string"} for number in range(10)}}
    either: Schema = {"type": "object", "properties": {"a": {"type": ["string", "integer"]}}, "required": ["a"]}
    wide: Schema = {**free, "required": [*free["properties"]]}
    for schemas, wanted in (
        ([text] * 25, [True] * 20 + [False] * 5),
        ([free, free, free, text], [True, True, False, True]),
        ([either] * 17 + [text], [True] * 16 + [False, True]),
        ([wide] * 11, [True] * 10 + [False]),
    ):
        forms = describe_each(schemas)
        assert [form.strict is not None for form in forms] == wanted
        # The order decides, so a tool that is added at the end moves none before it: the cached prefix stays.
        assert describe_each([*schemas, text])[: len(schemas)] == forms
        assert all(form.reason for form in forms if form.strict is None)


def test_without_strict_mode_a_schema_is_sent_as_it_was() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}}
    for forms in (
        describe_for_openai([as_tool(schema)], strict=False),
        describe_for_claude([as_tool(schema)], strict=False),
    ):
        assert [(form.schema, form.strict) for form in forms] == [(schema, None)]


def test_the_list_in_the_documentation_is_that_of_the_code() -> None:
    page = Path(__file__).parents[4] / "docs" / "models" / "tool-schemas.md"
    text = " ".join(page.read_text(encoding="utf-8").split())
    for reason in REASONS["openai"] | REASONS["claude"]:
        words = reason.partition(" '")[0].replace("Tree ", "")
        assert words in text, words


def test_a_field_whose_null_is_not_its_absence_keeps_openais_form_off() -> None:
    fields = {"u": {"type": ["string", "null"]}, "v": {"type": "string"}}
    schema = {"type": "object", "properties": fields, "oneOf": [{"required": ["u"]}, {"required": ["v"]}]}
    assert describe_tool(as_tool(schema), OPENAI).strict is None
    assert describe_tool(as_tool(schema), CLAUDE).strict is not None
    assert describe_tool(as_tool({"type": "object", "properties": fields}), OPENAI).strict is not None


@pytest.mark.parametrize(
    "nullable", [{"type": ["integer", "null"]}, {"anyOf": [{"type": "integer"}, {"type": "null"}]}]
)
def test_a_default_beside_null_keeps_openais_form_off(nullable: Schema) -> None:
    # There null stands for what is left out, and here it is a value of its own.
    for default, strict in ((3, False), (None, True)):
        schema = {"type": "object", "properties": {"a": nullable | {"default": default}, "b": {"type": "string"}}}
        assert (describe_tool(as_tool(schema), OPENAI).strict is not None) is strict
        assert describe_tool(as_tool(schema), CLAUDE).strict is not None
        asked = schema | {"required": ["a"]}
        assert describe_tool(as_tool(asked), OPENAI).strict is not None
    plain = {"type": "object", "properties": {"a": {"type": "integer", "default": 3}}}
    assert describe_tool(as_tool(plain), OPENAI).strict is not None


def test_notes_are_bounded() -> None:
    part = {"type": "string", "pattern": "a" * 5_000}
    made = make_strict({"type": "object", "properties": {"a": part}}, OPENAI).schema
    assert len(json.dumps(made)) < 1_500


@pytest.mark.parametrize(
    "nullable", [{"type": ["string", "null"]}, {"anyOf": [{"type": "string"}, {"type": "null"}]}, {"$ref": "#/$defs/N"}]
)
def test_a_field_that_refers_to_what_may_be_null_keeps_openais_form_off_as_well(nullable: Schema) -> None:
    definitions = {"M": nullable, "N": {"enum": ["a", None]}, "T": {"type": "string"}}
    for name, strict in (("M", False), ("T", True)):
        fields = {"u": {"$ref": f"#/$defs/{name}"}, "v": {"type": "string"}}
        inner = {"type": "object", "properties": fields, "minProperties": 1}
        schema = {"type": "object", "properties": {"x": inner}, "$defs": definitions}
        assert (describe_tool(as_tool(schema), OPENAI).strict is not None) is strict
        assert describe_tool(as_tool(schema), CLAUDE).strict is not None


def test_a_name_with_two_definitions_is_not_taken_for_one_of_them() -> None:
    fields = {"a": {"$ref": "#/$defs/N"}, "b": {"$ref": "#/definitions/N"}}
    for other, strict in (({"type": "integer"}, False), ({"type": "string"}, True)):
        schema = {
            "type": "object",
            "properties": fields,
            "$defs": {"N": {"type": "string"}},
            "definitions": {"N": other},
        }
        for dialect in DIALECTS.values():
            assert (describe_tool(as_tool(schema), dialect).strict is not None) is strict
