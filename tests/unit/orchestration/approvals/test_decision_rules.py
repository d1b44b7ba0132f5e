"""What a human's say, or the time, makes of an approval: pure rules."""

from datetime import timedelta
from typing import Any

import pytest

from pentad.domain.canonical import arguments_hash
from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.errors import InvalidInput, InvalidTransition
from pentad.domain.ids import approval_id
from pentad.domain.runs import Approval, ApprovalCall, ApprovalStatus
from pentad.orchestration.approvals.decision_rules import (
    MAX_ESCALATIONS,
    Say,
    apply_say,
    apply_timeout,
    count_escalations,
    is_bound,
    shown_hash,
)
from pentad.orchestration.approvals.waiting_times import compute_first_wait, wait_seconds
from tests.unit.orchestration.world import START

RUN = "run_" + "0" * 26
SCHEMA = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "minLength": 1},
        "pages": {"type": "array", "items": {"type": "integer"}},
    },
    "required": ["title"],
    "additionalProperties": False,
}
TOOLS = {"notes": ToolSpec(name="notes", description="notes", input_schema=SCHEMA, effects="external")}
HOUR = timedelta(hours=1)


def _call(index: int = 0, **arguments: Any) -> ApprovalCall:
    given = arguments or {"title": "a"}
    return ApprovalCall(index=index, tool="notes", arguments=given, arguments_hash=arguments_hash(given))


def _approval(**values: Any) -> Approval:
    fields: dict[str, Any] = {
        "tenant": "acme",
        "approval": approval_id(RUN, 1),
        "run": RUN,
        "step": 1,
        "agent": "assistant",
        "session": "s1",
        "status": ApprovalStatus.PENDING,
        "calls": () if values.get("text") else (_call(),),
        "created_at": START,
        "expires_at": START + HOUR,
    }
    return Approval.model_validate(fields | values)


def _say(verb: Any, by: str = "ann", *, minutes: float = 1, **values: Any) -> Say:
    return Say(verb, by, START + timedelta(minutes=minutes), **values)


def _after(approval: Approval, *says: Say) -> Approval:
    for one in says:
        approval = apply_say(approval, one, TOOLS)
    return approval


DRAFT = _approval(kind="answer", text="the draft")
QUESTION = _approval(kind="question", text="which?")
ESCALATION = _approval(kind="escalation", text="too hard")


def test_one_human_approves_where_one_is_asked() -> None:
    approved = _after(_approval(), _say("approve", reason="fine"))
    assert (approved.status, approved.decided_by, approved.reason) == (ApprovalStatus.APPROVED, "ann", "fine")
    assert approved.version == 1


def test_two_distinct_humans_are_a_quorum_of_two() -> None:
    asked = _approval(quorum=2)
    shown = shown_hash(asked)
    once = _after(asked, _say("approve", shown=shown), _say("approve", shown=shown))
    assert (once.status, len(once.votes), once.version) == (ApprovalStatus.PENDING, 1, 1)
    assert _after(once, _say("approve", "bob", shown=shown)).status is ApprovalStatus.APPROVED


def test_one_rejection_rejects_whatever_the_quorum() -> None:
    asked = _approval(quorum=3)
    voted = _after(asked, _say("approve", shown=shown_hash(asked)), _say("reject", "bob", reason="no"))
    assert (voted.status, voted.reason) == (ApprovalStatus.REJECTED, "no")


@pytest.mark.parametrize(
    "asked",
    [
        _approval(quorum=2),
        _after(_approval(quorum=2), _say("edit", arguments={0: {"title": "b"}}, shown=shown_hash(_approval()))),
    ],
)
def test_where_several_decide_a_vote_says_on_what(asked: Approval) -> None:
    assert is_bound(asked)
    with pytest.raises(InvalidInput) as refused:
        _after(asked, _say("approve", "bob"))
    assert refused.value.field == "arguments_hash"


def test_an_edit_approves_what_it_makes() -> None:
    edited = _after(_approval(), _say("edit", arguments={0: {"title": "b"}}))
    [call] = edited.calls
    assert (edited.status, call.arguments, call.edited) == (ApprovalStatus.APPROVED, {"title": "b"}, True)
    assert call.arguments_hash == arguments_hash({"title": "b"})
    assert [change.what for change in edited.changes] == ["edited"]


def test_an_edit_runs_and_is_shown_in_its_final_form_with_its_defaults() -> None:
    pages = {"type": "integer", "default": 2}
    schema = SCHEMA | {"properties": {"title": {"type": "string"}, "pages": pages}}
    tools = {"notes": TOOLS["notes"].model_copy(update={"input_schema": schema})}
    for given, runs in (({"title": "b"}, 2), ({"title": "b", "pages": 3.0}, 3)):
        edit = _say("edit", arguments={0: given})
        once = apply_say(_approval(), edit, tools)
        [call] = once.calls
        assert call.arguments == {"title": "b", "pages": runs}
        assert call.arguments_hash == arguments_hash(call.arguments)
        assert type(call.arguments["pages"]) is int
        assert apply_say(once, edit, tools) == once


