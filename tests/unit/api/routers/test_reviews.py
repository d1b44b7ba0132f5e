"""``/v1/reviews``."""

from typing import Any

import pytest

from pentad.domain.runs import Review
from pentad.observability.metrics import names
from pentad.orchestration.reviews.reviews import SUMMARY_CHARACTERS, Cause, build_review
from tests.unit.api.client import Client


def opened(client: Client, cause: Cause = "confidence", summary: str = "Answered, not quite sure.") -> Review:
    run = client.world.begin(session=f"s{len(client.world.engine.started)}")
    review = build_review(run, 1, cause, summary, at=client.world.clock(), confidence=0.8)
    assert client.world.reviews.add(review)
    client.world.clock.advance(1)
    return review


@pytest.fixture
def client() -> Client:
    return Client()


def test_open_reviews_are_listed_oldest_first_and_paged(client: Client) -> None:
    made = [opened(client) for _ in range(3)]
    first = client("GET", "/v1/reviews?limit=2").json
    second = client("GET", f"/v1/reviews?limit=2&cursor={first['cursor']}").json
    assert [one["review"] for one in first["items"] + second["items"]] == [one.review_id for one in made]
    assert second["cursor"] is None


def test_a_review_is_shown_whole(client: Client) -> None:
    review = opened(client)
    assert client("GET", f"/v1/reviews/{review.review_id}").json == {
        "review": review.review_id,
        "run_id": review.run_id,
        "step": 1,
        "agent": "assistant",
        "session": review.session_id,
        "cause": "confidence",
        "summary": "Answered, not quite sure.",
        "confidence": 0.8,
        "created_at": review.created_at.isoformat().replace("+00:00", "Z"),
        "closed_at": None,
        "closed_by": None,
        "closer": None,
        "verdict": None,
        "note": None,
        "reviewed": {"run_status": "running", "answer": None, "calls": [], "assessment": None},
    }


def test_a_reviewer_who_may_not_read_the_run_sees_what_its_step_did() -> None:
    client = Client()
    client.world.model.script = [[("calculator", {"expression": "6 * 7"})]]
    run = client.world.begin(session="s1", user_id="ann")
    client.world.turn(run)
    review = build_review(run, 1, "confidence", "Not quite sure.", at=client.world.clock(), confidence=0.8)
    assert client.world.reviews.add(review)
    group = client.world.catalog.find_group(run.agent)
    mine: dict[str, Any] = {"user_id": "ben", "groups": group}
    assert client("GET", f"/v1/runs/{run.run_id}", **mine).status == 404
    seen = client("GET", f"/v1/reviews/{review.review_id}", **mine).json["reviewed"]
    assert [(call["tool"], call["arguments"]) for call in seen["calls"]] == [("calculator", {"expression": "6 * 7"})]
    assert seen["run_status"] == "running"
    assert client("GET", f"/v1/reviews/{review.review_id}", user_id="ben", groups="others").status == 404


def test_a_verdict_closes_a_review_and_is_counted_once(client: Client) -> None:
    review = opened(client)
    body = {"verdict": "wrong", "note": "it burns rapeseed oil"}
    closed = client("POST", f"/v1/reviews/{review.review_id}", body, user_id="ann")
    client.world.clock.advance(1)
    again = client("POST", f"/v1/reviews/{review.review_id}", body, user_id="bob")
    assert (closed.status, closed.json["verdict"], closed.json["note"]) == (200, "wrong", "it burns rapeseed oil")
    assert again.json == closed.json
    assert client("GET", "/v1/reviews").json["items"] == []
    counted = [one.dimensions for one in client.world.telemetry.counts if one.name == names.REVIEWS_CLOSED]
    assert counted == [{"agent": "assistant", "kind": "confidence", "outcome": "wrong"}]


def test_the_other_verdict_is_a_conflict(client: Client) -> None:
    review = opened(client)
    client("POST", f"/v1/reviews/{review.review_id}", {"verdict": "correct"})
    refused = client("POST", f"/v1/reviews/{review.review_id}", {"verdict": "wrong"})
    assert (refused.status, refused.json["code"]) == (409, "InvalidTransition")


@pytest.mark.parametrize("body", [{}, {"verdict": "maybe"}, {"verdict": "wrong", "note": "x" * 1001}, {"x": 1}])
def test_a_body_that_is_no_verdict_is_refused(client: Client, body: dict[str, str]) -> None:
    review = opened(client)
    assert client("POST", f"/v1/reviews/{review.review_id}", body).status == 400
    assert client.world.reviews.get(review.tenant_id, review.review_id).verdict is None


def test_reviews_of_another_tenant_are_not_there(client: Client) -> None:
    review = opened(client)
    assert client("GET", "/v1/reviews", tenant_id="other").json["items"] == []
    for method, body in (("GET", None), ("POST", {"verdict": "correct"})):
        assert client(method, f"/v1/reviews/{review.review_id}", body, tenant_id="other").status == 404


def test_reading_and_closing_need_their_scopes(client: Client) -> None:
    review = opened(client)
    assert client("GET", "/v1/reviews", scopes="runs:write").status == 403
    assert client("POST", f"/v1/reviews/{review.review_id}", {"verdict": "correct"}, scopes="runs:read").status == 403


def test_a_repeat_is_opened_and_counted_once(client: Client) -> None:
    review = opened(client, "escalated")
    assert not client.world.reviews.add(review)
    counted = [(one.name, one.dimensions) for one in client.world.telemetry.counts if "eview" in one.name]
    assert counted == [(names.REVIEWS_OPENED, {"agent": "assistant", "kind": "escalated"})]
    assert sum(one.value for one in client.world.telemetry.counts if one.name == names.ESCALATIONS) == 1


def test_a_long_summary_is_cut(client: Client) -> None:
    review = opened(client, "failed", "word\n " * 400)
    assert len(review.summary) == SUMMARY_CHARACTERS
    assert review.summary.endswith("…")
