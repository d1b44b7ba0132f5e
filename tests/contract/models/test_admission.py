"""Work of several calls is admitted only where the budgets can pay for it; over both stores of pledges."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from moto import mock_aws

from pentad.aws.table import Table
from pentad.domain.errors import BudgetExceeded
from pentad.domain.models import CallContext
from pentad.domain.money import NANO
from pentad.models.budgets.adapters.budgets_dynamodb import DynamoBudget
from pentad.models.budgets.adapters.budgets_memory import MemoryBudget, MemoryBudgetStore, MemoryPledges
from pentad.models.budgets.adapters.pledges_dynamodb import DynamoPledges
from pentad.models.budgets.admission import PLEDGE_SECONDS, BudgetAdmission, PlannedCall
from pentad.models.budgets.budgets import Pledge, Pledged, define, select_budgets
from pentad.models.budgets.ports import Budget, PledgeStore
from pentad.models.catalog.catalog import load
from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.observability.metrics import names
from tests.contract.models.test_budgets import Wire
from tests.moto_clients import table

NOW = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)


@dataclass
class Door:
    """An admission whose clock stands, and the runs that have not ended, with what they have spent."""

    store: MemoryBudgetStore
    budget: Budget
    pledges: PledgeStore
    telemetry: MemoryTelemetry = field(default_factory=MemoryTelemetry)
    now: datetime = NOW
    ended: set[str] = field(default_factory=set)
    spent: dict[str, int] = field(default_factory=dict)

    @property
    def admission(self) -> BudgetAdmission:
        return BudgetAdmission(
            self.budget,
            self.store,
            self.pledges,
            load(),
            {"anthropic", "openai"},
            self.telemetry,
            clock=self.now.timestamp,
            sleep=lambda _: None,
            random=lambda: 0.5,
        )

    def admit(self, run_id: str = "run_1", calls: int = 3, **context: Any) -> None:
        planned = [make_call(**context)] * calls
        self.admission.admit("acme", run_id, planned, find_unspent=self.find_unspent)

    def find_unspent(self, run_id: str, amount: int) -> int:
        return 0 if run_id in self.ended else amount - self.spent.get(run_id, 0)

    def set(self, scope: str, period: str, limit: int, **fields: Any) -> None:
        self.store.put(define("acme", scope, period, limit_nanousd=limit, **fields))

    def compute_need(self, calls: int) -> int:
        one = self.admission.estimate(make_call())
        return calls * one.ordinary + one.reserved - one.ordinary


def make_call(**context: Any) -> PlannedCall:
    return PlannedCall(CallContext(tenant_id="acme", agent="flow", **context), "reason", 500)


@pytest.fixture(params=["memory", "dynamodb"])
def door(request: pytest.FixtureRequest) -> Iterator[Door]:
    store = MemoryBudgetStore()
    if request.param == "memory":
        yield Door(store, MemoryBudget(store), MemoryPledges())
        return
    with mock_aws():
        transient = Table(Wire(table("transient")), "transient")
        yield Door(store, DynamoBudget(transient, store), DynamoPledges(transient))


def test_what_fits_is_admitted_and_what_does_not_is_told_with_budget_rest_and_way_out(door: Door) -> None:
    need = door.compute_need(3)
    door.set("tenant", "day", need)
    door.admit()
    door.set("tenant", "day", need - 1)
    with pytest.raises(BudgetExceeded) as raised:
        door.admit("run_2")
    assert raised.value.budget == "tenant acme, day"
    assert raised.value.resets_at == "2026-11-23T00:00:00Z"
    for part in ("may cost $", "$0.00 is left of the budget of $", "a day for tenant acme", "pentad budgets set"):
        assert part in str(raised.value)
    assert [event.name for event in door.telemetry.events] == ["budget.exceeded"]
    # Nothing of it is held: what was refused leaves the budget as it was.
    assert [one.used_nanousd for one in door.budget.get_standings(make_call().context, NOW)] == [0]


def test_of_many_at_once_so_many_are_admitted_as_the_rest_pays_for(door: Door) -> None:
    door.set("tenant", "day", 3 * door.compute_need(2))

    def ask(number: int) -> bool:
        try:
            door.admit(f"run_{number}", calls=2)
        except BudgetExceeded:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(8))) == 3


def test_a_repeat_of_an_admission_takes_nothing_more(door: Door) -> None:
    door.set("tenant", "day", door.compute_need(3))
    door.admit()
    door.admit()
    with pytest.raises(BudgetExceeded):
        door.admit("run_2", calls=1)


def test_what_a_run_was_promised_is_free_when_it_ends_or_has_spent_it(door: Door) -> None:
    door.set("tenant", "day", door.compute_need(3))
    door.admit("run_1")
    with pytest.raises(BudgetExceeded):
        door.admit("run_2")
    door.spent["run_1"] = door.compute_need(3)  # the counter has it by then; here nobody has counted it
    door.admit("run_2")
    door.ended.add("run_2")
    door.admit("run_3")


def test_a_promise_of_a_run_that_nobody_ended_is_over_after_an_hour(door: Door) -> None:
    door.set("tenant", "month", door.compute_need(3))
    door.admit("run_1")
    door.now += timedelta(seconds=PLEDGE_SECONDS - 60)
    with pytest.raises(BudgetExceeded):
        door.admit("run_2")
    door.now += timedelta(seconds=120)
    door.admit("run_2")


def test_what_was_spent_and_what_is_reserved_counts(door: Door) -> None:
    door.set("tenant", "day", door.compute_need(3) + 10)
    held = door.budget.reserve(make_call().context, 11, attempt="a", now=NOW)
    with pytest.raises(BudgetExceeded):
        door.admit()
    door.budget.settle(held, 10)
    door.admit()


def test_users_have_budgets_of_their_own(door: Door) -> None:
    door.set("user", "day", door.compute_need(3))
    door.admit("run_1", user_id="ann")
    door.admit("run_2", user_id="bob")
    with pytest.raises(BudgetExceeded, match="for user ann"):
        door.admit("run_3", user_id="ann")


def test_the_budget_of_an_agent_pays_for_its_own_parts_only(door: Door) -> None:
    need = door.compute_need(1)
    door.set("agent", "day", need, subject="writer")
    context = CallContext(tenant_id="acme", agent="writer")
    calls = [make_call(), make_call(), make_call()._replace(context=context)]
    door.admission.admit("acme", "run_1", calls, find_unspent=door.find_unspent)
    with pytest.raises(BudgetExceeded, match="for agent writer"):
        door.admission.admit("acme", "run_2", calls, find_unspent=door.find_unspent)


def test_without_a_budget_and_without_calls_nothing_is_refused(door: Door) -> None:
    door.admit(calls=99)
    door.set("tenant", "day", 0)
    door.admit("run_2", calls=0)
    with pytest.raises(BudgetExceeded):
        door.admit("run_3", calls=1)


def test_a_limit_that_was_lowered_below_what_is_used_leaves_nothing(door: Door) -> None:
    door.set("tenant", "day", NANO)
    door.budget.settle(door.budget.reserve(make_call().context, 5, attempt="a", now=NOW), 5)
    door.set("tenant", "day", 1)
    with pytest.raises(BudgetExceeded, match=r"\$0\.00 is left"):
        door.admit(calls=1)


def test_pledges_are_written_in_the_place_of_those_that_were_read_only(door: Door) -> None:
    door.set("tenant", "day", NANO)
    [applied] = select_budgets(door.store.list_for_tenant("acme"), make_call().context, NOW)
    first = Pledged(1, (Pledge("run_1", 5, 2_000_000_000),))
    assert door.pledges.read(applied.counter) == Pledged()
    assert door.pledges.write(applied, first, NOW)
    assert not door.pledges.write(applied, first, NOW)
    assert not door.pledges.write(applied, Pledged(3, ()), NOW)
    assert door.pledges.read(applied.counter) == first
    assert door.pledges.write(applied, Pledged(2, ()), NOW)
    assert door.pledges.read(applied.counter) == Pledged(2, ())


def test_a_task_that_no_model_can_do_is_left_to_its_call(door: Door) -> None:
    door.set("tenant", "day", 0)
    unknown = make_call()._replace(task="nothing")
    door.admission.admit("acme", "run_1", [unknown], find_unspent=door.find_unspent)
    [applied] = select_budgets(door.store.list_for_tenant("acme"), unknown.context, NOW)
    assert door.pledges.read(applied.counter) == Pledged()


def test_what_the_rest_pays_for_to_the_nano_dollar_is_admitted_and_not_one_more(door: Door) -> None:
    need = door.compute_need(3)
    door.set("tenant", "day", 2 * need)
    door.admit("run_1")
    door.admit("run_2")
    door.ended = {"run_1"}
    door.set("tenant", "day", 2 * need - 1)
    with pytest.raises(BudgetExceeded):
        door.admit("run_3")
    assert [one.value for one in door.telemetry.counts if one.name == names.BUDGET_REFUSALS] == [1]
    door.set("tenant", "day", 2 * need)
    door.admit("run_3")


def test_a_budget_is_near_its_end_from_its_soft_mark_on(door: Door) -> None:
    door.set("tenant", "day", 1_000, soft=Decimal("0.5"))
    [standing] = door.budget.get_standings(make_call().context, NOW)
    for spent, near in ((499, False), (500, True), (501, True)):
        assert standing._replace(spent_nanousd=spent).near is near
