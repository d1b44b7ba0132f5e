"""Budgets that hold without an operator's word, and what they leave an abuser."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pentad.domain.errors import BudgetExceeded
from pentad.domain.models import CallContext
from pentad.domain.money import NANO
from pentad.models.budgets.adapters.budgets_memory import MemoryBudget, MemoryBudgetStore
from pentad.models.budgets.budgets import define
from pentad.models.budgets.defaults import (
    DEFAULT_BUDGETS,
    DefaultedDefinitions,
    compute_most_in_a_day,
    with_defaults,
)

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def limits(*own: object) -> dict[tuple[str, str, str], tuple[int, bool]]:
    found = with_defaults("acme", own)  # type: ignore[arg-type]
    return {(one.scope, one.period, one.subject): (one.limit_nanousd, one.is_default) for one in found}


def test_every_tenant_has_a_budget_for_its_day_and_for_each_run() -> None:
    assert limits() == {("run", "total", "*"): (15 * NANO, True), ("tenant", "day", "*"): (50 * NANO, True)}


def test_an_operators_budget_of_the_same_scope_and_period_takes_a_defaults_place() -> None:
    raised = define("acme", "tenant", "day", limit_nanousd=900 * NANO)
    month = define("acme", "tenant", "month", limit_nanousd=1_000 * NANO)
    assert limits(raised, month) == {
        ("run", "total", "*"): (15 * NANO, True),
        ("tenant", "day", "*"): (900 * NANO, False),
        ("tenant", "month", "*"): (1_000 * NANO, False),
    }


def test_a_budget_of_one_run_leaves_the_default_for_the_others() -> None:
    one = define("acme", "run", "total", limit_nanousd=80 * NANO, subject="run_1")
    assert limits(one)[("run", "total", "*")] == (15 * NANO, True)
    budget = MemoryBudget(DefaultedDefinitions(MemoryBudgetStore([one])))
    for run_id, most in (("run_1", 50 * NANO), ("run_2", 15 * NANO)):
        standings = budget.get_standings(CallContext(tenant_id="acme", run_id=run_id), NOW)
        assert min(each.remaining for each in standings) == most


def test_what_a_tenant_spends_in_a_day_ends_at_the_default_however_many_calls_and_runs_it_makes() -> None:
    budget = MemoryBudget(DefaultedDefinitions(MemoryBudgetStore()))
    spent = 0
    for call in range(400):
        context = CallContext(tenant_id="acme", run_id=f"run_{call}")
        try:
            held = budget.reserve(context, NANO, attempt=f"att_{call}", now=NOW)
        except BudgetExceeded:
            continue
        budget.settle(held, NANO)
        spent += NANO
    assert spent == compute_most_in_a_day(1)


def test_one_run_ends_at_its_own_default() -> None:
    budget = MemoryBudget(DefaultedDefinitions(MemoryBudgetStore()))
    context = CallContext(tenant_id="acme", run_id="run_1")
    for call in range(15):
        budget.settle(budget.reserve(context, NANO, attempt=f"att_{call}", now=NOW), NANO)
    with pytest.raises(BudgetExceeded, match="for run run_1"):
        budget.reserve(context, NANO, attempt="att_15", now=NOW)


def test_the_documented_cost_of_abuse_is_what_the_defaults_come_to() -> None:
    words = " ".join(Path("docs/models/cost.md").read_text(encoding="utf-8").split())
    assert f"at most ${compute_most_in_a_day(1) // NANO} for each tenant" in words
    runs = next(one for one in DEFAULT_BUDGETS if one.scope == "run")
    assert f"${runs.limit_nanousd // NANO} for each run" in words
