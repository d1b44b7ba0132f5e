"""One conformance suite over the shared breaker with both stores: what one process learns, the others act on."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from moto import mock_aws

from pentad.aws.table import Table
from pentad.domain.errors import StoreUnavailable
from pentad.domain.models import Outcome
from pentad.models.breaker.adapters.breaker_dynamodb import DynamoCircuits
from pentad.models.breaker.adapters.breaker_memory import MemoryCircuits
from pentad.models.breaker.circuit import Circuit, CircuitState, Evidence
from pentad.models.breaker.ports import CircuitStore
from pentad.models.breaker.shared_breaker import CACHE_SECONDS, MAX_TENANTS, SharedBreaker
from pentad.models.breaker.tenant_breaker import TenantBreaker, name_own_circuit
from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.observability.metrics import names
from tests.moto_clients import table
from tests.unit.models.samples import Clock

NAME = "anthropic/claude-sonnet-5-5"
OPEN, CLOSED, HALF_OPEN = CircuitState.OPEN, CircuitState.CLOSED, CircuitState.HALF_OPEN


class Counted:
    """A client of DynamoDB that counts calls."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.calls: list[str] = []
        self.queries: list[dict[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            self.calls.append(name)
            if name == "query":
                self.queries.append(arguments)
            return getattr(self._client, name)(**arguments)

        return call


@pytest.fixture
def dynamodb() -> Iterator[Counted]:
    with mock_aws():
        yield Counted(table("transient"))


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest, clock: Clock) -> CircuitStore:
    if request.param == "memory":
        return MemoryCircuits()
    return DynamoCircuits(Table(request.getfixturevalue("dynamodb"), "transient"), clock=clock)


@pytest.fixture
def clock() -> Clock:
    return Clock()


Make = Callable[[], SharedBreaker]


@pytest.fixture
def make(store: CircuitStore, clock: Clock) -> Make:
    """Return a function that makes the breaker of another Lambda."""
    return lambda: SharedBreaker(store, clock=clock)


def report(breaker: SharedBreaker, clock: Clock, outcome: Outcome = Outcome.OVERLOAD, **fields: Any) -> None:
    breaker.report(NAME, Evidence(outcome, clock.now, 60.0, **fields))


def trip(breaker: SharedBreaker, clock: Clock) -> None:
    for _ in range(5):
        report(breaker, clock)


def test_a_circuit_comes_back_as_it_was_stored(store: CircuitStore) -> None:
    made = Circuit(name=NAME, failures=3, failed_at=1.5, trips=2, open_until=9.25, probe="x", probe_until=7, reason="r")
    assert store.put(made)
    assert store.get(NAME) == made.with_changes(version=1)
    assert dict(store.get_all()) == {NAME: made.with_changes(version=1)}


def test_a_tenants_own_circuits_are_read_apart_from_the_shared_and_from_others(store: CircuitStore) -> None:
    own = {tenant: Circuit(name=name_own_circuit(NAME, tenant), failures=2) for tenant in ("a", "b")}
    for circuit in (Circuit(name=NAME, failures=1), *own.values()):
        assert store.put(circuit)
    assert list(store.get_all()) == [NAME]
    assert dict(store.get_all("a")) == {own["a"].name: own["a"].with_changes(version=1)}
    assert store.get(own["b"].name).failures == 2
    assert dict(store.get_all("c")) == {}


def test_however_many_tenants_failed_a_call_reads_the_shared_circuits_and_its_own(
    clock: Clock, dynamodb: Counted
) -> None:
    breaker = SharedBreaker(DynamoCircuits(Table(dynamodb, "transient"), clock=clock), clock=clock)
    for number in range(MAX_TENANTS + 10):
        breaker.report(name_own_circuit(NAME, f"t{number}"), Evidence(Outcome.OVERLOAD, clock.now, 60.0))
    dynamodb.calls.clear()
    clock.now += CACHE_SECONDS
    assert TenantBreaker(breaker, "t0").look(NAME).failures == 0
    assert dynamodb.calls == ["query", "query"]
    read = [dynamodb.query(**request) for request in dynamodb.queries[-2:]]
    assert [reply["ScannedCount"] for reply in read] == [0, 1]


def test_a_circuit_that_was_never_written_is_closed(store: CircuitStore) -> None:
    assert store.get("nobody/nothing") == Circuit(name="nobody/nothing")
    assert dict(store.get_all()) == {}


def test_a_write_over_anothers_write_is_refused(store: CircuitStore) -> None:
    first = store.get(NAME)
    assert store.put(first.with_changes(failures=1))
    assert not store.put(first.with_changes(failures=9))
    assert store.get(NAME).failures == 1
    assert store.put(store.get(NAME).with_changes(failures=2))


def test_failures_that_several_lambdas_saw_add_up_and_all_of_them_see_the_opening(make: Make, clock: Clock) -> None:
    lambdas = [make() for _ in range(5)]
    for breaker in lambdas:
        assert breaker.admit(NAME, seconds=60) is not None
        report(breaker, clock)
    clock.now += CACHE_SECONDS
    assert [breaker.admit(NAME, seconds=60) for breaker in lambdas] == [None] * 5
    assert make().look("anthropic/claude-haiku-5-5").get_state(clock.now) is CLOSED


def test_an_answer_that_one_lambda_got_clears_what_others_counted(make: Make, clock: Clock) -> None:
    failing, healthy = make(), make()
    for _ in range(4):
        report(failing, clock)
    clock.now += CACHE_SECONDS
    report(healthy, clock, Outcome.OK)
    report(failing, clock)
    assert failing.look(NAME).get_state(clock.now) is CLOSED


def test_of_fifty_threads_exactly_one_gets_the_probe(make: Make, clock: Clock) -> None:
    trip(make(), clock)
    clock.now += 31
    lambdas, start = [make() for _ in range(50)], Barrier(50)

    def ask(breaker: SharedBreaker) -> object:
        start.wait(timeout=30)
        return breaker.admit(NAME, seconds=60)

    with ThreadPoolExecutor(50) as pool:
        admitted = [found for found in pool.map(ask, lambdas) if found is not None]
    assert len(admitted) == 1


def test_fifty_threads_that_fail_at_once_open_it(make: Make, clock: Clock) -> None:
    lambdas, start = [make() for _ in range(50)], Barrier(50)

    def fail(breaker: SharedBreaker) -> None:
        start.wait(timeout=30)
        report(breaker, clock)

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(fail, lambdas))
    assert make().look(NAME).get_state(clock.now) is OPEN


