"""Check a human's decision and apply it, or the passing of time, to an approval. Pure.

The store keeps the result by one conditional write. Votes are bound to the hash of what was shown, so an edit resets
them, and an edit is its editor's own approval of what it made. Each group that is asked has the whole time again and
votes anew.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from pentad.domain.canonical import arguments_hash, sha256_of
from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.declarations.asking import GROUP_PATTERN
from pentad.domain.errors import InvalidInput, InvalidTransition, StoreUnavailable
from pentad.domain.runs import Actor, Approval, ApprovalCall, ApprovalStatus, Change, Vote
from pentad.orchestration.approvals.edited_arguments import check_arguments, fill_edits
from pentad.orchestration.approvals.four_eyes import check_requester
from pentad.orchestration.approvals.ports import ApprovalStore

Verb = Literal["approve", "reject", "edit", "answer", "escalate"]
REASON_CHARACTERS = 1000
TEXT_CHARACTERS = 20_000
MAX_ESCALATIONS = 10
MAX_CHANGES = 50
RACES = 30
"""A vote is lost to another at most as often as there are others: a quorum has at most 20."""
EARLY_SECONDS = 5.0
"""A task's timeout runs from the state's start, the approval's from when it was stored: this much later at most."""
NOBODY = "Nobody decided in time."


@dataclass(frozen=True)
class Say:
    """What one human says to one approval.

    Attributes:
        verb: what to do.
        by: who says it.
        at: when.
        shown: hash of what the human was shown.
        reason: why; told to the model on a reject.
        text: the answer, or the draft as edited.
        arguments: the edited arguments by the call's index.
        group: who is to be asked instead.
        allow_tool_for_run: approve the calls' tools for the rest of the run.
        actor: who says it, by which credential and from where; None where nobody knows.
    """

    verb: Verb
    by: str
    at: datetime
    shown: str | None = None
    reason: str | None = None
    text: str | None = None
    arguments: Mapping[int, dict[str, Any]] = field(default_factory=dict)
    group: str | None = None
    allow_tool_for_run: bool = False
    actor: Actor | None = None

    @property
    def person(self) -> str:
        """The human behind it: their votes count once, whichever credential they come with."""
        return self.by if self.actor is None else self.actor.person


def shown_hash(approval: Approval) -> str:
    """Return the hash that stands for all that an approval shows: the text and the calls' arguments."""
    hashes = [call.arguments_hash for call in approval.calls]
    text = shown_text(approval)
    if text is not None:
        return sha256_of([text, *hashes])
    return hashes[0] if len(hashes) == 1 else sha256_of(hashes)


def shown_text(approval: Approval) -> str | None:
    """Return the text that an approval shows: the draft as it was last edited, the question, why it was escalated."""
    edited = is_draft(approval) and approval.status is not ApprovalStatus.ANSWERED and approval.reply is not None
    return approval.reply if edited else approval.text


def is_draft(approval: Approval) -> bool:
    """Tell whether what waits is an answer: drafted, or by a turn too unsure of itself to give it."""
    return approval.kind == "answer" or (approval.kind == "escalation" and approval.drafts)


def is_bound(approval: Approval) -> bool:
    """Tell whether a decision has to say what it was shown: others may have changed it, or vote on it too."""
    return approval.quorum > 1 or any(change.what == "edited" for change in approval.changes)


def apply_say(approval: Approval, say: Say, tools: Mapping[str, ToolSpec]) -> Approval:
    """Return the approval after a human's say; the same one where that changes nothing, as on a repeat.

    Args:
        approval: as it is stored.
        say: what the human says.
        tools: by name, for the schemas of edited arguments.

    Raises:
        InvalidInput: the say does not fit this approval, or is about something else than it shows.
        InvalidTransition: it is decided otherwise, or has expired.
        PolicyDenied: others than who asked for the run have to decide.
    """
    check_requester(approval, say.verb, {say.by, say.person})
    say = replace(say, arguments=fill_edits(approval.calls, say.arguments, tools))
    if say.shown not in (None, shown_hash(approval)) and not _is_repeated_edit(approval, say):
        raise InvalidInput(
            "the arguments are not the ones that this approval shows",
            field="arguments_hash",
            fix="read the approval again, then decide on what it shows",
        )
    if approval.status is not ApprovalStatus.PENDING:
        if _is_repeat(approval, say):
            return approval
        raise InvalidTransition(f"the approval is already {approval.status}", field="approval")
    if say.at >= approval.expires_at:
        raise InvalidTransition("the approval has expired", field="approval")
    changed = _HANDLERS[say.verb](approval, say, tools)
    return changed if changed == approval else changed.model_copy(update={"version": approval.version + 1})


