"""Budgets on the deployed gateway: set by command, refused in words, downgraded near the limit; cost is exact."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pentad.aws.table import Table
from pentad.cli import target
from pentad.domain.errors import BudgetExceeded
from pentad.domain.models import CallContext
from pentad.models.budgets.adapters.budgets_dynamodb import DynamoBudget
from pentad.models.budgets.adapters.budgets_memory import MemoryBudgetStore
from pentad.models.budgets.budgets import define
from tests.twin.stack.world import Json, Stack, Tenant, await_memories, ledger_of, word

pytestmark = pytest.mark.twin
Command = Callable[..., Any]


@pytest.fixture
def pentad(stack: Stack, tenant: Tenant, tmp_path: Path) -> Command:
    """The command line in a project whose twin is the shared one, with the tenant's key."""
    (tmp_path / "infra").mkdir()
    (tmp_path / "cdk.json").write_text("{}")
    state = tmp_path / target.STATE_FOLDER
    state.mkdir()
    (state / target.TWIN_FILE).write_text(json.dumps(stack.facts))
    (state / target.KEY_FILE).write_text(tenant.token)
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PENTAD_")}

    def run(*words: str) -> Any:
        command = [sys.executable, "-m", "pentad.cli.main", "--json", *words]
        done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=90)
        assert done.returncode == 0, done.stderr + done.stdout
        return json.loads(done.stdout) if done.stdout.strip() else None

    return run


def test_a_used_up_budget_stops_the_run_with_budget_limit_and_reset(
    stack: Stack, tenant: Tenant, pentad: Command
) -> None:
    pentad("budgets", "set", "--tenant", tenant.name, "--scope", "tenant", "--period", "day", "--limit", "0.0001")
    view = tenant.ask("What is 2 + 3?")
    assert view["status"] == "stopped"
    assert f"$0.0001 a day for tenant {tenant.name}" in view["stop_reason"]
    assert "resets at" in view["stop_reason"]
    assert tenant.lease_is_free(view["session"])
    assert all(attempt["tier"] == "embeddings" for attempt in ledger_of(stack, tenant.name))


def test_a_budget_of_nothing_stops_before_the_question_is_embedded(
    stack: Stack, tenant: Tenant, pentad: Command
) -> None:
    pentad("budgets", "set", "--tenant", tenant.name, "--scope", "agent", "--subject", "assistant", "--limit", "0")
    view = tenant.ask("What is 2 + 3?")
    assert view["status"] == "stopped"
    assert "for agent assistant" in view["stop_reason"]
    assert tenant.lease_is_free(view["session"])
    assert ledger_of(stack, tenant.name) == []


def test_near_the_limit_a_smaller_model_answers_and_the_run_says_so(tenant: Tenant, pentad: Command) -> None:
    pentad("budgets", "set", "--tenant", tenant.name, "--limit", "5.00", "--soft", "0")
    view = tenant.ask("What is 2 + 3?")
    assert view["status"] == "succeeded"
    assert any("is nearly used up, so a smaller model was asked" in notice for notice in view["notices"])
    chat = [one for one in tenant.events(view["run_id"], "model_attempt") if one["tier"] != "embeddings"]
    assert {(one["tier"], one["model"]) for one in chat} == {("fast", "claude-haiku-5-5")}


def list_budgets(pentad: Command, tenant: Tenant) -> dict[tuple[str, str], Json]:
    return {(one["scope"], one["period"]): one for one in pentad("budgets", "list", "--tenant", tenant.name)}


