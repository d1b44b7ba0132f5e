"""Budgets around the gateway: worst case held, cost settled, the fast tier near the limit, refusal over it."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentad.domain.errors import (
    BudgetExceeded,
    ConfigurationError,
    ModelCallerError,
    ModelThrottled,
    ModelUnavailable,
    StoreUnavailable,
)
from pentad.domain.models import CallContext, ChatReply, ChatRequest, Outcome, StopReason
from pentad.domain.money import to_nanousd
from pentad.domain.usage import Usage
from pentad.models.budgets.adapters.budgets_memory import MemoryBudget, MemoryBudgetStore
from pentad.models.budgets.budgets import Reservation, define
from pentad.models.catalog.catalog import ModelEntry, parse
from pentad.models.catalog.pricing import cost_of, worst_case
from pentad.models.gateway.budgeted import BudgetedChat, BudgetedEmbedder, BudgetedProvider, Meter
from pentad.models.gateway.embeddings import EmbeddingGateway
from pentad.models.gateway.gateway import Gateway
from pentad.models.gateway.tokens import estimate_request
from pentad.models.ledger.adapters.ledger_memory import MemoryLedger
from pentad.models.providers.exchange import ProviderFailure, ProviderVectors
from pentad.observability.adapters.memory import MemoryTelemetry
from tests.unit.models.samples import (
    ADD,
    CATALOG,
    CONTEXT,
    GPT,
    HAIKU,
    LUNA,
    NOW,
    SCHEMA,
    SONNET,
    Answer,
    Clock,
    ScriptedProvider,
    call,
    reply,
    request,
    user,
)

CAP = 16_000  # of the task "reason"


def most(model: ModelEntry, asked: ChatRequest | None = None, cap: int = CAP) -> int:
    return worst_case(model, estimate_request(asked or request(), factor=model.token_factor), cap)


class World:
    """A gateway behind budgets, with scripted providers and its own time."""

    def __init__(self, anthropic: tuple[Answer, ...] = (), openai: tuple[Answer, ...] = ()) -> None:
        self.clock, self.ledger, self.telemetry = Clock(), MemoryLedger(), MemoryTelemetry()
        self.store = MemoryBudgetStore()
        self.budget = MemoryBudget(self.store)
        numbers = count(1)
        self.meter = Meter(
            self.budget, self.telemetry, clock=self.clock, ids=lambda prefix, _: f"{prefix}_{next(numbers)}"
        )
        self.anthropic = ScriptedProvider(self.clock, *anthropic)
        self.openai = ScriptedProvider(self.clock, *openai)
        providers = {
            "anthropic": BudgetedProvider(self.anthropic, self.meter),
            "openai": BudgetedProvider(self.openai, self.meter),
        }
        gateway = Gateway(providers, CATALOG, self.ledger, clock=self.clock, sleep=self.clock.sleep, random=lambda: 0.5)
        self.chat = BudgetedChat(gateway, self.meter, CATALOG, providers.keys())

    def limit(self, nanodollars: int, **fields: Any) -> None:
        self.store.put(define("acme", "tenant", "day", limit_nanousd=nanodollars, **fields))

    def complete(self, asked: ChatRequest | None = None) -> ChatReply:
        return self.chat.complete(asked or request(), deadline=self.clock.now + 300)

    @property
    def used(self) -> int:
        [standing] = self.budget.get_standings(CONTEXT, NOW)
        return standing.used_nanousd

    @property
    def models(self) -> list[str]:
        return [sent.model for sent in (*self.anthropic.sent, *self.openai.sent)]


def failure(outcome: Outcome, **fields: Any) -> ProviderFailure:
    return ProviderFailure(outcome, f"Error {outcome}", **fields)


def test_what_a_call_cost_is_what_is_used() -> None:
    world = World((reply("Hi"),))
    world.limit(to_nanousd("5"))
    answer = world.complete()
    assert world.used == answer.cost_nanousd == cost_of(SONNET, Usage(input_tokens=100, output_tokens=10))
    assert answer.notices == ()


def test_the_worst_case_is_held_while_the_model_writes() -> None:
    seen: list[int] = []
    world = World()

    def look(_: object) -> Any:
        seen.append(world.used)
        return reply("Hi")

    world.anthropic._answers.append(look)
    world.limit(to_nanousd("5"))
    world.complete()
    assert seen == [most(SONNET)]


@pytest.mark.parametrize(
    "outcome", [Outcome.OVERLOAD, Outcome.RATE_LIMIT, Outcome.TIMEOUT, Outcome.CONNECTION, Outcome.AUTHENTICATION]
)
def test_a_failure_is_refunded(outcome: Outcome) -> None:
    failures = tuple(failure(outcome) for _ in range(9))
    world = World(failures, failures)
    world.limit(to_nanousd("5"))
    with pytest.raises((ModelUnavailable, ModelThrottled)):
        world.complete()
    assert world.used == sum(each.cost_nanousd for each in world.ledger.all) == 0


@pytest.mark.parametrize("error", [AssertionError("no way"), KeyError("word"), RecursionError(), KeyboardInterrupt()])
def test_what_nobody_expected_gives_back_what_was_held_and_marks_the_attempt(error: BaseException) -> None:
    """31 such calls would block a budget of 5 dollars without one request."""

    def fail(_: object) -> Any:
        raise error

    world = World((fail,))
    world.limit(to_nanousd("5"))
    with pytest.raises(type(error)):
        world.complete()
    assert world.used == 0
    [attempt] = world.ledger.all
    assert (attempt.outcome, attempt.cost_nanousd) == (Outcome.FAULT, 0)
    assert attempt.error is not None
    assert attempt.error.startswith(f"{type(error).__name__} at test_budgeted.py:")


def test_embeddings_that_fail_where_nobody_expected_it_give_back_what_was_held() -> None:
    class Broken:
        def send(self, *_: Any, **__: Any) -> Any:
            raise AssertionError("no way")

    world = World()
    world.limit(to_nanousd("5"))
    with pytest.raises(AssertionError):
        embedder(world, Broken()).embed(["a"], CONTEXT, deadline=world.clock.now + 60)  # type: ignore[arg-type]
    assert world.used == 0
    assert [each.outcome for each in world.ledger.all] == [Outcome.FAULT]


def test_a_budget_that_fails_where_nobody_expected_it_loses_no_reply() -> None:
    world = World((reply("Hi"),))
    world.limit(to_nanousd("5"))

    class Odd(Unreachable):
        def settle(self, reservation: Reservation, actual_nanousd: int) -> None:
            raise ValueError("no way")

    world.meter._budget = Odd(world.budget, reserves=True)
    assert world.complete().message.text == "Hi"
    assert [one.name for one in world.telemetry.counts] == ["BudgetUnsettled"]


def test_a_caller_error_is_refunded() -> None:
    world = World((failure(Outcome.CALLER_ERROR),))
    world.limit(to_nanousd("5"))
    with pytest.raises(ModelCallerError):
        world.complete()
    assert world.used == 0


def test_every_attempt_is_settled_repairs_and_fallbacks_included() -> None:
    wrong = reply(call(a="one"), usage=Usage(input_tokens=50, output_tokens=5))
    refusal = reply("No.", stop=StopReason.REFUSAL, usage=Usage(input_tokens=70, output_tokens=7))
    world = World((wrong, refusal), (reply(call(), usage=None),))
    world.limit(to_nanousd("5"))
    answer = world.complete(request(tools=(ADD,)))
    assert [each.outcome for each in world.ledger.all] == [Outcome.MALFORMED, Outcome.REFUSAL, Outcome.OK]
    assert world.used == answer.cost_nanousd == sum(each.cost_nanousd for each in world.ledger.all) > 0


def test_tokens_that_a_failure_was_billed_for_are_counted() -> None:
    billed = Usage(input_tokens=1_000)
    world = World((failure(Outcome.MALFORMED, usage=billed), reply("Hi")))
    world.limit(to_nanousd("5"))
    world.complete()
    assert world.used == sum(each.cost_nanousd for each in world.ledger.all) > cost_of(SONNET, billed)


def test_near_the_limit_the_fast_tier_answers_with_a_notice() -> None:
    world = World((reply("Hi"),))
    world.limit(to_nanousd("5"), soft=0)
    answer = world.complete()
    assert world.models == ["claude-haiku-5-5"]
    assert "$5.00 a day for tenant acme is nearly used up" in answer.notices[0]
    assert [one.name for one in world.telemetry.counts] == ["BudgetDowngrades"]


def test_an_outage_keeps_the_notice_that_a_smaller_model_was_asked() -> None:
    failures = tuple(failure(Outcome.OVERLOAD) for _ in range(9))
    world = World(failures, failures)
    world.limit(to_nanousd("5"), soft=0)
    with pytest.raises(ModelUnavailable) as caught:
        world.complete()
    assert [each for each in caught.value.notices if "nearly used up" in each] == list(caught.value.notices) != []


def test_where_only_the_fast_tier_can_be_paid_it_answers_and_does_not_say_that_money_was_spent() -> None:
    world = World((reply("Hi"),))
    world.limit(most(SONNET) - 1)
    [notice] = world.complete().notices
    assert "may not cover a request to the larger model just now" in notice
    assert world.models == ["claude-haiku-5-5"]


def test_what_calls_under_way_hold_is_not_spent_and_moves_no_call_to_the_fast_tier() -> None:
    """The soft share is 80 %: of 10 requests' worst case, 9 are held, and little is spent."""
    world = World((reply("Hi"), reply("Hi")))
    world.limit(10 * most(SONNET))
    for number in range(9):
        world.budget.reserve(CONTEXT, most(SONNET), attempt=f"other{number}", now=NOW)
    assert world.complete().notices == ()
    [standing] = world.budget.get_standings(CONTEXT, NOW)
    world.limit(world.used * 2, soft=Decimal(standing.spent_nanousd) / (world.used * 2))
    assert "is nearly used up" in world.complete().notices[0]
    assert world.models == ["claude-sonnet-5-5", "claude-haiku-5-5"]


