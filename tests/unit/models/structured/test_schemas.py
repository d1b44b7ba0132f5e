"""Strict schemas of pydantic models: closed, complete, and accepted by both SDKs' own helpers as they are."""

from collections.abc import Iterator
from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal

import jsonschema
import pytest
from pydantic import BaseModel, ConfigDict, Field, RootModel

from pentad.domain.errors import InvalidInput
from pentad.models.providers.adapters.openai_wire import is_strict_schema
from pentad.models.structured.schemas import build_strict_schema


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int = Field(default=9, ge=0, le=9)


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    name: str = Field(min_length=1, description="What it answers to.")


class Node(BaseModel):
    title: str
    children: list["Node"] = []


class Everything(BaseModel):
    model_config = ConfigDict(extra="allow")

    count: Annotated[int, Field(ge=1, le=10, description="How many.")]
    day: date
    link: Annotated[str, Field(json_schema_extra={"format": "uri"})]
    colour: Colour = Colour.RED
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    home: Annotated[Dog, Field(description="Who guards it.")]
    tags: Annotated[list[str], Field(min_length=1, max_length=3)]
    at_least_two: Annotated[list[int], Field(min_length=2)]
    note: str | None = None
    level: Literal[1, 2] = 1
    tree: Node


EXAMPLE = Everything.model_validate(
    {
        "count": 3,
        "day": "2026-11-22",
        "link": "https://example.com",
        "pet": {"kind": "cat"},
        "home": {"name": "Rex"},
        "tags": ["a"],
        "at_least_two": [1, 2],
        "tree": {"title": "root", "children": [{"title": "leaf"}]},
    }
)
SCHEMA = build_strict_schema(Everything)


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield every schema in a schema; names of properties are no keywords."""
    yield schema
    inner = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values(), *schema.get("anyOf", [])]
    for each in [*inner, *([schema["items"]] if "items" in schema else [])]:
        yield from nodes(each)


def test_every_object_is_closed_and_all_of_it_is_required() -> None:
    objects = [node for node in nodes(SCHEMA) if node.get("type") == "object"]
    assert len(objects) == 4
    for node in objects:
        assert node["additionalProperties"] is False
        assert node["required"] == list(node["properties"])


def test_nothing_is_left_that_a_provider_would_refuse() -> None:
    enforced = {
        "type",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "minItems",
        "enum",
        "const",
        "format",
    }
    for node in nodes(SCHEMA):
        assert set(node) <= enforced | {"$ref", "$defs", "anyOf", "description"}
        assert "$ref" not in node or set(node) == {"$ref"}
    assert is_strict_schema(SCHEMA)


def test_anthropics_own_helper_finds_nothing_to_change() -> None:
    import anthropic

    changed = anthropic.transform_schema(SCHEMA)
    # It leaves the type beside constants out: they say it themselves.
    assert [set(node) - {"type"} for node in nodes(changed)] == [set(node) - {"type"} for node in nodes(SCHEMA)]


def test_openais_own_helper_finds_nothing_to_change() -> None:
    import copy

    from openai.lib._pydantic import _ensure_strict_json_schema

    changed = copy.deepcopy(SCHEMA)
    assert _ensure_strict_json_schema(changed, path=(), root=changed) == SCHEMA


def test_a_value_of_the_model_fits_its_schema() -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(EXAMPLE.model_dump(mode="json"))


def test_what_cant_be_enforced_is_told() -> None:
    properties = SCHEMA["properties"]
    assert properties["count"] == {"type": "integer", "description": "How many.\n\n{maximum: 10, minimum: 1}"}
    assert properties["at_least_two"]["description"] == "{minItems: 2}"
    assert properties["tags"]["minItems"] == 1
    assert properties["link"]["description"] == "{format: uri}"
    assert properties["day"] == {"type": "string", "format": "date"}


def test_a_description_beside_a_reference_stays() -> None:
    home = SCHEMA["properties"]["home"]
    assert home == {"anyOf": [{"$ref": "#/$defs/Dog"}], "description": "Who guards it."}


def test_a_recursive_model_has_an_object_at_its_root() -> None:
    schema = build_strict_schema(Node)
    assert (schema["type"], list(schema["properties"])) == ("object", ["title", "children"])
    assert schema["properties"]["children"]["items"] == {"$ref": "#/$defs/Node"}
    jsonschema.Draft202012Validator(schema).validate(Node(title="a", children=[Node(title="b")]).model_dump())


def test_a_property_may_be_called_as_a_keyword_is() -> None:
    class Tricky(BaseModel):
        title: str
        type: str
        properties: list[str]
        default: str

    assert list(build_strict_schema(Tricky)["properties"]) == ["title", "type", "properties", "default"]


class Mapping_(BaseModel):
    by_name: dict[str, int]


class Anything(BaseModel):
    value: Any


class Pair(BaseModel):
    both: tuple[int, str]


class Listed(RootModel[list[int]]):
    pass


class Deep(BaseModel):
    rows: list[Mapping_]


@pytest.mark.parametrize(
    ("output", "field"),
    [
        (Mapping_, "by_name"),
        (Anything, "value"),
        (Pair, "both"),
        (Listed, "output"),
        (Deep, "Mapping_.by_name"),
    ],
)
def test_what_no_strict_schema_can_say_is_refused_with_its_place(output: type[BaseModel], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        build_strict_schema(output)
    assert caught.value.field == field
    assert caught.value.fix
