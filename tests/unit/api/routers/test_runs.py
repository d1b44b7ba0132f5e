"""``/v1/runs``: start, wait, read, list, events."""

import json
import time
from typing import Any

import pytest

from pentad.api.views.waiting import MOST_READS
from pentad.domain.runs import RunStatus
from tests.unit.api.client import Client
from tests.unit.orchestration.world import TENANT

HELLO = {"agent": "assistant", "message": "Hello"}


def _answered(client: Client, run_id: str, answer: str = "Hi") -> None:
    client.world.runs.finish(TENANT, run_id, RunStatus.SUCCEEDED, at=client.world.clock(), answer=answer)


def test_a_run_is_accepted_with_its_location() -> None:
    client = Client()
    reply = client("POST", "/v1/runs", HELLO)
    assert (reply.status, reply.headers["location"]) == (202, f"/v1/runs/{reply.json['run_id']}")
    assert reply.json["status"] == "queued"


def test_a_run_is_started_for_the_authorizers_tenant() -> None:
    client = Client()
    run = client("POST", "/v1/runs", HELLO).json["run_id"]
    assert client.world.engine.started[run]["tenant"] == TENANT


def test_a_tenant_in_the_body_is_refused() -> None:
    reply = Client()("POST", "/v1/runs", HELLO | {"tenant": "other"})
    assert (reply.status, reply.json["field"]) == (400, "tenant")


def test_wait_returns_the_ended_run() -> None:
    client = Client()
    sleep = client.services._sleep

    def run_ends(seconds: float) -> None:
        sleep(seconds)
        [run] = client.world.engine.started
        _answered(client, run)

    client.services.waiting._sleep = run_ends
    reply = client("POST", "/v1/runs", HELLO, headers={"Prefer": "wait=5"})
    assert (reply.status, reply.json["answer"], reply.headers["preference-applied"]) == (200, "Hi", "wait=5")


def test_wait_gives_up_after_its_time() -> None:
    client = Client()
    reply = client("POST", "/v1/runs", HELLO, headers={"Prefer": "wait=3"})
    assert (reply.status, round(sum(client.services.slept))) == (202, 3)


def test_wait_leaves_time_for_the_answer() -> None:
    client = Client()
    client("POST", "/v1/runs", HELLO, headers={"Prefer": "wait=20"}, remaining_ms=5000)
    assert sum(client.services.slept) <= 3.001


def test_wait_ends_before_api_gateway_gives_up_a_request_that_waited_for_a_cold_start() -> None:
    client = Client()
    came = int(time.time() * 1000) - 20_000
    reply = client("POST", "/v1/runs", HELLO, headers={"Prefer": "wait=25"}, came_ms=came)
    assert reply.status == 202
    assert sum(client.services.slept) <= 7.5


def test_one_key_gives_one_run() -> None:
    client = Client()
    first, second = (client("POST", "/v1/runs", HELLO, headers={"Idempotency-Key": "k1"}) for _ in range(2))
    assert first.json["run_id"] == second.json["run_id"]
    assert len(client.world.engine.started) == 1


def test_one_key_for_two_requests_is_a_conflict() -> None:
    client = Client()
    client("POST", "/v1/runs", HELLO, headers={"Idempotency-Key": "k1"})
    reply = client("POST", "/v1/runs", HELLO | {"message": "Bye"}, headers={"Idempotency-Key": "k1"})
    assert (reply.status, reply.json["code"]) == (409, "IdempotencyConflict")


def test_a_key_that_is_not_well_formed_is_named() -> None:
    reply = Client()("POST", "/v1/runs", HELLO, headers={"Idempotency-Key": "a b"})
    assert (reply.status, reply.json["field"]) == (400, "idempotency_key")


