"""A run waits for a human: ask the client's, where its credential may decide, and take what the form says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pentad.api.identity.caller import Caller
from pentad.api.mcp.protocol import INVALID_PARAMS, McpFault
from pentad.domain.display.characters import count_marked, format_json, iter_shown_strings, mark_line, mark_text
from pentad.domain.display.scripts import count_alike, list_alike_words
from pentad.domain.errors import InvalidInput, InvalidTransition, NotFound
from pentad.domain.ids import approval_id as name_approval
from pentad.domain.ids import parse_approval_id
from pentad.domain.runs import Approval, ApprovalCall, ApprovalStatus
from pentad.orchestration.approvals.decide import Decide
from pentad.orchestration.approvals.decision_rules import REASON_CHARACTERS, TEXT_CHARACTERS, shown_hash, shown_text
from pentad.orchestration.approvals.ports import ApprovalStore

Json = dict[str, Any]
SCOPE = "approvals:write"
_HASH = 16
_APPROVE: Json = {
    "type": "object",
    "properties": {
        "approve": {"type": "boolean", "title": "Approve", "description": "true lets it happen, just as it is shown"},
        "reason": {"type": "string", "title": "Reason", "maxLength": REASON_CHARACTERS, "description": "why not"},
    },
    "required": ["approve"],
}
_ANSWER: Json = {
    "type": "object",
    "properties": {
        "answer": {"type": "string", "title": "Answer", "minLength": 1, "maxLength": TEXT_CHARACTERS},
    },
    "required": ["answer"],
}
_ACTIONS = ("accept", "decline", "cancel")


@dataclass(frozen=True)
class HumanInput:
    """Asks a client's human, and decides as it says.

    Attributes:
        approvals: the store of approvals.
        decide: takes decisions.
        now: the clock.
    """

    approvals: ApprovalStore
    decide: Decide
    now: Callable[[], datetime]

    def build_requests(self, caller: Caller, name: str | None) -> Json:
        """Return what to ask the client's human: one form by its key, or nothing where others have to decide.

        Args:
            caller: whose credential would decide.
            name: the approval that the run waits for; None for none.
        """
        if name is None or SCOPE not in caller.scopes:
            return {}
        approval = self.approvals.get(caller.tenant_id, name)
        if not self._may_decide(caller, approval):
            return {}
        form = _ANSWER if approval.kind == "question" else _APPROVE
        params = {"mode": "form", "message": _describe(approval), "requestedSchema": form}
        return {_build_key(approval): {"method": "elicitation/create", "params": params}}

    def find_group(self, caller: Caller, name: str | None) -> str | None:
        """Return the group that is asked, for whoever is told to wait."""
        return None if name is None else self.approvals.get(caller.tenant_id, name).group

    def take(self, caller: Caller, run_ids: frozenset[str], responses: object) -> None:
        """Decide what the client's human has said. What is not asked any more is passed over.

        Args:
            caller: who decides.
            run_ids: the run, and those of its steps: nothing else is decided.
            responses: by the keys of `build_requests`.

        Raises:
            McpFault: they are no answers to a form.
            PolicyDenied: this credential may not decide it.
            InvalidInput: the answer does not fit.
            StoreUnavailable: a store or the bus did not answer; again is safe.
        """
        if not isinstance(responses, dict):
            raise McpFault(INVALID_PARAMS, "inputResponses must be an object: an answer by each key of inputRequests")
        for key, response in responses.items():
            approval = self._find(caller, run_ids, str(key))
            if approval is not None:
                self._decide(caller, approval, response)

    def _find(self, caller: Caller, run_ids: frozenset[str], key: str) -> Approval | None:
        """Return the approval that a key stands for; None where it is not asked, or shows something else by now."""
        name, _, shown = key.rpartition(".")
        try:
            run_id, step = parse_approval_id(name)
            found = self.approvals.get(caller.tenant_id, name_approval(run_id, step))
        except (NotFound, InvalidInput):
            return None
        fits = run_id in run_ids and found.status is ApprovalStatus.PENDING
        return found if fits and _build_key(found).rpartition(".")[2] == shown else None

    def _decide(self, caller: Caller, approval: Approval, response: object) -> None:
        action, content = _read_response(response)
        if action == "cancel":
            return
        caller.check_scope(SCOPE)
        said: Json = {"decision": "reject", "reason": "declined by the client's user"}
        if action == "accept" and approval.kind == "question":
            said = {"decision": "answer", "text": _read_text(content, "answer")}
        elif action == "accept":
            said = _read_approval(content)
        try:
            self.decide(
                caller.tenant_id,
                approval.approval_id,
                by=caller.name,
                groups=caller.groups,
                actor=caller.to_actor(self.now()),
                arguments_hash=shown_hash(approval),
                **said,
            )
        except InvalidTransition:
            return  # Somebody was faster: what the run waits for now is told with its state.

    def _may_decide(self, caller: Caller, approval: Approval) -> bool:
        if approval.status is not ApprovalStatus.PENDING or approval.expires_at <= self.now():
            return False
        if approval.kind == "escalation" or not caller.is_in(approval.group):
            return False
        return not (approval.not_requester and {caller.name, caller.person} & approval.requesters)


def _build_key(approval: Approval) -> str:
    """Return the key of a form: another one as soon as something else is shown."""
    return f"{approval.approval_id}.{shown_hash(approval)[:_HASH]}"


def _describe(approval: Approval) -> str:
    """Return what the human reads: all that would happen, every character of it visible."""
    text = shown_text(approval)
    if approval.kind == "question":
        return _with_hints(text or "The agent asks for more.", mark_text(text or "The agent asks for more."))
    if not approval.calls:
        return f"This answer is given once it is approved:\n\n{_with_hints(text or '', mark_text(text or ''))}"
    return f"'{approval.agent}' is about to run:\n\n" + "\n\n".join(map(_describe_call, approval.calls))


def _describe_call(call: ApprovalCall) -> str:
    """Return a call as the command line shows it: its arguments, why it asks, and what text from outside is in it."""
    edited = " (edited)" if call.edited else ""
    shown = format_json(call.arguments, indent=2)
    lines = [f"{call.tool}{edited} with {_with_hints(list(iter_shown_strings(call.arguments)), shown)}"]
    lines += [f"It asks: {mark_line(why)}" for why in call.reasons]
    for one in call.outside:
        said = f"'{mark_line(one.path)}' has words of {mark_line(one.source)}, which the user did not write"
        lines.append(f"{said}: {mark_line(one.text)}")
    return "\n".join(lines)


def _with_hints(meant: str | Sequence[str], shown: str) -> str:
    """Return what is shown, below its length and how much of it a reader would miss, as the command line has it."""
    strings = [meant] if isinstance(meant, str) else meant
    hidden, alike = sum(map(count_marked, strings)), count_alike(strings)
    head = f"{len(shown):,} characters"
    head += f", {hidden:,} hidden: see \\u" if hidden else ""
    head += f", {alike:,} letters pass for others: see \\u" if alike else ""
    words = list_alike_words(meant) if isinstance(meant, str) else []
    told = [f"'{word}' is written {written}" for word, written in words]
    return "\n".join([f"({head})", shown, *told])


def _read_response(response: object) -> tuple[str, Mapping[str, Any]]:
    found = response if isinstance(response, dict) else {}
    action, content = found.get("action"), found.get("content")
    if action not in _ACTIONS:
        raise McpFault(INVALID_PARAMS, f"an answer to a form has an action: {', '.join(_ACTIONS)}")
    return action, content if isinstance(content, dict) else {}


def _read_text(content: Mapping[str, Any], name: str) -> str:
    given = content.get(name)
    if not isinstance(given, str) or not given.strip():
        raise McpFault(INVALID_PARAMS, f"the form's '{name}' must be a text that is not empty")
    return given


def _read_approval(content: Mapping[str, Any]) -> Json:
    given, reason = content.get("approve"), content.get("reason")
    if not isinstance(given, bool):
        raise McpFault(INVALID_PARAMS, "the form's 'approve' must be true or false")
    if given:
        return {"decision": "approve"}
    return {"decision": "reject", "reason": reason if isinstance(reason, str) and reason.strip() else "not approved"}
