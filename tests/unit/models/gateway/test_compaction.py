"""A conversation that overflows is made smaller, its newest question intact, and asked once more."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentad.domain.errors import ContextOverflow, ModelUnavailable, PentadError
from pentad.domain.messages import Message, ToolResultBlock
from pentad.domain.models import ChatReply, ChatRequest, Outcome, StopReason
from pentad.domain.usage import Usage
from pentad.models.gateway.compaction import COMPACTED, LEFT_OUT, CompactingChat, compact, compute_target
from pentad.models.gateway.tokens import estimate_message, estimate_request
from pentad.models.providers.exchange import ProviderFailure
from pentad.observability.adapters.memory import MemoryTelemetry
from tests.unit.models.gateway.test_gateway import World
from tests.unit.models.samples import CATALOG, SONNET, assistant, call, reply, request, user

PASSAGES = (
    '<passages>\n<passage cite="[cite:aaaaa2]">A lease ends.</passage>\n</passages>\n'
    "<question>When does a lease end?</question>"
)


def tokens(messages: tuple[Message, ...] | list[Message]) -> int:
    return sum(estimate_message(message) for message in messages)


def result(call_id: str, content: str = "3") -> Message:
    return user(ToolResultBlock(call_id=call_id, content=content))


def turn(number: int, words: int = 200) -> list[Message]:
    call_id = f"c{number}"
    return [
        user(f"Question {number}: {'word ' * words}"),
        assistant("I look.", call(call_id)),
        result(call_id),
        assistant(f"Answer {number}."),
    ]


def in_pairs(messages: tuple[Message, ...]) -> bool:
    """Tell if each call is answered by the next message, and each result answers a call of the one before."""
    for index, message in enumerate(messages):
        answered = {block.call_id for block in message.blocks if isinstance(block, ToolResultBlock)}
        asked = {block.call_id for block in messages[index - 1].tool_calls} if index else set()
        if answered != asked:
            return False
    return not messages[-1].tool_calls


def test_the_oldest_turns_go_first_and_a_word_says_so() -> None:
    said = [*turn(1), *turn(2), *turn(3), user(PASSAGES)]
    kept = compact(said, tokens(said[4:]) + 50)
    assert kept is not None
    assert kept[0].text == LEFT_OUT
    assert kept[1:] == tuple(said[4:])


def test_results_of_the_newest_question_are_shortened_before_calls_go() -> None:
    said = [*turn(1), user(PASSAGES), assistant(call("a")), result("a", "x" * 20_000 + "END")]
    kept = compact(said, 2_000)
    assert kept is not None
    assert kept[1] == said[4]
    (shortened,) = kept[-1].blocks
    assert isinstance(shortened, ToolResultBlock)
    assert "characters left out]" in shortened.content
    assert shortened.content.endswith("END")


def test_the_oldest_calls_of_a_long_loop_go_with_their_results() -> None:
    loop = [message for number in range(40) for message in (assistant(call(f"c{number}")), result(f"c{number}"))]
    said = [user(PASSAGES), *loop]
    kept = compact(said, tokens(said) / 2)
    assert kept is not None
    assert kept[1] == said[0]
    assert kept[-2:] == tuple(said[-2:])
    assert in_pairs(kept)


def test_a_newest_question_that_does_not_fit_is_not_touched() -> None:
    assert compact([*turn(1), user("word " * 10_000)], 1_000) is None


turns = st.lists(
    st.tuples(
        st.integers(1, 300),  # words of the question
        st.lists(st.integers(0, 30_000), max_size=6),  # characters of each result
    ),
    min_size=1,
    max_size=8,
)


@given(turns, st.booleans(), st.floats(0, 1.2))
def test_what_is_kept_is_small_in_pairs_and_ends_as_it_did(
    made: list[tuple[int, list[int]]], open_: bool, share: float
) -> None:
    said: list[Message] = []
    for number, (words, results) in enumerate(made):
        said.append(user("w " * words))
        for index, length in enumerate(results):
            call_id = f"c{number}-{index}"
            said += [assistant(call(call_id)), result(call_id, "x" * length)]
        said.append(assistant("Done."))
    if not open_ or said[-2].role != "user" or not in_pairs(tuple(said[:-1])):
        said.append(user(PASSAGES))
    else:
        said.pop()
    limit = tokens(said) * share
    kept = compact(said, limit)
    newest = [message for message in said if message.text and message.role == "user"][-1]
    if kept is None:
        assert tokens([newest]) + 200 > limit or said[-1] is not newest
        return
    assert tokens(kept) <= limit
    assert in_pairs(kept)
    assert newest in kept
    assert kept[-1].role == "user"
    ids = [message.message_id for message in said]
    places = [ids.index(message.message_id) for message in kept if message.text != LEFT_OUT]
    assert places == sorted(places)
    assert (kept[0].text == LEFT_OUT) == (len(places) < len(said))


def test_the_target_is_below_what_overflowed_and_below_the_window() -> None:
    route = CATALOG.route(task="reason")
    small = request(*turn(1), user(PASSAGES))
    assert compute_target(small, route) <= 0.6 * tokens(small.messages)
    huge = request(user("word " * 4_000_000), user(PASSAGES))
    window = max(link.model.context_tokens for link in route.links)
    assert compute_target(huge, route) < window


class Telling(World):
    """A gateway that compacts."""

    def __init__(self, *args: Any, **fields: Any) -> None:
        super().__init__(*args, **fields)
        self.telemetry = MemoryTelemetry()
        self.chat = CompactingChat(self.gateway, CATALOG, self.telemetry)

    def ask(self, asked: ChatRequest) -> ChatReply:
        return self.chat.complete(asked, deadline=self.clock.now + 300)

    @property
    def outcomes(self) -> list[str]:
        return [each.dimensions["outcome"] for each in self.telemetry.counts]


def overflow(usage: Usage | None = None) -> ProviderFailure:
    return ProviderFailure(Outcome.CONTEXT_OVERFLOW, "BadRequestError 400", usage=usage)


LONG = request(*turn(1), *turn(2), *turn(3), user(PASSAGES), model="claude-sonnet-5-5")


def test_after_an_overflow_a_smaller_payload_is_answered_with_a_notice() -> None:
    world = Telling((overflow(), reply("It ends.")))
    answer = world.ask(LONG)
    assert (answer.message.text, answer.notices) == ("It ends.", (COMPACTED,))
    first, second = world.anthropic.sent
    assert estimate_request(second.request) < 0.7 * estimate_request(first.request)
    assert second.request.messages[-1] == LONG.messages[-1]
    assert world.outcomes == ["compacted"]


def test_what_overflowed_is_in_the_replys_usage_and_cost() -> None:
    world = Telling((reply("cut", stop=StopReason.CONTEXT_OVERFLOW), reply("It ends.")))
    answer = world.ask(LONG)
    assert answer.attempts == tuple(world.ledger.all)
    assert answer.cost_nanousd == sum(attempt.cost_nanousd for attempt in world.ledger.all) > 0
    assert answer.usage.input_tokens == 200


def test_what_overflowed_is_among_the_attempts_of_an_outage() -> None:
    down = ProviderFailure(Outcome.OVERLOAD, "529")
    world = Telling((reply("cut", stop=StopReason.CONTEXT_OVERFLOW), down, down))
    with pytest.raises(ModelUnavailable) as caught:
        world.ask(LONG)
    assert caught.value.attempts == tuple(world.ledger.all)
    assert (len(world.ledger.all), caught.value.notices) == (3, (COMPACTED,))


def test_a_second_overflow_is_the_end_of_it() -> None:
    world = Telling((overflow(), overflow()))
    with pytest.raises(ContextOverflow):
        world.ask(LONG)
    assert len(world.anthropic.sent) == 2


def test_no_model_sees_a_payload_that_was_too_large_for_one_with_its_window() -> None:
    asked = LONG.model_copy(update={"model": None})
    world = Telling((overflow(), reply("It ends.")), (overflow(),))
    world.ask(asked)
    sizes = [(sent.model, estimate_request(sent.request)) for sent in (*world.anthropic.sent, *world.openai.sent)]
    assert [name for name, _ in sizes] == [SONNET.name, SONNET.name, "gpt-6.1-sol"]
    assert sizes[1][1] < sizes[0][1] == sizes[2][1]


def test_a_conversation_beyond_every_window_by_estimate_is_compacted_before_it_is_sent() -> None:
    asked = request(user("word " * 1_000_000), assistant("Noted."), user(PASSAGES), model=SONNET.name)
    world = Telling((reply("It ends."),))
    assert world.ask(asked).notices == (COMPACTED,)
    assert len(world.anthropic.sent) == 1


def test_a_question_that_alone_is_too_large_is_a_typed_failure_and_is_not_sent_again() -> None:
    world = Telling((overflow(),))
    with pytest.raises(ContextOverflow):
        world.ask(request(user("word " * 1_000), model=SONNET.name))
    assert world.requests == 1
    assert world.outcomes == ["too_large"]


def test_other_failures_are_not_compacted() -> None:
    world = Telling((ProviderFailure(Outcome.CALLER_ERROR, "BadRequestError 400"),))
    with pytest.raises(PentadError):
        world.ask(LONG)
    assert world.outcomes == []