def test_a_busy_session_is_a_conflict_with_retry_after() -> None:
    client = Client()
    client("POST", "/v1/runs", HELLO | {"session": "s1"})
    reply = client("POST", "/v1/runs", HELLO | {"session": "s1"})
    assert (reply.status, reply.json["code"]) == (409, "SessionBusy")
    assert int(reply.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"agent": "nobody"}, "agent"),
        ({"message": ""}, "message"),
        ({"message": "   "}, "message"),
        ({"message": "x" * 100_001}, "message"),
        ({"session": "../etc"}, "session"),
        ({"session": "a#b"}, "session"),
        ({"session": "a\n"}, "session"),
        ({"user": "a b"}, "user"),
        ({"metadata": {"k": "v" * 257}}, "metadata"),
        ({"metadata": {str(number): "v" for number in range(17)}}, "metadata"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_a_wrong_field_is_named_without_its_value(change: dict[str, Any], field: str) -> None:
    reply = Client()("POST", "/v1/runs", HELLO | change)
    assert reply.status == 400
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json["field"].split(".")[0] == field
    assert "x" * 100 not in reply.text


def test_a_message_over_the_limit_is_told_the_limit() -> None:
    reply = Client()("POST", "/v1/runs", HELLO | {"message": "x" * 100_001})
    assert "100000" in reply.json["detail"]


def test_a_message_at_the_limit_is_accepted() -> None:
    assert Client()("POST", "/v1/runs", HELLO | {"message": "é" * 100_000}).status == 202


def test_half_a_surrogate_pair_is_read_as_the_replacement_character_and_told() -> None:
    client = Client()
    reply = client("POST", "/v1/runs", raw='{"agent": "assistant", "session": "s1", "message": "cut \\ud83d"}')
    assert (reply.status, reply.headers["x-pentad-mended"]) == (202, "body")
    assert client("GET", "/v1/sessions/s1/messages").json["items"][0]["text"] == "cut \ufffd"
    assert "x-pentad-mended" not in client("POST", "/v1/runs", HELLO | {"message": "\U0001f600"}).headers


def test_half_a_surrogate_pair_in_a_name_is_a_fault_of_the_name() -> None:
    reply = Client()("POST", "/v1/runs", raw='{"agent": "assistant", "session": "\\udfff", "message": "Hi"}')
    assert (reply.status, reply.json["field"], reply.headers["x-pentad-mended"]) == (400, "session", "body")


@pytest.mark.parametrize("raw", ["{", "", "nonsense"])
def test_invalid_json_is_a_bad_request(raw: str) -> None:
    reply = Client()("POST", "/v1/runs", raw=raw)
    assert (reply.status, reply.json["code"]) == (400, "InvalidInput")


@pytest.mark.parametrize("raw", ["[]", '"text"', "null", "3"])
def test_json_that_is_no_object_is_a_bad_request(raw: str) -> None:
    assert Client()("POST", "/v1/runs", raw=raw).status == 400


def test_a_missing_body_is_a_bad_request() -> None:
    assert Client()("POST", "/v1/runs").status == 400


def test_another_tenants_run_is_not_found() -> None:
    client = Client()
    run = client("POST", "/v1/runs", HELLO).json["run_id"]
    reply = client("GET", f"/v1/runs/{run}", tenant_id="other")
    assert (reply.status, reply.json["code"]) == (404, "NotFound")


@pytest.mark.parametrize("run", ["run_x", "..", "run_" + "0" * 26, "run_%2e%2e%2f"])
def test_an_unknown_run_is_not_found(run: str) -> None:
    assert Client()("GET", f"/v1/runs/{run}").status == 404


def test_runs_are_listed_newest_first_in_pages() -> None:
    client = Client()
    made = []
    for _ in range(3):
        made.append(client("POST", "/v1/runs", HELLO).json["run_id"])
        client.world.clock.advance(1)
    first = client("GET", "/v1/runs?limit=2").json
    second = client("GET", f"/v1/runs?limit=2&cursor={first['cursor']}").json
    assert [run["run_id"] for run in (*first["items"], *second["items"])] == made[::-1]
    assert second["cursor"] is None


def test_a_session_of_another_agent_or_user_is_a_conflict() -> None:
    client = Client()
    assert client("POST", "/v1/runs", HELLO | {"session": "s1", "user": "ann"}).status == 202
    for other in ({"agent": "plain", "user": "ann"}, {"user": "ben"}, {}):
        reply = client("POST", "/v1/runs", HELLO | {"session": "s1"} | other)
        assert (reply.status, reply.json["code"], reply.json["field"]) == (409, "SessionConflict", "session")


def test_runs_of_one_session_are_listed() -> None:
    client = Client()
    run = client("POST", "/v1/runs", HELLO | {"session": "s1"}).json["run_id"]
    client("POST", "/v1/runs", HELLO | {"session": "s2"})
    assert [one["run_id"] for one in client("GET", "/v1/runs?session=s1").json["items"]] == [run]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "session=ä"])
