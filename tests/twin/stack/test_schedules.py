"""A schedule of an agent that fires: Scheduler, its role, the runs queue, the trigger, a run; once for each moment."""

import json

import pytest
from typer.testing import CliRunner

from pentad.cli.main import app
from pentad.domain.ids import derive_id
from tests.twin.conftest import OwnProject
from tests.twin.stack.own_project import TIDE
from tests.twin.stack.test_triggers import deliver
from tests.twin.stack.world import Json, Tenant, until, word

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("stack-own")]


@pytest.fixture
def harbour(own: OwnProject, monkeypatch: pytest.MonkeyPatch) -> Tenant:
    """The tenant that the schedule names, and the project's folder to run commands in."""
    monkeypatch.chdir(own.folder)
    own.stack.simulator.reset()
    return own.stack.tenant(TIDE["tenant"])


def pentad(*arguments: str) -> Json:
    done = CliRunner().invoke(app, ["--json", *arguments])
    assert done.exit_code == 0, done.output
    found: Json = json.loads(done.output)
    return found


def test_a_schedule_fires_and_starts_one_run_for_its_moment(own: OwnProject, harbour: Tenant) -> None:
    [listed] = pentad("schedules", "list")["schedules"]
    assert (listed["name"], listed["expression"], listed["tenant"]) == ("greeter-tide", TIDE["expression"], "harbour")
    due = pentad("schedules", "fire", "greeter-tide")["due"]
    [started] = until(lambda: harbour.get("/v1/runs")["items"], "the start of a run")
    view = harbour.settle(started["run_id"])
    # Of the schedule alone: whoever has a session of its name has another one.
    session = derive_id("ses", TIDE["tenant"], "schedule", "greeter", TIDE["session"])
    assert (view["status"], view["agent"], view["session"]) == ("succeeded", "greeter", session)
    [created] = harbour.events(view["run_id"], "run.created")
    assert created["trigger"] == "schedule"
    # Scheduler delivers at least once: the same moment again finds the run.
    asked = {name: TIDE[name] for name in ("tenant", "message", "session")} | {"agent": "greeter"}
    again = asked | {"idempotency_key": f"schedule/greeter/tide/{due}"}
    assert deliver(own.stack, json.dumps(again), word("m"), queue="lifecycle") == {"batchItemFailures": []}
    assert [one["run_id"] for one in harbour.get("/v1/runs")["items"]] == [view["run_id"]]
    assert [one["name"] for one in pentad("schedules", "list")["schedules"]] == ["greeter-tide"]


def test_a_schedule_that_nobody_has_is_named(harbour: Tenant) -> None:
    refused = CliRunner().invoke(app, ["schedules", "fire", "greeter-ebb"])
    assert (refused.exit_code, "no such schedule" in refused.output) == (1, True)
