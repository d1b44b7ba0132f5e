"""Whatever an adapter does, what comes out is a reply or a failure, with usage that can be."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from pentad.domain.errors import ModelCallerError, ModelUnavailable, StoreUnavailable
from pentad.domain.messages import TextBlock, ThinkingBlock
from pentad.domain.models import ChatReply, Outcome
from pentad.domain.money import to_nanousd
from pentad.domain.usage import Usage
from pentad.models.breaker.adapters.breaker_memory import MemoryCircuits
from pentad.models.breaker.shared_breaker import SharedBreaker
from pentad.models.budgets.adapters.budgets_memory import MemoryBudget, MemoryBudgetStore
from pentad.models.budgets.budgets import define
from pentad.models.cache.adapters.response_cache_memory import MemoryResponseCache
from pentad.models.catalog.pricing import cost_of
from pentad.models.gateway import guarded
from pentad.models.gateway.compose import compose_chat
from pentad.models.gateway.guarded import CUT_OFF, Guard, GuardedEmbed
from pentad.models.gateway.tokens import estimate_request
from pentad.models.ledger.adapters.ledger_memory import MemoryLedger
from pentad.models.providers.exchange import UNREPORTED, ProviderFailure, ProviderVectors
from pentad.models.structured import checks
from pentad.observability.adapters.memory import MemoryTelemetry
from tests.unit.models.samples import CATALOG, CONTEXT, NOW, SONNET, Answer, Clock, ScriptedProvider, reply, request

EMBEDDER = CATALOG.models["text-embedding-3-small"]


class World:
    """All that a call passes through, over two scripted providers."""

    def __init__(
        self, anthropic: tuple[Answer, ...] = (), openai: tuple[Answer, ...] = (), *, seconds: float = 1.0
    ) -> None:
        self.clock, self.ledger, self.telemetry = Clock(), MemoryLedger(), MemoryTelemetry()
        self.budget = MemoryBudget(MemoryBudgetStore([define("acme", "tenant", "day", limit_nanousd=to_nanousd("5"))]))
        providers = {
            "anthropic": ScriptedProvider(self.clock, *anthropic, seconds=seconds),
            "openai": ScriptedProvider(self.clock, *openai, seconds=seconds),
        }
        self.circuits = MemoryCircuits()
        self.chat = compose_chat(
            providers,
            CATALOG,
            ledger=self.ledger,
            breaker=SharedBreaker(self.circuits, clock=self.clock),
            budget=self.budget,
            replies=MemoryResponseCache(),
            telemetry=self.telemetry,
            clock=self.clock,
            sleep=self.clock.sleep,
            random=lambda: 0.5,
        )

    def complete(self, seconds: float = 300) -> ChatReply:
        return self.chat.complete(request(), deadline=self.clock.now + seconds)

    @property
    def used(self) -> int:
        [standing] = self.budget.get_standings(CONTEXT, NOW)
        return standing.used_nanousd

    @property
    def spent(self) -> int:
        return sum(each.cost_nanousd for each in self.ledger.all)

    @property
    def faults(self) -> list[Any]:
        return [one.fields["error"] for one in self.telemetry.events if one.name == "provider.fault"]

    @property
    def counted(self) -> list[str]:
        return [one.name for one in self.telemetry.counts]


def raise_error(error: Exception) -> Any:
    def fail(*_: object) -> Any:
        raise error

    return fail


def test_an_exception_that_nobody_expected_lets_the_next_link_answer() -> None:
    world = World((raise_error(AssertionError("the user's word")),), (reply("Hi"),))
    assert world.complete().model == "gpt-6.1-sol"
    fault = world.ledger.all[0]
    assert (fault.outcome, fault.cost_nanousd, fault.is_estimated) == (Outcome.FAULT, 0, False)
    assert (fault.error or "").startswith("AssertionError at test_guarded.py:")
    assert world.used == world.spent
    assert world.faults == [fault.error]
    assert "word" not in repr(world.telemetry.events)
    assert not any(circuit.failures or circuit.open_until for circuit in world.circuits.get_all().values())


def test_a_request_that_no_adapter_can_put_into_form_is_the_callers_and_holds_nothing() -> None:
    broken = (raise_error(KeyError("x")),) * 2
    world = World(broken, broken)
    with pytest.raises(ModelCallerError):
        world.complete()
    assert (world.used, {each.outcome for each in world.ledger.all}) == (0, {Outcome.FAULT})


def test_a_fault_with_a_reply_at_hand_is_booked_by_an_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded, "estimate_usage", raise_error(OverflowError()))
    world = World((reply("Hello", usage=None),), (reply("Hi"),))
    world.complete()
    fault = world.ledger.all[0]
    assert (fault.outcome, fault.is_estimated) == (Outcome.FAULT, True)
    assert fault.cost_nanousd > 0 and world.used == world.spent


def test_a_fault_in_reading_a_reply_is_told_of() -> None:
    world = World((ProviderFailure(Outcome.FAULT, "KeyError at wire.py:9", worked=True),), (reply("Hi"),))
    world.complete()
    assert world.faults == [f"KeyError at wire.py:9; {CUT_OFF}"]


def test_a_fault_in_checking_a_reply_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "diagnose_reply", raise_error(RecursionError()))
    world = World((reply("Hi"),) * 2, (reply("Hi"),))
    with pytest.raises(ModelCallerError):
        world.complete()
    assert world.faults == [each.error for each in world.ledger.all]
    assert all(told.startswith("RecursionError at test_guarded.py:") for told in world.faults)


def test_a_store_that_does_not_answer_is_no_fault() -> None:
    world = World((raise_error(StoreUnavailable("down")),))
    with pytest.raises(StoreUnavailable):
        world.complete()
    assert (world.used, world.faults) == (0, [])


def test_a_request_that_timed_out_is_booked_at_what_was_written_by_then_and_marked() -> None:
    """20 s at 50 tokens a second are 1,000."""
    slow = ProviderFailure(Outcome.TIMEOUT, "ReadTimeout", worked=True)
    world = World((slow,), (reply("Hi"),), seconds=20)
    world.complete()
    cut = world.ledger.all[0]
    written = Usage(input_tokens=estimate_request(request(), factor=SONNET.token_factor), output_tokens=1_000)
    assert (cut.usage, cut.is_estimated, cut.error) == (written, True, f"ReadTimeout; {CUT_OFF}")
    assert cut.cost_nanousd == cost_of(SONNET, written)
    assert world.used == world.spent > cut.cost_nanousd


def test_an_estimate_is_no_more_than_the_cap() -> None:
    slow = ProviderFailure(Outcome.TIMEOUT, "ReadTimeout", worked=True)
    world = World((slow,), (reply("Hi"),), seconds=20)
    world.chat.complete(request(max_output_tokens=300), deadline=world.clock.now + 300)
    assert world.ledger.all[0].usage.output_tokens == 300


def test_what_never_got_there_costs_nothing() -> None:
    refused = ProviderFailure(Outcome.CONNECTION, "ConnectError")
    world = World((refused, refused, refused, refused), (refused, refused))
    with pytest.raises(ModelUnavailable):
        world.complete()
    assert world.used == world.spent == 0


def test_tokens_that_a_cut_reply_came_with_are_no_estimate() -> None:
    told = ProviderFailure(Outcome.MALFORMED, "broke off", usage=Usage(input_tokens=7, output_tokens=3), worked=True)
    world = World((told,) * 2, (reply("Hi"),))
    world.complete()
    assert [(each.usage.total_tokens, each.is_estimated) for each in world.ledger.all][:2] == [(10, False)] * 2


@pytest.mark.parametrize(
    ("usage", "estimated", "why"),
    [
        (Usage(input_tokens=3_000_000, output_tokens=3), "", "3000000 tokens in, and the window has 1000000"),
        (Usage(input_tokens=3, output_tokens=10**8), "", "can't write so many"),
        (None, "the reported usage is absurd: output_tokens is -5", "output_tokens is -5"),
        (None, "", UNREPORTED),
        (Usage(), "", UNREPORTED),
        (Usage(input_tokens=30), "", UNREPORTED),
        (Usage(output_tokens=3), "", UNREPORTED),
    ],
)
def test_usage_that_no_request_can_have_is_estimated_and_told(usage: Usage | None, estimated: str, why: str) -> None:
    world = World((reply("Hello there", usage=usage, estimated=estimated),))
    answer = world.complete()
    [attempt] = world.ledger.all
    assert 0 < answer.usage.total_tokens < 100
    assert attempt.is_estimated
    assert why in (attempt.error or "")
    assert world.used == world.spent == answer.cost_nanousd > 0
    assert ("UsageAbsurd" in world.counted) is (why is not UNREPORTED)


def test_absurd_usage_of_a_reply_that_broke_off_is_estimated_too() -> None:
    gone = ProviderFailure(Outcome.MALFORMED, "broke off", usage=Usage(input_tokens=5, output_tokens=900_000_000))
    world = World((gone, reply("Hi.")))
    world.complete()
    first = world.ledger.all[0]
    assert first.is_estimated and "can't write so many" in (first.error or "")
    assert first.usage.total_tokens < 1_000 and world.used == world.spent
    assert "UsageAbsurd" in world.counted


def test_an_estimate_counts_all_that_came_by_the_models_tokenizer() -> None:
    """1,400 characters at 3.5 a token are 400, and SONNET's tokenizer makes 500 of them."""
    thought = ThinkingBlock(text="t" * 700, provider="anthropic")
    world = World((replace(reply("x" * 700, usage=None), blocks=(thought, TextBlock(text="x" * 700))),))
    assert world.complete().usage.output_tokens == 400 * SONNET.token_factor == 500


