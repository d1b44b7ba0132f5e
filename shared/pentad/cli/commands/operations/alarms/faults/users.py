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
CROWDED: Final = "drill-crowded"
TENANTS: Final = (TENANT, "drill-second", "drill-third")
"""A circuit that all share opens for several tenants' failures only."""
_SURE, _UNSURE = "[confidence 0.95]", "[confidence 0.2]"
"""The models' stand-in rates an answer so."""
_USER: Final = "drill-user"
_AT_ONCE: Final = 4
_BUDGET_SECONDS: Final = 11.0
"""For ten seconds functions remember which budgets there are."""
_CROWDED_SECONDS: Final = 8
_MOST: Final = 400
"""Requests of a client without a pause; a user may make 120 costly ones in a minute."""


def rate_answers(world: FaultWorld, broken: bool) -> None:
    """Let the run's user and the key's owner say that ten sure answers are wrong, or right."""
    client = world.open_tenant(TENANT)
    with ThreadPoolExecutor(_AT_ONCE, "drill") as pool:
        questions = [f"What is {number} + 1? {_SURE}" for number in range(10)]
        for run in pool.map(lambda question: ask(client, world.rated_agent, question, user=_USER), questions):
            for by in ({}, {"user": _USER}):
                client.call("POST", f"/v1/runs/{run['run_id']}/feedback", body={"score": 0 if broken else 1, **by})


def ask_unsure(world: FaultWorld, broken: bool) -> None:
    """Ask an agent what it is not sure of, so that humans have to take over; then cancel these runs."""
    client = world.open_tenant(TENANT)
    questions = [f"What is {number} + 2? {_UNSURE if broken else _SURE}" for number in range(6)]
    with ThreadPoolExecutor(_AT_ONCE, "drill") as pool:
        for run in pool.map(lambda question: ask(client, world.rated_agent, question), questions):
            if run["status"] == "awaiting_human":
                client.call("POST", f"/v1/runs/{run['run_id']}/cancel")


@contextmanager
def fill_share(world: FaultWorld) -> Iterator[None]:
    """Take all of a tenant's share of model calls, as calls do that died before they gave it back."""
    from pentad.models.shares.adapters.shares_dynamodb import DynamoShares
    from pentad.models.shares.fair_share import SLOT_SECONDS

    gateway = world.aws("lambda").get_function_configuration(FunctionName=f"{world.prefix}-gateway")
    most, now = int(gateway["Environment"]["Variables"]["GATEWAY_SHARE"]), time.time()
    store, slots = DynamoShares(world.open_table("TransientTable")), [f"drill-{number}" for number in range(most)]
    for slot in slots:
        store.take(CROWDED, slot, most=most, now=now, until=now + SLOT_SECONDS)
    try:
        yield
    finally:
        for slot in slots:
            store.give_back(CROWDED, slot)


def ask_crowded(world: FaultWorld, broken: bool) -> None:
    """Ask for a tenant, and do not wait for an answer that can't come yet."""
    client = world.open_tenant(CROWDED)
    if not broken:
        ask(client, world.agent, "What is 3 + 4?")
        return
    client.start_run(world.agent, "What is 3 + 3?", session_id=None, key=None, wait=_CROWDED_SECONDS)


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
