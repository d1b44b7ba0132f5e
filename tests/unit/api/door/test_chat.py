"""Chat completions through the API over a scripted model: what reaches the gateway, and what the client gets."""

import base64
import json
from typing import Any

import pytest

from pentad.api.routers.door import STRICT_HEADER
from pentad.domain import errors
from pentad.domain.messages import DocumentBlock, ImageBlock, TextBlock, ToolResultBlock
from pentad.domain.models import ChatRequest
from tests.unit.api.client import Client, Reply

PNG = "data:image/png;base64," + base64.b64encode(b"png").decode()
LOOK = {"type": "function", "function": {"name": "Look-Up", "parameters": {"type": "object", "properties": {}}}}


def send(client: Client, *messages: Any, answer: Any = "Hi.", **fields: Any) -> Reply:
    client.world.model.script = [answer]
    said = list(messages) or [{"role": "user", "content": "Hello"}]
    return client("POST", "/v1/chat/completions", {"model": "primary", "messages": said, **fields})


def asked(*messages: Any, **fields: Any) -> ChatRequest:
    client = Client()
    reply = send(client, *messages, **fields)
    assert reply.status == 200, reply.text
    return client.world.model.requests[0]


def fault(*messages: Any, **fields: Any) -> dict[str, Any]:
    """Return the error of a request that is refused before a model is asked."""
    client = Client()
    reply = send(client, *messages, **fields)
    assert not client.world.model.requests
    found: dict[str, Any] = reply.json["error"]
    assert set(found) == {"message", "type", "param", "code"}
    return found | {"status": reply.status}


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def events(reply: Reply) -> list[Any]:
    lines = [line for line in reply.text.split("\n\n") if line]
    assert lines[-1] == "data: [DONE]"
    return [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]


def test_a_completion_has_openais_shape() -> None:
    client = Client()
    reply = send(client, answer="Hi.")
    body = reply.json
    assert body["object"] == "chat.completion"
    assert body["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hi.", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ]
    assert (body["usage"]["prompt_tokens"], body["usage"]["completion_tokens"]) == (100, 20)
    assert body["usage"]["total_tokens"] == 120
    assert reply.headers["x-request-id"] == "request-1"


def test_system_and_developer_go_before_the_conversation() -> None:
    said = asked({"role": "system", "content": "A"}, user("B"), {"role": "developer", "content": [_text("C")]})
    assert said.system == "A\n\nC"
    assert [message.text for message in said.messages] == ["B"]


def test_a_system_text_alone_is_what_the_user_says() -> None:
    said = asked({"role": "system", "content": "Say hi"})
    assert (said.system, said.messages[0].text) == ("", "Say hi")


def test_pictures_and_files_become_blocks() -> None:
    pdf = "data:application/pdf;base64," + base64.b64encode(b"%PDF").decode()
    text = "data:text/plain;base64," + base64.b64encode("Grüße".encode()).decode()
    said = asked(
        user(
            [
                _text("See"),
                {"type": "image_url", "image_url": {"url": PNG, "detail": "high"}},
                {"type": "file", "file": {"file_data": pdf, "filename": "a.pdf"}},
                {"type": "file", "file": {"file_data": text}},
            ]
        )
    )
    see, picture, document, plain = said.messages[0].blocks
    assert see == TextBlock(text="See")
    assert isinstance(picture, ImageBlock)
    assert isinstance(document, DocumentBlock)
    assert document.title == "a.pdf"
    assert isinstance(plain, DocumentBlock)
    assert plain.data == "Grüße"


def test_tools_are_called_by_names_of_ours_and_told_by_the_clients() -> None:
    client = Client()
    ours = asked(tools=[LOOK]).tools[0].name
    reply = send(client, tools=[LOOK], answer=[(ours, {"a": None})]).json["choices"][0]
    assert reply["finish_reason"] == "tool_calls"
    [call] = reply["message"]["tool_calls"]
    assert call["type"] == "function"
    assert call["function"] == {"name": "Look-Up", "arguments": '{"a": null}'}
    assert reply["message"]["content"] is None