def test_over_the_limit_nothing_is_sent() -> None:
    world = World()
    world.limit(max(most(HAIKU), most(LUNA)) - 1)
    with pytest.raises(BudgetExceeded) as caught:
        world.complete()
    assert world.models == []
    assert caught.value.resets_at == "2026-11-23T00:00:00Z"
    assert world.ledger.all == []
    assert [one.name for one in world.telemetry.counts] == ["BudgetRefusals"]


def test_a_named_model_is_not_swapped_but_refused() -> None:
    world = World((reply("Hi"),))
    world.limit(to_nanousd("5"), soft=0)
    assert world.complete(request(model="claude-sonnet-5-5")).notices == ()
    world.limit(most(SONNET) - 1)
    with pytest.raises(BudgetExceeded):
        world.complete(request(model="claude-sonnet-5-5"))


def test_a_fallback_that_can_not_be_paid_is_not_sent() -> None:
    world = World((failure(Outcome.MALFORMED, usage=Usage(output_tokens=15_990)),))
    world.limit(most(SONNET) + 1_000, soft=1)
    with pytest.raises(BudgetExceeded):
        world.complete()
    assert world.models == ["claude-sonnet-5-5"]
    assert world.used == world.ledger.all[0].cost_nanousd


def test_an_enlarged_cap_holds_more_or_is_refused() -> None:
    cut = reply("Half", stop=StopReason.MAX_TOKENS, usage=Usage(output_tokens=CAP))
    world = World((cut,))
    world.limit(most(SONNET) + most(SONNET), soft=1)
    with pytest.raises(BudgetExceeded):
        world.complete(request(output_schema=SCHEMA))
    assert len(world.ledger.all) == 1


