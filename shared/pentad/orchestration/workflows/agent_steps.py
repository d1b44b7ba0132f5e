"""Run an agent's step: a run of its own, started by the state machine, and its result."""

from datetime import datetime
from typing import Any

from pentad.domain.canonical import sha256_of
from pentad.domain.declarations.agents import AgentSpec
from pentad.domain.declarations.workflows import AgentStep, StepResult
from pentad.domain.errors import NotFound, StepDone, StepFailed
from pentad.domain.ids import derive_id, make_id
from pentad.domain.messages import Message, TextBlock
from pentad.domain.runs import Run, RunStatus
from pentad.domain.tracing import find_run_place
from pentad.memory.retrieval.citations import replace_markers
from pentad.orchestration.lifecycle.announce_end import record_silent_end
from pentad.orchestration.lifecycle.start import build_execution_input, compute_lease, request_message_id
from pentad.orchestration.runs.machine_arns import MachineArns
from pentad.orchestration.workflows.redriven_steps import find_earlier_answer, iter_earlier_steps, store_result
from pentad.orchestration.workflows.steps import EnteredStep, Stores, build_reference
from pentad.orchestration.workflows.templates import render_prompt


class Children:
    """Starts and collects the runs of agents' steps.

    Args:
        stores: where everything is.
        machines: where agents' executions are started.
    """

    def __init__(self, stores: Stores, machines: MachineArns) -> None:
        self._stores = stores
        self._machines = machines

    def begin(self, at: EnteredStep) -> dict[str, Any]:
        """Make the run of an agent's step and return its reference: the input of its execution.

        A repeat returns the same run.

        Raises:
            StepDone: a failed run that this one goes on for has its answer to the same prompt.
            NotFound: no such run, step or agent.
            InvalidTransition: the workflow's run has ended.
            LimitReached: the workflow may spend no more.
            PentadError: what the stores raise.
        """
        stores = self._stores
        step = stores.get_step(at, AgentStep)
        agent = self._get_agent(step.agent)
        name = child_id(at)
        try:
            child = stores.runs.get(at.tenant_id, name)
        except NotFound:
            parent = stores.get_run(at)
            prompt = render_prompt(step.prompt, stores.make_lookup(parent, at.refs))
            self._check_done(at, parent, step, prompt)
            stores.check_allowed(parent, at)
            child = self._create_run(at, parent, agent, prompt)
        if child.execution_arn is None:
            # Its name and machine are known before it runs: whoever looks at the run finds the execution.
            execution = self._machines.get_execution(agent.name, name, express=agent.pattern == "reply")
            stores.runs.set_execution(at.tenant_id, name, execution)
        return build_execution_input(child)

    def collect(self, at: EnteredStep) -> dict[str, Any]:
        """Store what an agent's run came to and return its reference.

        Raises:
            NotFound: no such run or step.
            StepFailed: it did not answer; the message says why.
            PentadError: what the stores raise.
        """
        stores = self._stores
        stores.get_step(at, AgentStep)
        result = stores.results.get(at.tenant_id, at.run_id, at.place)
        if result is None:
            child = self._ensure_ended(stores.runs.get(at.tenant_id, child_id(at)))
            stores.note_taint(at, child.taint)
            result = stores.results.put(build_child_result(at, child, stores.now()))
            self._count_waiting(at, child)
        stores.record(result)
        if result.status == "failed":
            raise StepFailed(f"the step '{at.step}' failed: {result.text}")
        return build_reference(result)

    def _check_done(self, at: EnteredStep, parent: Run, step: AgentStep, prompt: str) -> None:
        """Return if the agent has not answered this prompt for a failed run that this one goes on for.

        Raises:
            StepDone: it has; its answer is this step's result now.
        """
        stores, asked = self._stores, hash_prompt(step.agent, prompt)
        done = find_earlier_answer(stores, parent, at, asked)
        if done is None:
            uncollected = [self._take_uncollected(before) for before in iter_earlier_steps(stores, parent, at)]
            results = [build_child_result(at, child, stores.now()) for child in uncollected if child is not None]
            done = next((one for one in results if one.status == "succeeded" and one.asked == asked), None)
        if done is not None:
            store_result(stores, done)
            raise StepDone(f"the step '{at.step}' was done by an earlier run")

    def _take_uncollected(self, before: EnteredStep) -> Run | None:
        """Return the agent's run that a failed run has started and not collected; what still runs of it ends now."""
        stores = self._stores
        if stores.results.get(before.tenant_id, before.run_id, before.place) is not None:
            return None
        try:
            return self._ensure_ended(stores.runs.get(before.tenant_id, child_id(before)))
        except NotFound:
            return None

    def _get_agent(self, name: str) -> AgentSpec:
        found = self._stores.catalog.agents.get(name)
        if found is None:
            raise NotFound(f"no agent '{name}'", field="agent")
        return found

    def _create_run(self, at: EnteredStep, parent: Run, agent: AgentSpec, prompt: str) -> Run:
        now = self._stores.now()
        child = Run(
            tenant_id=at.tenant_id,
            run_id=child_id(at),
            agent=agent.name,
            # Its own and new: what its agent is shown is what the workflow puts there.
            session_id=make_id("ses", now),
            user_id=parent.user_id,
            status=RunStatus.QUEUED,
            trigger="workflow",
            created_at=now,
            updated_at=now,
            request_seq=0,
            request_hash=hash_prompt(agent.name, prompt),
            metadata=parent.metadata,
            parent_run_id=at.run_id,
            requester=parent.requester,
            taint=parent.taint,
            traceparent=find_run_place(parent).header,
        )
        message = Message(
            message_id=request_message_id(child.run_id),
            role="user",
            blocks=(TextBlock(text=prompt),),
            created_at=now,
            run_id=child.run_id,
            step=0,
            taint=parent.taint,
        )
        return self._stores.runs.start(
            child, message, session_days=agent.session_days, lease_seconds=compute_lease(agent), new_session=True
        )

    def _ensure_ended(self, child: Run) -> Run:
        """Return a child that has ended: one whose execution died without a word ends here, and frees its session."""
        if child.status.ended:
            return child
        at = self._stores.now()
        ended = self._stores.runs.finish(
            child.tenant_id,
            child.run_id,
            RunStatus.FAILED,
            at=at,
            answer=None,
            error="the execution died, or exceeded its agent's time limit",
        )
        if self._stores.telemetry is not None:
            record_silent_end(child, ended, at, self._stores.telemetry)
        return ended

    def _count_waiting(self, at: EnteredStep, child: Run) -> None:
        """Let the time that the agent waited for humans not count as the workflow's own."""
        if child.waited_seconds <= 0:
            return
        status, runs = self._stores.get_run(at).status, self._stores.runs
        runs.set_status(at.tenant_id, at.run_id, RunStatus.AWAITING_HUMAN)
        runs.set_status(at.tenant_id, at.run_id, RunStatus.RUNNING, waited_seconds=child.waited_seconds)
        if status is RunStatus.AWAITING_HUMAN:
            # Another branch waits for a human, and goes on doing so.
            runs.set_status(at.tenant_id, at.run_id, status)


