"""Replies of chat completions, as servers of many makers write them."""

from typing import Any

import pytest

from pentad.domain.models import StopReason
from pentad.models.providers.adapters.openai_compatible_wire import decode
from pentad.models.providers.exchange import ProviderReply
from pentad.models.structured.checks import find_problems
from tests.unit.models.samples import ADD, GPT, request, user

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