def test_without_a_budget_nothing_is_counted() -> None:
    world = World((reply("Hi"),))
    world.complete()
    assert world.budget._reservations == {}


class Unreachable:
    """A budget whose store answers until it is to settle, or not at all."""

    def __init__(self, inner: MemoryBudget, *, reserves: bool) -> None:
        self._inner = inner
        self._reserves = reserves

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def reserve(self, context: CallContext, amount_nanousd: int, *, attempt: str, now: datetime) -> Reservation:
        if not self._reserves:
            raise StoreUnavailable("down")
        return self._inner.reserve(context, amount_nanousd, attempt=attempt, now=now)

    def settle(self, reservation: Reservation, actual_nanousd: int) -> None:
        raise StoreUnavailable("down")


def test_a_reply_that_is_paid_for_is_not_lost_where_it_can_not_be_settled() -> None:
    world = World((reply("Hi"),))
    world.limit(to_nanousd("5"))
    world.meter._budget = Unreachable(world.budget, reserves=True)
    assert world.complete().message.text == "Hi"
    assert [one.name for one in world.telemetry.counts] == ["BudgetUnsettled"]
    assert len(world.ledger.all) == 1


def test_what_can_not_be_counted_is_not_sent() -> None:
    world = World()
    world.limit(to_nanousd("5"))
    world.meter._budget = Unreachable(world.budget, reserves=False)
    with pytest.raises(StoreUnavailable):
        world.complete()
    assert world.models == []


