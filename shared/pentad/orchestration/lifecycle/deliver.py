"""End a run with its answer and citations, or with the reason why there is none; end a tool call that died.

What it reads does not grow with the run: the run, its last step and that step's message. Citations were resolved by
the turn; only where a human has edited the answer is the conversation read for them again.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from pentad.domain.declarations.agents import Catalog, ToolSpec
from pentad.domain.declarations.policy import PolicySpec
from pentad.domain.declarations.words import UserWords
from pentad.domain.errors import InvalidTransition, NotFound, PentadError, iter_leaves
from pentad.domain.ids import approval_id
from pentad.domain.knowledge import Citation
from pentad.domain.reading.json_text import read_json
from pentad.domain.runs import ApprovalStatus, CallStatus, Run, RunStatus, Step, ToolCall
from pentad.domain.usage import Spent, Usage
from pentad.memory.retrieval.citations import find_unknown_markers, resolve_citations
from pentad.memory.sessions.ports import SessionStore
from pentad.models.ledger.ports import Ledger
from pentad.observability.ports import Telemetry
from pentad.orchestration.approvals.ports import ApprovalStore
from pentad.orchestration.lifecycle.announce_end import close_approvals, publish_finished
from pentad.orchestration.lifecycle.answer_links import AnswerLinks
from pentad.orchestration.reviews.ports import ReviewStore
from pentad.orchestration.reviews.reviews import build_review
from pentad.orchestration.runs.ports import EventPublisher, RunStore
from pentad.orchestration.switches.count_failure import count_failure
from pentad.orchestration.switches.ports import Switchboard
from pentad.orchestration.trace.cut_off import record_cut_off, record_lost_search
from pentad.orchestration.trace.root_spans import build_failed_call_span
from pentad.orchestration.turn.turn_input import read_conversation
from pentad.tools.offer.own import find_spec

_OURS = frozenset(leaf.__name__ for leaf in iter_leaves())
_CAUSE_CHARACTERS = 500
_MESSAGE = re.compile(r'"errorMessage"\s*:\s*("(?:[^"\\]|\\.)*")')
_ENDED = "the run has ended"
_OF_EXECUTIONS = {
    "ExecutionTimedOut": "the execution did not end in time",
    "ExecutionAborted": "the execution was stopped from outside",
    "ExecutionFailed": "the execution ended without a reason",
}
_NOT_READY = "it did not run: the snapshot that its function starts from was not ready in time; try again"
_OF_LAMBDA = {
    "Lambda.TooManyRequestsException": "it did not run: Lambda had no concurrency left for minutes; start fewer runs "
    "at once, or ask AWS for a higher quota of concurrent executions",
    "Lambda.SnapStartException": _NOT_READY,
    "Lambda.SnapStartNotReadyException": _NOT_READY,
    "Lambda.SnapStartTimeoutException": _NOT_READY,
}
"""What Lambda refused: no function ran, so no log has it."""


@dataclass(frozen=True)
class _End:
    """How a run ends."""

    status: RunStatus
    text: str
    citations: tuple[Citation, ...] = ()
    notices: tuple[str, ...] = ()
    stop_reason: str | None = None


class Deliver:
    """Ends runs.

    Args:
        runs: the store of runs.
        sessions: the store of sessions.
        approvals: the store of approvals; one that nobody can answer any more is closed.
        events: tells the rest of the account.
        telemetry: metrics and logs.
        now: the clock.
        reviews: where failed runs go that a human should look at.
        switchboard: counts tools that fail for good.
        ledger: what a run that failed has cost, whose last turn left no step.
        catalog: has the agents' words for users, and the policy; without it they are the default ones.
    """

    def __init__(
        self,
        runs: RunStore,
        sessions: SessionStore,
        approvals: ApprovalStore,
        events: EventPublisher,
        telemetry: Telemetry,
        *,
        now: Callable[[], datetime],
        reviews: ReviewStore | None = None,
        switchboard: Switchboard | None = None,
        ledger: Ledger | None = None,
        catalog: Catalog | None = None,
    ) -> None:
        self._catalog = catalog
        self._runs = runs
        self._sessions = sessions
        self._approvals = approvals
        self._events = events
        self._telemetry = telemetry
        self._now = now
        self._reviews = reviews
        self._switchboard = switchboard
        self._ledger = ledger
        self._links = AnswerLinks(PolicySpec() if catalog is None else catalog.policy, sessions)

    def deliver(
        self, tenant_id: str, run_id: str, step: int, kind: str | None = None, reason: str | None = None
    ) -> Run:
        """End a run by the decision of its last step: answered, degraded or stopped.

        Args:
            tenant_id: the tenant.
            run_id: the run.
            step: its last step.
            kind: what the state machine was told last, ``answer`` or ``stop``; a human's say, or none, may have made
                it another than the step's own. The step's own where it is not given.
            reason: why it stops.

        Raises:
            NotFound: no such run, or it has no such step.
            InvalidTransition: the step waits for a human, and nobody has agreed to its answer; or calls tools.
            StoreUnavailable: a store or the bus did not answer; again is safe.
        """
        current = self._read_run(tenant_id, run_id)
        if current.status.ended:
            return self._publish(current)
        last = self._runs.find_step(tenant_id, run_id, step)
        if last is None:
            raise NotFound("the run has no such step", field="step")
        if "stop" in {kind, last.decision.kind}:
            why = reason or last.decision.reason or "The run was stopped."
            self._close_approval(current, step)
            self._end_branches(current)
            words = self._read_words(current, last)
            end = _End(RunStatus.STOPPED, words, notices=current.notices, stop_reason=why)
        else:
            end = self._build_answer(current, last)
        return self._publish(
            self._runs.finish(
                tenant_id,
                run_id,
                end.status,
                at=self._now(),
                answer=end.text,
                citations=end.citations,
                notices=_drop_repeats([*current.notices, *last.notices, *end.notices]),
                stop_reason=end.stop_reason,
                known=current,
            )
        )

    def abort(self, tenant_id: str, run_id: str, error: str, cause: str, step: int = 1) -> Run:
        """End a run whose execution failed.

        Args:
            tenant_id: the tenant.
            run_id: the run.
            error: the error's name in the state machine.
            cause: what Step Functions says of it; only the message of an error of ours is kept.
            step: the step that the execution had come to.
        """
        current = self._read_run(tenant_id, run_id)
        # Who tells of an execution that AWS ended does not know how far it had come, nor who has ended its run.
        close_approvals(current, self._approvals, reason=_ENDED, at=self._now())
        if current.status.ended:
            return self._publish(current)
        self._end_branches(current)
        text = f"{error}: {describe_error(error, cause)}"
        self._telemetry.log_event("run.failed", level="ERROR", error=error)
        self._add_review(current, step, text)
        used = self._sum_used(current)
        return self._publish(
            self._runs.finish(tenant_id, run_id, RunStatus.FAILED, at=self._now(), answer=None, error=text, used=used)
        )

    def _read_run(self, tenant_id: str, run_id: str) -> Run:
        """Return a run, whose lines of the log name its session and agent from here on."""
        run = self._runs.get(tenant_id, run_id)
        self._telemetry.add_keys(tenant=tenant_id, run=run_id, session=run.session_id, agent=run.agent)
        return run

    def _sum_used(self, run: Run) -> Spent | None:
        """Return what the run has cost, its children included; None where nobody knows, which must not keep it open."""
        if self._ledger is None:
            return None
        try:
            attempts = self._ledger.list_for_run(run.tenant_id, run.run_id)
            names = self._runs.list_children(run.tenant_id, run.run_id) if run.kind == "workflow" else ()
            used = [self._runs.get(run.tenant_id, name).spent for name in names]
        except PentadError as error:
            self._telemetry.log_event("run.cost_unknown", level="ERROR", error=type(error).__name__)
            return None
        record_cut_off(attempts, run, self._now(), self._telemetry)
        record_lost_search(attempts, run, self._telemetry)
        own = Spent(
            usage=sum((one.usage for one in attempts), Usage()), cost_nanousd=sum(one.cost_nanousd for one in attempts)
        )
        return sum(used, own)

    def _add_review(self, run: Run, step: int, summary: str) -> None:
        if self._reviews is None:
            return
        try:
            self._reviews.add(build_review(run, step, "failed", summary, at=self._now()))
        except PentadError as error:
            # The run's end matters more than the list: this is the last resort of every run.
            self._telemetry.log_event("review.lost", level="ERROR", error=type(error).__name__)

    def record_call_failure(
        self, tenant_id: str, run_id: str, step: int, index: int, error: str, cause: str
    ) -> ToolCall:
        """Store a tool call whose function failed for good as an error result, so that the model is told."""
        call = self._runs.get_call(tenant_id, run_id, step, index)
        if call.status is CallStatus.FAILED:
            return call
        tool = None if self._catalog is None else find_spec(self._catalog, call.tool)
        failed = end_failed_call(call, tool, error, cause, self._now())
        try:
            self._runs.save_call(failed)
        except InvalidTransition:
            # It had ended before its function's answer was lost: what is stored is what happened.
            return self._runs.get_call(tenant_id, run_id, step, index)
        self._telemetry.record_span(build_failed_call_span(self._read_run(tenant_id, run_id), failed))
        self._telemetry.log_event("tool.failed", level="WARNING", tool=call.tool, error=error)
        count_failure(self._switchboard, self._telemetry, call, error)
        return failed

    def _build_answer(self, run: Run, step: Step) -> "_End":
        text, citations = self._resolve_answer(run, step)
        text, told = self._links.defuse(run, step, text)
        status = RunStatus.DEGRADED if step.degraded else RunStatus.SUCCEEDED
        given = bool(citations) or (run.manifest is not None and run.manifest.passages > 0)
        unknown = find_unknown_markers(text, citations) if given else ()
        if not unknown:
            return _End(status, text, citations, told)
        # The words stay as they are: no citation is removed from an answer.
        notice = f"The answer cites passages that it was not given: {', '.join(unknown)}."
        return _End(status, text, citations, (*told, notice))

    def _resolve_answer(self, run: Run, step: Step) -> tuple[str, tuple[Citation, ...]]:
        """Return the answer with what it cites: the model's, or a human's where one had to agree to it."""
        if step.decision.kind == "answer":
            return self._read_text(run, step), step.citations
        if step.decision.kind == "tools":
            raise InvalidTransition("the run's last step calls tools", field="step")
        approval = self._approvals.get(run.tenant_id, approval_id(run.run_id, step.step))
        if approval.status not in {ApprovalStatus.APPROVED, ApprovalStatus.ANSWERED}:
            raise InvalidTransition(f"the answer's approval is {approval.status}", field="approval")
        if approval.reply is None:
            return self._read_text(run, step), step.citations
        head = self._sessions.get(run.tenant_id, run.session_id)
        if head is None:
            raise NotFound("no such session", field="session")
        question, stored = read_conversation(run, head, self._sessions)
        seen = [*([question] if question else []), *stored]
        return approval.reply, resolve_citations(approval.reply, seen)[0]

    def _read_words(self, run: Run, step: Step) -> str:
        """Return what a stopped run tells its user: the agent's words, without the reason, which is the operator's."""
        if step.decision.kind == "stop" and step.message_seq is not None:
            return self._read_text(run, step)
        return (UserWords() if self._catalog is None else self._catalog.find_words(run.agent)).stopped

    def _read_text(self, run: Run, step: Step) -> str:
        """Return the words of the step's message."""
        place = step.message_seq
        stored = self._sessions.read(run.tenant_id, run.session_id, place, place) if place is not None else []
        if not stored:
            raise NotFound("the step's message is not in the session", field="step")
        return stored[0].message.text

    def _end_branches(self, run: Run) -> None:
        """End what the branches of a workflow's run have left that was cut off: agents' runs, and what was asked."""
        if run.kind != "workflow":
            return
        close_approvals(run, self._approvals, reason=_ENDED, at=self._now())
        for name in self._runs.list_children(run.tenant_id, run.run_id):
            child = self._runs.get(run.tenant_id, name)
            if child.status.ended:
                continue
            close_approvals(child, self._approvals, reason=_ENDED, at=self._now())
            why = "The workflow's run has ended."
            end = self._runs.finish(
                run.tenant_id, name, RunStatus.CANCELLED, at=self._now(), answer=None, stop_reason=why
            )
            self._publish(end)

    def _close_approval(self, run: Run, step: int) -> None:
        if run.status is not RunStatus.AWAITING_HUMAN:
            return
        try:
            self._approvals.decide(
                run.tenant_id,
                approval_id(run.run_id, step),
                ApprovalStatus.EXPIRED,
                by="system",
                reason=_ENDED,
                at=self._now(),
            )
        except (InvalidTransition, NotFound):
            return  # It was decided, or never made: nothing is pending.

    def _publish(self, run: Run) -> Run:
        return publish_finished(run, self._events, self._telemetry)


