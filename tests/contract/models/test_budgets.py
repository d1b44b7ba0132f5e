"""One conformance suite over both budgets: nothing is overspent, nothing is lost, everything is bounded."""

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from pentad.aws.table import Table
from pentad.domain import keys
from pentad.domain.errors import BudgetExceeded, InvalidInput, NotFound, StoreUnavailable
from pentad.domain.models import CallContext
from pentad.models.budgets.adapters import budget_definitions, budgets_dynamodb, budgets_memory
from pentad.models.budgets.adapters.budget_definitions import DynamoBudgetStore, RememberedDefinitions
from pentad.models.budgets.adapters.budgets_dynamodb import TRIES, DynamoBudget
from pentad.models.budgets.adapters.budgets_memory import MemoryBudget, MemoryBudgetStore
from pentad.models.budgets.budgets import RESERVATION_SECONDS, BudgetDefinition, define
from pentad.models.budgets.ports import Budget, BudgetStore
from tests.moto_clients import table

NOW = datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC)
CONTEXT = CallContext(tenant_id="acme", agent="helper", user_id="ada", session_id="s1", run_id="run_1")
KINDS = ["memory", "dynamodb"]


class Wire:
    """A client whose calls come one by one, as DynamoDB's are and moto's are not; an update may meet a transaction."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = threading.Lock()
        self.conflicts: Callable[[], bool] = lambda: False
        self.updates = 0
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)

        def locked(**arguments: Any) -> Any:
            with self._lock:
                self.asked.append(name)
                if name == "update_item":
                    self.updates += 1
                    if self.conflicts():
                        raise _conflict()
                return call(**arguments)

        return locked


def _conflict() -> ClientError:
    response: Any = {
        "Error": {"Code": "TransactionConflictException", "Message": "Transaction is ongoing for the item"}
    }
    return ClientError(response, "UpdateItem")


@dataclass
class World:
    budget: Budget
    store: BudgetStore
    wire: Wire | None = None
    table: Table | None = None

    def set(self, scope: str, period: str, limit: int, **fields: Any) -> BudgetDefinition:
        definition = define("acme", scope, period, limit_nanousd=limit, **fields)
        self.store.put(definition)
        return definition

    def reserve(self, amount: int, attempt: str = "a1", *, now: datetime = NOW, context: CallContext = CONTEXT) -> Any:
        return self.budget.reserve(context, amount, attempt=attempt, now=now)

    def used(self, now: datetime = NOW, context: CallContext = CONTEXT) -> list[tuple[int, int]]:
        return [(each.used_nanousd, each.spent_nanousd) for each in self.budget.get_standings(context, now)]


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "memory":
        store = MemoryBudgetStore()
        yield World(MemoryBudget(store), store)
        return
    with dynamo() as made:
        yield made


@pytest.fixture
def dynamodb() -> Iterator[World]:
    with dynamo() as made:
        yield made


@contextmanager
def dynamo() -> Iterator[World]:
    """Yield a world over moto."""
    with mock_aws():
        for name in ("state", "transient"):
            client = table(name)
        wire = Wire(client)
        store, transient = DynamoBudgetStore(Table(wire, "state")), Table(wire, "transient", sleep=lambda _: None)
        yield World(DynamoBudget(transient, store, sleep=lambda _: None), store, wire, transient)


def fail_first(world: World, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Let the first updates find no store."""
    assert world.table is not None
    update, failures = world.table.update, [StoreUnavailable("the table did not answer")] * times

    def fail(*arguments: Any, **options: Any) -> Any:
        if failures:
            raise failures.pop()
        return update(*arguments, **options)

    monkeypatch.setattr(world.table, "update", fail)


def refuse(world: World, monkeypatch: pytest.MonkeyPatch, scope: str) -> None:
    """Let updates of the counters of one scope find no store."""
    assert world.table is not None
    update = world.table.update

    def fail(pk: str, *arguments: Any, **options: Any) -> Any:
        if f"#{scope}#" in pk:
            raise StoreUnavailable("the table did not answer")
        return update(pk, *arguments, **options)

    monkeypatch.setattr(world.table, "update", fail)


def test_what_is_settled_takes_the_place_of_what_was_held(world: World) -> None:
    world.set("tenant", "day", 1_000)
    held = world.reserve(600)
    assert world.used() == [(600, 0)]
    world.budget.settle(held, 250)
    assert world.used() == [(250, 250)]


def test_a_release_gives_everything_back(world: World) -> None:
    world.set("tenant", "day", 1_000)
    world.budget.release(world.reserve(600))
    assert world.used() == [(0, 0)]


