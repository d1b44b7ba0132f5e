"""The door's parts alone: names, schemas, embeddings, the list of models; properties over any input."""

import base64
import json
import re
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pentad.api.door import completions, names, schemas, targets, tools
from pentad.api.door.faults import DoorFault, sanitize_header
from pentad.api.door.messages import parse_conversation
from pentad.api.door.names import ToolNames
from pentad.api.door.reading import LeftOut
from pentad.domain.ids import TOOL_PATTERN
from pentad.domain.usage import Usage
from pentad.models.catalog.catalog import load
from tests.unit.api.client import Client
from tests.unit.orchestration.world import START

NAMES = st.from_regex(names.NAME_PATTERN, fullmatch=True)


@given(st.lists(NAMES, max_size=20))
def test_names_go_both_ways_and_are_ours(given_names: list[str]) -> None:
    table = ToolNames(given_names)
    ours = {table.to_inner(name) for name in given_names}
    assert len(ours) == len(set(given_names))
    assert all(re.fullmatch(TOOL_PATTERN, name) for name in ours)
    assert all(table.to_outer(table.to_inner(name)) == name for name in given_names)


@given(NAMES, st.lists(NAMES, max_size=5))
def test_a_name_is_the_same_beside_others(name: str, others: list[str]) -> None:
    assert ToolNames([name]).to_inner(name) == ToolNames([*others, name]).to_inner(name)


def test_a_name_that_is_ours_stays_even_where_another_would_take_it() -> None:
    taken = names.make_name("Look-Up")
    table = ToolNames(["Look-Up", taken])
    assert table.to_inner(taken) == taken
    assert table.to_inner("Look-Up") not in (taken, "Look-Up")
    assert table.to_outer(table.to_inner("Look-Up")) == "Look-Up"


GOOD: list[dict[str, Any]] = [
    {"type": "object", "properties": {"$ref": {"type": "string"}, "default": {"type": "string"}}},
    {"type": "object", "properties": {"child": {"$ref": "#"}}},
    {"$ref": "#/$defs/A~1B%20C", "$defs": {"A/B C": {"type": "object"}}},
    {"type": "object", "default": {"$ref": "http://elsewhere"}, "const": {"$id": "x"}},
    {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"},
    {"anyOf": [{"type": "object"}, {"$ref": "#/anyOf/0"}]},
]
BAD: list[dict[str, Any]] = [
    {"type": "nonsense"},
    {"$ref": "http://169.254.169.254/latest"},
    {"$ref": "other.json"},
    {"$ref": "#/$defs/missing"},
    {"$ref": "#/anyOf/x", "anyOf": [{}]},
    {"$ref": "#"},
    {"allOf": [{"$ref": "#/$defs/A"}], "$defs": {"A": {"anyOf": [{"$ref": "#"}]}}},
    {"properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"$ref": "#/$defs/A"}}},
    {"properties": {"default": {"$ref": "http://elsewhere"}}},
    {"default": {"$ref": "http://elsewhere"}, "properties": {"a": {"$ref": "#/default"}}},
    {"properties": {"a": {"$id": "http://elsewhere/", "$ref": "#/b"}}},
    {"$schema": "http://json-schema.org/draft-04/schema#"},
    {"$schema": 4},
]


@pytest.mark.parametrize("schema", GOOD, ids=json.dumps)
def test_a_schema_that_ends_is_taken_as_it_is(schema: dict[str, Any]) -> None:
    before = json.dumps(schema)
    assert schemas.check_schema(schema, "p") is schema
    assert json.dumps(schema) == before


@pytest.mark.parametrize("schema", BAD, ids=json.dumps)
def test_a_schema_that_leads_elsewhere_or_nowhere_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(DoorFault) as caught:
        schemas.check_schema(schema, "p")
    assert caught.value.param in ("p", "p.$ref", "p.properties.default.$ref", "p.properties.a.$ref")


@pytest.mark.parametrize(
    ("schema", "param"),
    [
        ({"pattern": "("}, "p.pattern"),
        ({"patternProperties": {"(": {}}}, "p.patternProperties"),
        ({"properties": {"a": {"items": {"pattern": "(?=a)b"}}}}, "p.properties.a.items.pattern"),
        ({"propertyNames": {"pattern": "(a)\\1"}}, "p.propertyNames.pattern"),
        ({"anyOf": [{}, {"pattern": "a" * 501}]}, "p.anyOf[1].pattern"),
        ({"$defs": {"x": {"enum": list(range(1001))}}}, "p.$defs.x.enum"),
    ],
)
def test_a_schema_that_can_not_be_checked_in_bounded_time_is_refused_by_its_field(
    schema: dict[str, Any], param: str
) -> None:
    with pytest.raises(DoorFault) as caught:
        schemas.check_schema(schema, "p")
    assert caught.value.param == param


def test_schemas_of_a_request_are_limited_alone_and_in_all() -> None:
    def tool(number: int, properties: int) -> dict[str, Any]:
        parameters = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(properties)}}
        return {"type": "function", "function": {"name": f"tool_{number}", "parameters": parameters}}

    assert len(tools.parse_tools([tool(n, 20) for n in range(128)], None, (), LeftOut()).specs) == 128
    with pytest.raises(DoorFault) as caught:
        tools.parse_tools([tool(0, 19_000)], None, (), LeftOut())
    assert caught.value.param == "tools[0].function.parameters"
    with pytest.raises(DoorFault) as caught:
        tools.parse_tools([tool(n, 900) for n in range(4)], None, (), LeftOut())
    assert caught.value.param == "tools"


