"""Neutral messages to the Responses API and back."""

import json
from typing import Any, get_args

import pytest
from openai.types.responses.response_error import ResponseError

from pentad.domain.messages import DocumentBlock, ImageBlock, ProviderRaw, TextBlock, ThinkingBlock, ToolResultBlock
from pentad.domain.models import Outcome, StopReason
from pentad.domain.usage import Usage
from pentad.models.providers.adapters.openai_wire import decode, encode
from pentad.models.providers.exchange import ProviderFailure
from tests.unit.models.samples import ADD, CONTEXT, GPT, SCHEMA, assistant, call, message, request, user


def body(*output: dict[str, Any], **fields: Any) -> dict[str, Any]:
    usage = {"input_tokens": 7, "output_tokens": 5}
    return {"object": "response", "status": "completed", "output": list(output), "usage": usage} | fields


def text(words: str) -> dict[str, Any]:
    return {"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": words}]}


def encoded(*args: Any, **fields: Any) -> dict[str, Any]:
    return encode(GPT, request(*args, **fields), max_output_tokens=100)


@pytest.mark.parametrize("status", ["in_progress", "queued", "cancelled"])
def test_a_response_that_is_not_over_is_no_reply(status: str) -> None:
    with pytest.raises(ProviderFailure) as caught:
        decode(body(text("Fine"), status=status), model=GPT, request_id=None)
    assert (caught.value.outcome, caught.value.usage) == (Outcome.MALFORMED, Usage(input_tokens=7, output_tokens=5))


@pytest.mark.parametrize("status", ["in_progress", "incomplete", "cancelled", "failed", "queued", "new", "", 7])
def test_a_call_that_is_not_whole_is_no_call(status: object) -> None:
    item = {"type": "function_call", "call_id": "c1", "name": "add", "arguments": '{"a": 1}'}
    assert len(decode(body(item), model=GPT, request_id=None).tool_calls) == 1
    cut = decode(body(item | {"status": status}), model=GPT, request_id=None)
    assert (cut.tool_calls, cut.problems) == ((), ("the call of add is not whole",))


@pytest.mark.parametrize("status", ["in_progress", "incomplete", "cancelled", "failed", "queued", "new", "", 7])
def test_a_message_that_is_not_whole_in_a_completed_response_is_a_problem(status: object) -> None:
    whole = decode(body(text("Fine") | {"status": "completed"}), model=GPT, request_id=None)
    assert (whole.stop, whole.problems) == (StopReason.END, ())
    cut = decode(body(text("Fi") | {"status": status}), model=GPT, request_id=None)
    assert cut.problems == ("a message of the reply is not whole",) and cut.raw is None
    details = {"reason": "max_output_tokens"}
    said = body(text("Fi") | {"status": "incomplete"}, status="incomplete", incomplete_details=details)
    ended = decode(said, model=GPT, request_id=None)
    assert (ended.stop, ended.problems, ended.text) == (StopReason.MAX_TOKENS, (), "Fi")


def test_nothing_is_stored_at_the_provider() -> None:
    assert encoded()["store"] is False


def test_every_kind_of_block() -> None:
    sent = encoded(
        user(
            "look",
            ImageBlock(media_type="image/png", data="iVBO"),
            DocumentBlock(media_type="application/pdf", data="JVBE", title="a.pdf"),
            DocumentBlock(media_type="text/plain", data="words"),
        ),
        assistant(ThinkingBlock(text="hm", signature="s", provider="anthropic"), "I add", call("c1"), call("c2")),
        user(ToolResultBlock(call_id="c2", content="no", is_error=True), ToolResultBlock(call_id="c1", content="3")),
    )["input"]
    assert [part["type"] for part in sent[0]["content"]] == ["input_text", "input_image", "input_file", "input_text"]
    assert sent[0]["content"][1]["image_url"] == "data:image/png;base64,iVBO"
    assert sent[1] == {"role": "assistant", "content": "I add"}
    assert json.loads(sent[2]["arguments"]) == {"a": 1, "b": 2}
    assert [(item["call_id"], item["output"]) for item in sent[4:]] == [("c1", "3"), ("c2", "Error: no")]


def _weather(*contents: str, calls: int) -> list[Any]:
    results = [ToolResultBlock(call_id="call_0", content=content) for content in contents]
    return [user("q"), assistant(*[call("call_0")] * calls), user(*results)]


