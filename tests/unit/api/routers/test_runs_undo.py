"""Undo of a whole run by HTTP: a plan that changes nothing, undoing by stretches, groups, and the audit."""

import pytest

from pentad.domain.declarations.agents import Catalog
from pentad.domain.errors import ToolFailed
from pentad.domain.ids import undo_token
from pentad.domain.runs import CallStatus, Run, RunStatus
from tests.unit.api.client import Client
from tests.unit.orchestration.world import CATALOG, TENANT, World

NOTES = CATALOG.tools["notes"].model_copy(update={"effects": "external", "approval": "never"})
UNDOABLE = Catalog(agents=CATALOG.agents, tools=CATALOG.tools | {"notes": NOTES})


def make_ended(client: Client, steps: int = 2, user_id: str | None = "ann") -> Run:
    """Return an ended run that has saved a note in each step."""
    world = client.world
    world.model.script += [[("notes", {"title": str(step)})] for step in range(steps)]
    run = world.begin(user_id=user_id)
    for step in range(1, steps + 1):
        world.turn(run, step)
        world.clock.advance(1)
        call = world.runs.get_call(TENANT, run.run_id, step, 0)
        ended = {"status": CallStatus.SUCCEEDED, "undo": {"id": step}, "undo_token": undo_token(run.run_id, step, 0)}
        world.runs.save_call(call.model_copy(update=ended | {"result": "saved", "ended_at": world.clock()}))
    return world.runs.finish(TENANT, run.run_id, RunStatus.SUCCEEDED, at=world.clock(), answer="done")


@pytest.fixture
def client() -> Client:
    return Client(World(UNDOABLE))


def list_outcomes(body: dict[str, list[dict[str, object]]]) -> list[tuple[object, object]]:
    return [(one["step"], one["outcome"]) for one in body["effects"]]


def test_a_plan_changes_nothing_and_undoing_goes_through_the_same_list(client: Client) -> None:
    run = make_ended(client)
    path = f"/v1/runs/{run.run_id}/undo"
    plan = client("GET", path)
    assert (plan.status, list_outcomes(plan.json)) == (200, [(2, "to_undo"), (1, "to_undo")])
    assert [one["run_id"] for one in plan.json["effects"]] == [run.run_id, run.run_id]
    assert client.services.acts.list_for(TENANT, run.run_id) == []
    done = client("POST", path)
    assert (done.status, list_outcomes(done.json)) == (200, [(2, "undone"), (1, "undone")])
    assert (done.json["after"], done.json["stopped"]) == (None, None)
    acts = client.services.acts.list_for(TENANT, run.run_id)
    assert [(act.name, act.stage, act.status) for act in acts] == [
        ("undo_run", "asked", None),
        ("undo_run", "ended", 200),
    ]
    assert client.world.runs.get_call(TENANT, run.run_id, 1, 0).undone_by is not None


def test_a_request_ends_in_time_and_the_next_one_goes_on(client: Client) -> None:
    run = make_ended(client, steps=3)
    path, undo = f"/v1/runs/{run.run_id}/undo", client.services.tools.undo

    def undo_slowly(tenant_id: str, run_id: str, step: int, index: int) -> None:
        client.world.clock.advance(10)
        undo(tenant_id, run_id, step, index)

    client.services.tools.undo = undo_slowly  # type: ignore[method-assign]
    first = client("POST", path, {}).json
    assert (list_outcomes(first), first["after"] is not None) == ([(3, "undone")], True)
    second = client("POST", path, {"after": first["after"]}).json
    assert list_outcomes(second) == [(2, "undone")]
    assert list_outcomes(client("POST", path, {"after": second["after"]}).json) == [(1, "undone")]


def test_a_refusal_is_told_with_the_tools_words_and_stop_ends_there(client: Client) -> None:
    run = make_ended(client)
    client.services.tools.failure = ToolFailed("the note was changed", fix="remove it by hand")
    path = f"/v1/runs/{run.run_id}/undo"
    stopped = client("POST", path, {"stop": True}).json
    assert list_outcomes(stopped) == [(2, "refused")]
    assert stopped["effects"][0]["reason"] == "the note was changed (remove it by hand)"
    assert stopped["stopped"] == "it could not be undone: notes of step 2"
    assert list_outcomes(client("POST", path).json) == [(2, "refused"), (1, "refused")]


def test_a_call_of_another_group_is_left(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_ended(client)
    rules = client.services.rules

    def find_group(tenant_id: str, agent: str, run_id: str, step: int) -> str:
        return "bookkeepers" if step == 2 else "operators"

    monkeypatch.setattr(type(rules), "find_group_of_call", staticmethod(find_group))
    path = f"/v1/runs/{run.run_id}/undo"
    for method, other in (("GET", "to_undo"), ("POST", "undone")):
        reply = client(method, path, groups="operators").json
        assert list_outcomes(reply) == [(2, "not_allowed"), (1, other)]
        assert "'bookkeepers'" in reply["effects"][0]["reason"]


def test_a_run_that_goes_on_is_409_and_a_wrong_place_400(client: Client) -> None:
    open_run = client.world.begin(user_id="ann")
    for method in ("GET", "POST"):
        reply = client(method, f"/v1/runs/{open_run.run_id}/undo")
        assert (reply.status, reply.json["code"]) == (409, "InvalidTransition")
    run = make_ended(client)
    reply = client("POST", f"/v1/runs/{run.run_id}/undo", {"after": "nowhere"})
    assert (reply.status, reply.json["field"]) == (400, "after")
    assert client("POST", f"/v1/runs/{run.run_id}/undo", {"all": True}).status == 400
