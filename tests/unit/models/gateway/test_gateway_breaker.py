"""The gateway around open circuits: who is asked, what the user is told, what is on the ledger."""

import pytest

from pentad.domain.errors import BudgetExceeded, ModelUnavailable
from pentad.domain.models import Attempt, ChatReply, Outcome
from pentad.models.breaker.adapters.breaker_memory import MemoryCircuits
from pentad.models.breaker.circuit import CircuitState
from pentad.models.breaker.shared_breaker import SharedBreaker
from pentad.models.gateway.gateway import Gateway
from pentad.models.ledger.adapters.ledger_memory import MemoryLedger
from pentad.models.providers.exchange import ProviderFailure
from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.observability.metrics import names
from tests.unit.models.samples import CATALOG, Answer, Clock, ScriptedProvider, Sent, reply, request

SONNET, GPT, HAIKU = "anthropic/claude-sonnet-5-5", "openai/gpt-6.1-sol", "anthropic/claude-haiku-5-5"
ALONE = "GPT-6.1 Sol answered because the primary model is failing."
DOWN = ProviderFailure(Outcome.OVERLOAD, "Error 529")


class World:
    """A gateway with a breaker, two scripted providers and its own time."""

    def __init__(self, anthropic: tuple[Answer, ...] = (), openai: tuple[Answer, ...] = ()) -> None:
        self.clock = Clock()
        self.telemetry = MemoryTelemetry()
        self.breaker = SharedBreaker(MemoryCircuits(), clock=self.clock, telemetry=self.telemetry, cache_seconds=0)
        self.anthropic = ScriptedProvider(self.clock, *anthropic)
        self.openai = ScriptedProvider(self.clock, *openai)
        self.ledger = MemoryLedger()
        self.gateway = Gateway(
            {"anthropic": self.anthropic, "openai": self.openai},
            CATALOG,
            self.ledger,
            clock=self.clock,
            sleep=self.clock.sleep,
            random=lambda: 0.5,
            breaker=self.breaker,
            telemetry=self.telemetry,
        )

    def complete(self) -> ChatReply:
        return self.gateway.complete(request(), deadline=self.clock.now + 300)

    def counted(self, name: str) -> float:
        return sum(count.value for count in self.telemetry.counts if count.name == name)

    def open(self, *circuits: str, seconds: float = 30) -> None:
        store = self.breaker._store
        for name in circuits:
            now = self.clock.now
            store.put(store.get(name).with_changes(opened_at=now, open_until=now + seconds, trips=1, reason="overload"))


def test_an_open_link_is_not_asked_and_not_on_the_ledger_and_the_notice_says_so() -> None:
    world = World(openai=(reply("Hi."),))
    world.open(SONNET)
    answer = world.complete()
    assert (answer.provider, answer.notices) == ("openai", (ALONE,))
    assert [attempt.model for attempt in world.ledger.all] == ["gpt-6.1-sol"]
    assert world.counted(names.MODEL_FALLBACKS) == world.counted(names.BREAKER_SKIPS) == 1


def test_the_failure_that_opens_a_circuit_is_not_retried() -> None:
    world = World((DOWN, DOWN, DOWN, DOWN, DOWN), (reply("1"), reply("2"), reply("3")))
    for _ in range(3):
        assert world.complete().provider == "openai"
    assert len(world.anthropic.sent) == 5
    assert world.counted(names.MODEL_RETRIES) == 2


def test_a_rate_limit_is_waited_out_and_the_retry_is_the_probe() -> None:
    limited = ProviderFailure(Outcome.RATE_LIMIT, "Error 429", retry_after=7)
    world = World((limited, reply("Hi.")))
    answer = world.complete()
    assert (answer.provider, world.clock.slept) == ("anthropic", [7])
    assert world.breaker.look(SONNET).get_state(world.clock.now) is CircuitState.CLOSED


def test_with_all_circuits_open_the_one_that_opens_first_gets_one_attempt() -> None:
    world = World(openai=(reply("Hi."),))
    world.open(SONNET, HAIKU, seconds=200)
    world.open(GPT, seconds=100)
    answer = world.complete()
    assert answer.provider == "openai"
    assert world.breaker.look(GPT).get_state(world.clock.now) is CircuitState.CLOSED


def test_the_last_resort_is_one_request() -> None:
    world = World(openai=(DOWN,))
    world.open(SONNET, HAIKU, seconds=200)
    world.open(GPT, seconds=100)
    with pytest.raises(ModelUnavailable):
        world.complete()
    assert [attempt.outcome for attempt in world.ledger.all] == [Outcome.OVERLOAD]


def test_an_open_link_is_the_last_resort_after_the_others_failed() -> None:
    world = World((reply("Hi."),), (DOWN, DOWN))
    world.open(SONNET, HAIKU)
    world.open(HAIKU, seconds=200)
    answer = world.complete()
    assert (answer.model, answer.notices) == ("claude-sonnet-5-5", ())


def test_what_an_operator_holds_open_is_not_even_the_last_resort() -> None:
    world = World()
    for name in (SONNET, GPT, HAIKU):
        world.breaker.force(name, "open")
    with pytest.raises(ModelUnavailable) as caught:
        world.complete()
    assert (caught.value.attempts, world.ledger.all) == ((), [])


def test_a_request_is_on_the_ledger_before_it_is_sent() -> None:
    seen: list[Attempt] = []

    def look(_: Sent) -> object:
        seen.extend(world.ledger.all)
        return reply("Hi.")

    world = World((look,))  # type: ignore[arg-type]
    world.complete()
    assert [attempt.outcome for attempt in seen] == [Outcome.BEGUN]
    assert [attempt.outcome for attempt in world.ledger.all] == [Outcome.OK]


def test_what_was_not_sent_leaves_nothing_on_the_ledger_and_nothing_with_the_breaker() -> None:
    world = World((ProviderFailure(Outcome.AUTHENTICATION, "no key", scope="provider", sent=False),), (reply("Hi."),))
    world.complete()
    assert [attempt.provider for attempt in world.ledger.all] == ["openai"]
    assert world.breaker.look(SONNET).failures == 0


def test_a_budget_that_refuses_frees_the_probe() -> None:
    def refuse(_: Sent) -> object:
        raise BudgetExceeded("no more")

    world = World((refuse,))  # type: ignore[arg-type]
    world.open(SONNET, seconds=0.001)
    world.clock.now += 1
    try:
        world.complete()
    except BudgetExceeded:
        pass
    assert world.breaker.look(SONNET).probe is None
    assert world.ledger.all == []