def _is_by(vote: Vote, say: Say) -> bool:
    """Tell whether a vote is of the human who says something now: two credentials of one person are one."""
    return vote.by == say.by or vote.person == say.person


def _is_repeated_edit(approval: Approval, say: Say) -> bool:
    """Tell whether this edit is in what the approval shows already, by the same human: its first try changed that."""
    voted = any(_is_by(vote, say) for vote in approval.votes)
    return say.verb == "edit" and voted and _apply_edit(approval, say) == approval


def _is_repeat(approval: Approval, say: Say) -> bool:
    """Tell whether a settled approval is what this say would have made of it."""
    if say.verb == "answer":
        return approval.status is ApprovalStatus.ANSWERED and approval.reply == say.text
    if say.verb == "reject":
        return approval.status is ApprovalStatus.REJECTED
    return approval.status is ApprovalStatus.APPROVED and (say.verb == "approve" or _is_repeated_edit(approval, say))


def _approve(approval: Approval, say: Say, tools: Mapping[str, ToolSpec]) -> Approval:
    if approval.kind == "question":
        raise InvalidInput(
            "a question can't be approved", field="decision", fix="answer it, or reject it with a reason"
        )
    _check_bound(approval, say)
    allowed = _resolve_allowed_tools(approval, say)
    shown = shown_hash(approval)
    if any(_is_by(vote, say) and vote.shown_hash == shown for vote in approval.votes):
        return approval
    return _add_vote(approval.model_copy(update={"allowed_tools": allowed}), say)


def _reject(approval: Approval, say: Say, tools: Mapping[str, ToolSpec]) -> Approval:
    vote = _make_vote(approval, say, "reject")
    return _set_decision(approval, ApprovalStatus.REJECTED, say, votes=(*approval.votes, vote))


def _edit(approval: Approval, say: Say, tools: Mapping[str, ToolSpec]) -> Approval:
    _check_bound(approval, say)
    if not approval.calls and not is_draft(approval):
        raise InvalidInput("this approval has nothing to edit", field="decision", fix="use answer, reject or escalate")
    allowed = _resolve_allowed_tools(approval, say)
    _check_edit(approval, say)
    changed = _apply_edit(approval, say)
    if changed == approval:
        if any(_is_by(vote, say) for vote in approval.votes):
            return approval  # the editor's own repeat: the vote is there
        raise InvalidInput("the edit changes nothing", field="decision", fix="approve it instead")
    for call in changed.calls:
        if call.index in say.arguments:
            check_arguments(tools.get(call.tool), call)
    change = Change(
        what="edited", by=say.by, at=say.at, group=approval.group, reason=say.reason, actor=_place(approval, say)
    )
    changes = (*approval.changes, change)
    if len(changes) > MAX_CHANGES:
        raise InvalidInput("the approval has been changed too often", field="decision", fix="approve or reject it")
    # What was voted for is not what is shown now.
    update = {"votes": (), "changes": changes, "allowed_tools": allowed}
    return _add_vote(changed.model_copy(update=update), say)


def _answer(approval: Approval, say: Say, tools: Mapping[str, ToolSpec]) -> Approval:
    if approval.kind not in {"question", "escalation"}:
        fix = "use edit to change the drafted answer" if approval.kind == "answer" else "use approve, edit or reject"
        raise InvalidInput("this approval is not a question", field="decision", fix=fix)
    return _set_decision(approval, ApprovalStatus.ANSWERED, say, reply=_get_text(say))


