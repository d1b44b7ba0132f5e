"""A model that pauses its turn is asked to go on, and its caller gets one reply."""

import pytest

from pentad.domain.errors import MalformedReply
from pentad.domain.messages import ProviderRaw
from pentad.domain.models import Outcome, StopReason
from pentad.models.gateway.pursuit import GO_ON, MAX_PAUSES
from tests.unit.models.gateway.test_gateway import GPT_NAME, SONNET_NAME, World
from tests.unit.models.samples import ADD, SCHEMA, call, reply, request, user


def _raw(text: str) -> ProviderRaw:
    return ProviderRaw(provider="anthropic", model=SONNET_NAME, content=[{"type": "text", "text": text}])


def test_what_was_said_before_and_after_is_one_reply_and_both_requests_are_billed() -> None:
    world = World((reply("One.", stop=StopReason.PAUSE, raw=_raw("One.")), reply("Two.", raw=_raw("Two."))))
    answer = world.complete()
    assert (answer.message.text, answer.stop) == ("One.\n\nTwo.", StopReason.END)
    assert answer.message.raw is not None
    assert [item["text"] for item in answer.message.raw.content] == ["One.", "Two."]
    assert world.seen == [(SONNET_NAME, Outcome.OK)] * 2
    assert answer.usage.input_tokens == 200


def test_the_model_gets_its_own_words_back_and_is_asked_to_go_on() -> None:
    paused = reply("One.", stop=StopReason.PAUSE, raw=_raw("One."))
    world = World((paused, reply("Two.", stop=StopReason.PAUSE), reply("Three.")))
    world.complete(request(user("Count.")))
    last = world.anthropic.sent[-1].request.messages
    assert [(message.role, message.text) for message in last] == [
        ("user", "Count."),
        ("assistant", "One.\n\nTwo."),
        ("user", GO_ON),
    ]


def test_a_model_that_never_ends_its_turn_is_left_for_the_next() -> None:
    world = World((*(reply("And", stop=StopReason.PAUSE) for _ in range(MAX_PAUSES + 1)),), (reply("Done."),))
    answer = world.complete()
    assert (answer.model, answer.message.text) == (GPT_NAME, "Done.")
    assert len(world.ledger.all) == MAX_PAUSES + 2


def test_a_pause_with_tool_calls_waits_for_their_results() -> None:
    answer = World((reply(call(), stop=StopReason.PAUSE),)).complete(request(tools=(ADD,)))
    assert (answer.stop, len(answer.message.tool_calls)) == (StopReason.TOOL_CALLS, 1)


def test_a_pause_with_a_bad_tool_call_does_not_leave_the_gateway() -> None:
    bad = reply(call(a="one"), stop=StopReason.PAUSE)
    world = World((bad, bad, bad, bad), (bad, bad))
    with pytest.raises(MalformedReply):
        world.complete(request(tools=(ADD,)))


def test_json_that_was_paused_is_checked_as_a_whole() -> None:
    world = World((reply('{"answer":', stop=StopReason.PAUSE), reply(" 42}")))
    answer = world.complete(request(output_schema=SCHEMA))
    assert [block.text for block in answer.message.blocks if block.type == "text"] == ['{"answer":', " 42}"]
