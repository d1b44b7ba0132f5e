"""Start a run: one service for the API, the queue and the event bus, with one idempotency.

The run's id comes from the tenant, the way the request came, who asks and the idempotency key (`run_ids`), and the
execution's name is the run's id. So whatever crashes between the transaction and the start of the execution, the same
request again finishes the job.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError, field_validator

from pentad.domain.declarations.agents import AgentSpec, Catalog
from pentad.domain.declarations.workflows import HumanStep, WorkflowSpec
from pentad.domain.errors import InvalidInput, InvalidTransition, PentadError, PolicyDenied, SessionBusy
from pentad.domain.ids import (
    IDEMPOTENCY_KEY_PATTERN,
    AgentName,
    SessionId,
    TenantId,
    UserId,
    make_id,
)
from pentad.domain.messages import Message, TextBlock
from pentad.domain.runs import Actor, Run, RunStatus
from pentad.domain.taint.sources import TRIGGER
from pentad.domain.tracing import parse_traceparent
from pentad.domain.values import FrozenValue
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry
from pentad.orchestration.lifecycle.advance import Advance, build_execution_input
from pentad.orchestration.lifecycle.cancel import CancelRun
from pentad.orchestration.runs.ports import RunStore, WorkflowEngine
from pentad.orchestration.runs.run_ids import derive_run_id, find_earlier_version
from pentad.orchestration.switches.ports import Switchboard

__all__ = [
    "MESSAGE_CHARACTERS",
    "IfBusy",
    "RunMessage",
    "RunRequest",
    "StartRun",
    "Trigger",
    "build_execution_input",
    "check_switches",
    "compute_lease",
    "hash_request",
    "request_message_id",
    "to_invalid_input",
]

MESSAGE_CHARACTERS = 100_000
METADATA_ENTRIES = 16
METADATA_CHARACTERS = 256
LEASE_MARGIN_SECONDS = 600
_INTERRUPTS = 3
"""A request interrupts at most so many holders that come one after the other."""
EXPRESS_SECONDS = 300
"""An Express execution lives no longer (Step Functions quotas)."""
EXPRESS_MARGIN_SECONDS = 60

Trigger = Literal["api", "event", "queue", "schedule", "cli", "workflow"]
IfBusy = Literal["reject", "enqueue", "interrupt"]
_Short = Annotated[str, StringConstraints(max_length=METADATA_CHARACTERS)]


class RunRequest(FrozenValue):
    """What a caller asks for: the body of ``POST /v1/runs``."""

    agent: AgentName = Field(description="the agent's or workflow's name, such as assistant")
    message: str = Field(min_length=1, max_length=MESSAGE_CHARACTERS, description="the user's message")
    session_id: SessionId | None = Field(default=None, description="goes on with a session; a new one where absent")
    user_id: UserId | None = Field(default=None, description="on whose behalf; a session has one user")
    metadata: dict[_Short, _Short] = Field(default_factory=dict, max_length=METADATA_ENTRIES)
    if_busy: IfBusy | None = Field(
        default=None, description="where the session's run has not ended: reject, enqueue or interrupt"
    )

    @field_validator("message")
    @classmethod
    def _has_words(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("the message is empty")
        return value


class RunMessage(RunRequest):
    """A message for the runs queue, and the detail of an event ``pentad.run.requested``."""

    tenant_id: TenantId
    idempotency_key: str | None = Field(default=None, pattern=IDEMPOTENCY_KEY_PATTERN)

    def to_request(self) -> RunRequest:
        """Return the part that the API takes as its body."""
        return RunRequest.model_validate(self.model_dump(exclude={"tenant_id", "idempotency_key"}))


def to_invalid_input(error: ValidationError) -> InvalidInput:
    """Return pydantic's first complaint as ours: the field, and what it should be; never the value."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return InvalidInput(f"{field or 'the input'}: {first['msg']}{more}", field=field or None, fix=first["msg"])


def hash_request(request: RunRequest) -> str:
    """Return the SHA-256 of the request's canonical JSON: tells a repeat from a conflict."""
    # A field that came later is left out where it is not given, so that earlier requests keep their hash.
    values = request.model_dump() if request.if_busy else request.model_dump(exclude={"if_busy"})
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def compute_lease(spec: AgentSpec | WorkflowSpec) -> int:
    """Return how long a run may hold its session: its own time, the waits for humans, and a margin.

    Of an agent one wait is counted: each that ends adds its own length (see `RunStore.set_status`), so several fit as
    well. The waits of a workflow are in its definition: all of them count. Whether an Express execution still lives
    nobody can tell, so the lease of a reply ends soon after it must have ended.
    """
    if isinstance(spec, AgentSpec) and spec.pattern == "reply":
        return EXPRESS_SECONDS + EXPRESS_MARGIN_SECONDS
    if isinstance(spec, WorkflowSpec):
        waits = sum(step.seconds for step in spec.steps.values() if isinstance(step, HumanStep))
    else:
        waits = spec.approval_seconds
    return spec.limits.seconds + waits + LEASE_MARGIN_SECONDS


