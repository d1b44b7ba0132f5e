"""Votes count by person, and whoever asked for a run does not decide what it does."""

from typing import Any

import pytest

from pentad.domain.declarations.agents import HumansSpec
from pentad.domain.declarations.workflows import HumanStep
from pentad.domain.errors import PolicyDenied
from pentad.domain.runs import Actor, Approval, ApprovalStatus, Vote
from pentad.orchestration.approvals.decision_rules import Say, apply_say, shown_hash
from tests.unit.orchestration.approvals.test_decision_rules import DRAFT, ESCALATION, QUESTION, TOOLS, _approval
from tests.unit.orchestration.world import START


def actor(person: str, *, user_id: str | None = None, key_id: str = "k") -> Actor:
    return Actor(user_id=user_id, key_id=key_id, person=person, at=START, source_ip="192.0.2.1")


def say(approval: Approval, verb: Any, who: Actor, **values: Any) -> Approval:
    by = who.user_id or f"key:{who.key_id}"
    one = Say(verb, by, START, shown=shown_hash(approval), actor=who, **values)
    return apply_say(approval, one, TOOLS)


ANN = actor("ann", user_id="ann")
ANNS_KEY = actor("ann", key_id="service")
ANNS_OTHER_KEY = actor("ann", key_id="nightly")
BOB = actor("bob", user_id="bob")


@pytest.mark.parametrize("second", [ANNS_KEY, ANNS_OTHER_KEY, ANN])
def test_two_credentials_of_one_person_are_one_vote(second: Actor) -> None:
    approval = say(_approval(quorum=2), "approve", ANN)
    again = say(approval, "approve", second)
    assert (again.status, len(again.votes)) == (ApprovalStatus.PENDING, 1)
    assert say(again, "approve", BOB).status is ApprovalStatus.APPROVED


def test_keys_that_name_nobody_are_one_person() -> None:
    approval = say(_approval(quorum=2), "approve", actor("unknown", key_id="a"))
    assert say(approval, "approve", actor("unknown", key_id="b")).status is ApprovalStatus.PENDING


def test_a_vote_of_an_earlier_version_counts_for_its_credential() -> None:
    approval = _approval(quorum=2)
    old = Vote(by="ann", decision="approve", at=START, shown_hash=shown_hash(approval))
    voted = approval.model_copy(update={"votes": (old,)})
    assert say(voted, "approve", ANN).status is ApprovalStatus.PENDING
    assert say(voted, "approve", BOB).status is ApprovalStatus.APPROVED


def test_an_edit_and_an_approval_by_one_person_are_one_vote() -> None:
    edited = say(_approval(quorum=2), "edit", ANN, arguments={0: {"title": "b"}})
    assert say(edited, "approve", ANNS_KEY).status is ApprovalStatus.PENDING


REQUESTERS = [
    {"user": "ann"},
    {"requester": ANN},
    {"requester": ANNS_KEY},
    {"user": "carl", "requester": ANNS_KEY},
]


@pytest.mark.parametrize("asked", REQUESTERS)
@pytest.mark.parametrize("who", [ANN, ANNS_KEY, ANNS_OTHER_KEY])
def test_who_asked_for_the_run_does_not_decide_what_it_does(asked: Any, who: Actor) -> None:
    approval = _approval(not_requester=True, **asked)
    for verb, values in (
        ("approve", {}),
        ("approve", {"allow_tool_for_run": True}),
        ("edit", {"arguments": {0: {"title": "b"}}}),
        ("escalate", {"group": "friends"}),
    ):
        with pytest.raises(PolicyDenied, match="asked for this run"):
            say(approval, verb, who, **values)
    assert say(approval, "approve", BOB).status is ApprovalStatus.APPROVED
    assert say(approval, "reject", who).status is ApprovalStatus.REJECTED


def test_who_asked_may_answer_a_question_and_releases_no_draft() -> None:
    for approval in (DRAFT, ESCALATION):
        with pytest.raises(PolicyDenied):
            say(
                approval.model_copy(update={"not_requester": True, "user_id": "ann"}),
                "edit" if approval is DRAFT else "answer",
                ANN,
                text="mine",
            )
    asked = QUESTION.model_copy(update={"not_requester": True, "user_id": "ann"})
    assert say(asked, "answer", ANN, text="the second").status is ApprovalStatus.ANSWERED


def test_without_the_rule_the_requester_decides() -> None:
    assert say(_approval(user="ann"), "approve", ANN).status is ApprovalStatus.APPROVED


@pytest.mark.parametrize(
    ("values", "four_eyes"),
    [
        ({}, False),
        ({"quorum": 2}, True),
        ({"quorum": 2, "not_requester": False}, False),
        ({"not_requester": True}, True),
    ],
)
def test_the_rule_is_on_where_several_decide_unless_the_agent_says_otherwise(values: Any, four_eyes: bool) -> None:
    assert HumansSpec(**values).four_eyes is four_eyes
    assert HumanStep(name="a", number=1, text="x", **values).four_eyes is four_eyes


def test_who_said_what_is_on_the_approval() -> None:
    edited = say(_approval(quorum=2), "edit", ANN, arguments={0: {"title": "b"}}, reason="better")
    done = say(edited, "approve", BOB)
    placed = [ANN.model_copy(update={"group": "operators"}), BOB.model_copy(update={"group": "operators"})]
    assert [vote.actor for vote in done.votes] == placed
    assert [change.actor for change in done.changes] == placed[:1]
    assert done.decider == placed[1]
