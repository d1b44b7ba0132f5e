"""Fork a run: a new run in a new session that has the first one's conversation up to a turn, and goes on from there.

What is copied is words: the messages with their passages and raw provider forms, the run's own under the new run's
name. Nothing that a tool did is repeated, since no step and no call is copied; what the new run does is its own, under
its own budget, policy and approvals.

The run is stored last, by one transaction, once its conversation is whole. So what a crash leaves before that is no run
and holds nothing: a session that its time to live removes. The same idempotency key finishes what a crash left.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pentad.domain.declarations.agents import AgentSpec, Catalog
from pentad.domain.errors import IdempotencyConflict, InvalidInput, InvalidTransition, NotFound
from pentad.domain.ids import derive_id, make_id
from pentad.domain.messages import Message, ToolResultBlock
from pentad.domain.runs import Actor, CallStatus, Manifest, Run, RunStatus, ToolCall
from pentad.memory.context.window import mark_bare
from pentad.memory.sessions.ports import Session, SessionStore, StoredMessage
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry
from pentad.orchestration.lifecycle.advance import Advance
from pentad.orchestration.lifecycle.start import Trigger, check_switches, compute_lease, request_message_id
from pentad.orchestration.runs.ports import RunStore, WorkflowEngine
from pentad.orchestration.runs.run_ids import derive_run_id, find_earlier_version
from pentad.orchestration.switches.ports import Switchboard
from pentad.orchestration.timetravel.fork_request import (
    ForkRequest,
    fork_hash,
    map_results,
    merge_overrides,
    replace_result,
)
from pentad.orchestration.turn.decision import build_results, reply_id, results_id
from pentad.orchestration.turn.taint import find_call_sources

if TYPE_CHECKING:
    # Named, not loaded: only a fork that names a model reads the models' catalog.
    from pentad.models.catalog.catalog import ModelCatalog

MAX_MESSAGES = 5000
"""A longer conversation is not copied: each 25 messages are a transaction, and the caller waits."""
_PART_MESSAGES = 25
_PART_BYTES = 2_500_000  # A transaction holds 4 MB.
_OPEN = frozenset({CallStatus.PENDING, CallStatus.AWAITING, CallStatus.APPROVED})


@dataclass(frozen=True)
class _Conversation:
    """What a fork copies: what stood before the run, its request, and its turns that are kept."""

    earlier: list[StoredMessage]
    request: StoredMessage
    turns: list[Message]


class ForkRun:
    """Forks runs.

    Args:
        catalog: agents and tools.
        models: returns the models; only asked where a fork names one.
        runs: the store of runs.
        sessions: the store of sessions.
        engine: where executions run.
        telemetry: metrics and logs.
        now: the clock.
        switchboard: tells what an operator has switched off; none switches nothing off.
    """

    def __init__(
        self,
        catalog: Catalog,
        models: Callable[[], "ModelCatalog"],
        runs: RunStore,
        sessions: SessionStore,
        engine: WorkflowEngine,
        telemetry: Telemetry,
        *,
        now: Callable[[], datetime],
        switchboard: Switchboard | None = None,
    ) -> None:
        self._catalog = catalog
        self._models = models
        self._runs = runs
        self._sessions = sessions
        self._engine = engine
        self._switchboard = switchboard
        self._advance = Advance(runs, engine, telemetry, now=now)
        self._telemetry = telemetry
        self._now = now

    def __call__(
        self,
        tenant_id: str,
        run_id: str,
        request: ForkRequest,
        *,
        trigger: Trigger = "api",
        requester: Actor | None = None,
        idempotency_key: str | None = None,
    ) -> Run:
        """Return the new run: started now, or by an earlier try with the same key.

        Raises:
            NotFound: no such run, or its conversation has expired.
            InvalidInput: a field is out of range; the error names it.
            InvalidTransition: the turn is not over yet, so that nothing can follow it.
            IdempotencyConflict: the key was used for another request.
            PolicyDenied: an operator has switched this agent, tenant or everything off.
            StoreUnavailable: nothing, or not all, was started; the same key again goes on from there.
        """
        source = self._runs.get(tenant_id, run_id)
        agent = self._get_agent(source)
        new = self._make_run(source, request, trigger, requester, idempotency_key)
        check_switches(self._switchboard, new)
        stored = self._find_earlier(new)
        if stored is not None:
            return self._execute(stored)
        self._check_model(agent, request.model)
        conversation, replaced = self._build_conversation(source, request, new)
        overrides = merge_overrides(source.overrides, request, replaced)
        return self._start(new.model_copy(update={"overrides": overrides}), source, agent, conversation)

    def _get_agent(self, source: Run) -> AgentSpec:
        if source.kind != "agent":
            raise InvalidInput(
                "a workflow has no turns to fork at", field="run", fix="fork the run of one of its steps"
            )
        try:
            return self._catalog.get_agent(source.agent)
        except KeyError as error:
            raise NotFound(f"the agent '{source.agent}' no longer exists", field="agent") from error

    def _make_run(
        self, source: Run, request: ForkRequest, trigger: Trigger, requester: Actor | None, key: str | None
    ) -> Run:
        now = self._now()
        if key is None:
            run_id, session_id = make_id("run", now), make_id("ses", now)
        else:
            run_id = derive_run_id(source.tenant_id, trigger, requester, key)
            # Another request under this key, which is a conflict, must not add to what this one has copied.
            session_id = derive_id("ses", "fork", run_id, fork_hash(source.run_id, request))
        return Run(
            tenant_id=source.tenant_id,
            run_id=run_id,
            agent=source.agent,
            session_id=session_id,
            user_id=source.user_id,
            status=RunStatus.QUEUED,
            trigger=trigger,
            created_at=now,
            updated_at=now,
            request_seq=0,
            request_hash=fork_hash(source.run_id, request),
            idempotency_key=key,
            metadata=source.metadata,
            forked_from_run_id=source.run_id,
            requester=requester,
            first_step=request.at + 1,
            # What came into the run after the turn is not told apart from what began with it.
            taint=source.taint,
        )

    def _find_earlier(self, new: Run) -> Run | None:
        """Return the run that an earlier try with the same key has stored, or None.

        Raises:
            IdempotencyConflict: it was for another request.
        """
        if new.idempotency_key is None:
            return None
        try:
            stored = self._runs.get(new.tenant_id, new.run_id)
        except NotFound:
            earlier = find_earlier_version(self._runs, new)
            if earlier is None:
                return None
            stored = earlier
        if stored.request_hash != new.request_hash:
            raise IdempotencyConflict(
                "the idempotency key was used for another request",
                field="idempotency_key",
                fix="use a new key for a new request, or send the first request again",
            )
        return stored

    def _check_model(self, agent: AgentSpec, model: str | None) -> None:
        if model is None:
            return
        catalog = self._models()
        usable = {
            name: entry
            for name, entry in catalog.models.items()
            if entry.kind == "chat" and entry.provider in {provider.name for provider in catalog.used_providers}
        }
        if model not in usable:
            raise InvalidInput(
                "no chat model has that name", field="model", fix=f"use one of {', '.join(sorted(usable))}"
            )
        if agent.tools and not usable[model].capabilities.tools:
            raise InvalidInput("the model can't use tools, and the agent has some", field="model")

    def _build_conversation(self, source: Run, request: ForkRequest, new: Run) -> tuple[_Conversation, tuple[str, ...]]:
        stored = self._read_messages(source)
        place = next(index for index, one in enumerate(stored) if one.seq == source.request_seq)
        own = [one.message for one in stored[place + 1 :] if one.message.run_id == source.run_id]
        self._check_turn(source, request, own)
        kept = [message for message in own if (message.step or 0) <= request.at]
        kept, replaced = self._with_results(source, request, kept)
        if kept and kept[-1].role != "user" and source.status.ended:
            raise _make_ended_error(request.at)
        if kept and kept[-1].role != "user":
            raise InvalidTransition(
                "nothing follows the turn yet", field="at", fix=f"fork at turn {request.at - 1} or earlier"
            )
        turns = [_copy_message(message, source.run_id, new.run_id) for message in kept]
        return _Conversation(stored[:place], stored[place], turns), replaced

    def _read_messages(self, source: Run) -> list[StoredMessage]:
        """Return what the run's context began with, up to the last message of its session."""
        if source.waiting and not source.status.ended:
            raise InvalidTransition(
                "the run has not begun: it waits for its session", field="run", fix="wait until it has begun"
            )
        head = self._sessions.get(source.tenant_id, source.session_id)
        first = source.manifest.epoch_first_seq if source.manifest else head.epoch_first_seq if head else 0
        first = min(first, source.request_seq)
        if head is not None and head.length - first > MAX_MESSAGES:
            raise InvalidInput(f"the conversation has more than {MAX_MESSAGES:,} messages", field="run")
        stored = self._sessions.read(source.tenant_id, source.session_id, first, head.length - 1) if head else []
        stored = mark_bare(stored, source.manifest.bare_before_seq if source.manifest else 0)
        if not any(one.seq == source.request_seq and one.message.run_id == source.run_id for one in stored):
            raise NotFound("the run's conversation has expired", field="run")
        return stored

    def _check_turn(self, source: Run, request: ForkRequest, own: Sequence[Message]) -> None:
        last = max((message.step or 0 for message in own), default=0)
        if request.at > last:
            if last and self._is_final_turn(source, own, last):
                raise NotFound(
                    f"turn {last} ended the run, so nothing follows it",
                    field="at",
                    fix=f"give a turn from 0 to {last - 1}",
                )
            turns = f"turns up to {last}" if last else "no turn yet: only 0 can be given"
            raise NotFound(f"the run has {turns}", field="at", fix=f"give a turn from 0 to {last}")
        if request.at and self._is_terminal(source, request.at):
            raise _make_ended_error(request.at)

    def _is_final_turn(self, source: Run, own: Sequence[Message], last: int) -> bool:
        """Tell whether nothing can follow the last turn: it ended the run, or left it without a call's result."""
        asks = any(message.role == "user" or message.tool_calls for message in own if message.step == last)
        return self._is_terminal(source, last) or (source.status.ended and not asks)

    def _is_terminal(self, source: Run, turn: int) -> bool:
        step = self._runs.find_step(source.tenant_id, source.run_id, turn)
        return step is not None and step.decision.kind in {"answer", "stop"}

    def _with_results(
        self, source: Run, request: ForkRequest, kept: list[Message]
    ) -> tuple[list[Message], tuple[str, ...]]:
        """Return the turns with the results of the last one's calls, and the ids of the calls whose are given."""
        by_id = {message.message_id: message for message in kept}
        reply = by_id.get(reply_id(source.run_id, request.at))
        ids = [call.call_id for call in reply.tool_calls] if reply is not None else []
        given = map_results(request.tool_results, ids, request.at)
        if reply is None or not ids:
            return kept, ()
        name = results_id(source.run_id, request.at)
        results = by_id.get(name) or self._build_results(source, request.at, reply, set(given))
        blocks = tuple(
            replace_result(block, given) if isinstance(block, ToolResultBlock) else block for block in results.blocks
        )
        results = results.model_copy(update={"blocks": blocks})
        if name in by_id:
            return [results if message.message_id == name else message for message in kept], tuple(given)
        place = kept.index(reply) + 1
        return [*kept[:place], results, *kept[place:]], tuple(given)

    def _build_results(self, source: Run, step: int, reply: Message, given: set[str]) -> Message:
        """Return the message with a turn's results that no later turn has stored."""
        calls = self._runs.list_calls(source.tenant_id, source.run_id, step)
        self._check_over(source, calls, given)
        return Message(
            message_id=results_id(source.run_id, step),
            role="user",
            blocks=build_results(reply, calls),
            created_at=self._now(),
            run_id=source.run_id,
            step=step,
            taint=find_call_sources(calls),
        )

    def _check_over(self, source: Run, calls: Sequence[ToolCall], given: set[str]) -> None:
        still = [call for call in calls if call.status in _OPEN and call.call_id not in given]
        if still and not source.status.ended:
            raise InvalidTransition(
                f"call {still[0].index} of turn {still[0].step} has no result yet",
                field="at",
                fix=f"fork at turn {still[0].step - 1}, give the result, or wait",
            )

    def _start(self, new: Run, source: Run, agent: AgentSpec, conversation: _Conversation) -> Run:
        earlier, request = conversation.earlier, conversation.request
        self._sessions.create(_make_session(new, timedelta(days=agent.session_days)))
        first = request.message.model_copy(update={"message_id": request_message_id(new.run_id), "run_id": new.run_id})
        self._append_missing(new, [*(one.message for one in earlier), first, *conversation.turns])
        for place, one in enumerate((*earlier, request)):
            if one.is_bare:
                continue
            if one.passages:
                self._sessions.attach_passages(new.tenant_id, new.session_id, place, one.passages)
            if one.recalled:
                self._sessions.attach_recalled(new.tenant_id, new.session_id, place, one.recalled)
            if one.remembered is not None:
                self._sessions.attach_remembered(new.tenant_id, new.session_id, place, one.remembered)
        ready = new.model_copy(
            update={
                "request_seq": len(earlier),
                "manifest": None if source.manifest is None else _copy_manifest(source.manifest, len(earlier)),
                "execution_arn": self._engine.build_execution_arn(new.agent, new.run_id),
            }
        )
        seconds = compute_lease(agent)
        stored = self._runs.start(ready, None, session_days=agent.session_days, lease_seconds=seconds)
        self._telemetry.count(names.RUNS_STARTED, agent=new.agent, trigger=new.trigger)
        self._telemetry.log_event("run.forked", tenant=new.tenant_id, run=new.run_id, source=new.forked_from_run_id)
        return self._execute(stored)

    def _append_missing(self, new: Run, messages: Sequence[Message]) -> None:
        """Append messages, those that an earlier try has appended left out."""
        head = self._sessions.get(new.tenant_id, new.session_id)
        for part in split_messages(messages[head.length if head is not None else 0 :]):
            version = head.version if head is not None else 0
            head = self._sessions.append(new.tenant_id, new.session_id, part, expected_version=version)

    def _execute(self, run: Run) -> Run:
        if run.status is not RunStatus.QUEUED:
            return run
        return self._advance.begin(run, heals=run.idempotency_key is not None)


