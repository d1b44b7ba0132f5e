"""Begin and end any step of a workflow: load its run and definition, resolve its references, record its result."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, Field

from pentad.domain.declarations.agents import Catalog
from pentad.domain.declarations.workflows import AnyStep, StepName, StepResult, WorkflowSpec
from pentad.domain.errors import InvalidTransition, LimitReached, NotFound
from pentad.domain.ids import AgentName, RunId, SessionId, TenantId
from pentad.domain.messages import Message
from pentad.domain.runs import Decision, Run, Step
from pentad.domain.tracing import find_run_place
from pentad.domain.values import FrozenValue
from pentad.memory.sessions.ports import SessionStore
from pentad.models.providers.strictjson import find_problem, read
from pentad.observability.ports import Telemetry
from pentad.orchestration.runs.ports import RunStore
from pentad.orchestration.switches.ports import Switchboard
from pentad.orchestration.workflows.ports import ResultStore
from pentad.orchestration.workflows.templates import INPUT, STATUS, Lookup, Reference
from pentad.tools.policy.ports import CallSums

S = TypeVar("S", bound=BaseModel)


class Entered(FrozenValue):
    """A state of a run: which of which run. The payload of every state, with ``op`` beside it."""

    tenant_id: TenantId
    run_id: RunId
    session_id: SessionId
    agent: AgentName = Field(description="the workflow's name")


class EnteredStep(Entered):
    """A state of a step."""

    step: StepName
    place: int = Field(ge=1, le=99_899)
    refs: dict[StepName, int] = Field(
        default_factory=dict, description="the places of the results that its template refers to"
    )
    retry: int = Field(default=0, ge=0, description="how often the state was tried before")


@dataclass(frozen=True)
class Stores:
    """What the services of workflows share.

    Attributes:
        catalog: agents, tools and workflows.
        runs: the store of runs.
        sessions: the store of sessions.
        results: the store of results.
        now: the clock.
        switchboard: kill switches; None for none.
        telemetry: of the function; None for none.
        sums: what rules of approvals add up; None where no tool has such a rule.
    """

    catalog: Catalog
    runs: RunStore
    sessions: SessionStore
    results: ResultStore
    now: Callable[[], datetime]
    switchboard: Switchboard | None = None
    telemetry: Telemetry | None = None
    sums: CallSums | None = None

    def get_workflow(self, name: str) -> WorkflowSpec:
        """Return a workflow.

        Raises:
            NotFound: there is none of that name.
        """
        found = self.catalog.workflows.get(name)
        if found is None:
            raise NotFound(f"no workflow '{name}'", field="agent")
        return found

    def get_step(self, at: EnteredStep, kind: type[S]) -> S:
        """Return the definition of a step.

        Raises:
            NotFound: the workflow has no such step of that kind.
        """
        found: AnyStep | None = self.get_workflow(at.agent).steps.get(at.step)
        if not isinstance(found, kind):
            raise NotFound(f"the workflow '{at.agent}' has no step '{at.step}'", field="step")
        return found

    def get_run(self, at: Entered) -> Run:
        """Return the run of a state.

        Raises:
            NotFound: no such run, or it is of another workflow.
            InvalidTransition: it has ended: nothing more may be done in it.
        """
        run = self.runs.get(at.tenant_id, at.run_id)
        if run.agent != at.agent or run.session_id != at.session_id:
            raise NotFound("no such run of this workflow", field="run")
        if self.telemetry is not None:
            self.telemetry.join(find_run_place(run))
            self.telemetry.add_keys(session=run.session_id, agent=run.agent)
        if run.status.ended:
            raise InvalidTransition(f"the run is {run.status.value}: no further step runs in it", field="run")
        return run

    def get_allowed_run(self, at: Entered) -> Run:
        """Return the run of a state that is about to spend something.

        Raises:
            NotFound: see `run`.
            InvalidTransition: see `run`.
            LimitReached: see `check_allowed`.
        """
        run = self.get_run(at)
        self.check_allowed(run, at)
        return run

    def check_allowed(self, run: Run, at: Entered) -> None:
        """Return if a state may spend something.

        Args:
            run: its run, as it is stored.
            at: the state.

        Raises:
            LimitReached: the workflow has used its steps, its time, its tokens or its money, or is switched off.
        """
        stopped = (
            None if self.switchboard is None else self.switchboard.get_availability(at.tenant_id, at.agent, ()).stopped
        )
        if stopped:
            raise LimitReached(stopped.rstrip("."), limit="switch")
        elapsed = (self.now() - run.created_at).total_seconds() - run.waited_seconds
        self.get_workflow(at.agent).limits.check(run.spent, elapsed)

    def note_taint(self, at: Entered, taint: tuple[str, ...]) -> None:
        """Let a run have the sources of untrusted text that a step has brought; before its result can be referred to.

        Args:
            at: the state.
            taint: the step's.

        Raises:
            NotFound: no such run.
            InvalidTransition: it has ended.
        """
        if taint:
            self.runs.note(at.tenant_id, at.run_id, taint=taint)

    def make_lookup(self, run: Run, refs: Mapping[str, int]) -> Lookup:
        """Return what finds the value of a reference: the run's message, a result's words or one of its fields."""
        read: dict[str, StepResult | None] = {}

        def find(reference: Reference) -> Any:
            if reference.step == INPUT and reference.field is None:
                return self.get_request(run)
            place = refs.get(reference.step)
            if place is None:
                return None
            if reference.step not in read:
                read[reference.step] = self.results.get(run.tenant_id, run.run_id, place)
            return _get_value(read[reference.step], reference.field)

        return find

    def get_request(self, run: Run) -> str:
        """Return the user's message that the run was started with.

        Raises:
            NotFound: the session has no such message.
        """
        return self.get_request_message(run).text

    def get_request_message(self, run: Run) -> Message:
        """Return the message that the run was started with.

        Raises:
            NotFound: the session has no such message.
        """
        stored = self.sessions.read(run.tenant_id, run.session_id, run.request_seq, run.request_seq)
        if not stored:
            raise NotFound("the run's message is not in its session", field="session")
        return stored[0].message

    def record(self, result: StepResult, kind: str = "answer") -> None:
        """Write a step into the run's record, with what it cost; a repeat changes nothing.

        Args:
            result: what it came to.
            kind: of its decision.
        """
        self.runs.record_step(build_step(result, kind), [])


def _get_value(result: StepResult | None, field: str | None) -> Any:
    if result is None:
        return None
    if field is None:
        return result.text
    if field == STATUS:
        return result.status
    return (result.fields or {}).get(field)


def build_step(result: StepResult, kind: str = "answer") -> Step:
    """Return the step of the run that a result stands for."""
    return Step(
        tenant_id=result.tenant_id,
        run_id=result.run_id,
        step=result.place,
        name=result.name,
        child_run_id=result.child_run_id,
        decision=Decision.model_validate({"kind": kind, "step": result.place}),
        message_seq=None,
        # Without a provider it is no turn: a step that was taken over counts in the run that did it.
        provider=None if result.taken_from_run_id else result.provider,
        model=result.model,
        usage=result.usage,
        cost_nanousd=result.cost_nanousd,
        notices=result.notices,
        degraded=result.degraded,
        started_at=result.began_at,
        duration_ms=max(0, round((result.ended_at - result.began_at).total_seconds() * 1000)),
    )


def build_reference(result: StepResult, exports: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return what the state machine is told of a result: its place, its status and the exported fields, by the name."""
    fields = result.fields or {}
    exported = {name: fields[name] for name in exports if isinstance(fields.get(name), str | int | float | bool)}
    return {result.name: {**exported, "status": result.status, "at": result.place}}


def parse_fields(text: str) -> dict[str, Any] | None:
    """Return the fields of a structured output or of a caller's arguments, or None where the text is no JSON object.

    Nor is it one with NaN, with the same key twice or nested too deep: nothing behind this could pass it on.
    """
    try:
        value = read(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) and find_problem(value) is None else None
