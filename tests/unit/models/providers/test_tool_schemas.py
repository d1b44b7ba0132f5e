"""Schemas in the form that providers take: nothing of their meaning is lost without a word."""

from typing import Any

import jsonschema
import pytest

from pentad.models.providers.tool_schemas import flatten_tool_schema, is_closable, split_types

EITHER = {
    "type": "object",
    "properties": {"route": {"type": "string"}, "file": {"type": "string"}},
    "anyOf": [{"required": ["route"]}, {"required": ["file"]}],
}


def test_a_schema_without_combinators_at_the_top_stays_as_it_is() -> None:
    schema = {"type": "object", "properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}}}
    assert flatten_tool_schema("Add.", schema) == ("Add.", schema)


@pytest.mark.parametrize("name", ["anyOf", "oneOf", "allOf"])
def test_combinators_at_the_top_go_into_the_description(name: str) -> None:
    schema = {"type": "object", "properties": EITHER["properties"], name: EITHER["anyOf"]}
    words, flat = flatten_tool_schema("Find.", schema)
    assert flat == {"type": "object", "properties": EITHER["properties"]}
    assert words.startswith("Find.\n\n")
    assert f'{{"{name}":[{{"required":["route"]}},{{"required":["file"]}}]}}' in words


def test_properties_of_the_alternatives_are_the_tools() -> None:
    parts = [{"type": "object", "properties": {"a": {"type": "string"}}}, {"properties": {"b": {"type": "integer"}}}]
    _, flat = flatten_tool_schema("", {"oneOf": parts})
    assert flat == {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/A", "$defs": {"A": {"type": "object", "properties": {"a": {"$ref": "#/$defs/B"}}}, "B": {}}},
        {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/B"}, "B": {"properties": {"a": {}}}}},
        {"allOf": [{"$ref": "#/definitions/A"}], "definitions": {"A": {"properties": {"a": {"type": "string"}}}}},
        {"anyOf": [{"allOf": [{"properties": {"a": {}}}]}, {"type": "null"}]},
        {"type": ["object", "null"], "properties": {"a": {}}},
        {"properties": {"a": {}}},
        {"oneOf": [{"$ref": "#/$defs/A"}], "$defs": {"A": {"oneOf": [{"$ref": "#/$defs/A"}], "properties": {"a": {}}}}},
    ],
)
def test_a_tools_schema_is_an_object_with_its_properties_at_the_top_whatever_it_was(schema: dict[str, Any]) -> None:
    _, flat = flatten_tool_schema("Find.", schema)
    assert flat["type"] == "object"
    assert "a" in flat["properties"]
    assert not {"anyOf", "oneOf", "allOf", "not", "enum", "$ref"} & set(flat)


def test_a_list_says_of_what_it_is_at_any_depth() -> None:
    bare = {"type": "array"}
    deep = {"type": "object", "properties": {"type": bare, "a": {"anyOf": [bare, {"type": "null"}], "default": bare}}}
    _, flat = flatten_tool_schema("", deep)
    named = {"type": "array", "items": {}}
    assert flat["properties"]["type"] == named
    assert flat["properties"]["a"] == {"anyOf": [named, {"type": "null"}], "default": bare}


@pytest.mark.parametrize("schema", [{}, {"$ref": "#"}, {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}}])
def test_a_schema_that_says_nothing_is_an_object(schema: dict[str, Any]) -> None:
    _, flat = flatten_tool_schema("", schema)
    assert flat["type"] == "object"
    assert flat["properties"] == {}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": ["string", "null"]},
        {"type": ["string", "null"], "enum": ["a", None], "description": "which"},
        {"type": ["integer", "string"], "minimum": 3},
        {"type": ["array", "null"], "items": {"type": ["number", "null"]}},
        {"type": "object", "properties": {"x": {"type": ["boolean", "null"]}}, "required": ["x"]},
        {"type": ["string"]},
    ],
)
def test_a_list_of_types_means_the_same_as_alternatives(schema: dict[str, Any]) -> None:
    split = split_types(schema)
    assert '"type": [' not in str(split).replace("'", '"')
    for value in ("a", "b", None, 1, 5, [1, None], ["x"], {"x": None}, {"x": 1}, {}, True):
        assert jsonschema.Draft202012Validator(split).is_valid(value) == jsonschema.Draft202012Validator(
            schema
        ).is_valid(value), value


def test_a_property_that_is_named_type_is_no_type() -> None:
    schema = {"type": "object", "properties": {"type": {"type": "string", "enum": ["a", "b"]}}}
    assert split_types(schema) == schema


@pytest.mark.parametrize(
    ("schema", "closable"),
    [
        ({"type": "object", "properties": {"a": {"type": "string"}}}, True),
        ({"type": "object", "properties": {}, "additionalProperties": False}, True),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, False),
        ({"type": "object", "properties": {"a": {"type": "object", "additionalProperties": {}}}}, False),
        ({"type": "object"}, False),
        ({"type": "object", "properties": {"a": {}}}, False),
        ({"type": "array"}, False),
        ({"type": "array", "items": {"$ref": "#/$defs/A"}, "$defs": {"A": {"type": "string"}}}, True),
        ({"$ref": "#/$defs/A", "$defs": {"A": {"type": "object", "patternProperties": {"x": {}}}}}, False),
        ({"anyOf": [{"type": "string"}, {"type": "array", "items": {}}]}, False),
        ({"enum": ["a", 1]}, True),
        (True, False),
    ],
)
def test_what_would_lose_its_meaning_closed_is_not_closable(schema: Any, closable: bool) -> None:
    assert is_closable(schema) is closable
