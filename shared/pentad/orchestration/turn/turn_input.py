"""Load what a turn begins with: the run, its agent, and the part of the conversation that the model is sent.

That part is bounded by the agent's water marks, whatever the length of the session or of the run: where it no longer
fits, a new epoch begins (`pentad.memory.context.window.advance_epoch`), and the messages before it are not read again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import Field

from pentad.domain.declarations.agents import AgentSpec
from pentad.domain.errors import InvalidTransition, NotFound
from pentad.domain.ids import AgentName, RunId, SessionId, TenantId
from pentad.domain.messages import Message
from pentad.domain.models import CallContext, ChatRequest
from pentad.domain.runs import Run, ToolCall
from pentad.domain.values import FrozenValue
from pentad.memory.context.window import advance_epoch, assemble, mark_bare, scale_budget
from pentad.memory.sessions.ports import Session, SessionStore, StoredMessage
from pentad.orchestration.runs.ports import RunStore
from pentad.orchestration.turn.decision import build_results, reply_id, results_id
from pentad.orchestration.turn.taint import find_call_sources, find_taint
from pentad.tools.offer.choose import Offer


class TurnInput(FrozenValue):
    """One turn of one run: the payload of the Think state, without ``op``."""

    tenant_id: TenantId
    run_id: RunId
    session_id: SessionId
    agent: AgentName
    step: int = Field(ge=1, le=99_999)
    retry: int = Field(default=0, ge=0, description="how often the state was tried before")
    seconds: int | None = Field(default=None, ge=1, description="the state waits no longer; unset: as the function")


@dataclass(frozen=True)
class TurnContext:
    """What is stored as a turn begins.

    Attributes:
        stored: the session's messages since its epoch began.
        question: the run's own question, where the epoch began after it.
        results: the results of the last step's calls, where they are not stored yet.
        unavailable: tools that may not run now, each with the sentence that the model is told.
        notices: what the run's user is told of the results, and with the first turn of the search for passages.
    """

    turn: TurnInput
    run: Run
    agent: AgentSpec
    head: Session
    stored: Sequence[StoredMessage]
    question: StoredMessage | None
    results: Message | None
    unavailable: Mapping[str, str]
    began: datetime
    notices: tuple[str, ...] = ()

    def find(self, message_id: str) -> StoredMessage | None:
        """Return the message of that id, or None."""
        return next((one for one in self.stored if one.message.message_id == message_id), None)

    @property
    def before(self) -> tuple[Message, ...]:
        """What is to be stored ahead of the turn's own message."""
        return () if self.results is None else (self.results,)

    @property
    def next_seq(self) -> int:
        """Where the turn's own message will stand."""
        return self.head.length + len(self.before)

    @property
    def seen(self) -> list[StoredMessage]:
        """What the model is sent: stored messages up to this turn's own, and last the results not stored yet."""
        own = self.find(reply_id(self.turn.run_id, self.turn.step))
        kept = [one for one in self.stored if own is None or one.seq < own.seq]
        first = [] if self.question is None else [self.question]
        last = [] if self.results is None else [StoredMessage(seq=self.head.length, message=self.results)]
        return [*first, *kept, *last]

    @property
    def taint(self) -> tuple[str, ...]:
        """The sources of untrusted text in what the model is sent."""
        return find_taint(self.run, self.seen)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages to send, as they are sent."""
        return assemble(self.seen, pinned=self.question is not None)


def load_turn_context(
    turn: TurnInput,
    run: Run,
    agent: AgentSpec,
    runs: RunStore,
    sessions: SessionStore,
    *,
    unavailable: Mapping[str, str],
    now: datetime,
) -> TurnContext:
    """Read what a turn begins with.

    Raises:
        NotFound: there is no such session.
        InvalidTransition: another run has taken over the session.
    """
    head = sessions.get(turn.tenant_id, turn.session_id)
    if head is None or run.session_id != turn.session_id:
        raise NotFound("no such session", field="session")
    question, stored = read_conversation(run, head, sessions)
    if any(one.seq > run.request_seq and one.message.run_id != run.run_id for one in stored):
        # The lease ran out and another run went on: what this one would write has no place any more.
        raise InvalidTransition("another run has taken over the session", field="session")
    calls = _list_last_calls(turn, stored, runs)
    results = _build_results(turn, stored, calls, now, run.taint)
    of_recall = run.manifest.notices if run.manifest is not None and turn.step == 1 else ()
    notices = (*of_recall, *_note_masked(calls))
    return TurnContext(turn, run, agent, head, stored, question, results, unavailable, now, notices)


def read_conversation(
    run: Run, head: Session, sessions: SessionStore
) -> tuple[StoredMessage | None, Sequence[StoredMessage]]:
    """Return the run's question, where its epoch began after it, and the messages since the epoch began."""
    first, bare = head.epoch_first_seq, head.bare_before_seq
    if run.manifest is not None:
        # Recall's choice, or later where the run has become too long since.
        first, bare = max(first, run.manifest.epoch_first_seq), run.manifest.bare_before_seq
    stored = mark_bare(sessions.read(run.tenant_id, run.session_id, first, head.length - 1), bare)
    if first <= run.request_seq:
        return None, stored
    question = sessions.read(run.tenant_id, run.session_id, run.request_seq, run.request_seq)
    return next(iter(question), None), stored


