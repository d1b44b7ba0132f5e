"""What the providers refuse, the simulator refuses; and it takes what the gateway makes of the oddest conversations."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pentad.domain.messages import ToolResultBlock
from pentad.models.catalog.provider_entries import Dialect
from pentad.models.providers.adapters import anthropic_wire, openai_compatible_wire, openai_wire
from tests.unit.models.samples import ADD, GPT, SONNET, assistant, call, request, user
from twin.simulator.anthropic import request as claude
from twin.simulator.neutral import Conversation, Problem
from twin.simulator.openai import chat, responses

LOST = {"type": "object", "properties": {"a": {"$ref": "#/$defs/None"}}}
CALL: dict[str, Any] = {"type": "tool_use", "id": "c1", "name": "add", "input": {}}
RESULT: dict[str, Any] = {"type": "tool_result", "tool_use_id": "c1", "content": "3"}


def ask_claude(*content: list[dict[str, Any]] | str, **fields: Any) -> Conversation:
    said = [{"role": ("user", "assistant")[at % 2], "content": one} for at, one in enumerate(content or ("Hi",))]
    return claude.parse({"model": "claude-opus-5", "max_tokens": 100, "messages": said, **fields})


def ask_chat(*said: dict[str, Any], **fields: Any) -> Conversation:
    return chat.parse({"model": "gpt-6.1-sol", "messages": [{"role": "user", "content": "Hi"}, *said], **fields})


def ask_responses(*items: dict[str, Any], **fields: Any) -> Conversation:
    return responses.parse({"model": "gpt-6.1-sol", **fields}, [{"role": "user", "content": "Hi"}, *items])


def calls(call_id: str) -> list[dict[str, Any]]:
    made = {"id": call_id, "type": "function", "function": {"name": "add", "arguments": "{}"}}
    said = {"role": "assistant", "content": None, "tool_calls": [made]}
    return [said, {"role": "tool", "tool_call_id": call_id, "content": "3"}]


def items(call_id: str) -> list[dict[str, Any]]:
    made = {"type": "function_call", "call_id": call_id, "name": "add", "arguments": "{}"}
    return [made, {"type": "function_call_output", "call_id": call_id, "output": "3"}]


def tool(name: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"name": name, "description": "d", "parameters": schema or {"type": "object", "properties": {}}}


@pytest.mark.parametrize(
    ("content", "fields", "says"),
    [
        (("Hi", [CALL | {"id": "a.b"}], [RESULT | {"tool_use_id": "a.b"}]), {}, "tool_use.id: String should match"),
        (("Hi", [CALL | {"id": ""}], [RESULT | {"tool_use_id": ""}]), {}, "tool_use.id: String should match"),
        (("  ",), {}, "must contain non-whitespace text"),
        (([{"type": "text", "text": "Hi"}, {"type": "text", "text": "\n"}],), {}, "must contain non-whitespace text"),
        (("Hi", [CALL], [RESULT, RESULT]), {}, "each tool_use must have a single result"),
        (("Hi",), {"max_tokens": 10_000_000}, "the maximum allowed number of output tokens"),
        (("Hi",), {"tools": [{"name": "t", "input_schema": LOST}]}, "JSON schema is invalid"),
    ],
)
def test_claude(content: Any, fields: dict[str, Any], says: str) -> None:
    with pytest.raises(Problem, match=says) as refused:
        ask_claude(*content, **fields)
    assert refused.value.status == 400


@pytest.mark.parametrize("name", ["a.b", "a b", "", "x" * 65, "\u00e4"])
def test_openai_refuses_names_of_tools(name: str) -> None:
    with pytest.raises(Problem, match="name"):
        ask_chat(tools=[{"type": "function", "function": tool(name)}])
    with pytest.raises(Problem, match="name"):
        ask_responses(tools=[{"type": "function", **tool(name)}])


def test_openai_refuses_ids_of_calls_that_are_too_long() -> None:
    ask_chat(*calls("x" * 40))
    with pytest.raises(Problem, match="maximum length 40, but got a string with length 41") as refused:
        ask_chat(*calls("x" * 41))
    assert (refused.value.code, refused.value.param) == ("string_above_max_length", "messages[1].tool_calls[0].id")
    ask_responses(*items("x" * 64))
    with pytest.raises(Problem, match="maximum length 64, but got a string with length 65"):
        ask_responses(*items("x" * 65))


def test_openai_refuses_a_reference_to_nothing() -> None:
    with pytest.raises(Problem, match="not found in the schema"):
        ask_chat(tools=[{"type": "function", "function": tool("t", LOST)}])
    known = LOST | {"$defs": {"None": {"type": "string"}}}
    assert ask_chat(tools=[{"type": "function", "function": tool("t", known)}]).tools


@pytest.mark.parametrize("call_id", ["a.b", "x" * 64, "functions.add:0", "\u00e4\u00f6", " ", "call_1|fc_2"])
def test_the_gateways_requests_are_taken_whatever_another_models_ids_and_texts_were(call_id: str) -> None:
    said = assistant("  ", call(call_id))
    asked = request(user("Hi", "\n"), said, user(ToolResultBlock(call_id=call_id, content=" ")), tools=(ADD,))
    sent = claude.parse(anthropic_wire.encode(SONNET, asked, max_output_tokens=100))
    assert len(sent.turns) == 3
    body = openai_wire.encode(GPT, asked, max_output_tokens=100)
    assert responses.parse(body, body["input"]).turns
    body = openai_compatible_wire.encode(GPT, asked, Dialect(output_limit="max_completion_tokens"), max_output_tokens=9)
    assert chat.parse(body).turns


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("^\\p{Lu}\\p{Ll}+$", "Öde", "öde"),
        ("^[\\p{L}\\d_]+$", "ünïcode_1", "a b"),
        ("^\\P{L}+$", "12-3", "12a"),
        ("^\\pN{2}\\p{^N}$", "12x", "123"),
        ("^\\\\p\\[x$", "\\p[x", "x"),
    ],
)
def test_classes_of_unicode_in_patterns_are_taken(pattern: str, good: str, bad: str) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": pattern}}}
    for asked in (
        ask_chat(tools=[{"type": "function", "function": tool("t", schema)}]),
        ask_claude("Hi", tools=[{"name": "t", "input_schema": schema}]),
    ):
        [read] = asked.tools
        check = Draft202012Validator(read.schema)
        assert check.is_valid({"a": good}) and not check.is_valid({"a": bad})
