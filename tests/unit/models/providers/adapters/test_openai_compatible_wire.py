"""Replies of chat completions, as servers of many makers write them, and requests in their dialects."""

import re
from typing import Any

import pytest

from pentad.domain.messages import ToolResultBlock
from pentad.domain.models import Outcome, StopReason
from pentad.models.catalog.provider_entries import Dialect
from pentad.models.providers.adapters.openai_compatible_wire import decode, encode, wire_call_id
from pentad.models.providers.exchange import ProviderFailure, ProviderReply
from pentad.models.structured.checks import find_problems
from tests.unit.models.samples import ADD, GPT, assistant, call, message, request, user

CALL = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1, "b": 2}'}}
NO_CALL = "the reply ended to call a tool, and has no call"


def read_reply(message: dict[str, Any], reason: str | None) -> ProviderReply:
    body = {"id": "x", "choices": [{"message": {"role": "assistant"} | message, "finish_reason": reason}]}
    return decode(body, model=GPT, request_id=None)


@pytest.mark.parametrize("reason", ["tool_calls", "tool_use", "function_call", "TOOL_CALLS"])
@pytest.mark.parametrize("calls", [{}, {"tool_calls": None}, {"tool_calls": []}])
def test_a_reply_that_ends_to_call_a_tool_without_a_call_is_a_problem(reason: str, calls: dict[str, Any]) -> None:
    reply = read_reply({"content": "Let me look."} | calls, reason)
    assert reply.stop is StopReason.TOOL_CALLS
    assert find_problems(reply, request(user("q"), tools=(ADD,))) == (NO_CALL,)


@pytest.mark.parametrize("reason", ["tool_calls", "stop", None])
@pytest.mark.parametrize("calls", [{"0": CALL}, [None], [CALL, None], "add(1, 2)", 7])
def test_calls_that_are_no_list_of_calls_are_a_problem(reason: str | None, calls: object) -> None:
    reply = read_reply({"content": "Let me look.", "tool_calls": calls}, reason)
    assert (reply.tool_calls, reply.raw) == ((), None)
    assert find_problems(reply, request(user("q"), tools=(ADD,))) == ("the tool calls are not a list of objects",)


@pytest.mark.parametrize("reason", ["tool_calls", "stop", "tool_use", "", None])
def test_a_reply_with_a_call_ends_by_it(reason: str | None) -> None:
    reply = read_reply({"content": None, "tool_calls": [CALL]}, reason)
    assert (reply.stop, find_problems(reply, request(user("q"), tools=(ADD,)))) == (StopReason.TOOL_CALLS, ())


@pytest.mark.parametrize("empty", [None, [], {}])
def test_a_reply_with_words_alone_ends(empty: object) -> None:
    assert read_reply({"content": "Hi.", "tool_calls": empty}, "stop").stop is StopReason.END


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        ({"code": 429, "message": "slow down"}, Outcome.RATE_LIMIT),
        ({"code": "429", "message": "slow down"}, Outcome.RATE_LIMIT),
        ({"code": "401"}, Outcome.AUTHENTICATION),
        ({"code": "503"}, Outcome.OVERLOAD),
        ({"code": "rate_limit_exceeded"}, Outcome.RATE_LIMIT),
        ({"code": "1301", "message": "sensitive"}, Outcome.REFUSAL),
        ({"code": True}, Outcome.OVERLOAD),
        ({"code": None}, Outcome.OVERLOAD),
        ({}, Outcome.OVERLOAD),
        ({"code": 400, "message": "the image is too large"}, Outcome.CALLER_ERROR),
    ],
)
def test_an_error_that_comes_as_a_200_is_what_its_code_says(error: dict[str, Any], outcome: Outcome) -> None:
    with pytest.raises(ProviderFailure) as caught:
        decode({"error": error}, model=GPT, request_id="r")
    assert (caught.value.outcome, caught.value.request_id) == (outcome, "r")
    assert (caught.value.reason is not None) == (outcome is Outcome.CALLER_ERROR)


@pytest.mark.parametrize(
    "call_id", ["c1", "call_0123456789abcdef01234567", "toolu_01A", "Ab3xK9mP2", "a.b", "x" * 64, "functions.add:0"]
)
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("form", ["any", "nine"])
def test_a_call_and_its_result_have_one_id_in_the_form_of_the_dialect(call_id: str, own: bool, form: str) -> None:
    dialect = Dialect.model_validate({"call_ids": form})
    said = assistant(call(call_id))
    if own:
        reply = read_reply({"content": None, "tool_calls": [CALL | {"id": call_id}]}, "tool_calls")
        said = message("assistant", *reply.blocks, raw=reply.raw)
    asked = request(user("q"), said, user(ToolResultBlock(call_id=call_id, content="3")), tools=(ADD,))
    sent = encode(GPT, asked, dialect, max_output_tokens=9)["messages"]
    used = sent[1]["tool_calls"][0]["id"]
    assert used == sent[2]["tool_call_id"]
    assert re.fullmatch("[A-Za-z0-9]{9}" if form == "nine" else "[A-Za-z0-9_-]{1,40}", used)


def test_an_id_of_nine_stays_and_others_stay_apart() -> None:
    nine = Dialect(call_ids="nine")
    assert wire_call_id("Ab3xK9mP2", nine) == "Ab3xK9mP2"
    given = [f"call_{number}" for number in range(1_000)]
    assert len({wire_call_id(one, nine) for one in given}) == len(given)
    assert all(wire_call_id(wire_call_id(one), nine) == wire_call_id(one, nine) for one in (*given, "a.b", "y" * 99))


@pytest.mark.parametrize("parallel", [False, True])
@pytest.mark.parametrize("call_id", ["call_0", "Ab3xK9mP2", "functions.add:0", "x" * 64])
@pytest.mark.parametrize("form", ["any", "nine"])
def test_calls_that_share_an_id_are_sent_with_one_each_and_with_their_own_results(
    form: str, call_id: str, parallel: bool
) -> None:
    dialect = Dialect.model_validate({"call_ids": form, "parallel_tools": parallel})
    sun, rain, snow = (ToolResultBlock(call_id=call_id, content=words) for words in ("sun", "rain", "snow"))
    pair, alone = assistant(call(call_id), call(call_id)), assistant(call(call_id))
    asked = request(user("q"), pair, user(sun, rain), alone, user(snow), pair, user(sun), tools=(ADD,))
    sent = encode(GPT, asked, dialect, max_output_tokens=9)["messages"]
    made = [made["id"] for one in sent for made in one.get("tool_calls") or []]
    results = [one for one in sent if one["role"] == "tool"]
    assert [one["tool_call_id"] for one in results] == made
    assert len(set(made)) == 5 and made[0] == wire_call_id(call_id, dialect)
    assert [one["content"] for one in results][:4] == ["sun", "rain", "snow", "sun"]
    assert "not run" in results[4]["content"]
    assert all(re.fullmatch("[A-Za-z0-9]{9}" if form == "nine" else "[A-Za-z0-9_-]{1,40}", one) for one in made)