def test_calls_and_results_come_back_as_blocks() -> None:
    long = "call_" + "x" * 100
    call = {"id": long, "type": "function", "function": {"name": "Look-Up", "arguments": '{"q": 1}'}}
    said = asked(
        user("Q"),
        {"role": "assistant", "content": None, "tool_calls": [call], "refusal": None, "annotations": []},
        {"role": "tool", "tool_call_id": long, "content": [_text("found")]},
        tools=[LOOK],
    )
    [made] = said.messages[1].tool_calls
    [result] = said.messages[2].blocks
    assert isinstance(result, ToolResultBlock)
    assert (made.tool, made.arguments) == (said.tools[0].name, {"q": 1})
    assert (made.call_id, result.content) == (result.call_id, "found")
    assert said.messages[2].role == "user"


def test_one_function_chosen_is_that_function_alone_and_required() -> None:
    other = {"type": "function", "function": {"name": "other"}}
    said = asked(tools=[LOOK, other], tool_choice={"type": "function", "function": {"name": "other"}})
    assert ([tool.name for tool in said.tools], said.tool_choice) == (["other"], "required")


@pytest.mark.parametrize("mode", ["auto", "required"])
def test_allowed_tools_are_those_alone_in_their_mode(mode: str) -> None:
    tools = [LOOK, *({"type": "function", "function": {"name": name}} for name in ("other", "third"))]
    allowed = {"mode": mode, "tools": [{"type": "function", "function": {"name": name}} for name in ("third", "other")]}
    said = asked(tools=tools, tool_choice={"type": "allowed_tools", "allowed_tools": allowed})
    assert ([tool.name for tool in said.tools], said.tool_choice) == (["other", "third"], mode)


def test_what_is_null_counts_as_left_out_at_every_depth() -> None:
    nulls = {"description": None, "parameters": None, "strict": None}
    said = asked(
        tools=[{"type": "function", "function": {"name": "f", **nulls}}],
        response_format={"type": "text", "json_schema": None},
        stream_options={"include_usage": None},
        messages=[{"role": "user", "name": None, "content": [{"type": "text", "text": "Hi", "annotations": None}]}],
    )
    assert [(tool.name, tool.input_schema) for tool in said.tools] == [("f", {"type": "object", "properties": {}})]


_KEYWORDS = (
    *(
        "title",
        "description",
        "format",
        "pattern",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "multipleOf",
        "enum",
    ),
    *("items", "minItems", "uniqueItems", "properties", "required", "additionalProperties", "propertyNames", "type"),
    *("anyOf", "oneOf", "allOf", "not", "$ref", "$defs", "examples", "deprecated", "if", "$schema"),
)


@pytest.mark.parametrize("keyword", _KEYWORDS)
def test_a_keyword_of_a_schema_that_is_null_counts_as_left_out_at_every_depth(keyword: str) -> None:
    null: dict[str, Any] = {keyword: None}
    item = null | {"anyOf": [null | {"minimum": 1}, null | {"type": "string"}]}
    inner = null | {"type": "array", "items": item}
    field = null | {"type": "object", "properties": {"y": inner}, "patternProperties": {"^z": null | {"type": "null"}}}
    schema = null | {"type": "object", "properties": {"x": field}, "$defs": {"D": null | {"type": "string"}}}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    said = asked(
        answer="{}", tools=[{"type": "function", "function": {"name": "f", "parameters": schema}}], response_format=form
    )
    assert said.tools[0].input_schema == said.output_schema == _strip(schema, keyword)


def _strip(value: Any, keyword: str) -> Any:
    if isinstance(value, list):
        return [_strip(one, keyword) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: _strip(one, keyword) for name, one in value.items() if name != keyword or one is not None}


def test_null_that_says_something_stays() -> None:
    field = {"enum": ["a", None], "default": None, "examples": [None], "anyOf": [{"const": None}, {"type": "string"}]}
    schema = {"type": "object", "properties": {"enum": field, "const": {"default": {"description": None}}}}
    said = asked(tools=[{"type": "function", "function": {"name": "f", "parameters": schema}}])
    assert said.tools[0].input_schema == schema


