"""Faults that users and tenants have: wrong answers, a budget that is used up, a client without a pause."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final

from pentad.cli.client import ProblemError
from pentad.cli.commands.operations.alarms.faults.asking import TENANT, ask
from pentad.cli.commands.operations.alarms.faults.world import FaultWorld

POOR: Final = "drill-poor"
_USER: Final = "drill-user"
_AT_ONCE: Final = 4
_BUDGET_SECONDS: Final = 11.0
"""For ten seconds functions remember which budgets there are."""
_MOST: Final = 400
"""Requests of a client without a pause; a user may make 120 costly ones in a minute."""


def rate_answers(world: FaultWorld, broken: bool) -> None:
    """Let the run's user and the key's owner say that ten answers are wrong, or right."""
    client = world.open_tenant(TENANT)
    with ThreadPoolExecutor(_AT_ONCE, "drill") as pool:
        questions = [f"What is {number} + 1?" for number in range(10)]
        for run in pool.map(lambda question: ask(client, question, user=_USER), questions):
            for by in ({}, {"user": _USER}):
                client.call("POST", f"/v1/runs/{run['run_id']}/feedback", body={"score": 0 if broken else 1, **by})


@contextmanager
def use_up_budget(world: FaultWorld) -> Iterator[None]:
    """Give a tenant a budget of next to nothing."""
    from pentad.models.budgets.adapters.budget_definitions import DynamoBudgetStore
    from pentad.models.budgets.budgets import define

    store = DynamoBudgetStore(world.open_table("StateTable"))
    store.put(define(POOR, "tenant", "day", limit_nanousd=1))
    try:
        yield
    finally:
        store.remove(POOR, "tenant", "day", "*")
        time.sleep(_BUDGET_SECONDS)  # what is done after the runs asks models, too


def hurry(world: FaultWorld, broken: bool) -> None:
    """Make costly requests without a pause for a user until one is refused; when they have stopped, some for another.

    Feedback on runs that there are not is counted like any other, and costs nothing.
    """
    client = world.open_tenant(TENANT, _USER if broken else None)
    for _ in range(_MOST if broken else 3):
        try:
            client.call("POST", "/v1/runs/run_none/feedback", body={"score": 1})
        except ProblemError as problem:
            if problem.status == 429:
                return
