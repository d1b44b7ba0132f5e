"""Run a tool's step: plan one call of the tool's function, and keep its result."""

from dataclasses import replace
from typing import Any

from pentad.domain.canonical import arguments_hash
from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.declarations.workflows import ToolStep
from pentad.domain.errors import (
    BudgetExceeded,
    InvalidInput,
    InvalidTransition,
    LimitReached,
    NotFound,
    StepDone,
    StepFailed,
    StepRejected,
)
from pentad.domain.runs import CallStatus, Decision, Run, Step, ToolCall
from pentad.models.providers.strictjson import MAX_DEPTH
from pentad.orchestration.lifecycle.deliver import end_failed_call
from pentad.orchestration.lifecycle.redrive import Effects
from pentad.orchestration.switches.count_failure import count_failure
from pentad.orchestration.turn.taint import find_call_sources
from pentad.orchestration.workflows.redriven_calls import PROVIDER, Begun, DoneCalls, build_call_result
from pentad.orchestration.workflows.said_texts import WorkflowSaid
from pentad.orchestration.workflows.steps import EnteredStep, Stores, build_reference, parse_fields
from pentad.orchestration.workflows.templates import render_value
from pentad.tools.policy.apply import may_ask
from pentad.tools.policy.grounds import Grounds, plan_call
from pentad.tools.policy.sums import PlannedSums

INDEX = 0
"""A tool's step is one call."""
_ENDED = frozenset({CallStatus.SUCCEEDED, CallStatus.FAILED, CallStatus.REJECTED, CallStatus.UNDONE})


