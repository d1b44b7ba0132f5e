"""Think: one model turn of a run. Retried at any point, it never asks the model twice for what is stored.

The order of the writes: the results of the last step's tools and the reply go to the session in one append, then the
step and its calls in one transaction. A retry finds the step (and returns its decision), or the reply (and makes the
step of it), or neither (and asks the model).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pentad.domain.agents import AgentSpec, Catalog
from pentad.domain.errors import BudgetExceeded, InvalidTransition, LimitReached, NotFound, Refused
from pentad.domain.ids import AgentName, RunId, SessionId, TenantId
from pentad.domain.messages import Message, TextBlock, ToolResultBlock
from pentad.domain.models import Attempt, CallContext, ChatReply, ChatRequest, Outcome
from pentad.domain.runs import Decision, Run, Step, ToolCall
from pentad.domain.usage import Usage
from pentad.memory.context import assemble
from pentad.memory.ports import Session, SessionStore, StoredMessage
from pentad.models.ports import ChatModel, Ledger
from pentad.observability import names
from pentad.observability.ports import Telemetry
from pentad.orchestration.decide import (
    LOOP,
    decision_on,
    planned_calls,
    repeated,
    reply_id,
    results_id,
    results_of,
    stop_id,
)
from pentad.orchestration.ports import RunStore

_REASON_CHARACTERS = 300


class Turn(BaseModel):
    """One turn of one run: the payload of the Think state, without ``op``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tenant: TenantId
    run: RunId
    session: SessionId
    agent: AgentName
    step: int = Field(ge=1, le=99_999)
    retry: int = Field(default=0, ge=0, description="how often the state was tried before")


@dataclass(frozen=True)
class _Situation:
    """What is stored as a turn begins."""

    turn: Turn
    run: Run
    agent: AgentSpec
    head: Session
    stored: Sequence[StoredMessage]
    results: Message | None
    began: datetime

    def find(self, message_id: str) -> StoredMessage | None:
        """Return the message of that id, or None."""
        return next((one for one in self.stored if one.message.message_id == message_id), None)

    @property
    def seen(self) -> list[StoredMessage]:
        """The stored messages and, last, the results that are not stored yet: what the model is sent."""
        if self.results is None:
            return list(self.stored)
        return [*self.stored, StoredMessage(seq=self.head.length, message=self.results)]