def _make_ended_error(at: int) -> InvalidTransition:
    return InvalidTransition(
        "the turn ended the run, so nothing can follow it", field="at", fix=f"give a turn from 0 to {at - 1}"
    )


def split_messages(messages: Sequence[Message]) -> list[list[Message]]:
    """Return messages in parts, each small enough for one transaction."""
    found: list[list[Message]] = []
    size = 0
    for message in messages:
        length = len(message.model_dump_json().encode())
        if not found or len(found[-1]) >= _PART_MESSAGES or size + length > _PART_BYTES:
            found.append([])
            size = 0
        found[-1].append(message)
        size += length
    return found


def _copy_message(message: Message, source: str, target: str) -> Message:
    name = message.message_id.replace(source, target) if source in message.message_id else f"{message.message_id}.fork"
    return message.model_copy(update={"message_id": name, "run_id": target})


def _make_session(new: Run, lifetime: timedelta) -> Session:
    return Session(
        tenant_id=new.tenant_id,
        session_id=new.session_id,
        agent=new.agent,
        user_id=new.user_id,
        version=0,
        length=0,
        created_at=new.created_at,
        updated_at=new.created_at,
        expires_at=new.created_at + lifetime,
    )


def _copy_manifest(source: Manifest, request_seq: int) -> Manifest:
    return source.model_copy(update={"epoch_first_seq": 0, "bare_before_seq": 0, "request_seq": request_seq})
