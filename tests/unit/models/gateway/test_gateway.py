"""The gateway over scripted providers: order, recovery, deadline, ledger."""

import json
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from pentad.domain.errors import (
    ContextOverflow,
    InvalidInput,
    MalformedReply,
    ModelCallerError,
    ModelThrottled,
    ModelUnavailable,
    PentadError,
    Refused,
    StoreUnavailable,
)
from pentad.domain.models import Attempt, ChatReply, ChatRequest, Outcome, StopReason
from pentad.domain.usage import Usage
from pentad.models.catalog.pricing import cost_of
from pentad.models.gateway.gateway import TRUNCATED, Gateway
from pentad.models.ledger.adapters.ledger_memory import MemoryLedger
from pentad.models.providers.exchange import UNREPORTED, ProviderFailure, ProviderReply
from pentad.models.providers.outcomes import Scope
from pentad.models.structured import checks
from tests.unit.models.samples import (
    ADD,
    CATALOG,
    CONTEXT,
    SCHEMA,
    SONNET,
    Answer,
    Clock,
    ScriptedProvider,
    assistant,
    call,
    reply,
    request,
    user,
)


def failure(outcome: Outcome, *, retry_after: float | None = None, scope: Scope = "model") -> ProviderFailure:
    return ProviderFailure(outcome, f"Error {outcome}", retry_after=retry_after, scope=scope)


CLOSED = ADD.model_copy(update={"input_schema": {**ADD.input_schema, "additionalProperties": False}})


class World:
    """A gateway with two scripted providers and its own time."""

    def __init__(
        self, anthropic: tuple[Answer, ...] = (), openai: tuple[Answer, ...] = (), *, seconds: float = 1.0
    ) -> None:
        numbers = count(1)
        self.clock = Clock()
        self.anthropic = ScriptedProvider(self.clock, *anthropic, seconds=seconds)
        self.openai = ScriptedProvider(self.clock, *openai, seconds=seconds)
        self.ledger = MemoryLedger()
        self.gateway = Gateway(
            {"anthropic": self.anthropic, "openai": self.openai},
            CATALOG,
            self.ledger,
            clock=self.clock,
            sleep=self.clock.sleep,
            random=lambda: 0.5,
            ids=lambda prefix, _: f"{prefix}_{next(numbers):04d}",
        )

    def complete(self, asked: ChatRequest | None = None, seconds: float = 300) -> ChatReply:
        return self.gateway.complete(asked or request(), deadline=self.clock.now + seconds)

    @property
    def seen(self) -> list[tuple[str, Outcome]]:
        return [(attempt.model, attempt.outcome) for attempt in self.ledger.all]

    @property
    def requests(self) -> int:
        return len(self.anthropic.sent) + len(self.openai.sent)


SONNET_NAME, GPT_NAME, HAIKU_NAME = "claude-sonnet-5-5", "gpt-6.1-sol", "claude-haiku-5-5"
OVERLOAD = Outcome.OVERLOAD


def test_a_plain_answer_is_one_attempt_with_its_exact_cost() -> None:
    world = World((reply("Hi."),))
    answer = world.complete()
    assert (answer.message.text, answer.provider, answer.model) == ("Hi.", "anthropic", SONNET_NAME)
    assert answer.notices == ()
    # 100 input tokens at $2 and 10 output tokens at $10 a million.
    assert answer.cost_nanousd == 300_000
    assert world.ledger.all == list(answer.attempts)
    assert answer.attempts[0].context == CONTEXT


def test_the_message_id_is_derived_from_run_and_step() -> None:
    answer = World((reply("Hi."),)).complete()
    assert answer.message.message_id == f"msg_{CONTEXT.run_id}_3"
    assert (answer.message.run_id, answer.message.step) == (CONTEXT.run_id, 3)


def test_a_call_outside_a_run_gets_a_new_message_id() -> None:
    context = CONTEXT.model_copy(update={"run_id": None, "step": None})
    answer = World((reply("Hi."),)).complete(request().model_copy(update={"context": context}))
    assert answer.message.message_id.startswith("msg_0")


