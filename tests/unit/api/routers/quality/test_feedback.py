"""``/v1/runs/{run}/feedback`` and ``/v1/feedback``."""

from typing import Any

import pytest

from pentad.domain.knowledge import Citation
from pentad.domain.runs import Run, RunStatus
from pentad.domain.tracing import find_run_place
from pentad.observability.feedback.ports import CORRECTED, FEEDBACK_CHARACTERS, MAX_EARLIER
from pentad.observability.metrics import names
from pentad.orchestration.reviews.reviews import build_review
from tests.unit.api.client import Client, Reply
from tests.unit.orchestration.world import TENANT

CITATION = Citation(
    marker="[cite:k7f2qa]", passage_id="p1", document="plan.md", version="1", title="Plan", start=0, end=4, quote="Plan"
)


@pytest.fixture
def client() -> Client:
    return Client()


def answered(client: Client, user_id: str | None = "ann", **values: Any) -> Run:
    client.world.model.script.append("It is 4. [cite:k7f2qa]")
    run = client.world.begin(user_id=user_id, session=f"s{len(client.world.engine.started)}")
    client.world.turn(run)
    return client.world.runs.finish(
        TENANT,
        run.run_id,
        values.pop("status", RunStatus.SUCCEEDED),
        at=client.world.clock(),
        answer="It is 4. [cite:k7f2qa]",
        citations=(CITATION,),
    )


def give(client: Client, run: Run, body: Any, **values: Any) -> Reply:
    return client("POST", f"/v1/runs/{run.run_id}/feedback", body, **values)


def count(client: Client, name: str) -> list[tuple[float, dict[str, str]]]:
    return [(one.value, one.dimensions) for one in client.world.telemetry.counts if one.name == name]


def test_feedback_is_given_read_and_listed(client: Client) -> None:
    run = answered(client)
    body = {"score": 0, "correction": "It is 5.", "comment": "Look again."}
    given = give(client, run, body, user_id="ann")
    assert given.status == 200
    assert {name: given.json[name] for name in (*body, "verdict", "by", "user", "citation", "step")} == {
        **body,
        "verdict": "wrong",
        "by": "ann",
        "user": "ann",
        "citation": None,
        "step": 1,
    }
    assert client("GET", f"/v1/runs/{run.run_id}/feedback", user_id="ann").json["items"] == [given.json]
    assert client("GET", "/v1/feedback", user_id="ann").json == {"items": [given.json], "cursor": None}
    assert client("GET", "/v1/feedback?verdict=correct").json["items"] == []
    assert client("GET", "/v1/feedback?agent=plain").json["items"] == []


def test_the_newest_words_count_and_earlier_ones_are_kept_bounded(client: Client) -> None:
    run = answered(client)
    for number in range(MAX_EARLIER + 5):
        assert give(client, run, {"score": 1, "comment": f"word {number}"}, user_id="ann").status == 200
        client.world.clock.advance(1)
    [kept] = client("GET", f"/v1/runs/{run.run_id}/feedback").json["items"]
    assert kept["comment"] == f"word {MAX_EARLIER + 4}"
    assert [one["comment"] for one in kept["earlier"]] == [f"word {n}" for n in range(MAX_EARLIER + 3, 3, -1)]


def test_two_people_and_two_things_are_feedback_of_their_own(client: Client) -> None:
    run = answered(client)
    give(client, run, {"score": 1}, user_id="ann")
    give(client, run, {"score": 0, "citation": "[cite:k7f2qa]"}, user_id="ann")
    give(client, run, {"score": 0, "citation": "K7F2QA", "comment": "the same"}, user_id="ann")
    give(client, run, {"score": 0})
    items = client("GET", f"/v1/runs/{run.run_id}/feedback").json["items"]
    assert sorted((one["by"], one["citation"] or "") for one in items) == [
        ("ann", ""),
        ("ann", "[cite:k7f2qa]"),
        ("key:abc", ""),
    ]


def test_a_credential_of_one_user_sees_what_that_user_said_only(client: Client) -> None:
    run = answered(client)
    give(client, run, {"comment": "a difficult customer"})
    give(client, run, {"score": 1}, user_id="ann")
    for path in (f"/v1/runs/{run.run_id}/feedback", "/v1/feedback"):
        assert [one["by"] for one in client("GET", path, user_id="ann").json["items"]] == ["ann"]
        assert len(client("GET", path).json["items"]) == 2