@pytest.mark.parametrize("usage", [None, Usage(input_tokens=10**9)])
def test_an_estimate_of_embeddings_is_by_the_models_tokenizer_too(usage: Usage | None) -> None:
    denser = EMBEDDER.model_copy(update={"token_factor": 2.0})
    found = GuardedEmbed(Embedding(usage), Guard(MemoryTelemetry())).send(denser, ["x" * 350], dimensions=1, timeout=5)
    assert found.usage == Usage(input_tokens=200)


class Embedding:
    def __init__(self, usage: Usage | None) -> None:
        self.usage = usage

    def send(self, model: Any, texts: Sequence[str], *, dimensions: int, timeout: float) -> ProviderVectors:
        return ProviderVectors(tuple((1.0,) for _ in texts), self.usage)


@pytest.mark.parametrize(("tokens", "absurd"), [(40_000, False), (10**7, True)])
def test_a_batch_of_texts_may_have_more_tokens_than_one_window(tokens: int, absurd: bool) -> None:
    guard = Guard(MemoryTelemetry(), clock=time.time)
    sender = GuardedEmbed(Embedding(Usage(input_tokens=tokens)), guard)
    found = sender.send(EMBEDDER, ["word"] * 10, dimensions=1, timeout=5)
    assert bool(found.estimated) is absurd
