"""Processes that are killed in the middle of a call, executions that AWS ends: runs end well, nothing is doubled."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.twin.conftest import OwnProject
from tests.twin.stack.world import Stack, Tenant, until, word

# Processes and queues are the whole twin's, so these have one that the other workers do not use.
pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("stack-own")]

_HANG_SECONDS = 20


@pytest.fixture
def stack(own: OwnProject) -> Stack:
    return own.stack


@pytest.fixture
def mark(stack: Stack) -> Iterator[str]:
    """A word; faults for it end with the test."""
    made = word()
    yield made
    stack.simulator.clear_faults(made)


def hang(stack: Stack, mark: str, path: str) -> None:
    """Let the next call to the models whose request holds the mark hang."""
    stack.simulator.add_faults({"kind": "delay", "seconds": _HANG_SECONDS, "path": path, "text": mark, "times": 1})


def kill(stack: Stack, function: str) -> None:
    """Kill all processes of a function."""
    found = stack.processes(function)
    assert found, f"{function} has no process"
    for process in found:
        process.kill()


def until_taken(stack: Stack, mark: str) -> None:
    """Wait until the call that hangs has come."""
    until(lambda: not any(fault["text"] == mark for fault in stack.simulator.add_faults()), "the call that hangs")


def started(tenant: Tenant, message: str, agent: str = "assistant") -> str:
    answer = tenant.post("/v1/runs", {"agent": agent, "message": message, "session": "daily"})
    assert answer.status_code == 202
    return str(answer.json()["run_id"])


def ended_well(tenant: Tenant, run_id: str, *, messages: list[str]) -> None:
    view = tenant.settle(run_id)
    assert view["status"] == "succeeded", view
    assert [one["role"] for one in tenant.messages("daily")] == messages
    assert tenant.lease_is_free("daily")
    assert len(tenant.items("run")) == 1


def test_gateway_killed_while_the_model_answers_asks_again_and_answers_once(stack: Stack, mark: str) -> None:
    tenant = stack.tenant()
    hang(stack, mark, "/v1/messages")
    run = started(tenant, f"Hello {mark}")
    until_taken(stack, mark)
    kill(stack, "gateway")
    ended_well(tenant, run, messages=["user", "assistant"])
    assert len(tenant.items("step")) == 1
    # The ledger has both requests: what the one that was cut off came to, nobody knows.
    attempts = [one for one in tenant.events(run, "model_attempt") if one["tier"] != "embeddings"]
    assert [one["outcome"] for one in attempts] == ["begun", "ok"]


def test_recall_killed_while_the_question_is_embedded_recalls_again(stack: Stack, mark: str) -> None:
    tenant = stack.tenant()
    hang(stack, mark, "/v1/embeddings")
    run = started(tenant, f"Hello {mark}")
    until_taken(stack, mark)
    kill(stack, "recall")
    ended_well(tenant, run, messages=["user", "assistant"])


def test_idempotent_tool_killed_after_its_effect_runs_again_to_one_effect(stack: Stack) -> None:
    tenant = stack.tenant()
    run = started(tenant, 'Ring bell "north"', agent="greeter")
    until(lambda: records(tenant, "BELL"), "the effect")
    kill(stack, "tool-ring-bell")
    ended_well(tenant, run, messages=["user", "assistant", "user", "assistant"])
    [call] = tenant.events(run, "tool_call")
    assert (call["tool"], call["status"]) == ("ring_bell", "succeeded")
    assert records(tenant, "BELL") == [{"bell": "north"}]


def test_other_tool_killed_after_its_effect_is_not_repeated_and_the_model_is_told(stack: Stack) -> None:
    tenant = stack.tenant()
    run = started(tenant, 'Fire cannon "east"', agent="greeter")
    until(lambda: records(tenant, "SHOT"), "the effect")
    kill(stack, "tool-fire-cannon")
    ended_well(tenant, run, messages=["user", "assistant", "user", "assistant"])
    [call] = tenant.events(run, "tool_call")
    assert (call["status"], call["error_type"]) == ("failed", "EffectUncertain")
    assert records(tenant, "SHOT") == [{"cannon": "east"}]
    [told] = [result for one in tenant.messages("daily") for result in one["tool_results"]]
    assert told["is_error"]


def test_api_killed_while_a_client_waits_loses_nothing(stack: Stack, mark: str) -> None:
    tenant = stack.tenant()
    body = {"agent": "assistant", "message": f"Hello {mark}", "session": "daily"}
    hang(stack, mark, "/v1/messages")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(tenant.post, "/v1/runs", body, Idempotency_Key="once", Prefer="wait=20")
        until_taken(stack, mark)
        kill(stack, "api")
        assert waiting.result().status_code in (500, 502, 503)
    kill(stack, "gateway")  # No need to wait for the call that hangs.
    again = tenant.post("/v1/runs", body, Idempotency_Key="once")
    assert again.status_code in (200, 202)
    ended_well(tenant, again.json()["run_id"], messages=["user", "assistant"])
    assert len(stack.executions(again.json()["run_id"])) == 1


def test_poison_messages_reach_the_dead_letter_queue_and_good_ones_run(stack: Stack) -> None:
    tenant, sqs = stack.tenant(), stack.aws("sqs")
    queue, dead = stack.queue_url("runs"), stack.queue_url("runs-dlq")
    asked = {"agent": "assistant", "message": "What is 6 * 7?"}
    bodies = ["{no json " + tenant.name, tenant.sign(asked | {"agent": "nobody"}), tenant.sign(asked)]
    shown = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout"])["Attributes"]
    # As deployed a message that failed stays hidden for three minutes before it is tried again.
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "2"})
    try:
        entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
        sqs.send_message_batch(QueueUrl=queue, Entries=entries)
        dead_bodies: list[str] = []

        def both() -> bool:
            taken = sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10).get("Messages", [])
            dead_bodies.extend(one["Body"] for one in taken)
            return len(dead_bodies) >= 2

        until(both, "the way to the dead-letter queue")
    finally:
        sqs.set_queue_attributes(QueueUrl=queue, Attributes=shown)
    assert sorted(dead_bodies) == sorted(bodies[:2])
    [run] = tenant.get("/v1/runs")["items"]
    assert tenant.settle(run["run_id"])["status"] == "succeeded"


@pytest.fixture
def hasty(stack: Stack) -> Iterator[None]:
    """New runs of the clerk go to a version of its machine that is given three seconds, all else as deployed."""
    states = stack.aws("stepfunctions")
    machines = states.list_state_machines()["stateMachines"]
    [machine] = [one["stateMachineArn"] for one in machines if one["name"] == "pentad-dev-agent-clerk"]
    [alias] = states.list_state_machine_aliases(stateMachineArn=machine)["stateMachineAliases"]
    live = alias["stateMachineAliasArn"]
    definition = states.describe_state_machine(stateMachineArn=machine)["definition"]
    routing = states.describe_state_machine_alias(stateMachineAliasArn=live)["routingConfiguration"]
    short = json.dumps(json.loads(definition) | {"TimeoutSeconds": 3})
    version = states.update_state_machine(stateMachineArn=machine, definition=short, publish=True)
    route = {"stateMachineVersionArn": version["stateMachineVersionArn"], "weight": 100}
    states.update_state_machine_alias(stateMachineAliasArn=live, routingConfiguration=[route])
    yield
    states.update_state_machine_alias(stateMachineAliasArn=live, routingConfiguration=routing)
    states.update_state_machine(stateMachineArn=machine, definition=definition)


@pytest.mark.usefixtures("hasty")
def test_execution_that_times_out_leaves_a_failed_run_and_a_free_session(stack: Stack) -> None:
    tenant = stack.tenant()
    run = started(tenant, 'Save a note titled "Oil" with the text "Order two barrels."', agent="clerk")
    view = until(lambda: found if (found := tenant.get(f"/v1/runs/{run}"))["ended_at"] else None, "the end")
    assert (view["status"], view["error"].split(":")[0]) == ("failed", "ExecutionTimedOut")
    assert [one["status"] for one in stack.executions(run)] == ["TIMED_OUT"]
    assert (tenant.lease_is_free("daily"), tenant.get("/v1/approvals")["items"]) == (True, [])


def records(tenant: Tenant, kind: str) -> list[dict[str, str]]:
    """Return what a tool of the project keeps."""
    return [json.loads(item["body"]) for item in tenant.items() if item["pk"] == f"T#{tenant.name}#{kind}"]