def child_id(at: EnteredStep) -> str:
    """Return the id of the run of an agent's step: the same however often its states are tried."""
    return derive_id("run", at.tenant_id, at.run_id, at.step, str(at.place))


def hash_prompt(agent: str, prompt: str) -> str:
    """Return the hash of what an agent is asked."""
    return sha256_of(["agent", agent, prompt])


def build_child_result(at: EnteredStep, child: Run, now: datetime) -> StepResult:
    """Return what an agent's run came to."""
    answered = child.status is RunStatus.SUCCEEDED and child.answer is not None
    text = with_sources(child) if answered else _explain_failure(child)
    return StepResult(
        tenant_id=at.tenant_id,
        run_id=at.run_id,
        place=at.place,
        name=at.step,
        status="succeeded" if answered else "failed",
        text=text,
        child_run_id=child.run_id,
        taint=child.taint,
        notices=child.notices if answered else (),
        provider="agent",
        model=child.agent,
        usage=child.spent.usage,
        cost_nanousd=child.spent.cost_nanousd,
        began_at=child.created_at,
        ended_at=child.ended_at or now,
        asked=child.request_hash,
    )


def with_sources(child: Run) -> str:
    """Return an agent's answer with its citations' documents in the place of their markers.

    The passages were that run's: who reads an answer that is made of several can't look them up by a marker.
    """
    named = {citation.marker: f"({citation.document})" for citation in child.citations}
    return replace_markers(child.answer or "", named).strip()


def _explain_failure(child: Run) -> str:
    if child.status is RunStatus.DEGRADED:
        return "no model could be reached"
    return child.error or child.stop_reason or f"the agent's run is {child.status.value}"
