"""Neutral messages to the Messages API and back."""

import copy
import json
from typing import Any

import pytest

from pentad.domain.messages import (
    DocumentBlock,
    ImageBlock,
    Message,
    ProviderRaw,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
)
from pentad.domain.models import Outcome, StopReason
from pentad.domain.usage import Usage
from pentad.models.providers.adapters.anthropic_wire import decode, encode, wire_call_id
from pentad.models.providers.exchange import ProviderFailure
from tests.unit.models.samples import ADD, HAIKU, SCHEMA, SONNET, assistant, call, message, request, user

USAGE = {"input_tokens": 7, "output_tokens": 5}


def body(*content: dict[str, Any], stop: str = "end_turn", **fields: Any) -> dict[str, Any]:
    return {
        "type": "message",
        "role": "assistant",
        "content": list(content),
        "stop_reason": stop,
        "usage": USAGE,
    } | fields


def encoded(*args: Any, **fields: Any) -> dict[str, Any]:
    return encode(SONNET, request(*args, **fields), max_output_tokens=100)


def test_every_kind_of_block() -> None:
    sent = encoded(
        user(
            "look",
            ImageBlock(media_type="image/png", data="iVBO"),
            DocumentBlock(media_type="application/pdf", data="JVBE", title="T"),
            DocumentBlock(media_type="text/plain", data="words"),
        ),
        assistant(ThinkingBlock(text="hm", signature="s", provider="anthropic"), "I add", call("c1"), call("c2")),
        user(ToolResultBlock(call_id="c1", content="3"), ToolResultBlock(call_id="c2", content="no", is_error=True)),
        tools=(ADD,),
    )["messages"]
    assert [block["type"] for block in sent[0]["content"]] == ["text", "image", "document", "document"]
    assert sent[0]["content"][2] == {
        "type": "document",
        "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"},
        "title": "T",
    }
    assert sent[1]["content"][0] == {"type": "thinking", "thinking": "hm", "signature": "s"}
    assert sent[1]["content"][2] == {"type": "tool_use", "id": "c1", "name": "add", "input": {"a": 1, "b": 2}}
    assert [block.get("is_error") for block in sent[2]["content"]] == [None, True]


def test_a_redacted_thinking_block_goes_back() -> None:
    block = ThinkingBlock(text="", redacted="opaque", provider="anthropic")
    assert encoded(user("q"), assistant(block, "a"), user("r"))["messages"][1]["content"][0] == {
        "type": "redacted_thinking",
        "data": "opaque",
    }


@pytest.mark.parametrize(
    ("choice", "sent"), [("auto", None), ("none", {"type": "none"}), ("required", {"type": "any"})]
)
def test_tool_choice(choice: str, sent: dict[str, str] | None) -> None:
    assert encoded(tools=(ADD,), tool_choice=choice).get("tool_choice") == sent


def test_structured_output_and_effort_share_one_config() -> None:
    sent = encode(HAIKU, request(output_schema=SCHEMA), max_output_tokens=9, effort="low")
    assert sent["output_config"] == {"format": {"type": "json_schema", "schema": SCHEMA}, "effort": "low"}


def test_a_system_prompt_that_is_empty_is_not_sent() -> None:
    assert "system" not in encoded(system=" ")


def test_breakpoints_stand_at_the_prefix_and_the_last_two_user_turns() -> None:
    sent = encoded(user("a"), assistant("b"), user("c"), assistant("d"), user("e"), system="be good", tools=(ADD,))
    assert sent["system"][-1]["cache_control"] == {"type": "ephemeral"}
    marked = [index for index, each in enumerate(sent["messages"]) if "cache_control" in each["content"][-1]]
    assert marked == [2, 4]


def test_a_question_asked_once_writes_no_message_to_the_cache() -> None:
    assert "cache_control" not in encoded(system="x")["messages"][0]["content"][-1]


def test_the_prefix_of_a_growing_conversation_stays_byte_for_byte_the_same() -> None:
    first = [user("a"), assistant("b", call()), user(ToolResultBlock(call_id="c1", content="3"))]
    grown = [*first, assistant("c"), user("d")]
    kept, longer = (_bare(encoded(*messages, system="s", tools=(ADD,))) for messages in (first, grown))
    assert longer["system"] == kept["system"]
    assert longer["tools"] == kept["tools"]
    assert longer["messages"][:3] == kept["messages"]


