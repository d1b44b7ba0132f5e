"""Run one model turn (the Think state). Retried at any point, it never asks the model twice for what is stored.

The order of the writes: the results of the last step's tools and the reply go to the session in one append, then the
step and its calls in one transaction. A retry finds the step (and returns its decision), or the reply and how sure it
is (and makes the step of them), or neither (and asks the model).
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Literal

from pentad.domain.declarations.agents import AgentSpec, Catalog
from pentad.domain.errors import (
    BudgetExceeded,
    InvalidTransition,
    LimitReached,
    ModelThrottled,
    ModelUnavailable,
    NotFound,
    Refused,
)
from pentad.domain.messages import Message, TextBlock, ToolResultBlock
from pentad.domain.models import Attempt, ChatReply, Outcome
from pentad.domain.runs import Band, Decision, Step
from pentad.domain.tracing import find_run_place
from pentad.memory.retrieval.citations import resolve_citations
from pentad.memory.sessions.ports import SessionStore
from pentad.models.ledger.ports import Ledger
from pentad.models.ports import ChatModel
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry
from pentad.orchestration.confidence.ports import Assessor
from pentad.orchestration.reviews.ports import ReviewStore
from pentad.orchestration.reviews.reviews import Cause, build_review, summarise_turn
from pentad.orchestration.runs.ports import RunStore
from pentad.orchestration.switches.ports import Availability, Switchboard
from pentad.orchestration.trace.cut_off import record_cut_off
from pentad.orchestration.turn.decision import (
    LOOP,
    REASON_CHARACTERS,
    compute_agent_wait,
    find_missing,
    hold_calls,
    make_decision,
    reply_id,
    results_id,
    stop_id,
)
from pentad.orchestration.turn.loop_detection import find_loop
from pentad.orchestration.turn.offered import list_turn_tools
from pentad.orchestration.turn.outcome import (
    TurnOutcome,
    apologise,
    make_step,
    make_stop,
    with_assessment,
    with_attempts,
    with_costs,
    with_reply,
)
from pentad.orchestration.turn.plan import PlanCalls, SaidBefore
from pentad.orchestration.turn.token_estimates import TokenEstimates
from pentad.orchestration.turn.turn_input import TurnContext, TurnInput, ensure_fits, load_turn_context, make_request
from pentad.tools.policy.ports import CallSums

__all__ = ["Think", "TurnInput"]

Role = Literal["user", "assistant"]
THROTTLED_TRIES = 4
"""So often the state asks again where every provider says 429, with 37 s between in all on average."""


class Think:
    """Runs model turns.

    Args:
        catalog: agents and tools.
        runs: the store of runs.
        sessions: the store of sessions.
        model: the gateway.
        ledger: attempts, to know after a crash what a stored reply has cost.
        telemetry: metrics and logs.
        now: the clock.
        switchboard: what may go on; everything where there is none.
        assessor: how sure a turn is; no turn is assessed where there is none.
        reviews: where turns go that a human should look at.
        sums: what rules of approvals add up; None where no tool has such a rule.
        said_before: what was said in a workflow before it asked an agent; None where that counts as a model's.
    """

    def __init__(
        self,
        catalog: Catalog,
        runs: RunStore,
        sessions: SessionStore,
        model: ChatModel,
        ledger: Ledger,
        telemetry: Telemetry,
        *,
        now: Callable[[], datetime],
        switchboard: Switchboard | None = None,
        assessor: Assessor | None = None,
        reviews: ReviewStore | None = None,
        sums: CallSums | None = None,
        said_before: SaidBefore | None = None,
    ) -> None:
        self._catalog = catalog
        self._runs = runs
        self._sessions = sessions
        self._model = model
        self._ledger = ledger
        self._telemetry = telemetry
        self._now, self._estimates = now, TokenEstimates(telemetry)
        self._switchboard = switchboard
        self._assessor = assessor
        self._reviews = reviews
        self._plan = PlanCalls(catalog, sums, now, said_before)

    def __call__(self, turn: TurnInput, *, deadline: float) -> Decision:
        """Return the decision of a turn: the stored one, or that of a new reply.

        Args:
            turn: which turn.
            deadline: ``time.time()`` by which the model has to have answered.

        Raises:
            NotFound: there is no such run or session.
            InvalidTransition: another run has taken over the session.
            PentadError: what `ChatModel` and the stores raise; refusals and used-up budgets stop the run instead, and
                where no model could be reached a notice is the answer.
        """
        run = self._runs.find_step_or_run(turn.tenant_id, turn.run_id, turn.step)
        if isinstance(run, Step):
            return run.decision
        self._telemetry.join(find_run_place(run))
        self._telemetry.add_keys(session=run.session_id, agent=run.agent)
        if run.status.ended:
            return Decision(kind="stop", step=turn.step, reason=f"The run has ended: it is {run.status}.")
        agent = self._get_agent(turn.agent)
        standing = self._get_availability(turn, agent)
        situation = load_turn_context(
            turn, run, agent, self._runs, self._sessions, unavailable=standing.unavailable, now=self._now()
        )
        outcome = self._find_stored_outcome(situation)
        if outcome is None:
            situation, outcome = self._run_turn(situation, standing.stopped, deadline)
        outcome = self._with_recall(self._apply_assessment(situation, outcome, deadline), situation)
        try:
            self._store(situation, outcome)
        except InvalidTransition:
            if not self._runs.get(turn.tenant_id, turn.run_id).status.ended:
                raise
            # It was cancelled, or lost its session, while the model answered: what it would say has no place any more.
            return make_stop(turn.step, "The run has ended.")
        self._telemetry.count(names.TURNS, agent=turn.agent, decision=outcome.decision.kind)
        return outcome.decision

    def _get_agent(self, name: str) -> AgentSpec:
        try:
            return self._catalog.get_agent(name)
        except KeyError as error:
            raise NotFound(f"no agent '{name}'", field="agent") from error

    def _get_availability(self, turn: TurnInput, agent: AgentSpec) -> Availability:
        if self._switchboard is None:
            return Availability()
        return self._switchboard.get_availability(turn.tenant_id, turn.agent, agent.tools)

    def _find_stored_outcome(self, situation: TurnContext) -> TurnOutcome | None:
        """Return what an earlier try of this turn left in the session, or None."""
        turn = situation.turn
        stopped = situation.find(stop_id(turn.run_id, turn.step))
        reply = situation.find(reply_id(turn.run_id, turn.step))
        if stopped is not None:
            attempts = self._list_attempts(situation)
            said = stopped.message
            outcome = TurnOutcome(make_stop(turn.step, said.stop_reason or said.text), [], (), stopped.seq)
            return with_attempts(outcome, attempts) if attempts else outcome
        if reply is None:
            return None
        attempts = self._list_attempts(situation)
        answered = any(one.outcome is Outcome.OK for one in attempts)
        outcome = self._build_outcome(situation, (), reply.message, reply.seq, stands=answered)
        return with_attempts(replace(outcome, degraded=not answered), attempts)

    def _with_recall(self, outcome: TurnOutcome, situation: TurnContext) -> TurnOutcome:
        """Add to the first turn what came before it: the embedding of the question, which is no turn's own."""
        turn = situation.turn
        if turn.step != situation.run.first_step:
            return outcome
        before = [one for one in self._ledger.list_for_run(turn.tenant_id, turn.run_id) if one.context.step is None]
        return replace(
            outcome,
            usage=sum((one.usage for one in before), outcome.usage),
            cost_nanousd=outcome.cost_nanousd + sum(one.cost_nanousd for one in before),
        )

    def _run_turn(
        self, situation: TurnContext, stopped: str | None, deadline: float
    ) -> tuple[TurnContext, TurnOutcome]:
        if stopped is not None:
            self._telemetry.log_event("run.switched_off", level="WARNING")
            return situation, self._make_stop_outcome(situation, f"The run was stopped: {stopped}")
        try:
            self._check_limits(situation)
            question = find_missing(situation.agent, situation.run)
            if question is not None:
                return situation, self._ask_for_metadata(situation, question)
            situation = ensure_fits(situation, self._sessions)
            return situation, self._ask_model(situation, deadline)
        except LimitReached as limit:
            self._telemetry.log_event("run.limit_reached", level="WARNING", limit=limit.limit)
            self._add_review(situation, "limit", limit.message)
            return situation, self._make_stop_outcome(situation, f"The run was stopped: {limit.message}.")
        except (BudgetExceeded, Refused) as error:
            self._telemetry.log_event("run.stopped", level="WARNING", error=type(error).__name__)
            if isinstance(error, BudgetExceeded):
                self._add_review(situation, "limit", error.message)
            outcome = self._make_stop_outcome(situation, f"The run was stopped: {error.message}.")
            attempts = self._list_attempts(situation, retried=situation.turn.retry > 0)
            return situation, with_attempts(outcome, attempts) if attempts else outcome

    def _ask_model(self, situation: TurnContext, deadline: float) -> TurnOutcome:
        """Ask the model. Where all models are down, the notice is the answer: the gateway has done the retrying.

        A rate limit ends by itself, so the state waits and asks again a few times before the notice is the answer.
        """
        try:
            request = make_request(situation, list_turn_tools(self._catalog, situation))
            reply = self._model.complete(request, deadline=deadline)
        except (ModelUnavailable, ModelThrottled) as outage:
            if isinstance(outage, ModelThrottled) and situation.turn.retry < THROTTLED_TRIES:
                raise
            outcome = self._answer_outage(situation, outage)
        else:
            factor = self._estimates.hold(request, reply, situation.head.token_permille)
            outcome = replace(self._handle_reply(situation, reply), token_permille=factor)
        if situation.turn.retry:
            # An earlier try may have been killed after its answer: what that cost is on the ledger and nowhere else.
            outcome = with_costs(outcome, self._list_attempts(situation))
        return outcome

    def _answer_outage(self, situation: TurnContext, outage: ModelUnavailable | ModelThrottled) -> TurnOutcome:
        turn, words = situation.turn, situation.agent.words.unavailable
        message = self._make_message(situation, reply_id(turn.run_id, turn.step), "assistant", words)
        append = (*situation.before, message)
        return apologise(self._build_outcome(situation, append, message, situation.next_seq, stands=False), outage)

    def _check_limits(self, situation: TurnContext) -> None:
        """Check the caps; a step that asks for what is missing is no turn of a model, but counts as one here."""
        run, limits = situation.run, situation.agent.limits
        waited = (situation.began - run.created_at).total_seconds() - run.waited_seconds
        limits.check(run.spent, waited)
        if find_missing(situation.agent, run) is not None:
            limits.check(run.spent.model_copy(update={"steps": situation.turn.step - run.first_step}), waited)

    def _ask_for_metadata(self, situation: TurnContext, question: tuple[str, str]) -> TurnOutcome:
        """Let a human be asked for what the run can't do without, before the model is."""
        self._telemetry.log_event("run.metadata_missing", key=question[0])
        decision = Decision(
            kind="ask",
            step=situation.turn.step,
            reason=question[1][:REASON_CHARACTERS],
            wait=compute_agent_wait(situation.agent),
        )
        return TurnOutcome(decision, [], situation.before, None)

    def _handle_reply(self, situation: TurnContext, reply: ChatReply) -> TurnOutcome:
        turn = situation.turn
        own = {"message_id": reply_id(turn.run_id, turn.step), "run_id": turn.run_id, "step": turn.step}
        message = reply.message.model_copy(update=own | {"taint": situation.taint})
        looping = find_loop(turn.run_id, [one.message for one in situation.seen], message)
        if looping is not None:
            self._telemetry.log_event("run.loop", level="WARNING", tool=looping)
            return with_reply(self._make_loop_outcome(situation, message, looping), reply)
        append = (*situation.before, message)
        return with_reply(self._build_outcome(situation, append, message, situation.next_seq, stands=True), reply)

    def _build_outcome(
        self, situation: TurnContext, append: tuple[Message, ...], message: Message, seq: int, *, stands: bool
    ) -> TurnOutcome:
        """Return what a reply leads to, before anyone has asked how sure it is.

        Args:
            situation: what the turn began with.
            append: what goes to the session.
            message: the reply.
            seq: its place in the session.
            stands: a model answered; it is no notice that none did.
        """
        calls = self._plan(situation, message)
        decision = make_decision(situation.turn.step, calls, wait=compute_agent_wait(situation.agent))
        outcome = TurnOutcome(decision, calls, append, seq, reply=message if stands else None)
        if calls:
            return outcome
        citations, unknown = resolve_citations(message.text, situation.seen)
        # An agent that is given no passages cites nothing: what looks like a marker is its own.
        return replace(outcome, citations=citations, unknown=unknown if situation.agent.knowledge.top_k else ())

    def _apply_assessment(self, situation: TurnContext, outcome: TurnOutcome, deadline: float) -> TurnOutcome:
        """Return the outcome with what its confidence allows, where the agent asks for that."""
        reply = outcome.reply
        if self._assessor is None or reply is None or not self._plan.should_assess(situation.agent, outcome.calls):
            return outcome
        assessment = reply.assessment
        if assessment is None:
            assessment = self._assessor.assess(
                situation.agent,
                make_request(situation, list_turn_tools(self._catalog, situation)),
                reply,
                outcome.calls,
                unknown_citations=len(outcome.unknown),
                deadline=deadline,
            )
            if assessment is None:
                return outcome
            # What the assessment cost is on the ledger, beside what the turn did.
            outcome = with_costs(outcome, self._list_attempts(situation, retried=situation.turn.retry > 0))
        # Rules may ask for the confidence, which was not known before.
        planned = self._plan(situation, reply, assessment.confidence)
        calls = hold_calls(planned, self._catalog.tools) if assessment.band in {Band.DRAFT, Band.ESCALATE} else planned
        step = situation.turn.step
        decision = make_decision(step, calls, assessment.band, wait=compute_agent_wait(situation.agent))
        outcome = replace(with_assessment(outcome, assessment), calls=calls, decision=decision)
        self._note_confidence(situation, assessment.confidence)
        if assessment.band is Band.REVIEW:
            summary = summarise_turn(outcome.reply, calls)
            self._add_review(situation, "confidence", summary, assessment.confidence)
        return outcome

    def _note_confidence(self, situation: TurnContext, confidence: float) -> None:
        try:
            self._runs.note(situation.turn.tenant_id, situation.turn.run_id, confidence=confidence)
        except InvalidTransition:
            self._telemetry.log_event("run.ended_meanwhile")  # The next state finds it so.

    def _add_review(self, situation: TurnContext, cause: Cause, summary: str, confidence: float | None = None) -> None:
        if self._reviews is not None:
            step = situation.turn.step
            self._reviews.add(build_review(situation.run, step, cause, summary, at=self._now(), confidence=confidence))

    def _make_loop_outcome(self, situation: TurnContext, reply: Message, tool: str) -> TurnOutcome:
        """Stop a run that makes the same call again and again; its last calls are closed by error results."""
        turn = situation.turn
        closed = tuple(
            ToolResultBlock(call_id=block.call_id, content=LOOP, is_error=True) for block in reply.tool_calls
        )
        results = self._make_message(situation, results_id(turn.run_id, turn.step), "user", closed)
        reason = f"The run was stopped: it called '{tool}' with the same arguments again and again."
        self._add_review(situation, "loop", reason)
        return self._make_stop_outcome(situation, reason, reply, results)

    def _make_stop_outcome(self, situation: TurnContext, reason: str, *own: Message) -> TurnOutcome:
        turn, words = situation.turn, situation.agent.words.stopped
        decision = make_stop(turn.step, reason)
        message = self._make_message(situation, stop_id(turn.run_id, turn.step), "assistant", words)
        message = message.model_copy(update={"stop_reason": decision.reason})
        return TurnOutcome(decision, [], (*situation.before, *own, message), situation.next_seq + len(own))

    def _list_attempts(self, situation: TurnContext, *, retried: bool = True) -> list[Attempt]:
        """Return the turn's attempts; ``retried``: those of earlier tries of the state as well."""
        turn, since = situation.turn, None if retried else situation.began
        attempts = self._ledger.list_for_run(turn.tenant_id, turn.run_id, since=since)
        own = [one for one in attempts if one.context.step == turn.step]
        return record_cut_off(own, situation.run, situation.began, self._telemetry)

    def _make_message(
        self, situation: TurnContext, message_id: str, role: Role, said: str | tuple[ToolResultBlock, ...]
    ) -> Message:
        return Message(
            message_id=message_id,
            role=role,
            blocks=(TextBlock(text=said),) if isinstance(said, str) else said,
            created_at=self._now(),
            run_id=situation.turn.run_id,
            step=situation.turn.step,
        )

    def _store(self, situation: TurnContext, outcome: TurnOutcome) -> None:
        """Store a turn: its messages, what a human should look at, and last the step, which makes it done."""
        turn, head = situation.turn, situation.head
        if outcome.token_permille is not None:
            head = head.model_copy(update={"token_permille": outcome.token_permille})
        if outcome.append:
            self._sessions.append(
                turn.tenant_id,
                turn.session_id,
                outcome.append,
                expected_version=head.version,
                fence=situation.run.fence or None,
                head=head,
            )
        if outcome.decision.kind == "escalate":
            sure = outcome.assessment.confidence if outcome.assessment else None
            summary = summarise_turn(outcome.reply, outcome.calls, escalated=True)
            self._add_review(situation, "escalated", summary, sure)
        took = (self._now() - situation.began).total_seconds() * 1000
        step = make_step(situation, outcome, duration_ms=max(0, round(took)))
        self._runs.record_step(step, outcome.calls)
