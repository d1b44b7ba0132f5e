"""One run at a time in a session: others are refused, wait, or interrupt; and runs are cancelled."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.twin.stack.world import Json, Stack, Tenant, until

from .conftest import Slow

pytestmark = pytest.mark.twin

NOTE = 'Save a note titled "Oil" with the text "Order two barrels."'


def ask(tenant: Tenant, message: str, if_busy: str | None = None, **headers: str) -> Json:
    body = {"agent": "assistant", "message": message, "session": "s"} | ({"if_busy": if_busy} if if_busy else {})
    answer = tenant.post("/v1/runs", body, **headers)
    assert answer.status_code in (200, 202), answer.text
    view: Json = answer.json()
    return view


def questions(tenant: Tenant) -> list[str]:
    return [one["text"] for one in tenant.messages("s") if one["role"] == "user" and one["text"]]


def status_of_execution(stack: Stack, run_id: str) -> str:
    return str(stack.executions(run_id)[0]["status"])


def test_of_two_at_once_one_is_refused(tenant: Tenant, slow: Slow) -> None:
    # The run that begins lasts until the other request has come, whose function may have to start first.
    slow.hang()
    body = {"agent": "assistant", "message": f"What is 21 + 21? ({slow.mark})", "session": "s"}
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: tenant.post("/v1/runs", body), range(2)))
    slow.release()
    started = [one.json() for one in answers if one.status_code == 202]
    refused = [one.json() for one in answers if one.status_code != 202]
    assert (len(started), [one["code"] for one in refused]) == (1, ["SessionBusy"])
    assert tenant.settle(started[0]["run_id"])["status"] == "succeeded"


def test_runs_wait_for_their_session_and_come_in_order_each_once(stack: Stack, tenant: Tenant, slow: Slow) -> None:
    holder = slow.start()
    waiting = [ask(tenant, f"What is {number} + 40?", "enqueue", Idempotency_Key=f"k{number}") for number in (1, 2, 3)]
    again = ask(tenant, "What is 2 + 40?", "enqueue", Idempotency_Key="k2")
    assert [one["queue_position"] for one in waiting] == [1, 2, 3]
    assert again["run_id"] == waiting[1]["run_id"]
    slow.release()
    views = [tenant.settle(one["run_id"]) for one in waiting]
    assert tenant.settle(holder)["status"] == "succeeded"
    assert [view["status"] for view in views] == ["succeeded"] * 3
    assert ["41" in views[0]["answer"], "42" in views[1]["answer"], "43" in views[2]["answer"]] == [True] * 3
    assert questions(tenant)[1:] == [f"What is {number} + 40?" for number in (1, 2, 3)]
    assert [len(stack.executions(one["run_id"])) for one in waiting] == [1, 1, 1]
    until(lambda: tenant.lease_is_free("s"), "the end of the queue")


def test_a_request_interrupts_the_run_that_holds_the_session(stack: Stack, tenant: Tenant, slow: Slow) -> None:
    holder = slow.start()
    urgent = ask(tenant, "What is 20 + 22?", "interrupt")
    view = tenant.settle(urgent["run_id"])
    assert (view["status"], "42" in view["answer"]) == ("succeeded", True)
    interrupted = tenant.get(f"/v1/runs/{holder}")
    assert (interrupted["status"], urgent["run_id"] in interrupted["stop_reason"]) == ("cancelled", True)
    until(lambda: status_of_execution(stack, holder) == "ABORTED", "the end of the execution")
    until(lambda: tenant.lease_is_free("s"), "the end")
    assert [one["role"] for one in tenant.messages("s") if not one["tool_results"]].count("user") == 2


def test_a_run_that_thinks_is_cancelled_at_once_and_again(stack: Stack, tenant: Tenant, slow: Slow) -> None:
    run = slow.start()
    for _ in range(2):
        answer = tenant.post(f"/v1/runs/{run}/cancel", {"reason": "no longer needed"})
        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled"), answer.text
    assert "no longer needed" in answer.json()["stop_reason"]
    assert tenant.lease_is_free("s")
    until(lambda: status_of_execution(stack, run) == "ABORTED", "the end of the execution")
    assert tenant.ask("What is 20 + 22?", session="s")["status"] == "succeeded"


def test_a_cancelled_run_asks_nobody_any_more(stack: Stack, tenant: Tenant) -> None:
    waiting = tenant.ask(NOTE, session="s")
    assert tenant.post(f"/v1/runs/{waiting['run_id']}/cancel", {}).json()["status"] == "cancelled"
    assert tenant.get("/v1/approvals")["items"] == []
    assert tenant.decide(waiting["pending_approval"], "approve").status_code == 409
    until(lambda: status_of_execution(stack, waiting["run_id"]) == "ABORTED", "the end of the execution")
    assert (tenant.notes(), tenant.lease_is_free("s")) == ([], True)


def test_a_run_in_the_queue_is_cancelled_and_the_next_one_moves_up(tenant: Tenant, slow: Slow) -> None:
    slow.start()
    first, second = ask(tenant, "What is 1 + 1?", "enqueue"), ask(tenant, "What is 20 + 22?", "enqueue")
    assert tenant.post(f"/v1/runs/{first['run_id']}/cancel", {}).json()["status"] == "cancelled"
    assert tenant.get(f"/v1/runs/{second['run_id']}")["queue_position"] == 1
    slow.release()
    assert "42" in tenant.settle(second["run_id"])["answer"]
    assert "What is 1 + 1?" not in questions(tenant)


def test_a_run_that_has_ended_is_not_cancelled(tenant: Tenant) -> None:
    run = tenant.ask("What is 20 + 22?")["run_id"]
    answer = tenant.post(f"/v1/runs/{run}/cancel", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "InvalidTransition")