def _bare(sent: dict[str, Any]) -> dict[str, Any]:
    """Return what counts for a cache hit: markers don't."""
    text = json.dumps(sent).replace(', "cache_control": {"type": "ephemeral"}', "")
    return dict(json.loads(text))


def test_encoding_changes_neither_the_request_nor_the_raw_form() -> None:
    reply = decode(body({"type": "text", "text": "a"}), model=SONNET, request_id=None)
    asked = request(user("q"), assistant("a", raw=reply.raw), user("r"))
    before = copy.deepcopy(asked)
    encode(SONNET, asked, max_output_tokens=5)
    assert asked == before


@pytest.mark.parametrize("call_id", ["call|1", "fc:é", "x y"])
def test_call_ids_the_api_refuses_are_mapped_on_both_sides(call_id: str) -> None:
    sent = encoded(user("q"), assistant(call(call_id)), user(ToolResultBlock(call_id=call_id, content="3")))
    used = sent["messages"][1]["content"][0]["id"]
    assert used == wire_call_id(call_id) == sent["messages"][2]["content"][0]["tool_use_id"]
    assert used.isascii() and used.replace("_", "").isalnum()


def _call_ids(sent: dict[str, Any]) -> tuple[list[str], list[str]]:
    items = [item for one in sent["messages"] for item in one["content"]]
    calls = [item["id"] for item in items if item["type"] == "tool_use"]
    return calls, [item["tool_use_id"] for item in items if item["type"] == "tool_result"]


def _turn(*ids: str, result: str) -> list[Message]:
    results = [ToolResultBlock(call_id=one, content=f"{result} {one}") for one in ids]
    return [user(f"ask {result}"), assistant(*(call(one) for one in ids)), user(*reversed(results))]


def test_a_call_id_that_comes_again_in_a_later_turn_is_another_call() -> None:
    conversation = [*_turn("call_0", result="a"), *_turn("call_0", "call_1", result="b"), *_turn("call_0", result="c")]
    sent = encoded(*conversation)
    calls, results = _call_ids(sent)
    assert calls == results == ["call_0", "call_0_2", "call_1", "call_0_3"]
    contents = [item["content"] for one in sent["messages"] for item in one["content"] if item["type"] == "tool_result"]
    assert contents == ["a call_0", "b call_0", "b call_1", "c call_0"]


def test_ids_stay_unique_where_a_new_one_looks_like_a_renamed_one_and_where_they_are_long() -> None:
    conversation = [*_turn("x", result="a"), *_turn("x", "x_2", result="b"), *_turn("y" * 64, result="c")]
    calls, results = _call_ids(encoded(*conversation, *_turn("y" * 64, result="d")))
    assert calls == results
    assert len(set(calls)) == len(calls) == 5
    assert all(len(one) <= 64 for one in calls)


def test_ids_of_what_was_sent_before_do_not_change_when_the_conversation_grows() -> None:
    earlier = [*_turn("call_0", result="a"), *_turn("call_0", result="b")]
    before, after = encoded(*earlier), encoded(*earlier, *_turn("call_0", result="c"))
    assert _call_ids(after)[0][:2] == _call_ids(before)[0]


def test_a_raw_reply_with_an_id_of_an_earlier_turn_goes_back_under_a_new_one() -> None:
    item = {"type": "tool_use", "id": "call_0", "name": "add", "input": {"a": 1, "b": 2}}
    own = assistant(call("call_0"), raw=ProviderRaw(provider="anthropic", model=SONNET.name, content=[item]))
    sent = encoded(
        *_turn("call_0", result="a"), user("more"), own, user(ToolResultBlock(call_id="call_0", content="3"))
    )
    assert _call_ids(sent) == (["call_0", "call_0_2"], ["call_0", "call_0_2"])
    assert item["id"] == "call_0"


def test_a_reply_goes_back_as_it_came() -> None:
    content: list[dict[str, Any]] = [
        {"type": "thinking", "thinking": "hm", "signature": "EqRk+/=="},
        {"type": "redacted_thinking", "data": "opaque"},
        {"type": "text", "text": "I add.", "citations": None},
        {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"b": 2, "a": 1}},
    ]
    reply = decode(body(*content, stop="tool_use"), model=SONNET, request_id="req_1")
    made = message("assistant", *reply.blocks, raw=reply.raw)
    sent = encoded(user("q"), made, user(ToolResultBlock(call_id="toolu_1", content="3")))
    assert json.dumps(sent["messages"][1]["content"]) == json.dumps(content)