@pytest.mark.parametrize("outcome", [Outcome.RATE_LIMIT, OVERLOAD, Outcome.CONNECTION])
def test_a_transient_fault_is_retried_once_after_a_backoff(outcome: Outcome) -> None:
    world = World((failure(outcome), reply("Hi.")))
    answer = world.complete()
    assert answer.notices == ()
    assert world.clock.slept == [0.25]
    assert world.seen == [(SONNET_NAME, outcome), (SONNET_NAME, Outcome.OK)]


def test_a_timeout_goes_to_the_next_link_at_once() -> None:
    world = World((failure(Outcome.TIMEOUT),), (reply("Hi."),))
    assert world.complete().model == GPT_NAME
    assert world.clock.slept == []
    assert world.seen == [(SONNET_NAME, Outcome.TIMEOUT), (GPT_NAME, Outcome.OK)]


def test_a_model_that_needs_15_of_the_doors_26_seconds_is_given_them() -> None:
    world = World((reply("Hi."),))
    world.complete(seconds=26)
    assert world.anthropic.sent[0].timeout == 19.5  # a quarter is kept for the links behind it


def test_models_that_are_all_too_slow_for_the_door_are_asked_while_there_is_time_for_an_answer() -> None:
    """Not once more with a second or two: that is paid for and answers nobody."""

    def too_slow(sent: object) -> ProviderReply:
        world.clock.now += sent.timeout - 1.0  # type: ignore[attr-defined]
        raise failure(Outcome.TIMEOUT)

    world = World((too_slow,), (too_slow,))
    with pytest.raises(ModelUnavailable):
        world.complete(seconds=26)
    assert [sent.timeout for sent in (*world.anthropic.sent, *world.openai.sent)] == [19.5, 6.5]


def test_a_link_gets_what_its_longest_reply_needs_and_the_last_one_all_there_is() -> None:
    fast = request(task="classify")  # 2,000 tokens: 45 s at 50 a second
    world = World((failure(Outcome.TIMEOUT),), (reply('{"a": 1}'),))
    world.complete(fast)
    assert world.anthropic.sent[0].timeout == 45
    assert world.openai.sent[0].timeout == 299


def make_hanging(chain: str, times: int = 1) -> World:
    """A world in which the links that are marked with ``h`` have no answer in their time, each turn anew."""

    def hang(sent: object) -> ProviderReply:
        world.clock.now += sent.timeout - 1.0  # type: ignore[attr-defined]
        raise failure(Outcome.TIMEOUT)

    sonnet, gpt, haiku = ([hang] if link == "h" else [reply("Hi.")] if link == "r" else [] for link in chain)
    world = World((*sonnet, *haiku) * times, (*gpt,) * times)
    return world


def test_a_primary_that_hangs_holds_a_turn_as_long_as_a_long_reply_takes_and_no_longer() -> None:
    """Its cap of 16,000 tokens would be 325 s: 221 of the turn's 295."""
    world = make_hanging("hr-")
    answer = world.complete(seconds=295)
    assert (answer.model, answer.notices) == (
        GPT_NAME,
        ("GPT-6.1 Sol answered because the primary model was unavailable.",),
    )
    assert [sent.timeout for sent in (*world.anthropic.sent, *world.openai.sent)] == [85, 85]
    assert world.seen == [(SONNET_NAME, Outcome.TIMEOUT), (GPT_NAME, Outcome.OK)]


def test_a_chain_that_hangs_is_asked_once_a_link_and_the_last_one_has_the_rest() -> None:
    world = make_hanging("hhh")
    with pytest.raises(ModelUnavailable):
        world.complete(seconds=295)
    first, last = world.anthropic.sent
    assert [first.timeout, world.openai.sent[0].timeout, last.timeout] == [85, 85, 125]
    assert [model for model, _ in world.seen] == [SONNET_NAME, GPT_NAME, HAIKU_NAME]