@pytest.mark.parametrize("arguments", [{"a": None, "b": {"c": 1}}, {}, '{"a": null, "b": {"c": 1}}', "{}", "", None])
def test_arguments_of_a_call_that_are_an_object_are_that_object(arguments: Any) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "look", "arguments": arguments}}
    said = asked(
        messages=[
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c", "content": "x"},
        ]
    )
    [block] = said.messages[1].tool_calls
    assert block.arguments == (json.loads(arguments or "{}") if isinstance(arguments, str | None) else arguments)


@pytest.mark.parametrize("arguments", [["a"], 7, True, "[1]"])
def test_arguments_that_are_no_object_are_a_fault(arguments: Any) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "look", "arguments": arguments}}
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "tool_calls": [call]}]
    reply = send(Client(), messages=[*messages, {"role": "tool", "tool_call_id": "c", "content": "x"}])
    assert reply.status == 400
    assert reply.json["error"]["param"].startswith("messages[1].tool_calls[0].function.arguments")


def test_a_long_description_reaches_the_model_whole() -> None:
    said = asked(tools=[{"type": "function", "function": {"name": "f", "description": "d" * 16_000}}])
    assert said.tools[0].description == "d" * 16_000


def test_no_parallel_calls_means_the_first_alone() -> None:
    look = {"type": "function", "function": {"name": "look"}}
    calls = [("look", {"number": number}) for number in range(2)]
    reply = send(Client(), tools=[look], parallel_tool_calls=False, answer=calls)
    [call] = reply.json["choices"][0]["message"]["tool_calls"]
    assert call["function"]["arguments"] == '{"number": 0}'


def test_a_schema_reaches_the_gateway() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    said = asked(
        answer='{"a": 1}', response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    )
    assert said.output_schema == schema


def test_a_json_object_is_asked_for_in_words_and_taken_out_of_its_fence() -> None:
    client = Client()
    reply = send(client, answer='```json\n{"a": 1}\n```', response_format={"type": "json_object"})
    assert reply.json["choices"][0]["message"]["content"] == '{"a": 1}'
    assert "JSON" in client.world.model.requests[0].system


def test_half_of_a_pair_in_a_json_object_is_one_unknown_character() -> None:
    reply = send(Client(), answer='{"a": "\\ud83d"}', response_format={"type": "json_object"})
    assert reply.json["choices"][0]["message"]["content"] == '{"a": "\\ufffd"}'


@pytest.mark.parametrize(
    "answer", ["no", "[1]", '{"a": NaN}', '{"a": 1, "a": 2}', '{"a": ' + "[" * 40 + "]" * 40 + "}", '{"a": 1e999}']
)
def test_a_json_object_that_does_not_come_is_an_error_that_is_not_repeated(answer: str) -> None:
    reply = send(Client(), answer=answer, response_format={"type": "json_object"})
    assert (reply.status, reply.json["error"]["code"]) == (502, "malformed_reply")
    assert reply.headers["x-should-retry"] == "false"


def test_the_answer_ends_at_the_first_stop() -> None:
    [choice] = send(Client(), answer="one two three", stop=["three", " two"]).json["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("one", "stop")


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_a_cap_reaches_the_gateway(field: str) -> None:
    assert asked(**{field: 50}).max_output_tokens == 50


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("claude-haiku-5-5", "model", "claude-haiku-5-5"),
        ("fast", "tier", "fast"),
        ("specialised.judge", "tier", "specialised.judge"),
        ("task:classify", "task", "classify"),
    ],
)
def test_a_model_a_tier_or_a_task_is_named(name: str, field: str, value: str) -> None:
    assert getattr(asked(model=name), field) == value


def test_the_call_is_for_the_keys_tenant_and_the_user_named() -> None:
    context = asked(user="ada@example.com").context
    assert (context.tenant_id, context.user_id, context.purpose, context.agent) == (
        "acme",
        "ada@example.com",
        "door",
        None,
    )