def _pairs(*messages: Any) -> tuple[list[str], list[tuple[str, str]]]:
    sent = encoded(*messages)["input"]
    made = [item["call_id"] for item in sent if item.get("type") == "function_call"]
    return made, [(item["call_id"], item["output"]) for item in sent if item.get("type") == "function_call_output"]


def test_calls_that_share_an_id_are_sent_with_one_each_and_with_their_own_results() -> None:
    made, results = _pairs(*_weather("sun", "rain", calls=2))
    assert (made, results) == (["call_0", "call_0_2"], [("call_0", "sun"), ("call_0_2", "rain")])
    made, results = _pairs(*_weather("sun", calls=1), *_weather("rain", "snow", "fog", calls=3))
    assert made == [call_id for call_id, _ in results] == ["call_0", "call_0_2", "call_0_3", "call_0_4"]
    assert [words for _, words in results] == ["sun", "rain", "snow", "fog"]
    made, results = _pairs(*_weather("sun", calls=2))
    assert made == [call_id for call_id, _ in results]
    assert results[0][1] == "sun" and "not run" in results[1][1]


def test_ones_own_calls_that_share_an_id_are_told_apart_too() -> None:
    item = {"type": "function_call", "id": "fc_1", "call_id": "call_0", "name": "add", "arguments": '{"a": 1, "b": 2}'}
    own = assistant(call("call_0"), raw=ProviderRaw(provider="openai", model=GPT.name, content=[item]))
    made, results = _pairs(*_weather("sun", calls=1), own, user(ToolResultBlock(call_id="call_0", content="3")))
    assert made == ["call_0", "call_0_2"] and results[1] == ("call_0_2", "3")
    assert item["call_id"] == "call_0"


def test_tools_system_and_schema() -> None:
    sent = encoded(system="be good", tools=(ADD,), tool_choice="required", output_schema=SCHEMA)
    assert (sent["instructions"], sent["tool_choice"]) == ("be good", "required")
    assert sent["tools"][0]["name"] == "add"
    assert sent["text"]["format"]["strict"] is True


@pytest.mark.parametrize("change", [{"additionalProperties": True}, {"required": []}])
def test_a_schema_strict_mode_would_refuse_is_not_sent_as_strict(change: dict[str, Any]) -> None:
    assert encoded(output_schema=SCHEMA | change)["text"]["format"]["strict"] is False


def test_tenants_never_share_a_cache_key() -> None:
    other = request().model_copy(update={"context": CONTEXT.model_copy(update={"tenant_id": "other"})})
    assert encode(GPT, other, max_output_tokens=9)["prompt_cache_key"] != encoded()["prompt_cache_key"]


def test_a_reply_goes_back_as_it_came_less_its_nulls() -> None:
    reasoning: dict[str, Any] = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [],
        "encrypted_content": "gAAA+/==",
        "status": None,
    }
    called = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "add", "arguments": '{"a":1, "b":2}'}
    reply = decode(body(reasoning, called), model=GPT, request_id="req_1")
    made = message("assistant", *reply.blocks, raw=reply.raw)
    sent = encoded(user("q"), made, user(ToolResultBlock(call_id="call_1", content="3")))["input"]
    assert sent[1] == {key: value for key, value in reasoning.items() if value is not None}
    assert sent[2] == called
    assert reply.stop is StopReason.TOOL_CALLS


def test_a_reply_is_read() -> None:
    summary = [{"type": "summary_text", "text": "hm"}]
    given = body({"type": "reasoning", "id": "rs_1", "summary": summary, "encrypted_content": "e"}, text("Hi."))
    reply = decode(given, model=GPT, request_id=None)
    assert reply.blocks == (ThinkingBlock(text="hm", redacted="e", provider="openai"), TextBlock(text="Hi."))
    assert reply.stop is StopReason.END


def test_cached_reads_and_writes_are_taken_out_of_the_input() -> None:
    usage = {
        "input_tokens": 1_000,
        "input_tokens_details": {
            "cached_tokens": 600,
            "cache_write_tokens": 300,
            "cache_write_tokens_details": {"ttl_30m_tokens": 200, "ttl_12h_tokens": 100},
        },
        "output_tokens": 50,
        "output_tokens_details": {"reasoning_tokens": 40},
    }
    assert decode(body(text("x"), usage=usage), model=GPT, request_id=None).usage == Usage(
        input_tokens=100,
        output_tokens=50,
        cache_read_tokens=600,
        cache_write_5m_tokens=200,
        cache_write_1h_tokens=100,
        thinking_tokens=40,
    )