def test_who_was_cut_once_has_twice_the_time_and_never_more_than_three_quarters() -> None:
    world = make_hanging("hr-", times=3)
    for _ in range(3):
        world.complete(seconds=295)
    assert [sent.timeout for sent in world.anthropic.sent] == [85, 175, 221.25]


def test_the_time_follows_the_speed_that_was_measured() -> None:
    """500 tokens in 2 s are 250 a second: 2,000 take 8 s, and 5 are kept for the first."""
    usage = Usage(input_tokens=9, output_tokens=500)
    world = World(tuple(reply(f"word {n}", usage=usage) for n in range(4)), seconds=2.0)
    for _ in range(4):
        world.complete(request(task="classify"))
    assert [sent.timeout for sent in world.anthropic.sent] == [45, 45, 45, 13]


def test_what_every_link_answers_with_429_is_429_with_the_earliest_time() -> None:
    limits = [failure(Outcome.RATE_LIMIT, retry_after=seconds) for seconds in (900, 400)]
    unsaid = failure(Outcome.RATE_LIMIT)
    world = World((limits[0], unsaid, unsaid), (limits[1],))
    with pytest.raises(ModelThrottled) as caught:
        world.complete()
    assert caught.value.retry_after == 400
    assert len(caught.value.attempts) == world.requests


def test_one_link_that_was_down_among_429s_is_no_429() -> None:
    limited = failure(Outcome.RATE_LIMIT, retry_after=900)
    world = World((limited, limited), (failure(OVERLOAD), failure(OVERLOAD)))
    with pytest.raises(ModelUnavailable):
        world.complete()


def test_why_no_reply_was_usable_is_told_without_the_models_words() -> None:
    wrong = reply(call(a="a secret word"))
    world = World((wrong,) * 4, (wrong,) * 2)
    with pytest.raises(MalformedReply) as caught:
        world.complete(request(tools=(ADD,)))
    assert "the arguments of 'add' don't fit its schema at $.a (type)" in caught.value.message
    assert "secret" not in caught.value.message
    assert all("$.a (type)" in (each.error or "") and "secret" not in (each.error or "") for each in world.ledger.all)


def test_a_reply_that_the_checks_stumble_over_is_paid_for_and_the_next_link_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = [RecursionError()]

    def stumble(*_: object) -> tuple[checks.ReplyProblem, ...]:
        if found:
            raise found.pop()
        return ()

    monkeypatch.setattr(checks, "diagnose_reply", stumble)
    world = World((reply("x"),), (reply("Hi."),))
    assert world.complete().model == GPT_NAME
    assert [each.outcome for each in world.ledger.all] == [Outcome.FAULT, Outcome.OK]
    assert world.ledger.all[0].cost_nanousd > 0


def test_after_two_faults_the_other_provider_answers_with_a_notice() -> None:
    world = World((failure(OVERLOAD), failure(OVERLOAD)), (reply("Hi."),))
    answer = world.complete()
    assert answer.provider == "openai"
    assert answer.notices == ("GPT-6.1 Sol answered because the primary model was unavailable.",)
    assert [attempt.link for attempt in answer.attempts] == [0, 0, 1]
    assert [attempt.number for attempt in answer.attempts] == [1, 2, 3]


def test_the_small_model_is_the_last_to_answer() -> None:
    down = (failure(OVERLOAD), failure(OVERLOAD))
    world = World((*down, reply("Hi.")), down)
    assert world.complete().model == HAIKU_NAME


def test_with_every_link_down_the_error_has_the_attempts_with_their_outcomes() -> None:
    world = World((failure(OVERLOAD),) * 4, (failure(OVERLOAD),) * 2)
    with pytest.raises(ModelUnavailable) as caught:
        world.complete()
    assert caught.value.attempts == tuple(world.ledger.all)
    assert {attempt.outcome for attempt in caught.value.attempts} == {OVERLOAD}
    assert world.requests == len(world.ledger.all) == 6


