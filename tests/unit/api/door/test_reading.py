"""Fields inside a request that are not followed: named in a header, and refused where strictness is asked."""

from typing import Any

import pytest

from pentad.api.door.reading import LeftOut, Part, parse_model
from pentad.api.routers.door import STRICT_HEADER
from tests.unit.api.client import Client, Reply

LOOK = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
PNG = "data:image/png;base64,cG5n"


def send(fields: dict[str, Any], *, strict: bool = False) -> Reply:
    client = Client()
    client.world.model.script = ["Hi."]
    body = {"model": "primary", "messages": [{"role": "user", "content": "Hello"}], **fields}
    headers = {STRICT_HEADER: "true"} if strict else {}
    return client("POST", "/v1/chat/completions", body, headers=headers)


def said(message: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [message, {"role": "user", "content": "Hello"}]}


def part(fields: dict[str, Any]) -> dict[str, Any]:
    return said({"role": "user", "content": [{"type": "text", "text": "Hi"}, fields]})


def allow(beside: dict[str, Any], inside: dict[str, Any]) -> dict[str, Any]:
    tools = [{"type": "function", "function": {"name": "look"} | inside}]
    allowed = {"mode": "auto", "tools": tools} | beside
    return {"tools": [LOOK], "tool_choice": {"type": "allowed_tools", "allowed_tools": allowed}}


UNKNOWN = [
    (said({"role": "user", "content": "Hi", "mood": "sad"}), "messages[0].mood"),
    (said({"role": "system", "content": "Hi", "cache": {}}), "messages[0].cache"),
    (said({"role": "assistant", "content": "Hi", "reasoning_content": "..."}), "messages[0].reasoning_content"),
    (
        said({"role": "assistant", "tool_calls": [CALL | {"extra_content": {"a": 1}}]}),
        "messages[0].tool_calls[0].extra_content",
    ),
    (
        part({"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}),
        "messages[0].content[1].cache_control",
    ),
    (part({"type": "image_url", "image_url": {"url": PNG, "size": 3}}), "messages[0].content[1].image_url.size"),
    ({"tools": [LOOK | {"defer_loading": True}]}, "tools[0].defer_loading"),
    ({"tools": [{**LOOK, "function": {**LOOK["function"], "examples": []}}]}, "tools[0].function.examples"),  # type: ignore[dict-item]
    (
        {"tools": [LOOK], "tool_choice": {"type": "any", "disable_parallel_tool_use": True}},
        "tool_choice.disable_parallel_tool_use",
    ),
    (
        {"tools": [LOOK], "tool_choice": {"type": "function", "function": {"name": "look", "mode": "x"}}},
        "tool_choice.function.mode",
    ),
    (allow({"order": "x"}, {}), "tool_choice.allowed_tools.order"),
    (allow({}, {"rank": 1}), "tool_choice.allowed_tools.tools[0].function.rank"),
    ({"response_format": {"type": "text", "grammar": "g"}}, "response_format.grammar"),
    ({"stream_options": {"continuous_usage_stats": True}}, "stream_options.continuous_usage_stats"),
]


@pytest.mark.parametrize(("fields", "where"), UNKNOWN, ids=[where for _, where in UNKNOWN])
def test_a_field_inside_that_is_not_known_is_told_and_refused_where_strictness_is_asked(
    fields: dict[str, Any], where: str
) -> None:
    reply = send(fields)
    told = where.replace("[0]", "[]").replace("[1]", "[]")
    assert (reply.status, reply.headers["x-pentad-ignored"]) == (200, told)
    refused = send(fields, strict=True)
    assert refused.status == 400
    assert (refused.json["error"]["param"], refused.json["error"]["code"]) == (where, "unknown_parameter")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (said({"role": "user", "content": "Hi", "name": "ada"}), "messages[].name"),
        (said({"role": "assistant", "content": "Hi", "audio": {"id": "a"}}), "messages[].audio"),
        (
            part({"type": "image_url", "image_url": {"url": PNG, "detail": "low"}}),
            "messages[].content[].image_url.detail",
        ),
        ({"stream_options": {"include_obfuscation": True}}, "stream_options.include_obfuscation"),
    ],
)
def test_a_known_field_inside_that_is_not_followed_is_told_and_no_error(fields: dict[str, Any], told: str) -> None:
    for strict in (False, True):
        reply = send(fields, strict=strict)
        assert (reply.status, reply.headers["x-pentad-ignored"]) == (200, told)


def test_what_a_client_sends_back_of_an_answer_is_not_told() -> None:
    answer = {
        "role": "assistant",
        "content": None,
        "refusal": None,
        "annotations": [],
        "audio": None,
        "function_call": None,
        "tool_calls": [CALL | {"index": 0}],
    }
    result = {"role": "tool", "tool_call_id": "call_1", "content": "3"}
    messages = [{"role": "user", "content": "Hello"}, answer, result]
    tool = {**LOOK, "function": {**LOOK["function"], "strict": True}}  # type: ignore[dict-item]
    form = {"type": "json_schema", "json_schema": {"name": "a", "strict": True, "schema": {"type": "object"}}}
    for fields in ({"messages": messages, "tools": [tool]}, {"response_format": form}):
        client_script = '{"a": 1}'
        client = Client()
        client.world.model.script = [client_script]
        body = {"model": "primary", "messages": [{"role": "user", "content": "Hello"}], **fields}
        reply = client("POST", "/v1/chat/completions", body, headers={STRICT_HEADER: "true"})
        assert (reply.status, reply.headers.get("x-pentad-ignored")) == (200, None), reply.text


def test_equal_fields_of_many_messages_are_told_once() -> None:
    many = [{"role": "user", "content": "Hi", "mood": n} for n in range(300)]
    assert send({"messages": many}).headers["x-pentad-ignored"] == "messages[].mood"


def test_a_header_that_names_only_some_fields_says_so() -> None:
    many = [{"role": "user", "content": "Hi", f"m{n}": n} for n in range(300)]
    told = send({"messages": many}).headers["x-pentad-ignored"]
    assert 900 < len(told) <= 1000
    assert told.endswith(", ...")


@pytest.mark.parametrize("length", range(8, 60, 3))
def test_a_header_stays_within_its_length_whatever_the_names_are(length: int) -> None:
    fields = {f"{'n' * length}{n:03}": n for n in range(200)}
    told = send({"messages": [{"role": "user", "content": "Hi"} | fields]}).headers["x-pentad-ignored"]
    assert told.endswith(", ...")
    assert 1000 - length - 30 < len(told) <= 1000


def test_at_most_100_names_are_kept() -> None:
    class Thing(Part):
        size: int = 0

    left_out = LeftOut()
    parse_model(Thing, {f"f{n}": 1 for n in range(1000)}, "thing", left_out)
    assert len(left_out.names) == 100