def request_message_id(run_id: str) -> str:
    """Return the id of the user's message of a run."""
    return f"msg_{run_id}_{0:05d}_u"


def check_switches(switchboard: Switchboard | None, run: Run) -> None:
    """Return if a run may start now.

    Raises:
        PolicyDenied: an operator has switched its agent, its tenant or everything off; only the first names a field.
    """
    standing = None if switchboard is None else switchboard.get_availability(run.tenant_id, run.agent, ())
    if standing is not None and standing.stopped is not None:
        field = "agent" if standing.agent_only else None
        raise PolicyDenied(standing.stopped, field=field, fix="ask the operator, or try again later")


class StartRun:
    """Create a run and start its execution.

    Args:
        catalog: which agents there are.
        runs: the store.
        engine: where executions run.
        telemetry: metrics and logs.
        now: the clock.
        switchboard: tells what an operator has switched off; none switches nothing off.
        cancel: cancels the run that an interrupting request finds; none lets no request interrupt.
    """

    def __init__(
        self,
        catalog: Catalog,
        runs: RunStore,
        engine: WorkflowEngine,
        telemetry: Telemetry,
        *,
        now: Callable[[], datetime],
        switchboard: Switchboard | None = None,
        cancel: CancelRun | None = None,
    ) -> None:
        self._catalog = catalog
        self._runs = runs
        self._engine = engine
        self._telemetry = telemetry
        self._now = now
        self._switchboard = switchboard
        self._cancel = cancel
        self.advance = Advance(runs, engine, telemetry, now=now)

    def __call__(
        self,
        tenant_id: str,
        request: RunRequest,
        *,
        trigger: Trigger,
        requester: Actor | None = None,
        idempotency_key: str | None = None,
        traceparent: str | None = None,
    ) -> Run:
        """Return the run: a new one, or the one that this idempotency key started before.

        One that finds its session busy waits in the session's queue (`Run.waiting`), or interrupts the run that holds
        it, where the request, or else the agent, says so.

        Args:
            tenant_id: whose.
            request: what is asked for.
            trigger: the way it came.
            requester: whose credential asks; None where nobody's does, as for a schedule.
            idempotency_key: the same key of the same requester, by the same way, is the same run.
            traceparent: the caller's span, as W3C's Trace Context has it; ignored where it is not valid.

        Raises:
            InvalidInput: no such agent.
            SessionConflict: the session belongs to another agent or user.
            NotFound: the session's id is one that only we make, and there is no such session.
            IdempotencyConflict: the key was used for another request.
            PolicyDenied: an operator has switched this agent, tenant or everything off.
            SessionBusy: another run of the session has not ended, or the session's queue is full.
            StoreUnavailable: nothing, or not all, was started; the same key again goes on from there.
        """
        spec = self._get_spec(request.agent)
        run = self._make_run(tenant_id, request, trigger, requester, idempotency_key, spec)
        caller = parse_traceparent(traceparent)
        run = run if caller is None else run.model_copy(update={"traceparent": caller.header})
        message = Message(
            message_id=request_message_id(run.run_id),
            role="user",
            blocks=(TextBlock(text=request.message),),
            created_at=run.created_at,
            run_id=run.run_id,
            step=0,
            taint=run.taint,
        )
        new_session = request.session_id is None
        keeps = request.if_busy is None and isinstance(spec, AgentSpec) and spec.humans.keeps_messages
        heals = idempotency_key is not None
        return self.begin(run, message, spec, heals=heals, new_session=new_session, keeps=keeps)

    def begin(
        self,
        run: Run,
        message: Message,
        spec: AgentSpec | WorkflowSpec,
        *,
        heals: bool,
        new_session: bool = False,
        keeps: bool = False,
    ) -> Run:
        """Store a new run with its message and start it, as its strategy says.

        Args:
            run: the run, of `Run.status` queued.
            message: what it is about.
            spec: its agent or workflow.
            heals: the same run will be asked for again where this fails.
            new_session: its session must not be there yet.
            keeps: it waits behind a run of its session that waits for a human, where it would be rejected.

        Raises:
            PolicyDenied: an operator has switched this agent, tenant or everything off.
            SessionBusy: another run of the session has not ended, or the session's queue is full.
            IdempotencyConflict: the run exists with another request.
            StoreUnavailable: nothing, or not all, was started.
        """
        check_switches(self._switchboard, run)
        stored = self._store_run(run, message, spec, new_session=new_session, keeps=keeps)
        if stored.waiting:
            # The holder may be one that a crash left: then its session goes on, and this run may have begun.
            self._recover_session(stored)
            return self._runs.get(run.tenant_id, run.run_id)
        if stored.created_at == run.created_at:
            self._telemetry.count(names.RUNS_STARTED, agent=run.agent, trigger=run.trigger)
        if stored.status is not RunStatus.QUEUED:
            return stored
        return self.advance.begin(stored, heals=heals)

    def _store_run(
        self, run: Run, message: Message, spec: AgentSpec | WorkflowSpec, *, new_session: bool, keeps: bool
    ) -> Run:
        terms = {"session_days": spec.session_days, "lease_seconds": compute_lease(spec)}
        for _ in range(_INTERRUPTS):
            try:
                return self._runs.start(run, message, **terms, new_session=new_session)
            except SessionBusy:
                if run.if_busy == "interrupt" and self._cancel is not None:
                    self._interrupt_holder(run, self._cancel)
                elif keeps and run.if_busy == "reject" and self._is_held_by_human(run):
                    run = run.model_copy(update={"if_busy": "enqueue"})
                else:
                    self._recover_session(run)
                    raise
        return self._runs.start(run, message, **terms, new_session=new_session)

    def _is_held_by_human(self, run: Run) -> bool:
        """Tell whether the run that holds the session waits for a human, which may take days."""
        holder = self._runs.find_lease_holder(run.tenant_id, run.session_id)
        return holder is not None and self._runs.get(run.tenant_id, holder).status is RunStatus.AWAITING_HUMAN

    def _interrupt_holder(self, run: Run, cancel: CancelRun) -> None:
        holder = self._runs.find_lease_holder(run.tenant_id, run.session_id)
        if holder is None:
            return
        try:
            cancel(run.tenant_id, holder, by="a newer request", reason=f"interrupted by '{run.run_id}'")
        except InvalidTransition:
            return  # It has ended by itself.

    def _recover_session(self, run: Run) -> None:
        try:
            self.advance(run.tenant_id, run.session_id)
        except PentadError as error:
            # Healing is an extra: what the caller is told stays that the session is busy.
            self._telemetry.log_event("run.heal_failed", level="WARNING", error=type(error).__name__)

    def _get_spec(self, name: str) -> AgentSpec | WorkflowSpec:
        spec = self._catalog.agents.get(name) or self._catalog.workflows.get(name)
        if spec is None:
            known = ", ".join(sorted([*self._catalog.agents, *self._catalog.workflows])) or "none"
            raise InvalidInput(f"no agent '{name}'", field="agent", fix=f"use one of: {known}")
        return spec

    def _make_run(
        self,
        tenant_id: str,
        request: RunRequest,
        trigger: Trigger,
        requester: Actor | None,
        key: str | None,
        spec: AgentSpec | WorkflowSpec,
    ) -> Run:
        now = self._now()
        run_id = make_id("run", now) if key is None else derive_run_id(tenant_id, trigger, requester, key)
        run = Run(
            tenant_id=tenant_id,
            run_id=run_id,
            agent=request.agent,
            # Never derived: nobody can fill it before. A repeat finds the run with the session of the first try.
            session_id=request.session_id or make_id("ses", now),
            user_id=request.user_id,
            status=RunStatus.QUEUED,
            trigger=trigger,
            created_at=now,
            updated_at=now,
            request_seq=0,
            request_hash=hash_request(request),
            idempotency_key=key,
            metadata=request.metadata,
            kind="workflow" if isinstance(spec, WorkflowSpec) else "agent",
            if_busy=request.if_busy or getattr(spec, "if_busy", "reject"),
            execution_arn=self._engine.build_execution_arn(request.agent, run_id),
            requester=requester,
            taint=(TRIGGER,) if trigger in {"event", "queue"} else (),
        )
        earlier = find_earlier_version(self._runs, run)
        if earlier is None:
            return run
        name = {"run_id": earlier.run_id, "session_id": earlier.session_id, "execution_arn": earlier.execution_arn}
        return run.model_copy(update=name)