def test_a_users_key_calls_for_that_user_only() -> None:
    client = Client()
    client.world.model.script = ["Hi."]
    body = {"model": "fast", "messages": [user("Hello")], "user": "bob"}
    reply = client("POST", "/v1/chat/completions", body, user_id="ada")
    assert (reply.status, reply.json["error"]["param"]) == (403, "user")


def test_sampling_is_ignored_and_told() -> None:
    reply = send(Client(), temperature=0.1, top_p=None, seed=3)
    assert (reply.status, reply.headers["x-pentad-ignored"]) == (200, "seed, temperature")


def test_a_stream_is_one_delta_an_end_and_the_usage() -> None:
    reply = send(Client(), stream=True, stream_options={"include_usage": True})
    delta, end, usage = events(reply)
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert delta["choices"][0]["delta"]["content"] == "Hi."
    assert (end["choices"][0]["delta"], end["choices"][0]["finish_reason"]) == ({}, "stop")
    assert (delta["usage"], usage["choices"], usage["usage"]["total_tokens"]) == (None, [], 120)


def test_a_stream_without_usage_ends_with_the_reason() -> None:
    made = events(send(Client(), stream=True))
    assert len(made) == 2
    assert all("usage" not in event for event in made)


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"logit_bias": {"1": 5}}, "logit_bias"),
        ({"functions": [{}]}, "functions"),
        ({"modalities": ["audio"]}, "modalities"),
        ({"web_search_options": {}}, "web_search_options"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"stop": ["a"] * 5}, "stop"),
        ({"stop": ""}, "stop"),
        ({"messages": []}, "messages"),
        ({"messages": "Hello"}, "messages"),
        ({"messages": [{"role": "function"}]}, "messages[0].role"),
        ({"messages": [user(1)]}, "messages[0].content"),
        ({"messages": [user("  ")]}, "messages"),
        ({"messages": [user("a"), {"role": "assistant", "content": "b"}]}, "messages"),
        ({"messages": [user([{"type": "input_audio"}])]}, "messages[0].content[0].type"),
        (
            {"messages": [user([{"type": "image_url", "image_url": {"url": "http://10.0.0.1/a.png"}}])]},
            "messages[0].content[0].image_url.url",
        ),
        (
            {"messages": [user([{"type": "image_url", "image_url": {"url": "data:image/svg+xml;base64,"}}])]},
            "messages[0].content[0].image_url.url",
        ),
        (
            {"messages": [user([{"type": "image_url", "image_url": {"url": "data:image/png;base64,@@"}}])]},
            "messages[0].content[0].image_url.url",
        ),
        ({"messages": [user([{"type": "file", "file": {"file_id": "f"}}])]}, "messages[0].content[0].file.file_data"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
        (
            {
                "messages": [
                    {
                        "role": "assistant",
                        "tool_calls": [{"id": "c", "function": {"name": "look", "arguments": "{"}}],
                    },
                    user("x"),
                ]
            },
            "messages[0].tool_calls[0].function.arguments",
        ),
        ({"tools": [{"type": "custom"}]}, "tools[0].type"),
        ({"tools": [LOOK, LOOK]}, "tools[1].function.name"),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools[0].function.name"),
        (
            {"tools": [{"type": "function", "function": {"name": "a", "parameters": {"type": "array"}}}]},
            "tools[0].function.parameters",
        ),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": [LOOK], "tool_choice": "sometimes"}, "tool_choice"),
        (
            {
                "tools": [LOOK],
                "tool_choice": {
                    "type": "allowed_tools",
                    "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "x"}}]},
                },
            },
            "tool_choice.allowed_tools.tools[0].function.name",
        ),
        (
            {"tools": [LOOK], "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "no", "tools": []}}},
            "tool_choice.allowed_tools.mode",
        ),
        (
            {"tools": [LOOK], "tool_choice": {"type": "function", "function": {"name": "x"}}},
            "tool_choice.function.name",
        ),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"user": "a b"}, "user"),
        ({"user": 1}, "user"),
        ({"model": "embeddings"}, "model"),
    ],
)
def test_what_cannot_be_followed_is_a_400_that_names_the_field(fields: dict[str, Any], param: str) -> None:
    found = fault(**fields)
    assert (found["status"], found["type"], found["param"]) == (400, "invalid_request_error", param)