@dataclass(frozen=True)
class _Outcome:
    """What a turn came to, before it is stored as a step."""

    decision: Decision
    calls: list[ToolCall]
    append: tuple[Message, ...]
    message_seq: int
    provider: str | None = None
    model: str | None = None
    usage: Usage = field(default_factory=Usage)
    cost_nanousd: int = 0
    notices: tuple[str, ...] = ()
    degraded: bool = False


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
    ) -> None:
        self._catalog = catalog
        self._runs = runs
        self._sessions = sessions
        self._model = model
        self._ledger = ledger
        self._telemetry = telemetry
        self._now = now

    def __call__(self, turn: Turn, *, deadline: float) -> Decision:
        """Return the decision of a turn: the stored one, or that of a new reply.

        Args:
            turn: which turn.
            deadline: ``time.time()`` by which the model has to have answered.

        Raises:
            NotFound: there is no such run or session.
            InvalidTransition: another run has taken the session over.
            PentadError: what `ChatModel` and the stores raise; refusals and used-up budgets stop the run instead.
        """
        done = self._runs.step(turn.tenant, turn.run, turn.step)
        if done is not None:
            return done.decision
        run = self._runs.get(turn.tenant, turn.run)
        if run.status.ended:
            return Decision(kind="stop", step=turn.step, reason=f"The run has ended: it is {run.status}.")
        situation = self._situation(turn, run)
        outcome = self._with_recall(self._stored_outcome(situation) or self._new_outcome(situation, deadline), turn)
        if outcome.append:
            self._sessions.append(turn.tenant, turn.session, outcome.append, expected_version=situation.head.version)
        self._record(situation, outcome)
        return outcome.decision

    def _situation(self, turn: Turn, run: Run) -> _Situation:
        head = self._sessions.get(turn.tenant, turn.session)
        if head is None or run.session != turn.session:
            raise NotFound("there is no such session", field="session")
        first = run.manifest.epoch_first_seq if run.manifest else head.epoch_first_seq
        stored = self._sessions.read(turn.tenant, turn.session, first, head.length - 1)
        if any(one.seq > run.request_seq and one.message.run != run.run for one in stored):
            # The lease ran out and another run went on: what this one would write has no place any more.
            raise InvalidTransition("another run has taken the session over", field="session")
        try:
            agent = self._catalog.agent(turn.agent)
        except KeyError as error:
            raise NotFound(f"there is no agent {turn.agent}", field="agent") from error
        return _Situation(turn, run, agent, head, stored, self._results(turn, stored), self._now())

    def _results(self, turn: Turn, stored: Sequence[StoredMessage]) -> Message | None:
        """Return the message with the results of the last step's calls, or None where none is to be added."""
        before = turn.step - 1
        by_id = {one.message.message_id: one.message for one in stored}
        reply = by_id.get(reply_id(turn.run, before))
        if reply is None or not reply.tool_calls or results_id(turn.run, before) in by_id:
            return None
        calls = self._runs.calls(turn.tenant, turn.run, before)
        return self._message(turn, results_id(turn.run, before), "user", results_of(reply, calls), step=before)

    def _stored_outcome(self, situation: _Situation) -> _Outcome | None:
        """Return what an earlier try of this turn left in the session, or None."""
        turn = situation.turn
        stop = situation.find(stop_id(turn.run, turn.step))
        reply = situation.find(reply_id(turn.run, turn.step))
        if stop is None and reply is None:
            return None
        attempts = self._attempts(turn)
        if stop is not None:
            stopped = _Outcome(_stop(turn.step, stop.message.text), [], (), stop.seq)
            return replace(stopped, **_billed(attempts)) if attempts else stopped
        if reply is None:
            return None
        calls = self._calls(situation, reply.message)
        answered = any(one.outcome is Outcome.OK for one in attempts)
        outcome = _Outcome(decision_on(turn.step, calls), calls, (), reply.seq, degraded=not answered)
        return replace(outcome, **_billed(attempts))

    def _with_recall(self, outcome: _Outcome, turn: Turn) -> _Outcome:
        """Add to the first turn what came before it: the embedding of the question, which is no turn's own."""
        if turn.step != 1:
            return outcome
        before = [one for one in self._ledger.of_run(turn.tenant, turn.run) if one.context.step is None]
        return replace(
            outcome,
            usage=sum((one.usage for one in before), outcome.usage),
            cost_nanousd=outcome.cost_nanousd + sum(one.cost_nanousd for one in before),
        )

    def _new_outcome(self, situation: _Situation, deadline: float) -> _Outcome:
        run, turn, before = situation.run, situation.turn, (situation.results,) if situation.results else ()
        waited = (situation.began - run.created_at).total_seconds() - run.waited_seconds
        try:
            situation.agent.limits.check(run.spent, waited)
            reply = self._model.complete(self._request(situation), deadline=deadline)
        except LimitReached as limit:
            self._telemetry.event("run.limit_reached", level="WARNING", limit=limit.limit)
            return self._stopped(situation, before, f"The run was stopped: {limit.message}.")
        except (BudgetExceeded, Refused) as error:
            self._telemetry.event("run.stopped", level="WARNING", error=type(error).__name__)
            stopped = self._stopped(situation, before, f"The run was stopped: {error.message}.")
            attempts = self._attempts(turn)
            return replace(stopped, **_billed(attempts)) if attempts else stopped
        outcome = self._replied(situation, before, reply)
        if not turn.retry:
            return outcome
        # An earlier try may have been killed after its answer: what that cost is on the ledger and nowhere else.
        return replace(outcome, **_spent(self._attempts(turn)))

    def _replied(self, situation: _Situation, before: tuple[Message, ...], reply: ChatReply) -> _Outcome:
        turn = situation.turn
        message = reply.message.model_copy(
            update={"message_id": reply_id(turn.run, turn.step), "run": turn.run, "step": turn.step}
        )
        earlier = [one.message for one in situation.stored]
        looping = repeated(turn.run, earlier, message)
        if looping is not None:
            self._telemetry.event("run.loop", level="WARNING", tool=looping)
            outcome = self._looped(situation, (*before, message), message, looping)
        else:
            calls = self._calls(situation, message)
            seq = situation.head.length + len(before)
            outcome = _Outcome(decision_on(turn.step, calls), calls, (*before, message), seq)
        return _with_reply(outcome, reply)

    def _looped(self, situation: _Situation, before: tuple[Message, ...], reply: Message, tool: str) -> _Outcome:
        """Stop a run that makes the same call again and again; its last calls are closed by error results."""
        turn = situation.turn
        closed = tuple(
            ToolResultBlock(call_id=block.call_id, content=LOOP, is_error=True) for block in reply.tool_calls
        )
        results = self._message(turn, results_id(turn.run, turn.step), "user", closed, step=turn.step)
        reason = f"The run was stopped: it called {tool} with the same arguments again and again."
        return self._stopped(situation, (*before, results), reason)

    def _stopped(self, situation: _Situation, before: tuple[Message, ...], reason: str) -> _Outcome:
        turn = situation.turn
        decision = _stop(turn.step, reason)
        words = (TextBlock(text=decision.reason or reason),)
        message = self._message(turn, stop_id(turn.run, turn.step), "assistant", words, step=turn.step)
        return _Outcome(decision, [], (*before, message), situation.head.length + len(before))

    def _request(self, situation: _Situation) -> ChatRequest:
        turn, agent = situation.turn, situation.agent
        return ChatRequest(
            context=CallContext(
                tenant=turn.tenant,
                agent=turn.agent,
                user=situation.run.user,
                session=turn.session,
                run=turn.run,
                step=turn.step,
            ),
            task=agent.task,
            system=agent.prompt,
            messages=assemble(situation.seen),
            tools=self._catalog.tools_of(agent),
        )

    def _calls(self, situation: _Situation, reply: Message) -> list[ToolCall]:
        tools = {tool.name: tool for tool in self._catalog.tools_of(situation.agent)}
        return planned_calls(situation.run, situation.turn.step, reply, tools)

    def _attempts(self, turn: Turn) -> list[Attempt]:
        attempts = self._ledger.of_run(turn.tenant, turn.run)
        return [one for one in attempts if one.context.step == turn.step]

    def _message(
        self, turn: Turn, message_id: str, role: str, blocks: tuple[TextBlock | ToolResultBlock, ...], *, step: int
    ) -> Message:
        return Message.model_validate(
            {
                "message_id": message_id,
                "role": role,
                "blocks": blocks,
                "created_at": self._now(),
                "run": turn.run,
                "step": step,
            }
        )

    def _record(self, situation: _Situation, outcome: _Outcome) -> None:
        turn = situation.turn
        duration = (self._now() - situation.began).total_seconds() * 1000
        step = Step(
            tenant=turn.tenant,
            run=turn.run,
            step=turn.step,
            decision=outcome.decision,
            message_seq=outcome.message_seq,
            provider=outcome.provider,
            model=outcome.model,
            usage=outcome.usage,
            cost_nanousd=outcome.cost_nanousd,
            notices=outcome.notices,
            degraded=outcome.degraded,
            started_at=situation.began,
            duration_ms=max(0, round(duration)),
        )
        self._runs.record_step(step, outcome.calls)
        self._telemetry.count(names.TURNS, agent=turn.agent, decision=outcome.decision.kind)


def _stop(step: int, reason: str) -> Decision:
    return Decision(kind="stop", step=step, reason=reason[:_REASON_CHARACTERS])


def _billed(attempts: Sequence[Attempt]) -> dict[str, Any]:
    """Return what attempts cost and who answered; ``none`` where nobody did."""
    answered = next((one for one in reversed(attempts) if one.outcome is Outcome.OK), None)
    return {
        "provider": answered.provider if answered else "none",
        "model": answered.model if answered else "none",
        **_spent(attempts),
    }


def _spent(attempts: Sequence[Attempt]) -> dict[str, Any]:
    return {
        "usage": sum((one.usage for one in attempts), Usage()),
        "cost_nanousd": sum(one.cost_nanousd for one in attempts),
    }


def _with_reply(outcome: _Outcome, reply: ChatReply) -> _Outcome:
    return replace(
        outcome,
        provider=reply.provider,
        model=reply.model,
        usage=reply.usage,
        cost_nanousd=reply.cost_nanousd,
        notices=reply.notices,
        degraded=reply.degraded,
    )
