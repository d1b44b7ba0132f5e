"""Requests on the wire equal attempts on the ledger, for a gateway that is killed in the middle of a call too."""

import json
from typing import Any

import pytest

from pentad.domain.tracing import HEADER, find_root_place
from tests.twin.stack.world import Stack, Tenant, await_memories, ledger_of, until, word

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("models-own")]

CHAT = ("/v1/messages", "/v1/responses")


_HANG_SECONDS = 3


def on_the_wire(tenant: Tenant, run_id: str) -> list[str]:
    """Return what the providers were asked in a run's trace, by the run and for the memories made after it.

    A call that hangs is in the journal at its end.
    """
    trace_id = find_root_place(tenant.name, run_id).trace_id
    requests = tenant.stack.simulator.list_requests()
    return sorted(one["model"] for one in requests if trace_id in one["headers"].get(HEADER, ""))


def as_many(tenant: Tenant, run_id: str) -> bool:
    return len(on_the_wire(tenant, run_id)) >= len(ledger_of(tenant.stack, tenant.name, begun=True))


def on_the_ledger(tenant: Tenant, run_id: str) -> list[dict[str, Any]]:
    return tenant.events(run_id, "model_attempt")


def killed_while(stack: Stack, tenant: Tenant, mark: str, path: str) -> str:
    """Start a run, and kill the gateway while it waits for the provider; return the run once it has ended."""
    stack.simulator.add_faults({"kind": "delay", "seconds": _HANG_SECONDS, "path": path, "text": mark, "times": 1})
    answer = tenant.post("/v1/runs", {"agent": "assistant", "message": f"What is 20 + 3 ({mark})?"})
    run = str(answer.json()["run_id"])
    until(lambda: not any(fault["text"] == mark for fault in stack.simulator.add_faults()), "the call that hangs")
    for process in stack.processes("gateway"):
        process.kill()
    assert tenant.settle(run)["status"] == "succeeded"
    return run


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/embeddings"])
def test_a_gateway_killed_while_the_provider_answers_leaves_an_attempt_that_was_begun(
    stack: Stack, tenant: Tenant, path: str
) -> None:
    run = killed_while(stack, tenant, word(), path)
    await_memories(tenant, tenant.get(f"/v1/runs/{run}")["session"])
    until(lambda: as_many(tenant, run), "the end of the call that hangs")
    attempts = ledger_of(stack, tenant.name, begun=True)
    assert sorted(one["model"] for one in attempts) == on_the_wire(tenant, run)
    assert [one["outcome"] for one in attempts].count("begun") == 1


def test_what_a_run_cost_is_the_sum_of_its_attempts_after_a_kill_too(stack: Stack, tenant: Tenant) -> None:
    run = killed_while(stack, tenant, word(), "/v1/messages")
    until(lambda: as_many(tenant, run), "the end of the call that hangs")
    spent = tenant.get(f"/v1/runs/{run}")["cost_nanousd"]
    assert spent == sum(one["cost_nanousd"] for one in on_the_ledger(tenant, run)) > 0


def test_a_turn_asked_for_again_gives_the_stored_reply_and_sends_nothing(stack: Stack, tenant: Tenant) -> None:
    view = tenant.ask("What is 9 + 9?")
    await_memories(tenant, view["session"])
    before, spent = on_the_wire(tenant, view["run_id"]), on_the_ledger(tenant, view["run_id"])
    payload = {
        "op": "think",
        "tenant": tenant.name,
        "run": view["run_id"],
        "session": view["session"],
        "agent": "assistant",
        "step": 1,
    }
    reply = stack.aws("lambda").invoke(
        FunctionName="pentad-dev-gateway", Qualifier="1", Payload=json.dumps(payload).encode()
    )
    assert "FunctionError" not in reply
    assert json.loads(reply["Payload"].read())["step"] == 1
    assert on_the_wire(tenant, view["run_id"]) == before
    assert on_the_ledger(tenant, view["run_id"]) == spent


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 529},
        {"kind": "status", "status": 429, "headers": {"retry-after": "1"}},
        {"kind": "reset"},
        {"kind": "html"},
        {"kind": "cut_stream"},
        {"kind": "refusal"},
    ],
    ids=lambda fault: f"{fault['kind']}-{fault.get('status', '')}",
)
def test_with_a_fault_the_ledger_has_what_was_on_the_wire(stack: Stack, tenant: Tenant, fault: dict[str, Any]) -> None:
    mark = word()
    stack.simulator.add_faults({**fault, "path": "/v1/messages", "text": mark, "times": 2})
    view = tenant.ask(f"What is 3 + 3 ({mark})?")
    assert view["status"] == "succeeded"
    await_memories(tenant, view["session"])
    assert sorted(one["model"] for one in ledger_of(stack, tenant.name, begun=True)) == on_the_wire(
        tenant, view["run_id"]
    )