@pytest.mark.parametrize(
    ("fields", "stop"),
    [
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, StopReason.MAX_TOKENS),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, StopReason.REFUSAL),
    ],
)
def test_incomplete_replies(fields: dict[str, Any], stop: StopReason) -> None:
    assert decode(body(text("x"), **fields), model=GPT, request_id=None).stop is stop


@pytest.mark.parametrize(
    "details",
    [None, {}, {"reason": None}, {"reason": "error"}, {"reason": "new"}, {"reason": ["max_output_tokens"]}, 7],
)
def test_an_incomplete_response_for_another_reason_or_none_broke_off(details: object) -> None:
    with pytest.raises(ProviderFailure) as caught:
        decode(body(text("Fi"), status="incomplete", incomplete_details=details), model=GPT, request_id="req_9")
    assert (caught.value.outcome, caught.value.request_id) == (Outcome.MALFORMED, "req_9")
    assert (caught.value.error, caught.value.worked) == ("200 with a reply that broke off", True)
    assert caught.value.usage == Usage(input_tokens=7, output_tokens=5)


def test_a_refusal_in_the_content() -> None:
    refusal = {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}
    assert decode(body(refusal), model=GPT, request_id=None).stop is StopReason.REFUSAL


@pytest.mark.parametrize(
    ("arguments", "says"),
    [('{"a": 1, "a": 2}', "twice"), ('{"a": NaN}', "NaN"), ('{"a": 1', "not valid JSON")],
)
def test_unfit_arguments_are_a_problem_and_no_block(arguments: str, says: str) -> None:
    called = {"type": "function_call", "call_id": "c", "name": "add", "arguments": arguments}
    reply = decode(body(called), model=GPT, request_id=None)
    assert reply.tool_calls == ()
    assert says in reply.problems[0]


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("server_error", Outcome.OVERLOAD),
        ("rate_limit_exceeded", Outcome.RATE_LIMIT),
        ("bio_policy", Outcome.REFUSAL),
        ("invalid_prompt", Outcome.REFUSAL),
        ("image_content_policy_violation", Outcome.REFUSAL),
        ("data_residency_mismatch", Outcome.AUTHENTICATION),
        ("vector_store_timeout", Outcome.OVERLOAD),
        ("else", Outcome.OVERLOAD),
    ],
)
def test_a_failed_response_is_classified(code: str, outcome: Outcome) -> None:
    with pytest.raises(ProviderFailure) as caught:
        decode(body(status="failed", error={"code": code, "message": "m"}), model=GPT, request_id="req_9")
    assert (caught.value.outcome, caught.value.request_id) == (outcome, "req_9")


def test_a_response_that_failed_for_its_image_is_the_callers_with_a_reason() -> None:
    codes = get_args(ResponseError.model_fields["code"].annotation)
    images = [code for code in codes if "image" in code and "policy" not in code]
    assert len(images) >= 13
    for code in images:
        with pytest.raises(ProviderFailure) as caught:
            decode(body(status="failed", error={"code": code, "message": "m"}), model=GPT, request_id=None)
        assert caught.value.outcome is Outcome.CALLER_ERROR
        assert caught.value.reason is not None and caught.value.reason.elsewhere
        assert "image" in caught.value.reason.sentence
    assert caught.value.usage == Usage(input_tokens=7, output_tokens=5)


@pytest.mark.parametrize("given", [{}, {"object": "chat.completion"}, {"object": "response", "output": [1]}])
def test_a_body_that_is_no_response_is_malformed(given: dict[str, Any]) -> None:
    with pytest.raises(ProviderFailure) as caught:
        decode(given, model=GPT, request_id=None)
    assert caught.value.outcome is Outcome.MALFORMED


@pytest.mark.parametrize("written", [-1, None, 2.5, "many", True, ...])
def test_usage_without_both_counts_is_none(written: object) -> None:
    usage = {"input_tokens": 5} | ({} if written is ... else {"output_tokens": written})
    assert decode(body(usage=usage), model=GPT, request_id=None).usage is None


@pytest.mark.parametrize("written", [50, 50.0, "50"])
def test_a_count_in_another_form_is_that_count(written: object) -> None:
    details = {"cached_tokens": "x", "cache_write_tokens_details": 1}
    usage = {"input_tokens": 5, "output_tokens": written, "input_tokens_details": details}
    reply = decode(body(usage=usage), model=GPT, request_id=None)
    assert reply.usage == Usage(input_tokens=5, output_tokens=50)