def test_a_repeat_under_the_same_key_does_not_undo_what_came_after_it(client: Client) -> None:
    run = answered(client)
    first: dict[str, Any] = {"user_id": "ann", "headers": {"Idempotency-Key": "one"}}
    give(client, run, {"score": 1}, **first)
    give(client, run, {"score": 0}, user_id="ann", headers={"Idempotency-Key": "two"})
    again = give(client, run, {"score": 1}, **first)
    assert (again.status, again.json["score"]) == (200, 0)
    other = give(client, run, {"score": 1, "citation": "k7f2qa"}, **first)
    assert (other.status, other.json["code"], other.json["field"]) == (409, "IdempotencyConflict", "idempotency_key")
    assert give(client, run, {"score": 0.25}, headers={"Idempotency-Key": "one"}).status == 200  # another's key


def test_the_same_words_again_change_and_count_nothing(client: Client) -> None:
    run = answered(client)
    first = give(client, run, {"score": 0, "correction": " It is 5. "}, user_id="ann")
    client.world.clock.advance(9)
    assert give(client, run, {"score": 0, "correction": "It is 5."}, user_id="ann").json == first.json
    assert count(client, names.FEEDBACK_GIVEN) == [(1, {"agent": "assistant", "kind": "answer", "outcome": "wrong"})]
    assert count(client, names.CORRECTIONS) == [(1, {"agent": "assistant", "kind": "answer"})]
    assert count(client, names.SATISFACTION) == [(0, {"agent": "assistant"})]


def test_a_changed_mind_is_counted_once(client: Client) -> None:
    run = answered(client)
    for score in (1, 0, 1, 0):
        give(client, run, {"score": score}, user_id="ann")
    assert count(client, names.SATISFACTION) == [(1, {"agent": "assistant"})]
    assert len(count(client, names.FEEDBACK_GIVEN)) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "score"),
        ({"score": None}, "score"),
        ({"citation": "k7f2qa"}, "score"),
        ({"score": 2}, "score"),
        ({"score": -1}, "score"),
        ({"score": True}, "score"),
        ({"score": "1"}, "score"),
        ({"comment": ""}, "comment"),
        ({"comment": " \n "}, "comment"),
        ({"comment": "x" * (FEEDBACK_CHARACTERS + 1)}, "comment"),
        ({"correction": "x" * (FEEDBACK_CHARACTERS + 1)}, "correction"),
        ({"score": 1, "citation": "nothing"}, "citation"),
        ({"score": 1, "citation": ""}, "citation"),
        ({"score": 1, "rating": 5}, "rating"),
        ({"score": 1, "user": "bob"}, "user"),
        ({"score": 1, "user": "../x"}, "user"),
    ],
)
def test_what_is_no_feedback_is_refused_by_the_name_of_its_field(client: Client, body: Any, field: str) -> None:
    run = answered(client)
    refused = give(client, run, body)
    assert (refused.status, refused.json["code"], refused.json["field"]) == (400, "InvalidInput", field)
    assert client("GET", "/v1/feedback").json["items"] == []


def test_a_run_that_has_not_ended_has_no_answer_yet(client: Client) -> None:
    run = client.world.begin(user_id="ann")
    refused = give(client, run, {"score": 1}, user_id="ann")
    assert (refused.status, refused.json["code"], refused.json["field"]) == (409, "InvalidTransition", "run")


def test_a_run_of_another_user_or_tenant_or_none_is_not_there(client: Client) -> None:
    run = answered(client)
    for values in ({"user_id": "bob"}, {"tenant_id": "other"}):
        caller: dict[str, Any] = values
        assert give(client, run, {"score": 1}, **caller).status == 404
        assert client("GET", f"/v1/runs/{run.run_id}/feedback", **caller).status == 404
    assert client("POST", f"/v1/runs/run_{'0' * 26}/feedback", {"score": 1}).status == 404
    assert client("POST", "/v1/runs/nonsense/feedback", {"score": 1}).status == 404
    assert client("GET", "/v1/feedback", tenant_id="other").json["items"] == []


def test_one_user_can_not_speak_for_another(client: Client) -> None:
    run = answered(client)
    refused = give(client, run, {"score": 1, "user": "bob"}, user_id="ann")
    assert (refused.status, refused.json["code"]) == (403, "PolicyDenied")


