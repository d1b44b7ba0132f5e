"""Conformance of review stores."""

from datetime import timedelta
from typing import Any

import pytest

from pentad.domain.errors import InvalidTransition, NotFound
from pentad.domain.ids import make_id, review_id
from pentad.domain.runs import Review
from pentad.orchestration.reviews.adapters.reviews_dynamodb import DynamoReviews
from pentad.orchestration.reviews.adapters.reviews_memory import MemoryReviews
from pentad.orchestration.reviews.ports import ReviewStore

from .stores import START, Stores

TENANT = "acme"


@pytest.fixture
def reviews(stores: Stores) -> ReviewStore:
    return MemoryReviews() if stores.state is None else DynamoReviews(stores.state)


def make(number: int = 0, **values: Any) -> Review:
    run = values.pop("run", make_id("run", START))
    cause = values.get("cause", "confidence")
    fields: dict[str, Any] = {
        "tenant": TENANT,
        "review": review_id(run, 1, cause),
        "run": run,
        "step": 1,
        "agent": "assistant",
        "session": "s1",
        "cause": cause,
        "summary": "It answered, not quite sure.",
        "confidence": 0.8125,
        "created_at": START + timedelta(seconds=number),
    }
    return Review.model_validate(fields | values)


def close(reviews: ReviewStore, review: Review, verdict: Any = "correct", **values: Any) -> Review:
    fields: dict[str, Any] = {"by": "ann", "note": "looked at it", "at": START + timedelta(hours=1)}
    return reviews.close(TENANT, review.review_id, verdict=verdict, **(fields | values))


def test_a_review_is_stored_and_listed(reviews: ReviewStore) -> None:
    review = make()
    assert reviews.add(review)
    assert reviews.get(TENANT, review.review_id) == review
    assert reviews.list_open(TENANT).items == (review,)


def test_a_repeat_changes_nothing(reviews: ReviewStore) -> None:
    review = make()
    assert reviews.add(review)
    assert not reviews.add(review)
    assert not reviews.add(review.model_copy(update={"summary": "another"}))
    assert reviews.get(TENANT, review.review_id) == review


def test_a_step_may_have_a_review_for_each_cause(reviews: ReviewStore) -> None:
    run = make_id("run", START)
    unsure, failed = make(0, run=run), make(1, run=run, cause="failed")
    assert (reviews.add(unsure), reviews.add(failed)) == (True, True)
    assert reviews.list_open(TENANT).items == (unsure, failed)


def test_a_closed_review_has_its_verdict_and_is_off_the_list(reviews: ReviewStore) -> None:
    review = make()
    reviews.add(review)
    closed = close(reviews, review, "wrong")
    assert closed == reviews.get(TENANT, review.review_id)
    assert (closed.verdict, closed.closed_by, closed.note) == ("wrong", "ann", "looked at it")
    assert closed.closed_at == START + timedelta(hours=1)
    assert reviews.list_open(TENANT).items == ()


def test_a_review_may_be_closed_without_a_note(reviews: ReviewStore) -> None:
    review = make()
    reviews.add(review)
    assert close(reviews, review, note=None).note is None


def test_the_same_verdict_returns_the_first(reviews: ReviewStore) -> None:
    review = make()
    reviews.add(review)
    first = close(reviews, review)
    assert close(reviews, review, by="bob", at=START + timedelta(hours=2)) == first


def test_another_verdict_is_refused(reviews: ReviewStore) -> None:
    review = make()
    reviews.add(review)
    close(reviews, review)
    with pytest.raises(InvalidTransition):
        close(reviews, review, "wrong")


def test_a_closed_review_is_not_opened_by_a_repeat(reviews: ReviewStore) -> None:
    review = make()
    reviews.add(review)
    close(reviews, review)
    assert not reviews.add(review)
    assert reviews.list_open(TENANT).items == ()


@pytest.mark.parametrize("name", ["nonsense", review_id("run_" + "0" * 26, 1, "loop"), "rev_../x_00001_loop"])
def test_an_unknown_review_is_not_found(reviews: ReviewStore, name: str) -> None:
    with pytest.raises(NotFound):
        reviews.get(TENANT, name)
    with pytest.raises(NotFound):
        reviews.close(TENANT, name, by="ann", verdict="correct", note=None, at=START)


def test_another_tenants_review_is_neither_found_nor_listed_nor_closed(reviews: ReviewStore) -> None:
    review = make()
    reviews.add(review)
    assert reviews.list_open("other").items == ()
    with pytest.raises(NotFound):
        reviews.get("other", review.review_id)
    with pytest.raises(NotFound):
        reviews.close("other", review.review_id, by="eve", verdict="wrong", note=None, at=START)
    assert reviews.get(TENANT, review.review_id).verdict is None


def test_open_reviews_are_paged_oldest_first(reviews: ReviewStore) -> None:
    made = [make(number) for number in range(5)]
    for review in reversed(made):
        reviews.add(review)
    close(reviews, made[1])
    first = reviews.list_open(TENANT, limit=2)
    second = reviews.list_open(TENANT, limit=2, cursor=first.cursor)
    assert list(first.items + second.items) == [made[0], made[2], made[3], made[4]]


def test_a_cursor_of_another_tenants_list_is_refused(reviews: ReviewStore) -> None:
    for number in range(3):
        reviews.add(make(number))
    with pytest.raises(NotFound):
        reviews.list_open("other", cursor=reviews.list_open(TENANT, limit=1).cursor)
