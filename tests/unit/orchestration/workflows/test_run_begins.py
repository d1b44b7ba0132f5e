"""A workflow's run begins where the budgets can pay for its parts, and is refused before anything is spent."""

import pytest

from pentad.domain.errors import BudgetExceeded
from pentad.domain.money import NANO
from pentad.domain.runs import RunStatus
from pentad.models.budgets.adapters.budgets_memory import MemoryBudget, MemoryBudgetStore, MemoryPledges
from pentad.models.budgets.admission import BudgetAdmission
from pentad.models.budgets.budgets import define
from pentad.models.catalog.catalog import load
from pentad.observability.adapters.null import NullTelemetry
from pentad.orchestration.workflows.run_begins import Begin
from tests.unit.orchestration.workflows.conftest import SPEC, Bench, make_bench
from tests.unit.orchestration.workflows.test_redrive import redrive
from tests.unit.orchestration.world import CATALOG, TENANT


def begins(bench: Bench, limit: int, scope: str = "tenant", period: str = "day") -> Begin:
    store = MemoryBudgetStore([define(TENANT, scope, period, limit_nanousd=limit)])
    budget, providers = MemoryBudget(store), {"anthropic", "openai"}
    clock = bench.world.clock
    admission = BudgetAdmission(
        budget, store, MemoryPledges(), load(), providers, NullTelemetry(), clock=lambda: clock().timestamp()
    )
    return Begin(bench.stores, admission)


def make_certain(*certain: str, message: str = "the document") -> Bench:
    return make_bench(CATALOG, SPEC.model_copy(update={"certain": certain}), message)


def test_a_run_that_can_not_be_paid_is_refused_before_anything_is_spent() -> None:
    bench = make_certain("facts", "helper", "sum", "sign")
    with pytest.raises(BudgetExceeded, match="this was not begun: it may cost"):
        begins(bench, NANO // 1000)(bench.entered)
    assert bench.world.model.requests == []
    assert bench.fresh().spent.cost_nanousd == 0
    assert begins(bench, NANO)(bench.entered) == {}
    assert bench.fresh().status is RunStatus.RUNNING


def test_parts_that_may_be_left_out_ask_for_nothing() -> None:
    for certain in ((), ("sum", "sign", "words"), ("gone",)):
        bench = make_certain(*certain)
        assert begins(bench, 0)(bench.entered) == {}


def test_each_part_that_asks_a_model_counts_and_a_long_request_in_each() -> None:
    def is_admitted(bench: Bench, limit: int) -> bool:
        try:
            begins(bench, limit)(bench.entered)
        except BudgetExceeded:
            return False
        return True

    def find_least(bench: Bench) -> int:
        return next(limit for limit in range(0, NANO, NANO // 2000) if is_admitted(bench, limit))

    one, two = find_least(make_certain("facts")), find_least(make_certain("facts", "helper"))
    assert 0 < one < two
    # 100,000 characters are some 28,000 tokens, at $0.25 a million, in both parts.
    assert find_least(make_certain("facts", "helper", message="a b c d " * 12_500)) > two + NANO // 100


def test_the_budget_of_a_run_pays_for_the_workflows_own_calls_and_not_for_its_agents_runs() -> None:
    bench = make_certain("helper")
    assert begins(bench, 0, "run", "total")(bench.entered) == {}
    bench = make_certain("facts")
    with pytest.raises(BudgetExceeded, match="for run"):
        begins(bench, 0, "run", "total")(bench.entered)


def test_a_run_that_goes_on_for_a_failed_one_is_not_refused() -> None:
    bench = make_certain("facts", "helper")
    redrive(bench)
    assert begins(bench, 0)(bench.entered) == {}