def test_a_schema_that_branches_without_bound_is_refused() -> None:
    twice = {f"d{level}": {"anyOf": [{"$ref": f"#/$defs/d{level + 1}"}] * 2} for level in range(30)}
    with pytest.raises(DoorFault, match="branches"):
        schemas.check_schema({"$ref": "#/$defs/d0", "$defs": {**twice, "d30": {"type": "string"}}}, "p")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
PARTS = st.fixed_dictionaries({"type": st.sampled_from(["text", "image_url", "file", "x"])}, optional={"text": JSON})
MESSAGES = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "tool", "x"])},
    optional={"content": JSON | st.lists(PARTS), "tool_call_id": JSON, "tool_calls": JSON, "refusal": JSON},
)


@given(st.lists(JSON | MESSAGES, max_size=5))
@settings(deadline=None)
def test_any_messages_are_read_or_refused(items: list[Any]) -> None:
    try:
        talk = parse_conversation(items, LeftOut())
        made = talk.to_messages(ToolNames(talk.called), START)
    except DoorFault as fault:
        assert fault.param is not None
        assert fault.param.startswith("messages")
        return
    assert made[-1].role == "user"


@given(JSON)
@settings(deadline=None, max_examples=40)
def test_any_body_is_answered_or_refused(value: Any) -> None:
    client = Client()
    client.world.model.script = ["Hi."]
    reply = client("POST", "/v1/chat/completions", raw=json.dumps(value))
    assert reply.status == 400
    assert set(reply.json["error"]) == {"message", "type", "param", "code"}


@given(st.text())
def test_a_header_holds_any_text_on_one_line(text: str) -> None:
    assert re.fullmatch(r"[\x20-\x7e]*", sanitize_header(text))


COUNTS = st.integers(min_value=0, max_value=10**9)


@given(st.builds(Usage, **dict.fromkeys(Usage.model_fields, COUNTS)))
def test_openais_counts_add_up(usage: Usage) -> None:
    counts = completions.usage_of(usage)
    assert counts["total_tokens"] == counts["prompt_tokens"] + counts["completion_tokens"] == usage.total_tokens
    assert counts["prompt_tokens_details"]["cached_tokens"] <= counts["prompt_tokens"]


def _embed(**fields: Any) -> Any:
    body = {"model": "text-embedding-3-small", "input": "a", **fields}
    return Client()("POST", "/v1/embeddings", body)


def test_embeddings_have_openais_shape() -> None:
    body = _embed(input=["a", "b"]).json
    assert [one["object"] for one in body["data"]] == ["embedding", "embedding"]
    assert body["data"][1] == {"object": "embedding", "index": 1, "embedding": [0.6, 0.8]}
    assert body["usage"] == {"prompt_tokens": 2, "total_tokens": 2}


def test_embeddings_in_base64_are_float32() -> None:
    data = base64.b64decode(_embed(encoding_format="base64").json["data"][0]["embedding"])
    assert struct.unpack("<2f", data) == pytest.approx((0.6, 0.8))


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": [1, 2]}, "input"),
        ({"input": [[1]]}, "input"),
        ({"input": []}, "input"),
        ({"input": ["a", " "]}, "input[1]"),
        ({"input": ["a"] * 513}, "input"),
        ({"input": ["a"] * 1025, "encoding_format": "base64"}, "input"),
        ({"dimensions": 0}, "dimensions"),
        ({"dimensions": 1537}, "dimensions"),
        ({"dimensions": 1536, "input": ["a"] * 400}, "input"),
        ({"dimensions": 1536, "input": ["a"] * 400, "encoding_format": "base64"}, "input"),
        ({"encoding_format": "hex"}, "encoding_format"),
        ({"model": "primary"}, "model"),
    ],
)
def test_embeddings_that_cannot_be_made_name_the_field(fields: dict[str, Any], param: str) -> None:
    reply = _embed(**fields)
    assert (reply.status, reply.json["error"]["param"]) == (400, param)


@pytest.mark.parametrize("model", ["text-embedding-3-small", "embeddings", "task:embed"])
def test_the_configured_dimensions_and_names_are_taken(model: str) -> None:
    assert _embed(model=model, dimensions=512).status == 200


@pytest.mark.parametrize("dimensions", [None, 1, 256, 512, 1536])
def test_a_model_that_shortens_vectors_is_asked_for_the_dimensions(dimensions: int | None) -> None:
    client = Client()
    body = {"model": "embeddings", "input": "a"} | ({} if dimensions is None else {"dimensions": dimensions})
    assert client("POST", "/v1/embeddings", body).status == 200
    assert client.services.dimensions == [dimensions]


def test_fields_of_embeddings_that_are_not_known_are_ignored_with_a_warning() -> None:
    reply = _embed(colour="red")
    assert (reply.status, reply.headers["x-pentad-ignored"]) == (200, "colour")


def test_models_tiers_and_tasks_are_listed_and_each_is_there() -> None:
    client = Client()
    listed = client("GET", "/v1/models").json["data"]
    assert {"claude-sonnet-5-5", "primary", "specialised.judge", "task:embed"} <= {one["id"] for one in listed}
    for one in listed:
        assert client("GET", f"/v1/models/{one['id']}").json == one


def test_a_model_whose_provider_no_chain_names_is_not_offered() -> None:
    catalog = load()
    [unused, *_] = set(catalog.models) - {model.name for model in catalog.used_models}
    assert unused not in targets.list_names(catalog)
    with pytest.raises(DoorFault, match="GET /v1/models"):
        targets.resolve_target(catalog, unused, "chat")


def test_a_name_in_the_path_may_be_escaped() -> None:
    assert Client()("GET", "/v1/models/task%3Aclassify").json["id"] == "task:classify"


def test_a_model_that_is_not_there_is_404() -> None:
    reply = Client()("GET", "/v1/models/gpt-4o")
    assert (reply.status, reply.json["error"]["code"]) == (404, "model_not_found")