def test_retry_after_is_honoured_where_it_fits() -> None:
    world = World((failure(Outcome.RATE_LIMIT, retry_after=7), reply("Hi.")))
    assert world.complete().provider == "anthropic"
    assert world.clock.slept == [7]


def test_a_retry_after_beyond_the_deadline_goes_to_the_next_link_at_once() -> None:
    world = World((failure(Outcome.RATE_LIMIT, retry_after=1e9),), (reply("Hi."),))
    assert world.complete().provider == "openai"
    assert world.clock.slept == []


def test_no_request_is_sent_past_the_deadline() -> None:
    world = World()
    with pytest.raises(ModelUnavailable):
        world.complete(seconds=0.5)
    assert world.requests == 0


def test_the_deadline_is_kept_with_every_provider_hanging() -> None:
    def hang(world: World) -> Callable[..., object]:
        def answer(sent: object) -> object:
            world.clock.now += sent.timeout  # type: ignore[attr-defined]
            raise failure(Outcome.TIMEOUT)

        return answer

    world = World(seconds=0)
    for provider in (world.anthropic, world.openai):
        provider._answers.extend([hang(world)] * 6)  # type: ignore[list-item]
    start = world.clock.now
    with pytest.raises(ModelUnavailable):
        world.complete(seconds=60)
    assert world.clock.now <= start + 60
    assert {attempt.model for attempt in world.ledger.all} == {SONNET_NAME, GPT_NAME, HAIKU_NAME}


def test_a_refused_credential_goes_to_the_other_provider_and_skips_its_siblings() -> None:
    refused = failure(Outcome.AUTHENTICATION, scope="provider")
    world = World((refused,), (failure(OVERLOAD), failure(OVERLOAD)))
    with pytest.raises(ModelUnavailable):
        world.complete()
    assert [model for model, _ in world.seen] == [SONNET_NAME, GPT_NAME, GPT_NAME]


def test_a_retired_model_leaves_its_siblings_in_the_chain() -> None:
    down = (failure(OVERLOAD), failure(OVERLOAD))
    world = World((failure(Outcome.AUTHENTICATION), reply("Hi.")), down)
    assert world.complete().model == HAIKU_NAME


def test_a_missing_credential_is_no_attempt() -> None:
    missing = ProviderFailure(Outcome.AUTHENTICATION, "none", scope="provider", sent=False)
    world = World((missing,), (reply("Hi."),))
    assert world.complete().provider == "openai"
    assert world.seen == [(GPT_NAME, Outcome.OK)]


def test_a_callers_error_fails_at_once() -> None:
    world = World((failure(Outcome.CALLER_ERROR),))
    with pytest.raises(ModelCallerError):
        world.complete()
    assert world.seen == [(SONNET_NAME, Outcome.CALLER_ERROR)]


def test_a_refusal_is_not_asked_of_the_same_model_again() -> None:
    world = World((reply(stop=StopReason.REFUSAL),), (reply("Hi."),))
    answer = world.complete()
    assert answer.notices == ("GPT-6.1 Sol answered because the primary model declined.",)
    assert world.seen == [(SONNET_NAME, Outcome.REFUSAL), (GPT_NAME, Outcome.OK)]


def test_a_refusal_of_all_is_an_error() -> None:
    refusal = reply(stop=StopReason.REFUSAL)
    with pytest.raises(Refused):
        World((refusal, refusal), (refusal,)).complete()


def test_an_overflow_never_goes_to_a_smaller_window() -> None:
    overflow = failure(Outcome.CONTEXT_OVERFLOW)
    world = World((overflow,), (overflow,))
    with pytest.raises(ContextOverflow):
        world.complete()
    assert [model for model, _ in world.seen] == [SONNET_NAME, GPT_NAME]  # 1,000,000, then 1,050,000 tokens