def _escalate(approval: Approval, say: Say, tools: Mapping[str, ToolSpec]) -> Approval:
    group = say.group or next(iter(approval.escalate_to), None)
    if group is None:
        raise InvalidInput("there is no next group", field="group", fix="name the group to ask")
    if not re.fullmatch(GROUP_PATTERN, group):
        raise InvalidInput("the group is not well formed", field="group", fix=f"match {GROUP_PATTERN}")
    if group == approval.group:
        if approval.asked_at is not None:
            return approval  # a repeat of the say that brought it there
        raise InvalidInput(f"the group '{group}' is already being asked", field="group", fix="name another group")
    if count_escalations(approval) >= MAX_ESCALATIONS:
        said = f"already escalated {MAX_ESCALATIONS} times, the limit"
        raise InvalidInput(said, field="group", fix="approve or reject it")
    return _move_to_group(approval, group, say)


_HANDLERS: Mapping[Verb, Callable[[Approval, Say, Mapping[str, ToolSpec]], Approval]] = {
    "approve": _approve,
    "reject": _reject,
    "edit": _edit,
    "answer": _answer,
    "escalate": _escalate,
}


def settle(
    store: ApprovalStore,
    tenant_id: str,
    approval_id: str,
    status: ApprovalStatus,
    *,
    by: str,
    reason: str | None,
    at: datetime,
) -> Approval:
    """Move a pending approval to its decision, whoever else changes it meanwhile: `ApprovalStore.decide`.

    Raises:
        InvalidTransition: it was decided otherwise, or has expired.
        NotFound: no such approval.
        StoreUnavailable: others changed it again and again.
    """
    for _ in range(RACES):
        stored = store.get(tenant_id, approval_id)
        if stored.status is status:
            return stored
        if stored.status is not ApprovalStatus.PENDING:
            raise InvalidTransition(f"the approval is already {stored.status}", field="approval")
        if at >= stored.expires_at and status is not ApprovalStatus.EXPIRED:
            raise InvalidTransition("the approval has expired", field="approval")
        settled = _set_decision(stored, status, Say("reject", by, at, reason=reason), version=stored.version + 1)
        if store.replace(settled):
            return settled
    raise make_contention_error()


def make_contention_error() -> StoreUnavailable:
    """Return the error of a change that others were faster than, `RACES` times."""
    return StoreUnavailable("others are changing this approval; try again")


def apply_timeout(approval: Approval, now: datetime) -> Approval:
    """Return the approval after its task's time ran out: reminded, with the next group, or closed.

    The same one where nothing is due: the task waited for less than the approval's time.
    """
    if approval.status is not ApprovalStatus.PENDING:
        return approval
    changed = _apply_expiry(approval, now)
    if changed is None:
        due = _count_due_reminders(approval, now)
        changed = approval if due <= approval.reminded else approval.model_copy(update={"reminded": due})
    return changed if changed == approval else changed.model_copy(update={"version": approval.version + 1})


def _apply_expiry(approval: Approval, now: datetime) -> Approval | None:
    if now < approval.expires_at - timedelta(seconds=EARLY_SECONDS):
        return None
    system = Say("reject", "system", now, reason=NOBODY)
    if approval.on_expiry == "escalate" and approval.escalate_to and count_escalations(approval) < MAX_ESCALATIONS:
        return _move_to_group(approval, approval.escalate_to[0], system)
    if approval.on_expiry == "approve" and approval.kind != "question":
        return _set_decision(approval, ApprovalStatus.APPROVED, system)
    return _set_decision(approval, ApprovalStatus.EXPIRED, system)


def count_escalations(approval: Approval) -> int:
    """Return how often an approval was handed on."""
    return sum(change.what == "escalated" for change in approval.changes)


