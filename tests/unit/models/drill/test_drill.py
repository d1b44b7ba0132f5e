"""The drill: what it asks, what counts as broken, what it leaves on ledger, breaker, log and metrics."""

from collections.abc import Sequence

import pytest

from pentad.domain.models import Outcome
from pentad.domain.usage import Usage
from pentad.models.breaker.adapters.breaker_memory import MemoryCircuits
from pentad.models.breaker.circuit import CircuitState
from pentad.models.breaker.shared_breaker import SharedBreaker
from pentad.models.catalog.catalog import ModelEntry
from pentad.models.drill.adapters.drills_memory import MemoryDrills
from pentad.models.drill.drill import TENANT, Drill, plan
from pentad.models.drill.ports import DrillResult
from pentad.models.ledger.adapters.ledger_memory import MemoryLedger
from pentad.models.providers.exchange import ProviderFailure, ProviderVectors
from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.observability.metrics import names
from tests.unit.models.samples import CATALOG, Answer, Clock, ScriptedProvider, reply


class Vectors:
    """A provider of embeddings."""

    def send(self, model: ModelEntry, texts: Sequence[str], *, dimensions: int, timeout: float) -> ProviderVectors:
        return ProviderVectors(((1.0,) * dimensions,), Usage(input_tokens=1))


class World:
    """A drill over two scripted providers."""

    def __init__(self, anthropic: Sequence[Answer], openai: Sequence[Answer], *, seconds: float = 1.0) -> None:
        self.clock = Clock()
        self.ledger, self.log, self.telemetry = MemoryLedger(), MemoryDrills(), MemoryTelemetry()
        self.breaker = SharedBreaker(MemoryCircuits(), clock=self.clock, cache_seconds=0)
        self.anthropic = ScriptedProvider(self.clock, *anthropic, seconds=seconds)
        self.openai = ScriptedProvider(self.clock, *openai, seconds=seconds)
        self.drill = Drill(
            {"anthropic": self.anthropic, "openai": self.openai},
            {"openai": Vectors()},
            CATALOG,
            self.ledger,
            self.breaker,
            self.log,
            self.telemetry,
            clock=self.clock,
        )

    def run(self, seconds: float = 295) -> DrillResult:
        return self.drill(deadline=self.clock.now + seconds)


OK = (reply("ok"), reply("ok"))


def test_the_plan_holds_each_model_of_a_chain_once_with_all_its_places() -> None:
    exercises = plan(CATALOG)
    assert len({one.model.name for one in exercises}) == len(exercises) == 5
    places = [place for one in exercises for place in one.places]
    assert sorted(places) == sorted(
        (tier, link) for tier, entry in CATALOG.tiers.items() for link in range(len(entry.chain))
    )


def test_a_drill_is_on_the_ledger_under_a_name_no_tenant_can_have() -> None:
    world = World(OK, OK)
    assert world.run().broken == ()
    assert {(one.context.tenant_id, one.context.purpose) for one in world.ledger.all} == {(TENANT, "drill")}
    assert len(world.ledger.all) == 5


@pytest.mark.parametrize("outcome", [Outcome.AUTHENTICATION, Outcome.OVERLOAD, Outcome.MALFORMED])
def test_a_link_without_an_answer_is_broken_and_its_metric_is_zero(outcome: Outcome) -> None:
    world = World((ProviderFailure(outcome, f"Error {outcome}"), reply("ok")), OK)
    result = world.run()
    assert {(one.model, one.outcome, one.error) for one in result.broken} == {
        ("claude-sonnet-5-5", outcome, f"Error {outcome}")
    }
    values = {
        count.dimensions["model"]: count.value for count in world.telemetry.counts if count.name == names.DRILL_LINK
    }
    assert values.pop("claude-sonnet-5-5") == 0
    assert set(values.values()) == {1}
    assert list(world.log.results) == [result]


def test_a_link_that_is_not_retried_takes_one_request() -> None:
    world = World((ProviderFailure(Outcome.RATE_LIMIT, "429", retry_after=1), reply("ok")), OK)
    world.run()
    assert len(world.anthropic.sent) == 2
    assert world.clock.slept == []


def test_a_drill_goes_past_an_open_circuit_and_closes_it() -> None:
    world = World(OK, OK)
    name, store = "openai/gpt-6.1-sol", world.breaker._store
    store.put(store.get(name).with_changes(opened_at=world.clock.now, open_until=world.clock.now + 200, trips=1))
    world.run()
    assert world.breaker.look(name).get_state(world.clock.now) is CircuitState.CLOSED


def test_slow_links_leave_time_for_those_behind_them() -> None:
    world = World(OK, OK, seconds=18)
    assert world.run(seconds=100).broken == ()
    assert all(sent.timeout <= 20 for sent in (*world.anthropic.sent, *world.openai.sent))


def test_a_provider_without_an_adapter_is_broken_and_nothing_is_sent() -> None:
    world = World(OK, OK)
    world.drill._chat = {"anthropic": world.anthropic}
    broken = world.run().broken
    assert {(one.provider, one.outcome) for one in broken} == {("openai", None)}
    assert {one.error for one in broken} == {"no adapter for 'openai' is configured"}