def test_a_probe_that_was_answered_closes_it_for_all(make: Make, clock: Clock) -> None:
    first, second = make(), make()
    trip(first, clock)
    clock.now += 31
    admission = second.admit(NAME, seconds=60)
    assert admission is not None and admission.probe
    assert first.admit(NAME, seconds=60) is None
    report(second, clock, Outcome.OK, probe=admission.probe)
    clock.now += CACHE_SECONDS
    assert first.admit(NAME, seconds=60) is not None


def test_a_probe_whose_process_died_is_free_again_after_its_lease(make: Make, clock: Clock) -> None:
    trip(make(), clock)
    clock.now += 31
    assert make().admit(NAME, seconds=60) is not None
    clock.now += 64
    assert make().admit(NAME, seconds=60) is None
    clock.now += 1
    assert make().admit(NAME, seconds=60) is not None


def test_a_command_is_seen_by_all_within_the_cache_time(make: Make, clock: Clock) -> None:
    operator, gateway = make(), make()
    assert gateway.admit(NAME, seconds=60) is not None
    operator.force(NAME, "open")
    clock.now += CACHE_SECONDS
    assert gateway.admit(NAME, seconds=60) is None
    operator.force(NAME, None)
    clock.now += CACHE_SECONDS
    assert gateway.admit(NAME, seconds=60) is not None


def test_a_healthy_model_costs_one_query_in_two_seconds_and_no_write(dynamodb: Counted, clock: Clock) -> None:
    breaker = SharedBreaker(DynamoCircuits(Table(dynamodb, "transient"), clock=clock), clock=clock)
    for _ in range(200):
        assert breaker.admit(NAME, seconds=60) is not None
        report(breaker, clock, Outcome.OK)
        clock.now += 0.05  # ten seconds in all
    assert set(dynamodb.calls) == {"query"}
    assert len(dynamodb.calls) <= 6


def test_a_stored_circuit_expires_after_its_last_date_and_a_held_one_never(dynamodb: Counted, clock: Clock) -> None:
    store = DynamoCircuits(Table(dynamodb, "transient"), clock=clock)
    breaker = SharedBreaker(store, clock=clock)
    trip(breaker, clock)
    breaker.force("openai/gpt-6.1-sol", "open")
    items = {item["sk"]["S"]: item for item in dynamodb.scan(TableName="transient")["Items"]}
    assert int(items[NAME]["ttl"]["N"]) == clock.now + 30 + 3600
    assert "ttl" not in items["openai/gpt-6.1-sol"]
    assert {item["pk"]["S"] for item in items.values()} == {"SYS#BREAKER"}


class Silent:
    """A store that does not answer."""

    def get_all(self, tenant_id: str | None = None) -> Mapping[str, Circuit]:
        raise StoreUnavailable("the table did not answer")

    def get(self, name: str) -> Circuit:
        raise StoreUnavailable("the table did not answer")

    def put(self, circuit: Circuit) -> bool:
        raise StoreUnavailable("the table did not answer")


def test_where_the_store_is_silent_calls_go_through(clock: Clock) -> None:
    telemetry = MemoryTelemetry()
    breaker = SharedBreaker(Silent(), clock=clock, telemetry=telemetry)
    trip(breaker, clock)
    assert breaker.admit(NAME, seconds=60) is not None
    assert {event.name for event in telemetry.events} == {"breaker.store_unavailable"}


def test_the_state_is_a_metric_of_provider_and_model(make: Make, store: CircuitStore, clock: Clock) -> None:
    telemetry = MemoryTelemetry()
    breaker = SharedBreaker(store, clock=clock, telemetry=telemetry)
    trip(breaker, clock)
    clock.now += 31
    admission = breaker.admit(NAME, seconds=60)
    assert admission is not None
    report(breaker, clock, Outcome.OK, probe=admission.probe)
    states = [count for count in telemetry.counts if count.name == names.BREAKER_STATE]
    assert [count.value for count in states] == [2, 1, 0]
    assert states[0].dimensions == {"provider": "anthropic", "model": "claude-sonnet-5-5"}
    changes = [(event.fields["was"], event.fields["state"]) for event in telemetry.events]
    assert changes == [("closed", "open"), ("half_open", "closed")]
