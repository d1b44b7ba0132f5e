"""One tenant's failures are its own: what opens the circuit that all share, and what does not."""

from dataclasses import dataclass, field

import pytest

from pentad.domain.models import Outcome
from pentad.models.breaker.adapters.breaker_memory import MemoryCircuits
from pentad.models.breaker.circuit import CircuitState, Evidence
from pentad.models.breaker.shared_breaker import SharedBreaker
from pentad.models.breaker.tenant_breaker import TenantBreaker, name_own_circuit

NAME = "p/m"
CLOSED, OPEN = CircuitState.CLOSED, CircuitState.OPEN
ALL_DOWN = [Outcome.TIMEOUT, Outcome.RATE_LIMIT, Outcome.OVERLOAD, Outcome.CONNECTION]


@dataclass
class World:
    """A shared breaker, and the calls of tenants."""

    now: float = 1_000_000.0
    breaker: SharedBreaker = field(init=False)

    def __post_init__(self) -> None:
        self.breaker = SharedBreaker(MemoryCircuits(), clock=lambda: self.now, cache_seconds=0)

    def call(self, tenant_id: str, outcome: Outcome | None, *, retry_after: float | None = None) -> bool:
        """Make one call; tell if it was let through."""
        self.now += 1
        one = TenantBreaker(self.breaker, tenant_id)
        admission = one.admit(NAME, seconds=60)
        if admission is None:
            return False
        one.report(NAME, Evidence(outcome, self.now, 60, retry_after, admission.probe))
        return True

    def state(self, tenant_id: str) -> CircuitState:
        return TenantBreaker(self.breaker, tenant_id).look(NAME).get_state(self.now)


@pytest.mark.parametrize("outcome", ALL_DOWN)
def test_one_tenants_failures_open_its_own_circuit_and_no_others(outcome: Outcome) -> None:
    world = World()
    assert [world.call("slow", outcome) for _ in range(20)] == [True] * 5 + [False] * 15
    assert (world.state("slow"), world.state("other")) == (OPEN, CLOSED)
    assert world.call("other", Outcome.OK)


def test_a_rate_limit_that_names_its_end_keeps_only_its_tenant_away() -> None:
    world = World()
    assert world.call("busy", Outcome.RATE_LIMIT, retry_after=120)
    assert not world.call("busy", Outcome.OK)
    assert world.call("other", Outcome.OK)
    world.now += 121
    assert world.call("busy", Outcome.OK)
    assert world.state("busy") is CLOSED


@pytest.mark.parametrize("tenant_ids", [("a", "a", "a", "a", "b"), ("a", "b", "a", "a", "a")])
def test_no_tenant_opens_the_shared_circuit_with_one_failure_of_another(tenant_ids: tuple[str, ...]) -> None:
    world = World()
    for tenant_id in tenant_ids:
        world.call(tenant_id, Outcome.OVERLOAD)
    assert world.state("c") is CLOSED


def test_a_provider_that_fails_for_several_tenants_is_left_alone_by_all() -> None:
    world = World()
    for tenant_id in ("a", "b", "a", "b", "a"):
        assert world.call(tenant_id, Outcome.OVERLOAD)
    assert world.state("c") is OPEN
    assert not world.call("c", Outcome.OK)


def test_timeouts_count_once_for_each_tenant() -> None:
    world = World()
    for tenant_id in ("a", "b", "a", "b", "a", "b", "a", "b"):
        world.call(tenant_id, Outcome.TIMEOUT)
    assert world.state("z") is CLOSED
    for tenant_id in ("c", "d", "e"):
        world.call(tenant_id, Outcome.TIMEOUT)
    assert world.state("z") is OPEN


def test_a_refused_credential_opens_nothing() -> None:
    world = World()
    for tenant_id in ("a", "b", "c", "d", "e", "f") * 3:
        assert world.call(tenant_id, Outcome.AUTHENTICATION)
    assert (world.state("a"), world.state("z")) == (CLOSED, CLOSED)


def test_a_tenants_slow_probe_does_not_keep_the_shared_circuit_open_for_longer() -> None:
    world = World()
    for tenant_id in ("a", "b", "a", "b", "a"):
        world.call(tenant_id, Outcome.OVERLOAD)
    until = world.breaker.look(NAME).open_until
    world.now = until
    assert world.call("slow", Outcome.TIMEOUT)
    assert world.breaker.look(NAME).open_until == until
    assert world.call("other", Outcome.OK)
    assert world.state("z") is CLOSED


def test_a_probe_that_the_tenants_own_circuit_denies_is_anothers() -> None:
    world = World()
    for tenant_id in ("a", "b", "a", "b", "a"):
        world.call(tenant_id, Outcome.OVERLOAD)
    own = world.breaker.look(name_own_circuit(NAME, "c"))
    world.breaker._store.put(own.with_changes(opened_at=world.now, open_until=world.now + 1_000))
    world.now = world.breaker.look(NAME).open_until
    assert not world.call("c", Outcome.OK)
    assert world.call("d", Outcome.OK)
    assert world.state("d") is CLOSED


def test_what_a_command_holds_holds_for_every_tenant() -> None:
    world = World()
    for _ in range(5):
        world.call("slow", Outcome.OVERLOAD)
    world.breaker.force(NAME, "closed")
    assert world.call("slow", Outcome.OK)
    world.breaker.force(NAME, "open")
    assert not world.call("slow", Outcome.OK)
    assert not world.call("other", Outcome.OK)


def test_an_old_row_of_failures_does_not_count_for_a_new_one() -> None:
    world = World()
    for tenant_id in ("a", "b", "a", "b"):
        world.call(tenant_id, Outcome.OVERLOAD)
    world.now += 61
    world.call("c", Outcome.OVERLOAD)
    assert world.state("z") is CLOSED
    assert world.breaker.look(NAME).tenants == {"c": 1}