def test_a_tenants_key_passes_on_what_the_runs_user_says(client: Client) -> None:
    run = answered(client)
    given = give(client, run, {"score": 1, "user": "ann"}).json
    assert (given["by"], given["user"]) == ("ann", "ann")
    give(client, run, {"score": 0}, user_id="ann")
    [kept] = client("GET", "/v1/feedback").json["items"]
    assert (kept["score"], kept["feedback"]) == (0, given["feedback"])


def test_giving_and_reading_need_their_scopes(client: Client) -> None:
    run = answered(client)
    assert give(client, run, {"score": 1}, scopes="runs:read").status == 403
    assert client("GET", "/v1/feedback", scopes="runs:write").status == 403
    assert client("GET", f"/v1/runs/{run.run_id}/feedback", scopes="runs:write").status == 403


def test_memory_hears_of_a_correction_by_the_runs_own_user_and_of_no_other(client: Client) -> None:
    run = answered(client)
    give(client, run, {"score": 0, "comment": "no"}, user_id="ann")
    give(client, run, {"correction": "It is 5."})
    assert [one for one in client.world.events.published if one[0] == CORRECTED] == []
    given = give(client, run, {"correction": "It is 5."}, user_id="ann").json
    detail = {"tenant": TENANT, "run": run.run_id, "session": run.session_id, "feedback": given["feedback"]}
    [told] = [one for one in client.world.events.published if one[0] == CORRECTED]
    assert told == (CORRECTED, detail | {"traceparent": find_run_place(run).header})
    waits = client.services.corrections.find(TENANT, "ann", given["feedback"])
    assert waits is not None
    assert (waits.text, waits.answer, waits.version) == ("It is 5.", run.answer, 2)


def test_it_is_in_the_audit_without_its_words(client: Client) -> None:
    run = answered(client)
    give(client, run, {"comment": "a secret opinion"}, user_id="ann")
    acts = client.services.acts.list_for(TENANT, run.run_id)
    assert [(act.name, act.stage, act.status) for act in acts] == [
        ("give_feedback", "asked", None),
        ("give_feedback", "ended", 200),
    ]
    assert not any("opinion" in act.model_dump_json() for act in acts)


def test_a_failed_run_can_be_rated(client: Client) -> None:
    run = client.world.begin(user_id="ann")
    ended = client.world.deliver.abort(TENANT, run.run_id, "Boom", "{}")
    given = give(client, ended, {"score": 0}, user_id="ann")
    assert (given.status, given.json["step"], given.json["confidence"]) == (200, None, None)


def test_feedback_is_paged_newest_first(client: Client) -> None:
    made = []
    for _ in range(5):
        made.append(give(client, answered(client), {"score": 1}, user_id="ann").json["feedback"])
        client.world.clock.advance(1)
    first = client("GET", "/v1/feedback?limit=3").json
    second = client("GET", f"/v1/feedback?limit=3&cursor={first['cursor']}").json
    assert [one["feedback"] for one in first["items"] + second["items"]] == made[::-1]
    assert second["cursor"] is None


def test_verdicts_of_reviews_are_listed_for_who_may_reach_their_runs(client: Client) -> None:
    run = answered(client)
    review = build_review(run, 1, "confidence", "Answered.", at=client.world.clock(), confidence=0.8)
    client.world.reviews.add(review)
    assert client("GET", "/v1/verdicts").json["items"] == []
    assert client("POST", f"/v1/reviews/{review.review_id}", {"verdict": "wrong", "note": "no"}).status == 200
    [found] = client("GET", "/v1/verdicts?agent=assistant").json["items"]
    assert {name: found[name] for name in ("source", "run_id", "step", "confidence", "verdict")} == {
        "source": "review",
        "run_id": run.run_id,
        "step": 1,
        "confidence": 0.8,
        "verdict": "wrong",
    }
    assert client("GET", "/v1/verdicts", user_id="ann").json["items"] == [found]
    nothing: list[dict[str, Any]] = [{"user_id": "bob"}, {"tenant_id": "other"}]
    for caller in nothing:
        assert client("GET", "/v1/verdicts", **caller).json["items"] == []
    assert client("GET", "/v1/verdicts?agent=plain").json["items"] == []
    assert client("GET", "/v1/verdicts", scopes="runs:write").status == 403