def test_a_wrong_query_is_named(query: str) -> None:
    reply = Client()("GET", f"/v1/runs?{query}")
    assert (reply.status, reply.json["field"]) == (400, query.split("=")[0])


def test_a_cursor_of_another_tenant_is_refused() -> None:
    client = Client()
    for _ in range(2):
        client("POST", "/v1/runs", HELLO)
        client.world.clock.advance(1)
    cursor = client("GET", "/v1/runs?limit=1").json["cursor"]
    assert client("GET", f"/v1/runs?limit=1&cursor={cursor}", tenant_id="other").status == 404


@pytest.mark.parametrize("cursor", ["nonsense", "W" * 3_000, "W1tb" * 900, "eyJwayI6MX0", "ä", "9" * 5_000])
def test_a_cursor_that_is_none_is_a_page_that_is_not_there(cursor: str) -> None:
    reply = Client()("GET", f"/v1/runs?cursor={cursor}")
    assert (reply.status, reply.json["field"]) == (404, "cursor")


def test_events_are_in_time_order() -> None:
    client = Client()
    world = client.world
    world.model.script = [[("calculator", {"x": 1})], "4"]
    run = world.begin()
    for step in (1, 2):
        world.clock.advance(1)
        world.act(run, world.turn(run, step))
    world.clock.advance(1)
    world.deliver.deliver(TENANT, run.run_id, 2)
    events = client("GET", f"/v1/runs/{run.run_id}/events").json["events"]
    assert [event["type"] for event in events] == [
        "run.created",
        "model_attempt",
        "step",
        "tool_call",
        "model_attempt",
        "step",
        "run.ended",
    ]
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)


def test_a_trace_without_a_history_is_the_run() -> None:
    client = Client()
    run = client("POST", "/v1/runs", HELLO).json["run_id"]
    trace = client("GET", f"/v1/runs/{run}/trace").json
    assert ([span["kind"] for span in trace["spans"]], trace["transitions"]) == (["run"], 0)
    assert trace["source"] == "records"


def test_a_users_own_credential_starts_runs_for_that_user() -> None:
    client = Client()
    assert client("POST", "/v1/runs", HELLO, user_id="ann").json["user"] == "ann"


def test_a_users_credential_can_not_act_for_another() -> None:
    reply = Client()("POST", "/v1/runs", HELLO | {"user": "bob"}, user_id="ann")
    assert (reply.status, reply.json["code"]) == (403, "PolicyDenied")


def test_the_view_has_the_documented_fields() -> None:
    client = Client()
    view = client("POST", "/v1/runs", HELLO | {"metadata": {"a": "b"}}).json
    documented = (
        "run_id agent session user status created_at updated_at ended_at answer citations notices error stop_reason "
        "usage tokens cost_nanousd cost steps confidence pending_approval holding queue_position redrive_of"
        " forked_from replaced parent metadata taint"
    )
    assert sorted(view) == sorted(documented.split())
    assert json.dumps(view["metadata"]) == '{"a": "b"}'