def test_what_is_used_is_listed_and_a_removed_budget_makes_way_for_the_default(
    stack: Stack, tenant: Tenant, pentad: Command
) -> None:
    pentad("budgets", "set", "--tenant", tenant.name, "--limit", "5.00")
    view = tenant.ask("What is 2 + 3?")
    await_memories(tenant, view["session"])
    spent = sum(attempt["cost_nanousd"] for attempt in ledger_of(stack, tenant.name))
    listed = list_budgets(pentad, tenant)[("tenant", "day")]
    assert listed["used_nanousd"] == listed["spent_nanousd"] == spent >= view["cost_nanousd"] > 0
    assert (listed["limit"], listed["is_default"]) == ("$5.00", False)
    pentad("budgets", "remove", "--tenant", tenant.name)
    default = list_budgets(pentad, tenant)[("tenant", "day")]
    assert (default["limit"], default["is_default"]) == ("$50.00", True)
    assert default["used_nanousd"] == spent


def test_cost_by_every_dimension_is_the_ledgers_sum(stack: Stack, tenant: Tenant, pentad: Command) -> None:
    mark = word()
    views = [tenant.ask("What is 2 + 3?", user=user) for user in ("ada", "bob")]
    with stack.overload(mark, "anthropic"):
        views.append(tenant.ask(f"What is 6 * 7? ({mark})"))
    await_memories(tenant, *(view["session"] for view in views))
    attempts = ledger_of(stack, tenant.name)
    total = sum(attempt["cost_nanousd"] for attempt in attempts)
    assert total > 0
    for by in ("day", "tenant", "agent", "provider", "model", "user", "session", "run"):
        view = tenant.get(f"/v1/cost?by={by}")
        assert view["total"]["cost_nanousd"] == sum(row["cost_nanousd"] for row in view["rows"]) == total, by
        assert view["total"]["attempts"] == len(attempts)
    assert {row["key"] for row in pentad("cost", "--by", "user")["rows"]} == {"ada", "bob", "-"}
    assert pentad("cost", "--by", "tenant", "--tenant", tenant.name) == pentad("cost", "--by", "tenant")


def test_runs_at_once_do_not_overspend_their_budget(stack: Stack, tenant: Tenant, pentad: Command) -> None:
    """Each turn may cost some 0.16 dollars at most, so few fit at once, and what they cost stays below the limit."""
    # Of a month, and not of a day: midnight comes more often.
    pentad("budgets", "set", "--tenant", tenant.name, "--limit", "0.02", "--soft", "1", "--period", "month")
    with ThreadPoolExecutor(6) as pool:
        views = list(pool.map(lambda _: tenant.ask("What is 2 + 3?"), range(6)))
    assert {view["status"] for view in views} <= {"succeeded", "stopped"}
    await_memories(tenant, *(view["session"] for view in views))
    attempts = ledger_of(stack, tenant.name)
    spent = sum(attempt["cost_nanousd"] for attempt in attempts)
    listed = list_budgets(pentad, tenant)[("tenant", "month")]
    assert listed["used_nanousd"] == listed["spent_nanousd"] == spent <= 20_000_000


def test_200_callers_at_once_never_overspend_on_the_twins_table(stack: Stack, tenant: Tenant) -> None:
    """Each may cost 100 of 5,000, over the wire; the front answers one at a time, as DynamoDB does for an item."""
    store = MemoryBudgetStore([define(tenant.name, "tenant", "day", limit_nanousd=5_000)])
    budget = DynamoBudget(Table(stack.aws("dynamodb"), stack.outputs["TransientTable"]), store)
    context, now, barrier = CallContext(tenant_id=tenant.name), datetime.now(UTC), threading.Barrier(200)

    def caller(number: int) -> int | None:
        barrier.wait(timeout=60)
        try:
            held = budget.reserve(context, 100, attempt=f"a{number}", now=now)
        except BudgetExceeded:
            return None
        actual = (0, 60, 100)[number % 3]
        budget.settle(held, actual)
        return actual

    with ThreadPoolExecutor(200) as pool:
        paid = [actual for actual in pool.map(caller, range(200)) if actual is not None]
    [standing] = budget.get_standings(context, now)
    assert standing.used_nanousd == standing.spent_nanousd == sum(paid) <= 5_000
    assert len(paid) >= 50