def test_a_reply_is_read() -> None:
    given = body({"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "text", "text": "Hi."})
    reply = decode(given, model=SONNET, request_id="req_1")
    assert reply.blocks == (
        ThinkingBlock(text="hm", signature="s", provider="anthropic"),
        TextBlock(text="Hi."),
    )
    assert (reply.stop, reply.usage, reply.request_id) == (
        StopReason.END,
        Usage(input_tokens=7, output_tokens=5),
        "req_1",
    )


@pytest.mark.parametrize(
    ("wire", "stop"),
    [
        ("stop_sequence", StopReason.END),
        ("max_tokens", StopReason.MAX_TOKENS),
        ("pause_turn", StopReason.PAUSE),
        ("refusal", StopReason.REFUSAL),
        ("model_context_window_exceeded", StopReason.CONTEXT_OVERFLOW),
    ],
)
def test_stop_reasons(wire: str, stop: StopReason) -> None:
    assert decode(body({"type": "text", "text": "x"}, stop=wire), model=SONNET, request_id=None).stop is stop


@pytest.mark.parametrize("stop", ["something_new", "", None, 3])
@pytest.mark.parametrize("content", [{"type": "text", "text": "x"}, {"type": "tool_use", "id": "c", "name": "add"}])
def test_an_unknown_stop_reason_is_no_end_and_what_it_cost_is_known(stop: Any, content: dict[str, Any]) -> None:
    with pytest.raises(ProviderFailure) as caught:
        decode(body(content, stop=stop), model=SONNET, request_id=None)
    assert (caught.value.outcome, caught.value.usage is None) == (Outcome.MALFORMED, False)


def test_usage_with_all_its_parts() -> None:
    usage = {
        "input_tokens": 10,
        "output_tokens": 20,
        "cache_read_input_tokens": 30,
        "cache_creation_input_tokens": 70,
        "cache_creation": {"ephemeral_5m_input_tokens": 40, "ephemeral_1h_input_tokens": 30},
        "output_tokens_details": {"thinking_tokens": 15},
    }
    assert decode(body(usage=usage), model=SONNET, request_id=None).usage == Usage(
        input_tokens=10,
        output_tokens=20,
        cache_read_tokens=30,
        cache_write_5m_tokens=40,
        cache_write_1h_tokens=30,
        thinking_tokens=15,
    )


def test_cache_writes_without_a_breakdown_are_of_the_short_lifetime() -> None:
    usage = {"input_tokens": 1, "output_tokens": 1, "cache_creation_input_tokens": 9, "cache_creation": None}
    found = decode(body(usage=usage), model=SONNET, request_id=None).usage
    assert found is not None
    assert found.cache_write_5m_tokens == 9


def test_a_reply_without_usage_says_so() -> None:
    assert decode(body(usage=None), model=SONNET, request_id=None).usage is None


@pytest.mark.parametrize(
    "given", [{}, {"type": "error"}, {"type": "message", "content": "text"}, {"type": "message", "content": ["text"]}]
)
def test_a_body_that_is_no_message_is_malformed(given: dict[str, Any]) -> None:
    with pytest.raises(ProviderFailure) as caught:
        decode(given, model=SONNET, request_id=None)
    assert caught.value.outcome is Outcome.MALFORMED


def test_a_call_that_cant_be_read_is_a_problem_and_no_block() -> None:
    reply = decode(
        body({"type": "tool_use", "id": "t1", "name": "add", "input": "nonsense"}, stop="tool_use"),
        model=SONNET,
        request_id=None,
    )
    assert reply.tool_calls == ()
    assert reply.problems == ("the arguments of add are not a JSON object",)
    assert reply.raw is None


@pytest.mark.parametrize(
    "counts", [{"input_tokens": -1}, {"input_tokens": None}, {"output_tokens": 2.5}, {"output_tokens": "many"}, {}]
)
def test_usage_without_both_counts_is_none(counts: dict[str, Any]) -> None:
    usage = ({"output_tokens": 5, "input_tokens": 7} | counts) if counts else {"output_tokens": 5}
    assert decode(body(usage=usage), model=SONNET, request_id=None).usage is None


@pytest.mark.parametrize("count", [7, 7.0, "7"])
def test_a_count_in_another_form_is_that_count(count: object) -> None:
    usage = {"output_tokens": 5, "input_tokens": count, "cache_creation": [], "output_tokens_details": 3}
    reply = decode(body(usage=usage), model=SONNET, request_id=None)
    assert reply.usage == Usage(input_tokens=7, output_tokens=5)