def test_a_call_that_does_not_fit_is_refused_with_budget_limit_and_reset(world: World) -> None:
    world.set("tenant", "day", 1_000)
    world.reserve(600)
    with pytest.raises(BudgetExceeded) as caught:
        world.reserve(401, "a2")
    error = caught.value
    assert (error.budget, error.limit_nanousd, error.resets_at) == ("tenant acme, day", 1_000, "2026-11-23T00:00:00Z")
    assert "$0.000001 a day for tenant acme" in error.message
    assert "2026-11-23T00:00:00Z" in error.message
    assert world.reserve(400, "a3").amount_nanousd == 400


def test_a_first_call_over_the_limit_is_refused_and_leaves_nothing(world: World) -> None:
    world.set("tenant", "day", 100)
    with pytest.raises(BudgetExceeded):
        world.reserve(101)
    assert world.used() == [(0, 0)]


def test_all_budgets_are_held_or_none(world: World) -> None:
    for scope, period, limit in (("agent", "day", 1_000), ("run", "total", 100), ("tenant", "month", 1_000)):
        world.set(scope, period, limit)
    with pytest.raises(BudgetExceeded) as caught:
        world.reserve(500)
    assert caught.value.budget == "run run_1, total"
    assert caught.value.resets_at is None
    assert world.used() == [(0, 0), (0, 0), (0, 0)]
    world.budget.settle(world.reserve(100, "a2"), 40)
    assert world.used() == [(40, 40), (40, 40), (40, 40)]


def test_each_session_user_and_agent_has_its_own_count(world: World) -> None:
    world.set("user", "day", 100)
    world.reserve(100)
    other = CONTEXT.model_copy(update={"user_id": "bob"})
    assert world.reserve(100, "a2", context=other).counters[0].subject == "bob"
    nobody = CONTEXT.model_copy(update={"user_id": None})
    assert world.reserve(10_000, "a3", context=nobody).counters == ()


def test_a_budget_of_one_subject_takes_the_place_of_the_general_one(world: World) -> None:
    world.set("user", "day", 100)
    world.set("user", "day", 500, subject="ada")
    assert world.reserve(500).amount_nanousd == 500
    with pytest.raises(BudgetExceeded):
        world.reserve(500, "a2", context=CONTEXT.model_copy(update={"user_id": "bob"}))


def test_another_tenants_budget_is_not_touched(world: World) -> None:
    world.set("tenant", "day", 100)
    world.store.put(define("other", "tenant", "day", limit_nanousd=100))
    world.reserve(100)
    assert world.reserve(100, context=CONTEXT.model_copy(update={"tenant_id": "other"})).amount_nanousd == 100


def test_a_new_day_and_a_new_month_begin_at_nothing(world: World) -> None:
    world.set("tenant", "day", 100)
    world.set("tenant", "month", 150)
    world.budget.settle(world.reserve(100), 100)
    tomorrow = NOW + timedelta(days=1)
    with pytest.raises(BudgetExceeded) as caught:
        world.reserve(100, "a2", now=tomorrow)
    assert caught.value.budget == "tenant acme, month"
    assert caught.value.resets_at == "2026-12-01T00:00:00Z"
    assert world.reserve(100, "a3", now=NOW + timedelta(days=10)).amount_nanousd == 100


def test_what_was_held_before_midnight_is_settled_on_its_day(world: World) -> None:
    world.set("tenant", "day", 100)
    held = world.reserve(80, now=NOW.replace(hour=23, minute=59))
    world.budget.settle(held, 70)
    assert world.used() == [(70, 70)]
    assert world.used(NOW + timedelta(days=1)) == [(0, 0)]


def test_the_same_attempt_holds_and_settles_once(world: World) -> None:
    world.set("tenant", "day", 1_000)
    held = world.reserve(600)
    assert world.reserve(600) == held
    for _ in range(3):
        world.budget.settle(held, 100)
    world.budget.release(held)
    assert world.used() == [(100, 100)]


def test_an_actual_cost_above_the_worst_case_is_counted(world: World) -> None:
    world.set("tenant", "day", 1_000)
    world.budget.settle(world.reserve(600), 1_200)
    assert world.used() == [(1_200, 1_200)]


def test_what_a_dead_caller_held_is_given_back(world: World) -> None:
    world.set("tenant", "day", 1_000)
    world.reserve(600)
    world.reserve(400, "a2", now=NOW + timedelta(seconds=120))
    with pytest.raises(BudgetExceeded):
        world.reserve(600, "a3", now=NOW + timedelta(seconds=RESERVATION_SECONDS - 1))
    later = NOW + timedelta(seconds=RESERVATION_SECONDS + 60)
    assert world.reserve(600, "a4", now=later).amount_nanousd == 600
    assert world.used(later) == [(1_000, 0)]