def test_a_bad_tool_call_is_repaired_once_and_the_model_is_told_why() -> None:
    world = World((reply(call(a=1)), reply(call())))
    answer = world.complete(request(tools=(ADD,)))
    assert answer.message.tool_calls[0].arguments == {"a": 1, "b": 2}
    note = world.anthropic.sent[1].request.messages[-1].text
    assert "'b' is a required property" in note
    assert world.seen == [(SONNET_NAME, Outcome.MALFORMED), (SONNET_NAME, Outcome.OK)]
    assert answer.usage.total_tokens == 220  # both were billed


def test_a_second_bad_reply_goes_to_the_next_link_with_the_request_as_it_was() -> None:
    world = World((reply(call(a=1)), reply(call(a=1))), (reply(call()),))
    assert world.complete(request(tools=(ADD,))).provider == "openai"
    assert len(world.openai.sent[0].request.messages) == 1


def test_bad_replies_of_all_are_an_error_after_one_repair_in_all() -> None:
    bad = reply(call(tool="nothing"))
    world = World((bad,) * 2, (bad,))
    with pytest.raises(MalformedReply, match="no model gave a usable reply: a call of a tool that does not exist"):
        world.complete(request(tools=(ADD,)))
    assert world.seen == [(SONNET_NAME, Outcome.MALFORMED)] * 2 + [(GPT_NAME, Outcome.MALFORMED)]


@pytest.mark.parametrize("arguments", [{"a": "1", "b": 2.0}, {"a": 1, "b": "2", "c": None}, {"a": " 1 ", "b": "2.0"}])
def test_arguments_of_another_form_cost_no_second_request(arguments: dict[str, Any]) -> None:
    world = World((reply(call(**arguments)),))
    answer = world.complete(request(tools=(CLOSED,)))
    assert answer.message.tool_calls[0].arguments == {"a": 1, "b": 2}
    assert world.seen == [(SONNET_NAME, Outcome.OK)]


def test_a_value_of_another_form_is_given_in_the_schemas_own() -> None:
    for text in ('{"answer": "42"}', '```json\n{"answer": 42}\n```', ' {"answer": "42.0"} '):
        world = World((reply(text),))
        assert json.loads(world.complete(request(output_schema=SCHEMA)).message.text) == {"answer": 42}
        assert len(world.seen) == 1


def test_what_was_no_reply_at_all_is_asked_again_without_a_note() -> None:
    world = World((failure(Outcome.MALFORMED), reply("Hi.")))
    assert world.complete().message.text == "Hi."
    assert len(world.anthropic.sent[1].request.messages) == 1


def test_replies_that_break_off_everywhere_are_asked_for_again_once_in_a_call() -> None:
    gone = failure(Outcome.MALFORMED)
    world = World((gone, gone, gone), (gone,))
    with pytest.raises(MalformedReply):
        world.complete()
    assert [name for name, _ in world.seen] == [SONNET_NAME, SONNET_NAME, GPT_NAME, HAIKU_NAME]


def test_a_reply_that_broke_off_leaves_the_one_repair() -> None:
    gone, bad = failure(Outcome.MALFORMED), reply(call(tool="nothing"))
    world = World((gone, gone), (bad, reply(call())))
    assert world.complete(request(tools=(ADD,))).provider == "openai"
    assert (world.anthropic.unused, world.openai.unused) == (0, 0)


def test_structured_output_is_validated_and_repaired() -> None:
    world = World((reply('{"answer": "x"}'), reply('{"answer": 42}')))
    assert world.complete(request(output_schema=SCHEMA)).message.text == '{"answer": 42}'


def test_a_truncated_reply_is_asked_again_with_a_larger_cap() -> None:
    world = World((reply("Hal", stop=StopReason.MAX_TOKENS), reply("Half and whole.")))
    answer = world.complete()
    assert answer.message.text == "Half and whole."
    assert [sent.max_output_tokens for sent in world.anthropic.sent] == [16_000, 64_000]


