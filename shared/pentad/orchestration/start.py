"""Start a run: one service for the API, the queue and the event bus, with one idempotency.

The run's id comes from the tenant and the idempotency key, and the execution's name is the run's id. So whatever
crashes between the transaction and the start of the execution, the same request again finishes the job.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from pentad.domain.agents import AgentSpec, Catalog
from pentad.domain.errors import InvalidInput, NotFound, PentadError, SessionBusy
from pentad.domain.ids import (
    IDEMPOTENCY_KEY_PATTERN,
    AgentName,
    SessionId,
    TenantId,
    UserId,
    check_id,
    derived_id,
    new_id,
)
from pentad.domain.messages import Message, TextBlock
from pentad.domain.runs import Run, RunStatus
from pentad.domain.workflows import HumanStep, WorkflowSpec
from pentad.observability import names
from pentad.observability.ports import Telemetry
from pentad.orchestration.ports import RunStore, WorkflowEngine

MESSAGE_CHARACTERS = 100_000
METADATA_ENTRIES = 16
METADATA_CHARACTERS = 256
LEASE_MARGIN_SECONDS = 600
EXPRESS_SECONDS = 300
"""An Express execution lives no longer (Step Functions quotas)."""
EXPRESS_MARGIN_SECONDS = 60

Trigger = Literal["api", "event", "queue", "schedule", "cli", "workflow"]
_Short = Annotated[str, StringConstraints(max_length=METADATA_CHARACTERS)]


class RunRequest(BaseModel):
    """What a caller asks for: the body of ``POST /v1/runs``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    agent: AgentName = Field(description="the agent's or workflow's name, such as assistant")
    message: str = Field(min_length=1, max_length=MESSAGE_CHARACTERS, description="the user's words")
    session: SessionId | None = Field(default=None, description="goes on with a session; a new one where absent")
    user: UserId | None = Field(default=None, description="on whose behalf; a session has one user")
    metadata: dict[_Short, _Short] = Field(default_factory=dict, max_length=METADATA_ENTRIES)

    @field_validator("message")
    @classmethod
    def _has_words(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("the message is empty")
        return value


class RunMessage(RunRequest):
    """A message for the runs queue, and the detail of an event ``pentad.run.requested``."""

    tenant: TenantId
    idempotency_key: str | None = Field(default=None, pattern=IDEMPOTENCY_KEY_PATTERN)

    def request(self) -> RunRequest:
        """Return the part that the API takes as its body."""
        return RunRequest.model_validate(self.model_dump(exclude={"tenant", "idempotency_key"}))


def invalid(error: ValidationError) -> InvalidInput:
    """Return pydantic's first complaint as ours: the field, and what it should be; never the value."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return InvalidInput(f"{field or 'the input'}: {first['msg']}{more}", field=field or None, fix=first["msg"])


def request_hash(request: RunRequest) -> str:
    """Return the SHA-256 of the request's canonical JSON: tells a repeat from a conflict."""
    text = json.dumps(request.model_dump(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def lease_seconds(spec: AgentSpec | WorkflowSpec) -> int:
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


def request_message_id(run: str) -> str:
    """Return the id of the user's message of a run."""
    return f"msg_{run}_{0:05d}_u"


class StartRun:
    """Create a run and start its execution.

    Args:
        catalog: which agents there are.
        runs: the store.
        engine: where executions run.
        telemetry: metrics and logs.
        now: the clock.
    """

    def __init__(
        self,
        catalog: Catalog,
        runs: RunStore,
        engine: WorkflowEngine,
        telemetry: Telemetry,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._catalog = catalog
        self._runs = runs
        self._engine = engine
        self._telemetry = telemetry
        self._now = now

    def __call__(
        self, tenant: str, request: RunRequest, *, trigger: Trigger, idempotency_key: str | None = None
    ) -> Run:
        """Return the run: a new one, or the one that this idempotency key started before.

        Raises:
            InvalidInput: no such agent, or the session belongs to another agent or user.
            IdempotencyConflict: the key was used for another request.
            SessionBusy: another run of the session has not ended.
            StoreUnavailable: nothing, or not all, was started; the same key again goes on from there.
        """
        spec = self._spec(request.agent)
        run = self._new(tenant, request, trigger, idempotency_key)
        if isinstance(spec, WorkflowSpec):
            run = run.model_copy(update={"kind": "workflow"})
        message = Message(
            message_id=request_message_id(run.run),
            role="user",
            blocks=(TextBlock(text=request.message),),
            created_at=run.created_at,
            run=run.run,
            step=0,
        )
        try:
            stored = self._runs.start(run, message, session_days=spec.session_days, lease_seconds=lease_seconds(spec))
        except SessionBusy:
            try:
                self._heal(tenant, run.session)
            except PentadError as error:
                # Healing is an extra: what the caller is told stays that the session is busy.
                self._telemetry.event("run.heal_failed", level="WARNING", error=type(error).__name__)
            raise
        if stored.execution_arn is not None or stored.status.ended:
            return stored
        return self._execute(stored, heals=idempotency_key is not None)

    def _spec(self, name: str) -> AgentSpec | WorkflowSpec:
        spec = self._catalog.agents.get(name) or self._catalog.workflows.get(name)
        if spec is None:
            known = ", ".join(sorted([*self._catalog.agents, *self._catalog.workflows])) or "none"
            raise InvalidInput(f"there is no agent {name}", field="agent", fix=f"use one of: {known}")
        return spec

    def _new(self, tenant: str, request: RunRequest, trigger: Trigger, key: str | None) -> Run:
        now = self._now()
        if key is None:
            run, session = new_id("run", now), request.session or new_id("ses", now)
        else:
            check_id("idempotency_key", key)
            run = derived_id("run", tenant, key)
            session = request.session or derived_id("ses", tenant, key)
        return Run(
            tenant=tenant,
            run=run,
            agent=request.agent,
            session=session,
            user=request.user,
            status=RunStatus.QUEUED,
            trigger=trigger,
            created_at=now,
            updated_at=now,
            request_seq=0,
            request_hash=request_hash(request),
            idempotency_key=key,
            metadata=request.metadata,
        )

    def _execute(self, run: Run, *, heals: bool) -> Run:
        try:
            arn = self._engine.start(run.agent, run.run, reference(run))
        except PentadError as error:
            if not heals or isinstance(error, NotFound):
                # Nobody can ask for this run again (or it would never start), so it must not hold its session.
                self._runs.finish(
                    run.tenant,
                    run.run,
                    RunStatus.FAILED,
                    at=self._now(),
                    answer=None,
                    error=f"{type(error).__name__}: the execution could not be started",
                )
            raise
        self._runs.set_execution(run.tenant, run.run, arn)
        self._telemetry.count(names.RUNS_STARTED, agent=run.agent, trigger=run.trigger)
        self._telemetry.event("run.started", tenant=run.tenant, run=run.run, session=run.session)
        return run.model_copy(update={"execution_arn": arn})

    def _heal(self, tenant: str, session: str) -> None:
        """Put right what a crash left of the run that holds the session: an execution never started, or dead."""
        holder = self._runs.lease_holder(tenant, session)
        if holder is None:
            return
        run = self._runs.get(tenant, holder)
        if run.status.ended:
            return
        if run.execution_arn is None:
            self._execute(run, heals=True)
        elif not self._engine.running(run.execution_arn):
            self._runs.finish(
                tenant,
                holder,
                RunStatus.FAILED,
                at=self._now(),
                answer=None,
                error="the execution died",
            )


def reference(run: Run) -> dict[str, Any]:
    """Return the input of a run's execution: references only, and the step where it is not the first."""
    later = {"step": run.first_step} if run.first_step > 1 else {}
    return {"tenant": run.tenant, "run": run.run, "session": run.session, "agent": run.agent} | later