def test_a_caller_that_comes_back_late_is_counted_and_counted_once(world: World) -> None:
    world.set("tenant", "day", 1_000)
    held = world.reserve(600)
    later = NOW + timedelta(seconds=RESERVATION_SECONDS + 60)
    assert world.used(later) == [(0, 0)]
    for _ in range(2):
        world.budget.settle(held, 500)
    assert world.used(later) == [(500, 500)]


def test_without_a_budget_nothing_is_held_nor_stored(world: World) -> None:
    held = world.reserve(10**15)
    world.budget.settle(held, 5)
    assert (held.counters, world.used()) == ((), [])
    if world.table is not None:
        assert world.table._client.scan(TableName="transient")["Count"] == 0


def test_lowering_a_limit_holds_for_what_is_spent_already(world: World) -> None:
    world.set("tenant", "day", 1_000)
    world.budget.settle(world.reserve(900), 900)
    world.set("tenant", "day", 500)
    with pytest.raises(BudgetExceeded):
        world.reserve(1, "a2")


def test_callers_at_once_never_overspend_a_budget(world: World) -> None:
    """Each may cost 100 of 5,000 and costs less; some fail, some are refused; every nano-dollar is accounted for."""
    world.set("tenant", "day", 5_000)
    world.set("run", "total", 7_000)
    peak, spent, lock = [0], [0], threading.Lock()
    # moto copies its tables at every transaction; 200 callers of DynamoDB are in tests/twin/models.
    callers = 200 if world.wire is None else 80
    barrier = threading.Barrier(callers)

    def caller(number: int) -> None:
        luck = random.Random(number)
        barrier.wait(timeout=60)
        try:
            held = world.reserve(100, f"a{number}")
        except BudgetExceeded:
            return
        actual = luck.choice([0, 37, 100])
        if number % 20 == 0:
            used = world.used()[1][0]
            with lock:
                peak[0] = max(peak[0], used)
        world.budget.settle(held, actual)
        with lock:
            spent[0] += actual

    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(caller, range(callers)))
    assert peak[0] <= 5_000
    assert world.used() == [(spent[0], spent[0])] * 2
    assert 0 < spent[0] <= 5_000


def test_of_callers_that_all_hold_on_exactly_as_many_get_in_as_fit(world: World) -> None:
    world.set("tenant", "day", 5_000)
    callers = 200 if world.wire is None else 60  # moto takes some 20 ms a call
    barrier = threading.Barrier(callers)

    def caller(number: int) -> bool:
        barrier.wait(timeout=60)
        try:
            world.reserve(100, f"a{number}")
        except BudgetExceeded:
            return False
        return True

    with ThreadPoolExecutor(callers) as pool:
        assert sum(pool.map(caller, range(callers))) == 50
    assert world.used() == [(5_000, 0)]


def test_dead_callers_are_given_back_once_though_many_ask_at_once(world: World) -> None:
    world.set("tenant", "day", 2_000)
    for number in range(20):
        world.reserve(100, f"dead{number}")
    later = NOW + timedelta(seconds=RESERVATION_SECONDS + 60)
    barrier = threading.Barrier(30)

    def caller(number: int) -> bool:
        barrier.wait(timeout=60)
        try:
            world.reserve(100, f"a{number}", now=later)
        except BudgetExceeded:
            return False
        return True

    with ThreadPoolExecutor(30) as pool:
        assert sum(pool.map(caller, range(30))) == 20
    assert world.used(later) == [(2_000, 0)]


def test_a_write_that_meets_a_transaction_is_tried_again(dynamodb: World) -> None:
    """Of a release that wrote counters in transactions, while both are in use."""
    dynamodb.set("tenant", "day", 1_000)
    assert dynamodb.wire is not None
    wire = dynamodb.wire
    wire.conflicts = lambda: wire.updates % 3 != 0
    held = dynamodb.reserve(600)
    dynamodb.budget.settle(held, 500)
    assert dynamodb.used() == [(500, 500)]