def test_a_text_that_stays_truncated_is_given_with_a_notice() -> None:
    cut = reply("Hal", stop=StopReason.MAX_TOKENS)
    answer = World((cut, cut)).complete()
    assert (answer.stop, answer.notices) == (StopReason.MAX_TOKENS, (TRUNCATED,))


def test_the_callers_own_cap_is_kept() -> None:
    world = World((reply("Hal", stop=StopReason.MAX_TOKENS),))
    assert world.complete(request(max_output_tokens=20)).stop is StopReason.MAX_TOKENS
    assert [sent.max_output_tokens for sent in world.anthropic.sent] == [20]


@pytest.mark.parametrize("asked", [request(tools=(ADD,)), request(output_schema=SCHEMA)])
def test_truncated_tool_calls_and_structured_output_never_leave(asked: ChatRequest) -> None:
    cut = reply('{"answer"', *((call(),) if asked.tools else ()), stop=StopReason.MAX_TOKENS)
    with pytest.raises(MalformedReply):
        World((cut, cut)).complete(asked)


def test_usage_that_was_not_reported_is_estimated_and_noted() -> None:
    world = World((reply("Hi.", usage=None),))
    answer = world.complete(request(user("x" * 3_500)))
    assert answer.usage.input_tokens > 1_000
    assert answer.cost_nanousd == cost_of(SONNET, answer.usage) > 0
    assert answer.attempts[0].error == UNREPORTED


def test_tokens_of_failed_attempts_are_billed() -> None:
    broken = ProviderFailure(OVERLOAD, "200 with status failed", usage=Usage(input_tokens=1_000))
    answer = World((broken, reply("Hi."))).complete()
    assert [attempt.cost_nanousd for attempt in answer.attempts] == [2_000_000, 300_000]
    assert answer.cost_nanousd == 2_300_000


def test_a_ledger_that_does_not_answer_stops_the_call() -> None:
    class Down(MemoryLedger):
        def record(self, attempt: Attempt) -> None:
            raise StoreUnavailable("the table did not answer")

    world = World((reply("Hi."),))
    gateway = Gateway({"anthropic": world.anthropic}, CATALOG, Down(), clock=world.clock, sleep=world.clock.sleep)
    with pytest.raises(StoreUnavailable):
        gateway.complete(request(), deadline=world.clock.now + 60)


def test_an_attempt_whose_begin_was_written_though_the_ledger_said_no_is_not_left_begun() -> None:
    class Unsure(MemoryLedger):
        def begin(self, attempt: Attempt) -> None:
            super().begin(attempt)
            raise StoreUnavailable("the table did not answer in time")

    world, ledger = World(), Unsure()
    gateway = Gateway({"anthropic": world.anthropic}, CATALOG, ledger, clock=world.clock, sleep=world.clock.sleep)
    with pytest.raises(StoreUnavailable):
        gateway.complete(request(), deadline=world.clock.now + 60)
    assert (ledger.all, world.requests) == ([], 0)


@pytest.mark.parametrize(
    "asked",
    [
        request(task="dream"),
        request(tier="embeddings"),
        request(model="text-embedding-3-small"),
        request(user("q"), assistant("a")),
        request().model_copy(update={"messages": ()}),
    ],
)
def test_a_request_that_cant_be_routed_is_the_callers_error(asked: ChatRequest) -> None:
    world = World()
    with pytest.raises(InvalidInput):
        world.complete(asked)
    assert world.requests == 0


def test_effort_and_cap_of_the_task_reach_the_provider() -> None:
    world = World((reply("yes"),))
    world.complete(request(task="classify"))
    assert (world.anthropic.sent[0].effort, world.anthropic.sent[0].max_output_tokens) == ("low", 2_000)


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.OK])
def test_for_every_outcome_each_request_is_on_the_ledger(outcome: Outcome) -> None:
    world = World((failure(outcome),) * 8, (failure(outcome),) * 4)
    try:
        world.complete()
    except PentadError:
        pass
    assert world.requests == len(world.ledger.all) > 0
