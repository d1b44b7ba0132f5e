"""Conformance of stores of humans' verdicts, over real reviews and approvals."""

from datetime import timedelta
from typing import Any

import pytest

from pentad.domain.errors import NotFound
from pentad.domain.ids import approval_id, make_id, review_id
from pentad.domain.runs import Approval, ApprovalCall, ApprovalStatus, Review
from pentad.orchestration.approvals.adapters.approvals_memory import MemoryApprovals
from pentad.orchestration.calibration.adapters.verdicts_dynamodb import DynamoVerdicts
from pentad.orchestration.calibration.adapters.verdicts_memory import MemoryVerdicts
from pentad.orchestration.calibration.human_verdicts import HumanVerdict
from pentad.orchestration.calibration.ports import VerdictStore
from pentad.orchestration.reviews.adapters.reviews_dynamodb import DynamoReviews
from pentad.orchestration.reviews.adapters.reviews_memory import MemoryReviews
from pentad.orchestration.reviews.ports import ReviewStore

from .stores import START, Stores

TENANT = "acme"


class World:
    """The stores of one kind."""

    def __init__(self, stores: Stores) -> None:
        self.approvals, self.runs = stores.approvals, 0
        self.reviews: ReviewStore
        self.verdicts: VerdictStore
        if stores.state is None:
            assert isinstance(self.approvals, MemoryApprovals)
            self.reviews = reviews = MemoryReviews()
            self.verdicts = MemoryVerdicts(reviews.list_all, self.approvals.list_all)
        else:
            self.reviews, self.verdicts = DynamoReviews(stores.state), DynamoVerdicts(stores.state)

    def make_run_id(self) -> str:
        self.runs += 1
        return make_id("run", START + timedelta(seconds=self.runs))

    def close(self, verdict: Any, **values: Any) -> str:
        run_id = self.make_run_id()
        fields: dict[str, Any] = {
            "tenant": TENANT, "review": review_id(run_id, 1, values.get("cause", "confidence")), "run": run_id,
            "step": 1, "agent": "assistant", "session": "s1", "cause": "confidence", "summary": "x",
            "confidence": 0.8, "created_at": START, "user": "ann",
        }  # fmt: skip
        review = Review.model_validate(fields | values)
        self.reviews.add(review)
        if verdict is not None:
            at = START + timedelta(minutes=self.runs)
            self.reviews.close(TENANT, review.review_id, by="bob", verdict=verdict, note=None, at=at)
        return run_id

    def decide(self, status: ApprovalStatus, **values: Any) -> str:
        run_id = self.make_run_id()
        approval = Approval.model_validate(
            {
                "tenant": TENANT, "approval": approval_id(run_id, 2), "run": run_id, "step": 2, "agent": "assistant",
                "session": "s1", "kind": "answer", "status": ApprovalStatus.PENDING, "calls": (), "confidence": 0.6,
                "created_at": START, "expires_at": START + timedelta(hours=1), "user": "ann",
            }
        )  # fmt: skip
        final = {"decided_by": "bob", "decided_at": START + timedelta(minutes=self.runs)} | values
        approval = approval.model_copy(update={name: final.pop(name) for name in ("kind", "drafts") if name in final})
        self.approvals.create(approval, "token")
        assert self.approvals.replace(approval.model_copy(update={"status": status, "version": 1} | final))
        return run_id

    def list_found(self) -> list[HumanVerdict]:
        return list(self.verdicts.list_page(TENANT).items)


@pytest.fixture
def world(stores: Stores) -> World:
    return World(stores)


def test_reviews_and_approvals_that_judge_a_turn_are_listed_newest_first(world: World) -> None:
    first = world.close("wrong")
    second = world.decide(ApprovalStatus.APPROVED)
    third = world.decide(ApprovalStatus.REJECTED)
    assert [(one.run_id, one.step, one.source, one.correct, one.confidence) for one in world.list_found()] == [
        (third, 2, "approval", False, 0.6),
        (second, 2, "approval", True, 0.6),
        (first, 1, "review", False, 0.8),
    ]
    assert {(one.user_id, one.agent) for one in world.list_found()} == {("ann", "assistant")}


def test_what_was_changed_before_it_was_approved_was_wrong(world: World) -> None:
    call = ApprovalCall(index=0, tool="notes", arguments={}, arguments_hash="h", edited=True)
    world.decide(ApprovalStatus.APPROVED, reply="another answer")
    world.decide(ApprovalStatus.APPROVED, kind="calls", calls=(call,))
    world.decide(ApprovalStatus.APPROVED, kind="calls", calls=(call.model_copy(update={"edited": False}),))
    assert [one.correct for one in world.list_found()] == [True, False, False]


def test_what_is_no_verdict_on_a_turn_that_was_rated_is_not_listed(world: World) -> None:
    world.close(None)
    world.close("wrong", confidence=None)
    world.close("wrong", cause="failed")
    world.decide(ApprovalStatus.APPROVED, confidence=None)
    world.decide(ApprovalStatus.APPROVED, decided_by="system")
    world.decide(ApprovalStatus.EXPIRED)
    world.decide(ApprovalStatus.ANSWERED, kind="question", reply="42")
    world.decide(ApprovalStatus.REJECTED, kind="escalation")
    world.decide(ApprovalStatus.APPROVED, kind="escalation")
    assert world.list_found() == []
    world.decide(ApprovalStatus.APPROVED, kind="escalation", drafts=True)
    assert [one.correct for one in world.list_found()] == [True]


def test_what_was_judged_waits_and_is_open_no_more(world: World) -> None:
    world.close("correct")
    world.decide(ApprovalStatus.REJECTED)
    assert world.reviews.list_open(TENANT).items == ()
    assert world.approvals.list_pending(TENANT).items == ()


def test_an_approval_too_large_for_an_item_has_its_verdict(world: World) -> None:
    world.decide(ApprovalStatus.REJECTED, text="x" * 500_000)
    assert [one.correct for one in world.list_found()] == [False]


def test_verdicts_are_paged_and_tenants_are_apart(world: World) -> None:
    made = [world.close("correct") for _ in range(5)]
    first = world.verdicts.list_page(TENANT, limit=3)
    second = world.verdicts.list_page(TENANT, limit=3, cursor=first.cursor)
    assert [one.run_id for one in first.items + second.items] == made[::-1]
    assert world.verdicts.list_page("other").items == ()
    with pytest.raises(NotFound):
        world.verdicts.list_page("other", cursor=first.cursor)
