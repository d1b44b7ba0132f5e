"""Switches that stop runs, executions that AWS ends, failed runs that go on, and what a schedule starts."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pentad.aws.table import Table
from pentad.domain.declarations.agents import ScheduleSpec
from pentad.orchestration.lifecycle.queue_messages import build_redrive_message, build_schedule_message
from pentad.orchestration.lifecycle.redrive import redriven_id
from pentad.orchestration.switches.adapters.switches_dynamodb import DynamoSwitches
from pentad.orchestration.switches.ports import Switch, ToolHealth
from tests.twin.stack.world import Json, Stack, Tenant, until

from .conftest import Slow
from .test_sessions import NOTE

pytestmark = pytest.mark.twin


@pytest.fixture
def switches(stack: Stack, tenant: Tenant) -> Iterator[DynamoSwitches]:
    made = DynamoSwitches(Table(stack.aws("dynamodb"), stack.outputs["TransientTable"]))
    yield made
    made.remove("tenant", tenant.name)


def results(tenant: Tenant, session_id: str) -> list[str]:
    return [result["content"] for one in tenant.messages(session_id) for result in one["tool_results"]]


def failed_messages(stack: Stack, run_id: str) -> list[Json]:
    """Return what the list of failed runs holds of a run; the messages stay."""
    url = stack.outputs["FailedRuns"]
    reply = stack.aws("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
    found = [json.loads(one["Body"])["detail"] for one in reply.get("Messages", [])]
    return [one for one in found if one["run"] == run_id]


def test_a_switch_stops_a_run_within_a_step_and_refuses_new_ones(
    stack: Stack, tenant: Tenant, slow: Slow, switches: DynamoSwitches
) -> None:
    run = slow.start("What is 21 + 21, and what day is 3 days after 2026-03-01?")
    switches.put(Switch(scope="tenant", subject=tenant.name, reason="an audit", by="test", at=datetime.now(UTC)))
    slow.release()
    view = tenant.settle(run)
    assert (view["status"], "an audit" in view["stop_reason"]) == ("stopped", True)
    assert all("switched off by an operator: an audit" in one for one in results(tenant, "s"))
    refused = tenant.post("/v1/runs", {"agent": "assistant", "message": "Hello"})
    assert (refused.status_code, refused.json()["code"]) == (403, "PolicyDenied")
    assert "an audit" in refused.json()["detail"]
    switches.remove("tenant", tenant.name)
    assert tenant.ask("What is 20 + 22?")["status"] == "succeeded"


def test_a_tool_out_of_order_is_told_to_the_model_and_clears_with_a_success(
    tenant: Tenant, switches: DynamoSwitches
) -> None:
    now = datetime.now(UTC)
    broken = ToolHealth(tool="calculator", failures=6, error="ToolUnavailable", failed_at=now)
    switches.save(tenant.name, broken.model_copy(update={"until": now + timedelta(minutes=5)}))
    view = tenant.ask("What is 20 + 22?", session="s")
    assert view["status"] in {"succeeded", "stopped"}
    assert "out of order" in results(tenant, "s")[0]
    [sick] = switches.list_failing(tenant.name)
    switches.save(tenant.name, sick.model_copy(update={"until": now}))
    assert "42" in tenant.ask("What is 20 + 22?", session="s2")["answer"]
    assert switches.list_failing(tenant.name) == []


def test_an_execution_that_is_stopped_from_outside_leaves_a_failed_run_and_a_free_session(
    stack: Stack, tenant: Tenant
) -> None:
    run = tenant.ask(NOTE, session="s")["run_id"]
    [execution] = stack.executions(run)
    stack.aws("stepfunctions").stop_execution(executionArn=execution["executionArn"])
    view = until(lambda: found if (found := tenant.get(f"/v1/runs/{run}"))["ended_at"] else None, "the end")
    assert (view["status"], view["error"].split(":")[0]) == ("failed", "ExecutionAborted")
    assert (tenant.lease_is_free("s"), tenant.get("/v1/approvals")["items"]) == (True, [])


def test_a_failed_run_is_listed_and_goes_on_in_its_session_once(stack: Stack, tenant: Tenant, slow: Slow) -> None:
    run = slow.start("What is 20 + 22?")
    [execution] = stack.executions(run)
    stack.aws("stepfunctions").stop_execution(executionArn=execution["executionArn"])
    [listed] = until(lambda: failed_messages(stack, run), "the list of failed runs")[:1]
    assert (listed["tenant"], listed["session"], listed["execution"]) == (tenant.name, "s", execution["executionArn"])
    assert listed["error"].startswith("ExecutionAborted")
    for _ in range(2):
        queue = stack.queue_url("lifecycle")
        stack.aws("sqs").send_message(QueueUrl=queue, MessageBody=build_redrive_message(tenant.name, run))
    again = redriven_id(tenant.name, run)
    until(lambda: tenant.send("GET", f"/v1/runs/{again}").status_code == 200, "the second chance")
    view = tenant.settle(again)
    assert (view["status"], view["redrive_of"], view["session"]) == ("succeeded", run, "s")
    assert "42" in view["answer"]
    assert len(stack.executions(again)) == 1


def test_what_a_schedule_sends_twice_is_one_run(stack: Stack, tenant: Tenant) -> None:
    schedule = ScheduleSpec(
        name="daily", expression="rate(1 day)", tenant_id=tenant.name, message="What is 20 + 22?", session_id="daily"
    )
    body = json.dumps(build_schedule_message("assistant", schedule))
    body = body.replace("<aws.scheduler.scheduled-time>", "2026-11-22T12:00:00Z")
    for _ in range(2):
        stack.aws("sqs").send_message(QueueUrl=stack.queue_url("lifecycle"), MessageBody=body)
    [run] = until(lambda: tenant.get("/v1/runs")["items"], "the start of a run")
    assert tenant.settle(run["run_id"])["status"] == "succeeded"
    [created] = tenant.events(run["run_id"], "run.created")
    assert created["trigger"] == "schedule"
    assert len(tenant.items("run")) == 1


@pytest.fixture
def pentad(stack: Stack, tenant: Tenant, tmp_path: Path) -> Callable[..., Json]:
    """The command line in a folder whose twin this is; it prints JSON."""
    state = tmp_path / ".pentad"
    state.mkdir()
    (tmp_path / "infra").mkdir()
    (tmp_path / "cdk.json").write_text("{}", encoding="utf-8")
    (state / "twin.json").write_text(json.dumps(stack.facts), encoding="utf-8")

    def run(*arguments: str) -> Json:
        done = subprocess.run(
            [sys.executable, "-m", "pentad.cli.main", "--json", "--key", tenant.token, "--url", stack.url, *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, done.stderr + done.stdout
        found: Json = json.loads(done.stdout)
        return found

    return run


def test_an_operator_lists_failed_runs_and_lets_one_go_on(
    stack: Stack, tenant: Tenant, slow: Slow, pentad: Callable[..., Json]
) -> None:
    run = slow.start("What is 20 + 22?")
    [execution] = stack.executions(run)
    stack.aws("stepfunctions").stop_execution(executionArn=execution["executionArn"])
    until(lambda: failed_messages(stack, run), "the list of failed runs")
    listed = [one for one in pentad("runs", "failed")["runs"] if one["run_id"] == run]
    assert [(one["tenant"], one["agent"]) for one in listed] == [(tenant.name, "assistant")]
    [report] = pentad("runs", "redrive", run)["runs"]
    assert report["goes_on_as"] == redriven_id(tenant.name, run)
    assert tenant.settle(report["goes_on_as"])["status"] == "succeeded"
    assert not failed_messages(stack, run)


def test_an_operator_throws_a_switch_and_takes_it_back(tenant: Tenant, pentad: Callable[..., Json]) -> None:
    pentad("kill", "on", "--tenant", tenant.name, "--reason", "an audit")
    listed = pentad("kill", "list", "--tenant", tenant.name)["switches"]
    assert [(one["subject"], one["reason"]) for one in listed if one["subject"] == tenant.name] == [
        (tenant.name, "an audit")
    ]
    assert tenant.post("/v1/runs", {"agent": "assistant", "message": "Hello"}).status_code == 403
    pentad("kill", "off", "--tenant", tenant.name)
    run = tenant.ask(NOTE)
    assert pentad("runs", "cancel", run["run_id"], "--reason", "a test")["status"] == "cancelled"
