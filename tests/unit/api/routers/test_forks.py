"""``/v1/runs/{id}/fork`` and ``/v1/runs/{id}/recording`` over the services in memory."""

from typing import Any

import pytest

from pentad.domain.runs import Run
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
        ({"at": 7}, "at"),
        ({"at": 1, "model": "nope"}, "model"),
        ({"at": 1, "tool_results": [{"call": 9, "content": ""}]}, "tool_results.0.call"),
    ],
)
def test_a_field_out_of_range_is_named(body: Any, field: str) -> None:
    client = Client()
    reply = client("POST", f"/v1/runs/{_ended(client).run_id}/fork", body)
    assert (reply.status, reply.json["field"]) == (400, field)


@pytest.mark.parametrize(("method", "path"), [("POST", "fork"), ("GET", "recording")])
def test_a_run_that_is_not_there_is_not_found(method: str, path: str) -> None:
    for run in ("run_" + "0" * 26, "nonsense"):
        reply = Client()(method, f"/v1/runs/{run}/{path}", {"at": 0} if method == "POST" else None)
        assert (reply.status, reply.json["field"]) == (404, "run")


def test_a_credential_of_one_user_forks_no_run_of_another() -> None:
    client = Client()
    source = _ended(client, user_id="ada")
    assert client("POST", f"/v1/runs/{source.run_id}/fork", {"at": 1}, user_id="bob").status == 403
    assert client("POST", f"/v1/runs/{source.run_id}/fork", {"at": 1}, user_id="ada").status == 202


def test_a_recording_is_one_of_an_ended_run() -> None:
    client = Client()
    source = _ended(client)
    recording = Recording.model_validate(client("GET", f"/v1/runs/{source.run_id}/recording").json)
    assert (recording.run_id, recording.outcome.answer, len(recording.steps)) == (source.run_id, "4", 2)
    waiting = client.world.begin("Another?")
    refused = client("GET", f"/v1/runs/{waiting.run_id}/recording")
    assert (refused.status, refused.json["field"]) == (409, "run")