def _list_last_calls(turn: TurnInput, stored: Sequence[StoredMessage], runs: RunStore) -> list[ToolCall]:
    """Return the last step's calls, where its reply made some."""
    last = reply_id(turn.run_id, turn.step - 1)
    called = any(one.message.message_id == last and one.message.tool_calls for one in stored)
    return runs.list_calls(turn.tenant_id, turn.run_id, turn.step - 1) if called else []


def _note_masked(calls: Sequence[ToolCall]) -> tuple[str, ...]:
    """Return a sentence for each tool of whose results something was masked."""
    masked: dict[str, int] = {}
    for call in calls:
        if call.masked:
            masked[call.tool] = masked.get(call.tool, 0) + call.masked
    return tuple(
        f"Of what the tool '{tool}' returned, {count} {'value was' if count == 1 else 'values were'} masked: "
        f"{'it looks like a secret' if count == 1 else 'they look like secrets'}."
        for tool, count in masked.items()
    )


def _build_results(
    turn: TurnInput,
    stored: Sequence[StoredMessage],
    calls: Sequence[ToolCall],
    now: datetime,
    known_taint: tuple[str, ...],
) -> Message | None:
    """Return the message with the results of the last step's calls, or None where none is to be added."""
    before = turn.step - 1
    by_id = {one.message.message_id: one.message for one in stored}
    reply = by_id.get(reply_id(turn.run_id, before))
    if reply is None or not reply.tool_calls or results_id(turn.run_id, before) in by_id:
        return None
    return Message(
        message_id=results_id(turn.run_id, before),
        role="user",
        blocks=build_results(reply, calls),
        created_at=now,
        run_id=turn.run_id,
        step=before,
        taint=find_call_sources(calls, known_taint),
    )


def ensure_fits(situation: TurnContext, sessions: SessionStore) -> TurnContext:
    """Return the situation with a context that fits the agent's budget; where it did not, a new epoch has begun.

    Repeatable: an epoch that has begun is what the next try reads.
    """
    run, head = situation.run, situation.head
    pinned = situation.question is not None
    seen = situation.seen
    budget = scale_budget(situation.agent.context, head.token_permille)
    epoch = advance_epoch(seen, budget, request_seq=run.request_seq, pinned=pinned)
    if epoch is None:
        return situation
    sessions.begin_epoch(head.tenant_id, head.session_id, epoch.first_seq, epoch.estimated_tokens)
    question = next((one for one in seen if one.seq == run.request_seq), None)
    return replace(
        situation,
        stored=[one for one in situation.stored if one.seq >= epoch.first_seq],
        question=question if epoch.first_seq > run.request_seq else None,
    )


def make_request(situation: TurnContext, offer: Offer) -> ChatRequest:
    """Return what the model is asked in this turn.

    Args:
        situation: what the turn began with.
        offer: the tools that the model is sent, and those that it may call besides.
    """
    turn, agent, overrides = situation.turn, situation.agent, situation.run.overrides
    return ChatRequest(
        context=CallContext(
            tenant_id=turn.tenant_id,
            agent=turn.agent,
            user_id=situation.run.user_id,
            session_id=turn.session_id,
            run_id=turn.run_id,
            step=turn.step,
        ),
        task=agent.task,
        model=overrides.model if overrides else None,
        system=(overrides.prompt if overrides else None) or agent.prompt,
        messages=situation.messages,
        tools=offer.sent,
        deferred=offer.deferred,
    )
