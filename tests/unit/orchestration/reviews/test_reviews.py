"""What stands on the review list."""

from datetime import UTC, datetime

from pentad.domain.messages import Message, TextBlock
from pentad.domain.runs import CallStatus, ToolCall
from pentad.orchestration.reviews.reviews import SUMMARY_CHARACTERS, build_review, summarise_turn
from tests.unit.orchestration.world import World

NOW = datetime(2026, 11, 22, tzinfo=UTC)
REPLY = Message(message_id="m", role="assistant", blocks=(TextBlock(text="The gate\nclosed at nine."),), created_at=NOW)


def call(tool: str, **arguments: object) -> ToolCall:
    return ToolCall(
        tenant_id="acme",
        run_id="run_" + "0" * 26,
        step=1,
        index=0,
        call_id="c",
        tool=tool,
        arguments=arguments,
        arguments_hash="h",
        status=CallStatus.PENDING,
    )


def test_a_summary_is_the_answer_or_the_calls() -> None:
    assert summarise_turn(REPLY, []) == "Answered: The gate\nclosed at nine."
    calls = [call("log", text="gate closed", hour=9), call("ring_bell")]
    assert summarise_turn(REPLY, calls) == "Called log(text=gate closed, hour=9); ring_bell()"


def test_a_summary_of_an_escalated_turn_tells_of_nothing_that_was_not_done() -> None:
    assert summarise_turn(REPLY, [], escalated=True) == "Drafted, and handed to a human: The gate\nclosed at nine."
    planned = summarise_turn(REPLY, [call("ring_bell")], escalated=True)
    assert planned == "Planned, and handed to a human: ring_bell()"
    assert summarise_turn(REPLY, [call("escalate", reason="x")], escalated=True) == "Called escalate(reason=x)"


def test_a_summary_is_one_line_and_cut_where_it_is_too_long() -> None:
    run = World().begin()
    assert (
        build_review(run, 1, "confidence", summarise_turn(REPLY, []), at=NOW).summary
        == "Answered: The gate closed at nine."
    )
    long = build_review(run, 1, "confidence", "word " * 400, at=NOW).summary
    assert (len(long), long[-1]) == (SUMMARY_CHARACTERS, "…")