def test_an_edit_resets_the_votes_of_the_others() -> None:
    asked = _approval(quorum=2)
    shown = shown_hash(asked)
    edited = _after(
        asked, _say("approve", shown=shown), _say("edit", "bob", arguments={0: {"title": "b"}}, shown=shown)
    )
    assert (edited.status, [vote.by for vote in edited.votes]) == (ApprovalStatus.PENDING, ["bob"])
    with pytest.raises(InvalidInput):
        _after(edited, _say("approve", "cem", shown=shown))
    assert _after(edited, _say("approve", "ann", shown=shown_hash(edited))).status is ApprovalStatus.APPROVED


def test_an_edited_draft_is_what_is_shown_and_replied() -> None:
    edited = _after(DRAFT, _say("edit", text="better"))
    assert (edited.status, edited.reply, edited.text) == (ApprovalStatus.APPROVED, "better", "the draft")
    assert shown_hash(edited) != shown_hash(DRAFT)


@pytest.mark.parametrize(
    ("asked", "say", "field"),
    [
        (_approval(), {"arguments": {0: {"title": ""}}}, "arguments.0.title"),
        (_approval(), {"arguments": {0: {"title": "b", "pages": [1, "x"]}}}, "arguments.0.pages.1"),
        (_approval(), {"arguments": {0: {}}}, "arguments.0"),
        (_approval(), {"arguments": {3: {"title": "b"}}}, "arguments.3"),
        (_approval(), {}, "arguments"),
        (_approval(), {"arguments": {0: {"title": "a"}}}, "decision"),
        (_approval(), {"text": "x"}, "text"),
        (DRAFT, {"arguments": {0: {"title": "b"}}}, "arguments"),
        (DRAFT, {"text": " "}, "text"),
        (DRAFT, {"text": "x" * 20_001}, "text"),
        (DRAFT, {"text": "the draft"}, "decision"),
        (QUESTION, {"text": "b"}, "decision"),
        (ESCALATION, {"text": "b"}, "decision"),
    ],
)
def test_an_edit_that_does_not_fit_names_the_field(asked: Approval, say: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        _after(asked, _say("edit", **say))
    assert (refused.value.field, bool(refused.value.fix)) == (field, True)


@pytest.mark.parametrize(
    ("given", "told", "fix"),
    [
        ({"title": "b", "boddy": "c"}, "no field 'boddy'", "leave it out; the fields are: title, pages"),
        ({"pages": []}, "required: title", "give title; the fields are: title, pages"),
        ({"title": ""}, "minLength", 'give what fits {"minLength": 1, "type": "string"}'),
    ],
)
def test_an_edit_that_does_not_fit_names_what_is_wrong_and_what_is_allowed(
    given: dict[str, Any], told: str, fix: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        _after(_approval(), _say("edit", arguments={0: given}))
    assert refused.value.message.endswith(f"the schema of 'notes': {told}")
    assert refused.value.fix == fix


@pytest.mark.parametrize(
    ("asked", "say", "field"),
    [
        (QUESTION, _say("approve"), "decision"),
        (_approval(), _say("answer", text="x"), "decision"),
        (DRAFT, _say("answer", text="x"), "decision"),
        (QUESTION, _say("answer", text="  "), "text"),
        (_approval(), _say("escalate"), "group"),
        (_approval(), _say("escalate", group="operators"), "group"),
        (_approval(), _say("escalate", group="No Group"), "group"),
        (QUESTION, _say("answer", text="x", shown="0" * 64), "arguments_hash"),
        (DRAFT, _say("approve", allow_tool_for_run=True), "allow_tool_for_run"),
        (
            _approval(quorum=2),
            _say("approve", shown=shown_hash(_approval()), allow_tool_for_run=True),
            "allow_tool_for_run",
        ),
    ],
)
def test_a_say_that_does_not_fit_names_the_field(asked: Approval, say: Say, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        _after(asked, say)
    assert (refused.value.field, bool(refused.value.fix)) == (field, True)


@pytest.mark.parametrize("asked", [QUESTION, ESCALATION])
def test_a_question_and_an_escalation_are_answered(asked: Approval) -> None:
    answered = _after(asked, _say("answer", text="this one"))
    assert (answered.status, answered.reply) == (ApprovalStatus.ANSWERED, "this one")


def test_a_tool_is_allowed_for_the_run_with_its_call() -> None:
    assert _after(_approval(), _say("approve", allow_tool_for_run=True)).allowed_tools == ("notes",)


def test_an_escalation_asks_the_next_group_with_the_whole_time_and_no_votes() -> None:
    asked = _approval(quorum=2, escalate_to=("leads", "board"), remind_seconds=60, reminded=3)
    handed = _after(asked, _say("approve", shown=shown_hash(asked)), _say("escalate", minutes=30, reason="too big"))
    assert (handed.group, handed.escalate_to, handed.votes, handed.reminded) == ("leads", ("board",), (), 0)
    assert handed.expires_at == START + timedelta(minutes=30) + HOUR
    assert [(one.group, one.by, one.reason) for one in handed.changes] == [("operators", "ann", "too big")]


def test_an_escalation_to_a_later_group_leaves_out_those_between() -> None:
    handed = _after(_approval(escalate_to=("leads", "board")), _say("escalate", group="board"))
    assert (handed.group, handed.escalate_to) == ("board", ())


def test_escalations_are_bounded() -> None:
    asked = _after(_approval(), *(_say("escalate", group=f"g{number}") for number in range(MAX_ESCALATIONS)))
    assert count_escalations(asked) == MAX_ESCALATIONS
    with pytest.raises(InvalidInput):
        _after(asked, _say("escalate", group="one-more"))


@pytest.mark.parametrize(
    ("asked", "say"),
    [
        (_approval(), _say("approve")),
        (_approval(), _say("reject", reason="no")),
        (_approval(), _say("edit", arguments={0: {"title": "b"}}, shown=shown_hash(_approval()))),
        (DRAFT, _say("edit", text="better")),
        (QUESTION, _say("answer", text="x")),
        (_approval(quorum=2), _say("edit", arguments={0: {"title": "b"}}, shown=shown_hash(_approval()))),
        (_approval(), _say("escalate", group="leads")),
    ],
)
def test_the_same_say_again_changes_nothing(asked: Approval, say: Say) -> None:
    once = _after(asked, say)
    assert _after(once, say) == once


@pytest.mark.parametrize("verb", ["approve", "reject", "edit", "answer", "escalate"])
def test_another_say_after_the_decision_is_refused(verb: str) -> None:
    more: dict[str, dict[str, Any]] = {"edit": {"arguments": {0: {"title": "c"}}}, "answer": {"text": "x"}}
    values = more.get(verb, {})
    asked = _after(_approval(), _say("reject" if verb == "approve" else "approve"))
    with pytest.raises(InvalidTransition):
        _after(asked, _say(verb, "bob", **values))


def test_an_approval_of_what_was_shown_before_an_edit_is_refused_even_after_the_decision() -> None:
    edited = _after(_approval(), _say("edit", arguments={0: {"title": "b"}}))
    with pytest.raises(InvalidInput):
        _after(edited, _say("approve", "bob", shown=shown_hash(_approval())))


def test_a_say_after_the_time_is_refused() -> None:
    with pytest.raises(InvalidTransition, match="expired"):
        _after(_approval(), _say("approve", minutes=60))


@pytest.mark.parametrize(
    ("asked", "status", "group"),
    [
        (_approval(), ApprovalStatus.EXPIRED, "operators"),
        (_approval(on_expiry="approve"), ApprovalStatus.APPROVED, "operators"),
        (_approval(kind="question", text="?", on_expiry="approve"), ApprovalStatus.EXPIRED, "operators"),
        (_approval(on_expiry="escalate", escalate_to=("leads",)), ApprovalStatus.PENDING, "leads"),
        (_approval(on_expiry="escalate"), ApprovalStatus.EXPIRED, "operators"),
    ],
)
def test_what_nobody_decides_follows_the_policy(asked: Approval, status: ApprovalStatus, group: str) -> None:
    after = apply_timeout(asked, START + HOUR)
    assert (after.status, after.group, after.version) == (status, group, 1)
    assert apply_timeout(after, START + HOUR) == after


def test_a_task_whose_time_ran_out_a_moment_before_the_approvals_expires_it() -> None:
    assert apply_timeout(_approval(), START + HOUR - timedelta(seconds=4)).status is ApprovalStatus.EXPIRED


def test_escalations_by_the_time_end() -> None:
    asked, now = _approval(on_expiry="escalate", escalate_to=("leads", "board")), START
    for group, status in (("leads", "pending"), ("board", "pending"), ("board", "expired")):
        now += HOUR
        asked = apply_timeout(asked, now)
        assert (asked.group, asked.status.value) == (group, status)


def test_reminders_come_each_interval_until_the_expiry() -> None:
    asked = _approval(remind_seconds=1500)
    waits = []
    now = START
    while asked.status is ApprovalStatus.PENDING:
        waits.append(wait_seconds(asked, now))
        now += timedelta(seconds=waits[-1])
        asked = apply_timeout(asked, now)
    assert (waits, asked.reminded) == ([1500, 1500, 600], 2)


def test_before_anything_is_due_nothing_changes() -> None:
    asked = _approval(remind_seconds=600)
    assert apply_timeout(asked, START + timedelta(seconds=300)) == asked
    assert wait_seconds(asked, START + timedelta(seconds=300)) == 300


@pytest.mark.parametrize(("remind", "wait"), [(None, 3600), (60, 60), (7200, 3600)])
def test_the_first_wait_is_the_first_reminder_or_the_expiry(remind: int | None, wait: int) -> None:
    assert compute_first_wait(3600, remind) == wait


def test_the_wait_is_never_less_than_a_second() -> None:
    assert wait_seconds(_approval(), START + 2 * HOUR) == 1