def end_failed_call(call: ToolCall, tool: ToolSpec | None, error: str, cause: str, at: datetime) -> ToolCall:
    """Return a call whose function failed for good, so that the record says what became of it.

    Args:
        call: as it is stored.
        tool: what is known of its tool: its errors may hold words from outside where its results do; None where it is
            gone, and so may be of any kind.
        error: the name of the error.
        cause: as Step Functions gives it.
        at: now.
    """
    end = {"status": CallStatus.FAILED, "is_error": True, "error_type": error, "ended_at": at}
    told = {"result": f"The tool failed ({error}): {describe_error(error, cause)}"}
    return call.model_copy(update=end | told | {"untrusted": tool is None or not tool.trusted_output})


def describe_error(error: str, cause: str) -> str:
    """Return what may be told of an error: our own message, or that something unexpected happened.

    Other errors' causes hold tracebacks and values, which belong in the log only.
    """
    if error in _OURS:
        message = extract_message(cause)
        if message:
            return message[:_CAUSE_CHARACTERS]
    if error in {"States.Timeout", "Sandbox.Timedout"}:
        return "it did not answer in time"
    if error in _OF_EXECUTIONS:
        return _OF_EXECUTIONS[error]
    if error.startswith("Lambda.") and error != "Lambda.Unknown":
        return _OF_LAMBDA.get(error, "Lambda rejected the call; the execution's history has the reason")
    if error.startswith("States."):
        return "the state machine could not continue; the execution's history has the reason"
    return "an unexpected error; the function's log has it"


def _drop_repeats(notices: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(notices))


def extract_message(cause: str) -> str:
    """Return what an error said; empty where it says nothing that can be read.

    Args:
        cause: as Step Functions gives it: the JSON of a function's error (definitions cut it, behind the message, in
            the middle of a traceback), or the words of a Fail state.
    """
    match = _MESSAGE.search(cause)
    if match is not None:
        try:
            return str(read_json(match[1]))
        except ValueError:
            return ""
    return "" if cause.startswith("{") else cause