class Calls:
    """Plans and collects the calls of tools' steps.

    Args:
        stores: where everything is.
        effects: what earlier runs have begun and done; none where tools have no effects.
    """

    def __init__(self, stores: Stores, effects: Effects | None = None) -> None:
        self._stores = stores
        self._done = DoneCalls(stores, effects)
        self._said = WorkflowSaid(stores)

    def plan(self, at: EnteredStep) -> dict[str, Any]:
        """Store the call with its arguments; a repeat changes nothing. One that needs an approval awaits it.

        The reference says so (``asks``), for tools of which only some calls need one.

        Raises:
            StepDone: the tool has run for a failed run that this one goes on for.
            EffectUncertain: it was begun for one, whether it happened is not known, and it may not be repeated.
            NotFound: no such run, step or tool.
            InvalidTransition: the run has ended.
            InvalidInput: the run was to be started with a JSON object, and was not.
            LimitReached: the workflow may spend no more.
            PentadError: what the stores raise.
        """
        stores = self._stores
        step = stores.get_step(at, ToolStep)
        stored = stores.runs.find_step(at.tenant_id, at.run_id, at.place)
        if stored is None:
            run, tool = stores.get_run(at), self._get_tool(step.tool)
            arguments = self._build_arguments(step, run, at)
            begun = self._done.check(at, run, tool, arguments)
            stores.check_allowed(run, at)
            grounds = self._build_grounds(run, tool, step, arguments)
            stored = self._store(at, run, tool, arguments if begun is None else begun.arguments, begun, grounds)
        return {"tool": step.tool, "index": INDEX, "asks": stored.decision.kind == "approve"}

    def collect(self, at: EnteredStep, error: str | None = None, cause: str = "") -> dict[str, Any]:
        """Store what the call came to and return its reference.

        Args:
            at: which step.
            error: the name of the error that the tool's function ended with; None where it answered.
            cause: what Step Functions says of it.

        Raises:
            NotFound: no such call.
            StepFailed: the tool failed.
            StepRejected: a human rejected it.
            LimitReached: it was a graph, and the workflow may spend no more.
            BudgetExceeded: it was a graph, and a budget is used up.
            PentadError: what the stores raise.
        """
        stores = self._stores
        stores.get_step(at, ToolStep)
        if error == StepDone.__name__:
            return build_reference(self._done.collect(at))
        call = stores.runs.get_call(at.tenant_id, at.run_id, at.place, INDEX)
        if call.status not in _ENDED:
            call = self._store_failure(call, error or "States.Runtime", cause)
        if call.status is CallStatus.REJECTED:
            raise StepRejected(f"the step '{at.step}' was rejected")
        stores.note_taint(at, find_call_sources([call]))
        result = stores.results.put(build_call_result(at, call, stores.now()))
        if result.status == "failed":
            self._check_stopped(at, call)
            raise StepFailed(f"the step '{at.step}' failed: {call.error_type or 'the tool answered with an error'}")
        return build_reference(result)

    def _build_arguments(self, step: ToolStep, run: Run, at: EnteredStep) -> dict[str, Any]:
        if not step.from_input:
            found: dict[str, Any] = render_value(step.arguments, self._stores.make_lookup(run, at.refs))
            return found
        given = parse_fields(self._stores.get_request(run))
        if given is None:
            raise InvalidInput(
                "the message must be the tool's arguments as a JSON object",
                field="message",
                fix=f"send one without NaN and equal keys, nested at most {MAX_DEPTH} deep",
            )
        return given

    def _check_stopped(self, at: EnteredStep, call: ToolCall) -> None:
        """Let what ends a workflow's run end it here as well: a tool that asks models meets its limits inside."""
        if call.error_type == LimitReached.__name__:
            self._stores.get_allowed_run(at)
        if call.error_type == BudgetExceeded.__name__:
            raise BudgetExceeded((call.result or "").removeprefix(f"{BudgetExceeded.__name__}: "))

    def _get_tool(self, name: str) -> ToolSpec:
        found = self._stores.catalog.tools.get(name)
        if found is None:
            raise NotFound(f"no tool '{name}'", field="tool")
        return found

    def _build_grounds(self, run: Run, tool: ToolSpec, step: ToolStep, arguments: dict[str, Any]) -> Grounds:
        """Return what decides about a call; what was said is read where it does, or where a human may be shown it."""
        stores, said = self._stores, self._said
        policy, sums = stores.catalog.policy, PlannedSums(stores.sums, stores.now)
        found = Grounds(policy=policy, taint=run.taint, sums=sums)
        if run.taint and tool.any_address:
            found = replace(found, said=said.list_for_call(run, step, arguments))
        if run.taint and may_ask(tool, policy, run.agent) != "never":
            own = [one.text for one in said.list_all(run) if one.by == "user"]
            found = replace(found, untrusted=said.list_untrusted(run), own_words=own)
        return found

    def _store(
        self,
        at: EnteredStep,
        run: Run,
        tool: ToolSpec,
        arguments: dict[str, Any],
        begun: Begun | None,
        grounds: Grounds,
    ) -> Step:
        stores = self._stores
        call = ToolCall(
            tenant_id=at.tenant_id,
            run_id=at.run_id,
            step=at.place,
            index=INDEX,
            call_id=f"step_{at.place}",
            tool=tool.name,
            arguments=arguments,
            arguments_hash=arguments_hash(arguments),
            status=CallStatus.PENDING,
            effect_key=None if begun is None else begun.key,
        )
        call = plan_call(tool, run, call, grounds)
        step = Step(
            tenant_id=at.tenant_id,
            run_id=at.run_id,
            step=at.place,
            name=at.step,
            decision=Decision(kind="approve" if call.status is CallStatus.AWAITING else "tools", step=at.place),
            message_seq=None,
            provider=PROVIDER,
            model=tool.name,
            taint=run.taint,
            started_at=stores.now(),
            duration_ms=0,
        )
        stores.runs.record_step(step, [call])
        return step

    def _store_failure(self, call: ToolCall, error: str, cause: str) -> ToolCall:
        """Store a call whose function failed for good, so that the record says what became of it."""
        tool = self._stores.catalog.tools.get(call.tool)
        failed = end_failed_call(call, tool, error, cause, self._stores.now())
        try:
            self._stores.runs.save_call(failed)
        except InvalidTransition:
            # It had ended before its function's answer was lost: what is stored is what happened.
            return self._stores.runs.get_call(call.tenant_id, call.run_id, call.step, call.index)
        count_failure(self._stores.switchboard, self._stores.telemetry, call, error)
        return failed
