"""The same request twice is one run; two runs of one session are one after the other."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.twin.stack.world import Stack, Tenant, await_memories, word

pytestmark = pytest.mark.twin

SUM = {"agent": "assistant", "message": "What is 21 + 21?"}


def test_same_key_gives_the_same_run_once(stack: Stack, tenant: Tenant) -> None:
    first = tenant.ask(SUM["message"], key="order-4711")
    await_memories(tenant, first["session"])
    stored = len(tenant.items())
    again = tenant.post("/v1/runs", SUM, Idempotency_Key="order-4711", Prefer="wait=20")
    assert again.status_code == 200
    assert again.json()["run_id"] == first["run_id"]
    assert again.json()["answer"] == first["answer"]
    assert len(tenant.items()) == stored
    assert len(tenant.items("run")) == 1
    assert [one["role"] for one in tenant.messages(first["session"]) if one["text"] == SUM["message"]] == ["user"]
    assert len(stack.executions(first["run_id"])) == 1


def test_same_key_for_another_request_is_a_conflict(tenant: Tenant) -> None:
    first = tenant.ask(SUM["message"], key="order-4711")
    await_memories(tenant, first["session"])
    stored = len(tenant.items())
    other = tenant.post("/v1/runs", SUM | {"message": "What is 1 + 1?"}, Idempotency_Key="order-4711")
    assert (other.status_code, other.json()["code"]) == (409, "IdempotencyConflict")
    assert len(tenant.items()) == stored
    assert tenant.get(f"/v1/runs/{first['run_id']}")["answer"] == first["answer"]


def test_key_of_one_tenant_is_not_that_of_another(stack: Stack, tenant: Tenant) -> None:
    mine = tenant.ask(SUM["message"], key="order-4711")
    theirs = stack.tenant().ask(SUM["message"], key="order-4711")
    assert mine["run_id"] != theirs["run_id"]


def test_concurrent_requests_with_one_key_are_one_run(stack: Stack, tenant: Tenant) -> None:
    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(tenant.post, "/v1/runs", SUM, Idempotency_Key="order-4711") for _ in range(4)]
    answers = [future.result() for future in sent]
    assert {answer.status_code for answer in answers} <= {200, 202}, [answer.text for answer in answers]
    [run] = {answer.json()["run_id"] for answer in answers}
    view = tenant.settle(run)
    assert view["status"] == "succeeded"
    assert [one["role"] for one in tenant.messages(view["session"])].count("assistant") == 2
    assert len(tenant.items("run")) == 1
    assert len(stack.executions(run)) == 1


def test_two_requests_to_one_session_are_one_run_and_one_conflict(stack: Stack, tenant: Tenant) -> None:
    mark = word()
    bodies = [{"agent": "assistant", "message": f"Say {number} ({mark})", "session": "daily"} for number in (1, 2)]
    # The first run can't end before the second request comes.
    with (
        stack.fault(mark, {"kind": "delay", "seconds": 2, "provider": "anthropic", "path": "/v1/messages"}),
        ThreadPoolExecutor(2) as pool,
    ):
        answers = list(pool.map(lambda body: tenant.post("/v1/runs", body), bodies))
    assert sorted(answer.status_code for answer in answers) == [202, 409]
    [refused] = [answer for answer in answers if answer.status_code == 409]
    assert refused.json()["code"] == "SessionBusy"
    assert int(refused.headers["retry-after"]) >= 1
    [taken] = [answer for answer in answers if answer.status_code == 202]
    assert tenant.settle(taken.json()["run_id"])["status"] == "succeeded"
    assert [one["role"] for one in tenant.messages("daily")] == ["user", "assistant"]
    assert tenant.ask("What is 2 + 2?", session="daily")["status"] == "succeeded"
