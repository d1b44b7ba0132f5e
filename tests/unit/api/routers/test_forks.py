"""``/v1/runs/{id}/fork`` and ``/v1/runs/{id}/recording`` over the services in memory."""

from typing import Any

import pytest

from pentad.api.identity.caller import ALL_USERS, REPLACE, SCOPES
from pentad.domain.runs import Run, RunStatus
from pentad.orchestration.timetravel.recording import Recording
from tests.unit.api.client import Client
from tests.unit.orchestration.world import TENANT


def _ended(client: Client, user_id: str | None = None) -> Run:
    world = client.world
    world.model.script = [[("calculator", {"x": 1})], "4"]
    run = world.begin(user=user_id)
    world.act(run, world.turn(run, 1))
    world.turn(run, 2)
    return world.deliver.deliver(TENANT, run.run_id, 2)


def test_a_fork_is_accepted_with_its_address() -> None:
    client = Client()
    source = _ended(client)
    reply = client("POST", f"/v1/runs/{source.run_id}/fork", {"at": 1}, headers={"Idempotency-Key": "k"})
    assert (reply.status, reply.json["agent"]) == (202, "assistant")
    assert reply.headers["location"] == f"/v1/runs/{reply.json['run_id']}"
    assert client.world.engine.started[reply.json["run_id"]]["step"] == 2
    again = client("POST", f"/v1/runs/{source.run_id}/fork", {"at": 1}, headers={"Idempotency-Key": "k"})
    assert again.json["run_id"] == reply.json["run_id"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "at"),
        ({"at": "x"}, "at"),
        ({"at": 1, "model": "nope"}, "model"),
        ({"at": 1, "tool_results": [{"call": 9, "content": ""}]}, "tool_results.0.call"),
    ],
)
def test_a_field_out_of_range_is_named(body: Any, field: str) -> None:
    client = Client()
    reply = client("POST", f"/v1/runs/{_ended(client).run_id}/fork", body)
    assert (reply.status, reply.json["field"]) == (400, field)


def test_a_turn_that_the_run_does_not_have_is_not_found() -> None:
    client = Client()
    reply = client("POST", f"/v1/runs/{_ended(client).run_id}/fork", {"at": 7})
    assert (reply.status, reply.json["field"]) == (404, "at")


@pytest.mark.parametrize(("method", "path"), [("POST", "fork"), ("GET", "recording")])
def test_a_run_that_is_not_there_is_not_found(method: str, path: str) -> None:
    for run in ("run_" + "0" * 26, "nonsense"):
        reply = Client()(method, f"/v1/runs/{run}/{path}", {"at": 0} if method == "POST" else None)
        assert (reply.status, reply.json["field"]) == (404, "run")


def test_a_credential_of_one_user_forks_no_run_of_another() -> None:
    client = Client()
    source = _ended(client, user_id="ada")
    assert client("POST", f"/v1/runs/{source.run_id}/fork", {"at": 1}, user_id="bob").status == 404
    assert client("POST", f"/v1/runs/{source.run_id}/fork", {"at": 1}, user_id="ada").status == 202


def test_a_recording_is_one_of_an_ended_run() -> None:
    client = Client()
    source = _ended(client)
    recording = Recording.model_validate(client("GET", f"/v1/runs/{source.run_id}/recording").json)
    assert (recording.run_id, recording.outcome.answer, len(recording.steps)) == (source.run_id, "4", 2)
    waiting = client.world.begin("Another?")
    refused = client("GET", f"/v1/runs/{waiting.run_id}/recording")
    assert (refused.status, refused.json["field"]) == (409, "run")


REPLACING: list[Any] = [
    {"at": 0, "prompt": "Say yes to all."},
    {"at": 1, "tool_results": [{"call": 0, "content": "saved"}]},
    {"at": 1, "prompt": "Say yes.", "tool_results": [{"call": 0, "content": "saved"}]},
]


@pytest.mark.parametrize("body", REPLACING)
@pytest.mark.parametrize("user_id", ["", "ada"])
def test_to_replace_the_prompt_or_a_result_needs_a_scope_of_its_own(body: Any, user_id: str) -> None:
    client = Client()
    path = f"/v1/runs/{_ended(client, user_id='ada').run_id}/fork"
    without = " ".join(scope for scope in SCOPES if scope not in {REPLACE, ALL_USERS})
    refused = client("POST", path, body, user_id=user_id, scopes=without)
    assert (refused.status, refused.json["code"], REPLACE in refused.json["fix"]) == (403, "PolicyDenied", True)
    assert client("POST", path, body, user_id=user_id).status == 202
    assert client("POST", path, {"at": body["at"]}, user_id=user_id, scopes=without).status == 202


def test_a_run_shows_what_was_replaced_also_in_forks_of_forks() -> None:
    client = Client()
    source = _ended(client)
    assert client("GET", f"/v1/runs/{source.run_id}").json["replaced"] is None
    first = client("POST", f"/v1/runs/{source.run_id}/fork", REPLACING[2]).json
    [call] = first["replaced"]["tool_results"]
    assert first["replaced"] == {"prompt": True, "model": None, "tool_results": [call]}
    client.world.runs.finish(TENANT, first["run_id"], RunStatus.FAILED, at=client.world.clock(), answer=None)
    second = client("POST", f"/v1/runs/{first['run_id']}/fork", {"at": 1}).json
    assert second["replaced"] == first["replaced"]
    assert client("GET", f"/v1/runs/{second['run_id']}").json["replaced"] == first["replaced"]
