"""What a run waits for, its agents' runs included."""

import pytest

from pentad.api.views.approvals import HumanWaits, build_approval_view
from pentad.domain.declarations.agents import HumansSpec
from pentad.domain.runs import RunStatus
from tests.unit.api.client import Client
from tests.unit.orchestration.workflows.conftest import Bench, make_bench
from tests.unit.orchestration.world import CATALOG, TENANT


@pytest.fixture
def bench() -> Bench:
    asks = CATALOG.agents["plain"].model_copy(update={"humans": HumansSpec(may_ask=True)})
    return make_bench(CATALOG.model_copy(update={"agents": CATALOG.agents | {"plain": asks}}))


def _ask(bench: Bench, round_: int = 0) -> tuple[str, str]:
    """Let an agent of the workflow ask a human; return its run and the approval."""
    child = bench.world.runs.get(TENANT, bench.children.begin(bench.at("helper", round_=round_))["run"])
    bench.world.model.script = [[("ask_human", {"question": "How many?"})]]
    bench.world.runs.set_status(TENANT, child.run_id, RunStatus.RUNNING)
    bench.world.turn(child)
    return child.run_id, bench.world.asking.ask_for_step(TENANT, child.run_id, 1, "token-1").approval_id


def test_a_workflow_waits_where_its_agent_does_and_the_approval_names_it(bench: Bench) -> None:
    bench.facts()
    client = Client(bench.world)
    before = client("GET", f"/v1/runs/{bench.run.run_id}").json
    assert (before["status"], before["pending_approval"]) == ("running", None)
    child, name = _ask(bench)
    shown = client("GET", f"/v1/runs/{bench.run.run_id}").json
    assert (shown["status"], shown["pending_approval"]) == ("awaiting_human", name)
    [listed] = [one for one in client("GET", "/v1/runs").json["items"] if one["run_id"] == bench.run.run_id]
    assert (listed["status"], listed["pending_approval"]) == ("awaiting_human", name)
    approval = client("GET", f"/v1/approvals/{name}").json
    assert (approval["run_id"], approval["parent"]) == (child, bench.run.run_id)
    assert client("POST", f"/v1/approvals/{name}", {"decision": "answer", "text": "Two."}).status == 200
    after = client("GET", f"/v1/runs/{bench.run.run_id}").json
    assert (after["status"], after["pending_approval"]) == ("running", None)


def test_of_two_agents_that_wait_one_is_told_until_both_are_answered(bench: Bench) -> None:
    bench.facts()
    client, waits = Client(bench.world), HumanWaits(bench.world.runs, bench.world.approvals)
    names = {_ask(bench, round_)[1] for round_ in (0, 1)}
    while names:
        status, pending = waits.find(bench.fresh())
        assert status is RunStatus.AWAITING_HUMAN
        assert pending in names
        names.remove(pending)
        client("POST", f"/v1/approvals/{pending}", {"decision": "answer", "text": "Two."})
    assert waits.find(bench.fresh()) == (RunStatus.RUNNING, None)


def test_a_workflow_that_has_ended_waits_for_nobody(bench: Bench) -> None:
    bench.facts()
    _ask(bench)
    bench.world.runs.finish(TENANT, bench.run.run_id, RunStatus.CANCELLED, at=bench.world.clock(), answer=None)
    found = HumanWaits(bench.world.runs, bench.world.approvals).find(bench.fresh())
    assert found == (RunStatus.CANCELLED, None)


def test_an_approval_of_a_run_of_its_own_has_no_parent(bench: Bench) -> None:
    bench.world.model.script = [[("ask_human", {"question": "How many?"})]]
    run = bench.world.begin(agent="plain", session="s9")
    bench.world.turn(run)
    assert build_approval_view(bench.world.asking.ask_for_step(TENANT, run.run_id, 1, "token-1")).parent is None