def test_an_unknown_model_is_404() -> None:
    found = fault(model="gpt-4o")
    assert (found["status"], found["code"], found["param"]) == (404, "model_not_found", "model")


@pytest.mark.parametrize("raw", ["", "{", "[]", '{"model": NaN}', '"\\ud800"', "[" * 500])
def test_a_body_that_is_no_object_is_400(raw: str) -> None:
    reply = Client()("POST", "/v1/chat/completions", raw=raw)
    assert (reply.status, reply.json["error"]["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize(
    ("error", "status", "kind", "code"),
    [
        (errors.BudgetExceeded("used up"), 429, "insufficient_quota", "insufficient_quota"),
        (errors.ModelThrottled("slow"), 429, "rate_limit_error", "rate_limit_exceeded"),
        (errors.ContextOverflow("long"), 400, "invalid_request_error", "context_length_exceeded"),
        (errors.ModelCallerError("wrong"), 400, "invalid_request_error", None),
        (errors.ModelUnavailable("down"), 503, "server_error", "service_unavailable"),
        (errors.MalformedReply("bad"), 502, "server_error", "malformed_reply"),
        (errors.ConfigurationError("arn:secret"), 500, "server_error", "internal_error"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_gateways_errors_have_openais_shape(
    error: errors.PentadError, status: int, kind: str, code: str | None
) -> None:
    reply = send(Client(), answer=error)
    found = reply.json["error"]
    assert (reply.status, found["type"], found["code"]) == (status, kind, code)
    assert "arn:" not in reply.text


def test_a_transient_error_says_when_to_try_again() -> None:
    reply = send(Client(), answer=errors.ModelThrottled("slow", retry_after=7))
    assert reply.headers["retry-after"] == "7"
    assert "x-should-retry" not in reply.headers


def test_a_used_budget_says_when_it_is_empty_again_and_is_not_tried_again() -> None:
    client = Client()
    hour = client.world.clock().replace(microsecond=0).isoformat()
    client.world.clock.advance(-90)
    reply = send(client, answer=errors.BudgetExceeded("used up", resets_at=hour))
    assert (reply.headers["retry-after"], reply.headers["x-should-retry"]) == ("90", "false")


def test_a_refusal_is_an_answer_that_refuses() -> None:
    [choice] = send(Client(), answer=errors.Refused("declined")).json["choices"]
    assert choice["message"]["refusal"]
    assert (choice["message"]["content"], choice["finish_reason"]) == (None, "stop")


def test_a_degraded_reply_is_an_error() -> None:
    client = Client()
    client.world.model.degraded = True
    reply = send(client)
    assert (reply.status, reply.json["error"]["code"]) == (503, "service_unavailable")
    assert reply.headers["x-should-retry"] == "false"


def test_an_outage_at_the_deadline_is_a_timeout_that_is_not_repeated() -> None:
    client = Client()
    client.world.model.script = [errors.ModelUnavailable("no time left")]
    body = {"model": "fast", "messages": [user("Hello")]}
    reply = client("POST", "/v1/chat/completions", body, remaining_ms=3_000)
    assert (reply.status, reply.json["error"]["code"]) == (504, "timeout")
    assert reply.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/chat/completions", 405), ("POST", "/v1/chat/nothing", 404), ("GET", "/v1/embeddings", 405)],
)
def test_what_the_api_refuses_there_has_openais_shape_too(method: str, path: str, status: int) -> None:
    reply = Client()(method, path, {} if method == "POST" else None)
    assert (reply.status, reply.json["error"]["type"]) == (status, "invalid_request_error")


def test_a_body_too_large_has_openais_shape() -> None:
    reply = Client()("POST", "/v1/chat/completions", raw="x" * 1_000_001)
    assert (reply.status, reply.json["error"]["type"]) == (413, "invalid_request_error")


def test_an_unexpected_error_has_openais_shape_and_tells_nothing() -> None:
    client = Client()
    client.world.model.script = []  # the scripted model fails an assertion
    reply = client("POST", "/v1/chat/completions", {"model": "fast", "messages": [user("Hello")]})
    assert (reply.status, reply.json["error"]["type"]) == (500, "server_error")
    assert "script" not in reply.text


def test_the_time_that_api_gateway_has_left_bounds_the_call() -> None:
    from pentad.api.routers.door import deadline_of

    assert deadline_of({"requestContext": {"timeEpoch": 97_000}}, 100.0, 29.0) == 97.0 + 30.0 - 2.5
    assert deadline_of({}, 100.0, 29.0) == 126.5
    assert deadline_of({"requestContext": {"timeEpoch": 100_000}}, 100.0, 5.0) == 102.5


def test_half_a_surrogate_pair_is_read_as_the_replacement_character_and_told() -> None:
    client = Client()
    client.world.model.script = ["Hello"]
    raw = '{"model": "primary", "messages": [{"role": "user", "content": "cut \\ud83d"}]}'
    reply = client("POST", "/v1/chat/completions", raw=raw)
    assert (reply.status, reply.headers["x-pentad-mended"]) == (200, "body")
    assert client.world.model.requests[0].messages[0].text == "cut \ufffd"


@pytest.mark.parametrize("strict", [None, "0", "false", ""])
def test_a_field_that_is_not_known_is_ignored_with_a_warning(strict: str | None) -> None:
    body = {"model": "primary", "messages": [user("Hi")], "seed": 1, "colour": "red", "größe\r\nX: y": 2, "n" * 99: 3}
    client = Client()
    client.world.model.script = ["Hello"]
    reply = client("POST", "/v1/chat/completions", body, headers={} if strict is None else {STRICT_HEADER: strict})
    assert reply.status == 200
    assert reply.headers["x-pentad-ignored"] == f"colour, gr?e X: y, {'n' * 64}, seed"


def test_whoever_asks_for_strictness_is_told_of_a_field_that_is_not_known() -> None:
    body = {"model": "primary", "messages": [user("Hi")], "colour": "red"}
    for path, asked_for in (
        ("/v1/chat/completions", body),
        ("/v1/embeddings", {"model": "embeddings", "input": "a", "colour": "red"}),
    ):
        error = Client()("POST", path, asked_for, headers={"X-Pentad-Strict": "true"})
        assert (error.status, error.json["error"]["param"], error.json["error"]["code"]) == (
            400,
            "colour",
            "unknown_parameter",
        )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/responses"),
        ("GET", "/v1/responses/resp_1"),
        ("POST", "/v1/completions"),
        ("POST", "/v1/assistants"),
        ("POST", "/v1/threads/t/runs"),
        ("POST", "/v1/files"),
        ("POST", "/v1/images/generations"),
        ("POST", "/v1/audio/speech"),
        ("POST", "/v1/moderations"),
        ("GET", "/v1/vector_stores"),
        ("POST", "/v1/chat/completions/c/messages"),
    ],
)
def test_what_openai_has_and_we_do_not_is_told_with_what_we_have(method: str, path: str) -> None:
    reply = Client()(method, path, {} if method == "POST" else None)
    error = reply.json["error"]
    assert (reply.status, error["type"], error["code"], error["param"]) == (
        404,
        "invalid_request_error",
        "not_found",
        None,
    )
    for offered in ("POST /v1/chat/completions", "POST /v1/embeddings", "GET /v1/models"):
        assert offered in error["message"]
    assert reply.headers["x-request-id"] == "request-1"


def test_another_method_of_a_route_of_openais_is_told_in_its_shape() -> None:
    for method, path in (("GET", "/v1/chat/completions"), ("DELETE", "/v1/models/m"), ("PUT", "/v1/embeddings")):
        reply = Client()(method, path)
        assert (reply.status, reply.json["error"]["type"]) == (405, "invalid_request_error")