def test_a_model_without_prices_never_gets_as_far_as_a_budget() -> None:
    unpriced = """
providers:
  local: {kind: openai_compatible, base_url: http://127.0.0.1:1/v1}
models:
  m: {label: M, provider: local, kind: chat, context_tokens: 1000, output_tokens: 100}
"""
    routing = "tasks: {reason: {tier: primary}}\ntiers: {primary: {chain: [m]}}"
    with pytest.raises(ConfigurationError) as caught:
        parse(unpriced, routing)
    assert "prices" in caught.value.message


class Vectors:
    """Embeds anything; the second batch fails on request."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes)

    def send(self, model: ModelEntry, texts: Sequence[str], *, dimensions: int, timeout: float) -> ProviderVectors:
        outcome = self.outcomes.pop(0) if self.outcomes else Outcome.OK
        if outcome is not Outcome.OK:
            raise failure(outcome)
        return ProviderVectors(tuple((1.0, 0.0) for _ in texts), Usage(input_tokens=len(texts)))


def embedder(world: World, provider: Vectors) -> BudgetedEmbedder:
    def of(providers: Any) -> EmbeddingGateway:
        return EmbeddingGateway(
            providers, CATALOG, world.ledger, clock=world.clock, sleep=world.clock.sleep, random=lambda: 0.5
        )

    return BudgetedEmbedder({"openai": provider}, of, world.meter)


def test_embeddings_are_settled_at_their_cost() -> None:
    world = World()
    world.limit(to_nanousd("5"))
    answer = embedder(world, Vectors()).embed(["a"] * 200, CONTEXT, deadline=world.clock.now + 60)
    assert world.used == answer.cost_nanousd == 200 * 20


def test_batches_before_a_failure_are_paid_for() -> None:
    world = World()
    world.limit(to_nanousd("5"))
    with pytest.raises(ModelCallerError):
        embedder(world, Vectors(Outcome.OK, Outcome.CALLER_ERROR)).embed(
            ["a"] * 200, CONTEXT, deadline=world.clock.now + 60
        )
    assert world.used == sum(each.cost_nanousd for each in world.ledger.all) == 96 * 20


def test_embeddings_over_the_limit_are_refused() -> None:
    world = World()
    world.limit(0)
    with pytest.raises(BudgetExceeded):
        embedder(world, Vectors()).embed(["a"], CONTEXT, deadline=world.clock.now + 60)


_counts = st.integers(min_value=0, max_value=300_000)


@given(
    st.sampled_from([SONNET, HAIKU, GPT, LUNA]),
    st.builds(
        Usage,
        input_tokens=_counts,
        output_tokens=st.integers(min_value=0, max_value=128_000),
        cache_read_tokens=_counts,
        cache_write_5m_tokens=_counts,
        cache_write_1h_tokens=_counts,
    ),
)
def test_no_request_within_estimate_and_cap_costs_more_than_its_worst_case(model: ModelEntry, usage: Usage) -> None:
    tokens_in = usage.total_tokens - usage.output_tokens
    assert cost_of(model, usage) <= worst_case(model, tokens_in, usage.output_tokens)


def test_the_question_is_asked_of_user_and_model() -> None:
    world = World((reply("Hi"),))
    world.store.put(define("acme", "agent", "day", limit_nanousd=to_nanousd("5")))
    world.complete(request(user("Hello")))
    [standing] = world.budget.get_standings(CONTEXT, NOW)
    assert standing.applied.counter.subject == "helper"
    assert standing.used_nanousd > 0
