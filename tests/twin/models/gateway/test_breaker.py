"""The breaker on the deployed gateway: it opens by failures, is shared, and obeys commands."""

import time
from itertools import cycle
from typing import Any

import pytest

from pentad.models.breaker.circuit import CircuitState
from tests.twin.models.gateway.conftest import Command, breaker_of
from tests.twin.stack.world import Stack, Tenant, until, word

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("models-own")]

SONNET = "anthropic/claude-sonnet-5-5"
OVERLOADED = {"kind": "status", "status": 529, "provider": "anthropic", "path": "/v1/messages"}


def providers(tenant: Tenant, run: dict[str, Any]) -> list[str]:
    attempts = tenant.events(run["run_id"], "model_attempt")
    return [one["provider"] for one in attempts if one["tier"] != "embeddings"]


def trip(stack: Stack, tenant: Tenant) -> None:
    """Let the primary fail for two tenants until the circuit that all share is open."""
    stack.simulator.add_faults(OVERLOADED)
    tenants = cycle([tenant, stack.tenant()])

    def opened() -> bool:
        assert next(tenants).ask(f"What is 2 + 3 ({word()})?")["status"] == "succeeded"
        return bool(breaker_of(stack).get_all()[SONNET].open_until)

    until(opened, "the opening of the circuit")


def ask_around(stack: Stack, tenant: Tenant) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Ask until the primary is passed over, and return that run's view and what the providers were sent for it.

    The faults last meanwhile: a process may go by what it saw of the circuit a moment before, and on a busy machine the
    question may come after the cooldown, as a probe.
    """

    def look() -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
        before = len(stack.simulator.list_requests())
        view = tenant.ask(f"What is 4 + 5 ({word()})?")
        assert view["status"] == "succeeded"
        found = (view, stack.simulator.list_requests()[before:])
        return found if set(providers(tenant, view)) == {"openai"} else None

    return until(look, "a question that the primary is not asked")


def test_after_failures_in_a_row_the_primary_is_not_asked_and_the_notice_says_so(stack: Stack, tenant: Tenant) -> None:
    trip(stack, tenant)
    view, sent = ask_around(stack, tenant)
    assert any("is failing" in notice for notice in view["notices"])
    assert sent
    assert not [one for one in sent if one["path"] == "/v1/messages"]


def test_one_tenants_failures_keep_the_primary_from_no_other(stack: Stack, tenant: Tenant) -> None:
    stack.simulator.add_faults(OVERLOADED)
    ask_around(stack, tenant)
    stack.simulator.clear_faults()
    other = stack.tenant()
    assert "anthropic" in providers(other, other.ask("What is 4 + 5?"))


def test_another_process_of_the_gateway_sees_the_open_circuit(stack: Stack, tenant: Tenant) -> None:
    def ask_anew() -> bool:
        trip(stack, tenant)
        for process in stack.processes("gateway"):
            process.kill()
        return set(providers(tenant, tenant.ask(f"What is 4 + 5 ({word()})?"))) == {"openai"}

    # The first question of new processes: a circuit that each keeps for itself would be closed, each time.
    until(ask_anew, "a question to new processes that the primary is not asked")


def test_a_provider_that_is_held_open_is_not_asked_until_a_command_closes_it(tenant: Tenant, command: Command) -> None:
    code, shown = command("breaker", "open", "anthropic")
    assert code == 0
    assert {(one["provider"], one["state"], one["forced"]) for one in shown} == {("anthropic", "open", True)}
    held = until(
        lambda: view if set(providers(tenant, view := tenant.ask(f"What is 1 + 1 ({word()})?"))) == {"openai"} else None
    )
    assert any("is failing" in notice for notice in held["notices"])
    code, shown = command("breaker", "close", SONNET)
    assert (code, [one["state"] for one in shown]) == (0, ["closed"])
    until(
        lambda: "anthropic" in providers(tenant, tenant.ask(f"What is 1 + 1 ({word()})?")), "an answer of the primary"
    )


def test_the_list_has_every_model_of_a_chain_and_what_a_command_holds(command: Command) -> None:
    command("breaker", "open", SONNET, "--minutes", "5")
    code, shown = command("breaker", "list")
    assert code == 0
    states = {f"{one['provider']}/{one['model']}": one for one in shown}
    assert states[SONNET]["state"] == "open"
    assert states[SONNET]["until"] is not None
    assert states["openai/gpt-6.1-sol"]["state"] == states["openai/text-embedding-3-small"]["state"] == "closed"


def test_with_every_circuit_open_by_failures_the_user_is_still_answered_for(stack: Stack, tenant: Tenant) -> None:
    trip(stack, tenant)
    stack.simulator.clear_faults()
    breaker = breaker_of(stack)
    for name in ("openai/gpt-6.1-sol", "anthropic/claude-haiku-5-5"):
        breaker.force(name, "open")
    assert breaker.look(SONNET).get_state(time.time()) is CircuitState.OPEN
    view = tenant.ask("What is 6 + 7?")
    assert (view["status"], "13" in view["answer"]) == ("succeeded", True)


def test_a_model_that_nobody_knows_is_named_in_the_error(command: Command) -> None:
    code, shown = command("breaker", "open", "nobody")
    assert code == 2
    assert "'nobody' is not a model or a provider" in shown["error"]
