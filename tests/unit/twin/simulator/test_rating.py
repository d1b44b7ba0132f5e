"""Ratings by the simulator, asked as `pentad.orchestration.confidence.model_ratings` asks for them."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from pentad.domain.messages import Message, TextBlock, ToolCallBlock, ToolResultBlock
from pentad.domain.models import CallContext, ChatReply, ChatRequest, StopReason
from pentad.domain.usage import Usage
from pentad.models.structured.structured import complete_as, complete_in_words
from pentad.orchestration.confidence.model_ratings import Rating, build_judge_request, build_self_report_request
from twin.simulator.neutral import Conversation, ToolCall, ToolResult, Turn
from twin.simulator.rules.engine import NOTHING, RuleEngine

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PASSAGES = (
    '<passages>\n<passage cite="[cite:aaaaa2]" document="lamp.md" title="Lamp">\n'
    "The lamp burns colza oil.\n</passage>\n</passages>\n"
)
ASKED = f"{PASSAGES}<question>What does the lamp burn?</question>"


class Simulated:
    """The rules as a chat model."""

    def complete(self, request: ChatRequest, *, deadline: float) -> ChatReply:
        turns = tuple(turn(one) for one in request.messages)
        asked = Conversation("m", turns, request.system, schema=request.output_schema)
        reply = RuleEngine().generate_reply(asked)
        said = message("assistant", reply.text)
        return ChatReply(
            message=said, stop=StopReason.END, usage=Usage(), cost_nanousd=0, provider="simulator", model="m"
        )


def turn(one: Message) -> Turn:
    calls = tuple(ToolCall(call.tool, call.arguments, call.call_id) for call in one.tool_calls)
    results = tuple(
        ToolResult(block.call_id, block.content, block.is_error)
        for block in one.blocks
        if isinstance(block, ToolResultBlock)
    )
    return Turn(one.role, one.text, calls, results)


def message(role: Any, *blocks: Any) -> Message:
    made = tuple(TextBlock(text=block) if isinstance(block, str) else block for block in blocks)
    return Message(message_id="m1", role=role, blocks=made, created_at=NOW, run_id="run")


def ratings(reply: Message, *messages: Message) -> tuple[float, float]:
    """Return the self-report and the judge's rating."""
    request = ChatRequest(context=CallContext(tenant_id="acme", run_id="run"), messages=messages)
    own = complete_in_words(Simulated(), build_self_report_request(request, reply), Rating, deadline=1.0)
    judged = complete_as(
        Simulated(), build_judge_request(request, reply, task="judge", tier="fast"), Rating, deadline=1.0
    )
    assert not own.repaired
    assert not judged.repaired
    return own.value.confidence, judged.value.confidence


CALL = ToolCallBlock(call_id="c1", tool="notes", arguments={"title": "Oil"})


@pytest.mark.parametrize(
    "said",
    ["The lamp burns colza oil [cite:aaaaa2].", "Penguins prefer freezing seawater [cite:aaaaa2].", NOTHING, CALL],
    ids=["borne out", "made up", "nothing", "a call"],
)
def test_rules_have_no_confidence_and_say_so(said: Any) -> None:
    reply = message("assistant", said)
    assert ratings(reply, message("user", ASKED)) == (0.5, 0.5)
    asked = build_self_report_request(
        ChatRequest(context=CallContext(tenant_id="acme", run_id="run"), messages=(message("user", ASKED),)), reply
    )
    assert "simulator" in complete_in_words(Simulated(), asked, Rating, deadline=1.0).value.reason


def test_a_marker_sets_both_ratings_and_is_not_read_by_the_rules() -> None:
    asked = message("user", "What is 2 + 2? [confidence 0.62]")
    assert ratings(message("assistant", "4"), asked) == (0.62, 0.62)
    assert "0.62" not in RuleEngine().generate_reply(Conversation("m", (turn(asked),))).text


def test_a_marker_may_set_one_of_them() -> None:
    asked = message("user", "What is 2 + 2? [self-report 0.97] [judge 0.2]")
    assert ratings(message("assistant", "4"), asked) == (0.97, 0.2)


def test_the_newest_words_of_the_user_decide() -> None:
    first, second = message("user", "Hello [confidence 0.1]"), message("user", "Hello again [confidence 0.8]")
    said = message("assistant", "Hello!")
    assert ratings(said, first, said, second) == (0.8, 0.8)
    assert ratings(said, first, said, message("user", "Hello once more")) == (0.5, 0.5)


def test_a_schema_that_is_told_in_words_is_filled() -> None:
    asked = Conversation("m", (Turn("user", 'Sort it.\n\nJSON Schema:\n{"type": "object", "properties": {}}'),))
    assert json.loads(RuleEngine().generate_reply(asked).text) == {}