def test_events_come_in_pages() -> None:
    client = Client()
    world = client.world
    world.model.script = ["4"]
    run = world.begin()
    world.turn(run)
    whole = client("GET", f"/v1/runs/{run.run_id}/events").json
    first = client("GET", f"/v1/runs/{run.run_id}/events?limit=2").json
    second = client("GET", f"/v1/runs/{run.run_id}/events?limit=2&cursor={first['cursor']}").json
    assert first["events"] + second["events"] == whole["events"]
    assert (whole["cursor"], second["cursor"]) == (None, None)


def test_an_answer_too_large_for_lambda_says_so() -> None:
    client = Client()
    for number in range(3):
        run = client("POST", "/v1/runs", HELLO | {"session": f"s{number}"}).json["run_id"]
        _answered(client, run, "x" * 2_000_000)
        client.world.clock.advance(1)
    reply = client("GET", "/v1/runs")
    assert (reply.status, reply.json["field"]) == (400, "limit")
    assert client("GET", "/v1/runs?limit=1").status == 200


def test_a_run_that_waits_shows_its_place_and_is_cancelled() -> None:
    client = Client()
    body = {"agent": "assistant", "message": "Hello", "session": "s", "if_busy": "enqueue"}
    holder, waiting = (client("POST", "/v1/runs", body).json for _ in range(2))
    assert (holder["queue_position"], waiting["queue_position"]) == (None, 1)
    assert client("GET", f"/v1/runs/{waiting['run_id']}").json["queue_position"] == 1
    assert client("GET", f"/v1/runs/{waiting['run_id']}/trace").status == 200
    ended = client("POST", f"/v1/runs/{waiting['run_id']}/cancel", {"reason": "no need"})
    assert (ended.status, ended.json["status"], "no need" in ended.json["stop_reason"]) == (200, "cancelled", True)


def test_a_look_at_a_run_that_waits_starts_it_where_its_session_is_free() -> None:
    client = Client()
    body = {"agent": "assistant", "message": "Hello", "session": "s", "if_busy": "enqueue"}
    holder, waiting = (client("POST", "/v1/runs", body).json["run_id"] for _ in range(2))
    client.world.runs.finish(TENANT, holder, RunStatus.SUCCEEDED, at=client.world.clock(), answer="Hi")
    assert client("GET", f"/v1/runs/{waiting}").json["queue_position"] is None
    assert waiting in client.world.engine.started


def test_a_run_is_cancelled_without_a_body_and_an_unknown_one_is_not_found() -> None:
    client = Client()
    run = client("POST", "/v1/runs", {"agent": "assistant", "message": "Hello"}).json["run_id"]
    assert client("POST", f"/v1/runs/{run}/cancel").json["status"] == "cancelled"
    assert client("POST", f"/v1/runs/{'run_' + '0' * 26}/cancel", {}).status == 404


def test_a_key_that_cancels_is_named_as_it_is_everywhere() -> None:
    client = Client()
    run = client("POST", "/v1/runs", {"agent": "assistant", "message": "Hello"}).json["run_id"]
    ended = client("POST", f"/v1/runs/{run}/cancel")
    assert ended.json["stop_reason"] == "Cancelled by key:abc."


def test_waiting_reads_a_run_a_bounded_number_of_times() -> None:
    client = Client()
    body = {"agent": "assistant", "message": "Hello"}
    client("POST", "/v1/runs", body, headers={"Prefer": "wait=25"})
    assert 1 < len(client.services.slept) <= MOST_READS


def test_a_run_is_put_into_the_callers_trace_by_its_header() -> None:
    client, caller = Client(), f"00-{'a' * 32}-{'b' * 16}-01"
    run = client("POST", "/v1/runs", HELLO, headers={"traceparent": caller}).json["run_id"]
    assert client.world.runs.get(TENANT, run).traceparent == caller
