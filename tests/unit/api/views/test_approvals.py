"""What a run waits for, its agents' runs included."""

from typing import Any

import pytest

from pentad.api.views.approvals import HumanWaits, build_approval_view
from pentad.domain.declarations.agents import HumansSpec
from pentad.domain.declarations.words import UserWords
from pentad.domain.runs import RunStatus
from tests.unit.api.client import Client
from tests.unit.orchestration.workflows.conftest import Bench, make_bench
from tests.unit.orchestration.world import CATALOG, TENANT, World


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
    client, waits = Client(bench.world), HumanWaits(bench.world.runs, bench.world.approvals, bench.world.catalog)
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
    found = HumanWaits(bench.world.runs, bench.world.approvals, bench.world.catalog).find(bench.fresh())
    assert found == (RunStatus.CANCELLED, None)


def test_an_approval_of_a_run_of_its_own_has_no_parent(bench: Bench) -> None:
    bench.world.model.script = [[("ask_human", {"question": "How many?"})]]
    run = bench.world.begin(agent="plain", session="s9")
    bench.world.turn(run)
    assert build_approval_view(bench.world.asking.ask_for_step(TENANT, run.run_id, 1, "token-1")).parent is None


def _held(**humans: Any) -> tuple[Client, str]:
    """Return the API, and the approval of a question that the run of session s1 waits for."""
    spec = CATALOG.agents["plain"].model_copy(
        update={"humans": HumansSpec(may_ask=True, **humans), "words": UserWords(waiting="Ein Mensch sieht nach.")}
    )
    world = World(CATALOG.model_copy(update={"agents": CATALOG.agents | {"plain": spec}}))
    world.model.script = [[("ask_human", {"question": "How many?"})]]
    run = world.begin(agent="plain", session="s1")
    world.turn(run)
    return Client(world), world.asking.ask_for_step(TENANT, run.run_id, 1, "token-1").approval_id


NEXT = {"agent": "plain", "message": "And by when?", "session": "s1"}


def test_the_next_message_is_kept_while_a_human_looks_and_the_user_is_told_so() -> None:
    client, name = _held()
    first = client("GET", "/v1/runs?session=s1").json["items"][0]
    assert (first["status"], first["holding"]) == ("awaiting_human", "Ein Mensch sieht nach.")
    kept = client("POST", "/v1/runs", NEXT)
    assert (kept.status, kept.json["status"], kept.json["queue_position"]) == (202, "queued", 1)
    assert kept.json["holding"] == "Ein Mensch sieht nach."
    client("POST", f"/v1/approvals/{name}", {"decision": "answer", "text": "Two."})
    client.world.runs.finish(TENANT, first["run_id"], RunStatus.SUCCEEDED, at=client.world.clock(), answer="Two.")
    shown = client("GET", f"/v1/runs/{kept.json['run_id']}").json
    assert (shown["queue_position"], shown["holding"]) == (None, None)
    assert kept.json["run_id"] in client.world.engine.started


@pytest.mark.parametrize(("asks", "keeps"), [({"if_busy": "reject"}, True), ({}, False)])
def test_whoever_wants_to_be_rejected_is(asks: dict[str, str], keeps: bool) -> None:
    client, _ = _held(keeps_messages=keeps)
    reply = client("POST", "/v1/runs", NEXT | asks)
    assert (reply.status, reply.json["code"]) == (409, "SessionBusy")


def test_a_run_that_only_works_rejects_as_before() -> None:
    client = Client()
    client.world.begin(session="s1")
    assert client("POST", "/v1/runs", {"agent": "assistant", "message": "Hi", "session": "s1"}).status == 409