def _count_due_reminders(approval: Approval, now: datetime) -> int:
    if approval.remind_seconds is None:
        return 0
    return int(((now - approval.asked).total_seconds() + EARLY_SECONDS) // approval.remind_seconds)


def _move_to_group(approval: Approval, group: str, say: Say) -> Approval:
    rest, at = approval.escalate_to, say.at
    actor = _place(approval, say)
    change = Change(what="escalated", by=say.by, at=at, group=approval.group, reason=say.reason, actor=actor)
    return approval.model_copy(
        update={
            "group": group,
            "escalate_to": rest[rest.index(group) + 1 :] if group in rest else rest,
            "asked_at": at,
            "expires_at": at + (approval.expires_at - approval.asked),
            "reminded": 0,
            "votes": (),
            "changes": (*approval.changes, change),
        }
    )


def _add_vote(approval: Approval, say: Say) -> Approval:
    votes = (*approval.votes, _make_vote(approval, say, "approve"))
    if len({one.person for one in votes if one.decision == "approve"}) < approval.quorum:
        return approval.model_copy(update={"votes": votes})
    return _set_decision(approval, ApprovalStatus.APPROVED, say, votes=votes)


def _make_vote(approval: Approval, say: Say, decision: Literal["approve", "reject"]) -> Vote:
    return Vote(
        by=say.by,
        decision=decision,
        at=say.at,
        reason=say.reason,
        shown_hash=shown_hash(approval),
        actor=_place(approval, say),
    )


def _place(approval: Approval, say: Say) -> Actor | None:
    """Return who says it, with the group that is asked: for this group they speak."""
    return None if say.actor is None else say.actor.model_copy(update={"group": approval.group})


def _set_decision(approval: Approval, status: ApprovalStatus, say: Say, **values: Any) -> Approval:
    decision = {
        "status": status,
        "decided_at": say.at,
        "decided_by": say.by,
        "reason": say.reason,
        "decider": _place(approval, say),
    }
    return approval.model_copy(update=decision | values)


def _apply_edit(approval: Approval, say: Say) -> Approval:
    calls = tuple(_with_arguments(call, say.arguments.get(call.index)) for call in approval.calls)
    reply = approval.reply
    if is_draft(approval) and say.text is not None and say.text != shown_text(approval):
        reply = say.text
    return approval.model_copy(update={"calls": calls, "reply": reply})


def _with_arguments(call: ApprovalCall, arguments: dict[str, Any] | None) -> ApprovalCall:
    if arguments is None or arguments_hash(arguments) == call.arguments_hash:
        return call
    # Where words come from was told of the model's arguments; these are a human's.
    update = {"arguments": arguments, "arguments_hash": arguments_hash(arguments), "edited": True, "outside": ()}
    return call.model_copy(update=update)


def _check_edit(approval: Approval, say: Say) -> None:
    if is_draft(approval):
        if say.arguments:
            raise InvalidInput("a drafted answer has no arguments", field="arguments", fix="put the new text in 'text'")
        _get_text(say)
        return
    if say.text is not None:
        raise InvalidInput("tool calls have no text", field="text", fix="put the new arguments in 'arguments'")
    shown = {call.index for call in approval.calls}
    unknown = sorted(set(say.arguments) - shown)
    if unknown or not say.arguments:
        raise InvalidInput(
            f"the approval shows no call {unknown[0]}" if unknown else "the edit has no arguments",
            field=f"arguments.{unknown[0]}" if unknown else "arguments",
            fix=f"give the complete arguments by call index, one of {', '.join(map(str, sorted(shown)))}",
        )


def _check_bound(approval: Approval, say: Say) -> None:
    if say.shown is None and is_bound(approval):
        raise InvalidInput(
            "several humans decide on this approval, so a decision must say what it is about",
            field="arguments_hash",
            fix="read the approval and send its arguments_hash",
        )


def _resolve_allowed_tools(approval: Approval, say: Say) -> tuple[str, ...]:
    if not say.allow_tool_for_run:
        return approval.allowed_tools
    if not approval.calls or approval.quorum > 1:
        why = "there is no call to allow" if not approval.calls else "several humans have to approve each call"
        raise InvalidInput(why, field="allow_tool_for_run", fix="leave it out")
    return tuple(sorted({call.tool for call in approval.calls}))


def _get_text(say: Say) -> str:
    if say.text is None or not say.text.strip():
        raise InvalidInput("there is no text", field="text", fix="put the words in 'text'")
    if len(say.text) > TEXT_CHARACTERS:
        raise InvalidInput(f"the text has more than {TEXT_CHARACTERS:,} characters", field="text", fix="shorten it")
    return say.text