def test_giving_back_is_tried_again_while_a_transaction_is_in_the_way(
    dynamodb: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    dynamodb.set("tenant", "day", 1_000)
    dynamodb.reserve(1_000)
    fail_first(dynamodb, monkeypatch, 2)
    later = NOW + timedelta(seconds=RESERVATION_SECONDS + 60)
    assert dynamodb.reserve(1_000, "a2", now=later).amount_nanousd == 1_000


def test_conflicts_without_end_are_an_error_after_a_bounded_number(dynamodb: World) -> None:
    dynamodb.set("tenant", "day", 1_000)
    assert dynamodb.wire is not None
    dynamodb.wire.conflicts = lambda: True
    with pytest.raises(StoreUnavailable):
        dynamodb.reserve(600)
    assert dynamodb.wire.updates <= 2 * 12 * TRIES  # what it may hold is given back, with as many tries


def test_a_request_whose_answer_was_lost_holds_and_settles_once(dynamodb: World, monkeypatch: Any) -> None:
    """The client sends it again: the first one was carried out."""
    dynamodb.set("tenant", "day", 1_000)
    assert dynamodb.table is not None
    update = dynamodb.table.update

    def lose(*arguments: Any, **options: Any) -> Any:
        update(*arguments, **options)
        return update(*arguments, **options)

    monkeypatch.setattr(dynamodb.table, "update", lose)
    held = dynamodb.reserve(600)
    assert dynamodb.used() == [(600, 0)]
    dynamodb.budget.settle(held, 500)
    assert dynamodb.used() == [(500, 500)]


def test_what_a_store_does_not_answer_for_is_given_back_of_the_other_budgets(
    dynamodb: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    dynamodb.set("run", "total", 1_000)
    dynamodb.set("tenant", "day", 1_000)
    with monkeypatch.context() as patch:
        refuse(dynamodb, patch, "tenant")
        with pytest.raises(StoreUnavailable):
            dynamodb.reserve(600)
    assert dynamodb.used() == [(0, 0), (0, 0)]


def test_a_budget_that_can_not_be_settled_leaves_the_others_right(
    dynamodb: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    dynamodb.set("run", "total", 1_000)
    dynamodb.set("tenant", "day", 1_000)
    held = dynamodb.reserve(600)
    with monkeypatch.context() as patch:
        refuse(dynamodb, patch, "run")
        with pytest.raises(StoreUnavailable):
            dynamodb.budget.settle(held, 100)
    assert dynamodb.used() == [(600, 0), (100, 100)]
    dynamodb.budget.settle(held, 100)
    assert dynamodb.used() == [(100, 100), (100, 100)]


def test_a_cost_counts_that_the_last_try_finds_given_back(dynamodb: World, monkeypatch: pytest.MonkeyPatch) -> None:
    dynamodb.set("tenant", "day", 1_000)
    held = dynamodb.reserve(600)
    later = NOW + timedelta(seconds=RESERVATION_SECONDS + 60)
    assert dynamodb.used(later) == [(0, 0)]
    fail_first(dynamodb, monkeypatch, TRIES - 1)
    dynamodb.budget.settle(held, 500)
    assert dynamodb.used(later) == [(500, 500)]


def test_what_an_earlier_release_held_ends_too(dynamodb: World) -> None:
    dynamodb.set("tenant", "day", 1_000)
    assert dynamodb.table is not None
    pk, sk = keys.budget_pk("acme", "tenant", "acme"), "day#2026-11-22"
    ended, open_until = int(NOW.timestamp()) - 60, int(NOW.timestamp()) + 60
    dynamodb.table.put({"pk": pk, "sk": sk, "used": 900, f"held_{ended}": 600, f"held_{open_until}": 200})
    dynamodb.reserve(700)
    assert dynamodb.used() == [(1_000, 0)]


def test_more_dead_callers_than_one_update_takes_are_given_back(dynamodb: World) -> None:
    dynamodb.set("tenant", "day", 10_000)
    for number in range(120):
        dynamodb.reserve(10, f"dead{number}")
    later = NOW + timedelta(seconds=RESERVATION_SECONDS + 60)
    assert dynamodb.used(later) == [(0, 0)]
    assert dynamodb.used(later + timedelta(hours=2)) == [(0, 0)]
    assert dynamodb.table is not None
    item = dynamodb.table.get(keys.budget_pk("acme", "tenant", "acme"), "day#2026-11-22")
    assert item is not None
    assert not [name for name in item if name.startswith(("h_", "g_"))]


def test_a_counter_holds_a_bounded_number_of_calls(dynamodb: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets_dynamodb, "MAX_OPEN", 3)
    dynamodb.set("tenant", "day", 1_000)
    held = [dynamodb.reserve(10, f"a{number}") for number in range(3)]
    with pytest.raises(StoreUnavailable, match="at once"):
        dynamodb.reserve(10, "a4")
    dynamodb.budget.settle(held[0], 1)
    assert dynamodb.reserve(10, "a4").amount_nanousd == 10


def test_a_counter_remembers_a_bounded_number_that_were_given_back(
    dynamodb: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budgets_dynamodb, "MAX_OPEN", 3)
    dynamodb.set("tenant", "day", 1_000)
    times = [NOW + timedelta(seconds=number * (RESERVATION_SECONDS + 60)) for number in range(3)]
    dead = [dynamodb.reserve(10, f"{at:%H%M}{number}", now=at) for at in times[:2] for number in range(3)]
    assert dynamodb.used(times[2]) == [(0, 0)]
    assert dynamodb.table is not None
    item = dynamodb.table.get(keys.budget_pk("acme", "tenant", "acme"), "day#2026-11-22")
    assert item is not None
    assert sum(name.startswith("g_") for name in item) == 3
    for held in dead[3:]:
        dynamodb.budget.settle(held, 7)
    assert dynamodb.used(times[2]) == [(21, 21)]


def test_a_counter_stays_small_with_callers_all_day(dynamodb: World) -> None:
    dynamodb.set("tenant", "day", 10**9)
    assert dynamodb.table is not None
    start = NOW.replace(hour=0, minute=0)
    for minute in range(0, 60, 2):
        held = dynamodb.reserve(100, f"a{minute}", now=start + timedelta(minutes=minute))
        dynamodb.budget.settle(held, 1)
    item = dynamodb.table.get(keys.budget_pk("acme", "tenant", "acme"), "day#2026-11-22")
    assert item is not None
    assert int(item["spent"]) == int(item["used"]) == 30
    assert not [name for name in item if name.startswith(("h_", "g_"))]
    assert int(item["open"]) == 0


def test_counters_and_reservations_expire_by_themselves(dynamodb: World) -> None:
    dynamodb.set("session", "total", 1_000)
    dynamodb.set("tenant", "day", 1_000)
    dynamodb.reserve(10)
    assert dynamodb.table is not None
    items = dynamodb.table._client.scan(TableName="transient")["Items"]
    assert len(items) == 2
    assert all(int(item["ttl"]["N"]) > NOW.timestamp() for item in items)
    assert all(item["pk"]["S"].startswith("T#acme#BUDGET#") for item in items)


def test_definitions_are_kept_replaced_and_removed(world: World) -> None:
    first = world.set("tenant", "day", 100)
    second = world.set("session", "total", 50)
    assert set(world.store.list_for_tenant("acme")) == {first, second}
    replaced = world.set("tenant", "day", 200)
    world.store.remove("acme", "session", "total", "*")
    assert world.store.list_for_tenant("acme") == (replaced,)
    with pytest.raises(NotFound):
        world.store.remove("acme", "session", "total", "*")


def test_a_tenant_has_a_bounded_number_of_budgets(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (budget_definitions, budgets_memory):
        monkeypatch.setattr(module, "MAX_DEFINITIONS", 3)
    for number in range(3):
        world.set("user", "day", 100, subject=f"u{number}")
    with pytest.raises(InvalidInput):
        world.set("tenant", "day", 100)
    world.set("user", "day", 300, subject="u0")


def test_definitions_are_remembered_for_ten_seconds_only() -> None:
    store, time = MemoryBudgetStore(), [0.0]
    remembered = RememberedDefinitions(store, clock=lambda: time[0])
    assert remembered.list_for_tenant("acme") == ()
    store.put(define("acme", "tenant", "day", limit_nanousd=1))
    time[0] = 9.9
    assert remembered.list_for_tenant("acme") == ()
    time[0] = 10.0
    assert len(remembered.list_for_tenant("acme")) == 1


def test_what_a_call_asks_of_the_counters_is_one_read_and_two_writes_for_each_budget(dynamodb: World) -> None:
    assert dynamodb.wire is not None
    assert dynamodb.table is not None
    dynamodb.set("run", "total", 900)
    dynamodb.set("tenant", "day", 1_000)
    dynamodb.budget = DynamoBudget(dynamodb.table, RememberedDefinitions(dynamodb.store))
    assert dynamodb.used() == [(0, 0), (0, 0)]
    dynamodb.wire.asked.clear()
    held = dynamodb.reserve(600)
    assert dynamodb.used() == [(600, 0), (600, 0)]
    dynamodb.budget.settle(held, 250)
    assert dynamodb.wire.asked == [*["update_item"] * 2, "batch_get_item", *["update_item"] * 2]
    assert dynamodb.used() == [(250, 250), (250, 250)]
