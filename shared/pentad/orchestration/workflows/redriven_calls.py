"""Find tool calls of the failed runs that a redriven run continues: a call that has run does not run again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pentad.domain.canonical import arguments_hash, call_key
from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.declarations.workflows import StepResult
from pentad.domain.errors import EffectUncertain, NotFound, StepDone
from pentad.domain.runs import CallStatus, Run, ToolCall
from pentad.orchestration.lifecycle.redrive import Effects
from pentad.orchestration.turn.taint import find_call_sources
from pentad.orchestration.workflows.redriven_steps import iter_earlier_steps, store_result, take_over
from pentad.orchestration.workflows.steps import EnteredStep, Stores

PROVIDER = "tool"


@dataclass(frozen=True)
class Begun:
    """A call that a failed run has begun, of a tool that may be asked again for the same effect.

    Attributes:
        arguments: of the call.
        key: of its effect.
    """

    arguments: dict[str, Any]
    key: str


class DoneCalls:
    """Looks for calls that have run.

    Args:
        stores: where everything is.
        effects: what was begun and done; None where tools have no effects.
    """

    def __init__(self, stores: Stores, effects: Effects | None) -> None:
        self._stores = stores
        self._effects = effects

    def check(self, at: EnteredStep, run: Run, tool: ToolSpec, arguments: dict[str, Any]) -> Begun | None:
        """Return what was begun and is to be gone on with; None where the tool is to run afresh.

        A call with an effect that has succeeded stands, whatever its arguments would be by now.

        Raises:
            StepDone: it has succeeded; its result is this step's now.
            EffectUncertain: it was begun, and the tool can't be asked for the same effect again.
            StoreUnavailable: a store did not answer.
        """
        for before in iter_earlier_steps(self._stores, run, at):
            call = self._find_call(before)
            if call is None or call.tool != tool.name:
                continue
            if call.status is CallStatus.UNDONE:
                return None
            same = arguments_hash(arguments) == call.arguments_hash
            if call.status is CallStatus.SUCCEEDED and (same or tool.effects != "none"):
                self._take(at, before, call)
            begun = None if tool.effects == "none" else self._find_begun(at, before, call, tool)
            if begun is not None:
                return begun
        return None

    def collect(self, at: EnteredStep) -> StepResult:
        """Return the result that `check` took over.

        Raises:
            NotFound: it took none.
            StoreUnavailable: the store did not answer.
        """
        result = self._stores.results.get(at.tenant_id, at.run_id, at.place)
        if result is None:
            raise NotFound("the step has no result", field="step")
        return result

    def _find_call(self, before: EnteredStep) -> ToolCall | None:
        try:
            return self._stores.runs.get_call(before.tenant_id, before.run_id, before.place, 0)
        except NotFound:
            return None

    def _find_begun(self, at: EnteredStep, before: EnteredStep, call: ToolCall, tool: ToolSpec) -> Begun | None:
        key = call_key(call)
        effect = None if self._effects is None else self._effects.find(call.tenant_id, call.run_id, key)
        if effect is None or (effect.status == "done" and effect.is_error):
            return None  # Never begun, or the tool has said itself that it failed.
        if effect.status == "done":
            # Its function was cut off before it could save the call.
            done: dict[str, Any] = {"status": CallStatus.SUCCEEDED, "result": effect.result, "is_error": False}
            done |= {"untrusted": effect.untrusted or not tool.trusted_output, "sources": effect.sources}
            self._take(at, before, call.model_copy(update=done))
        if not tool.idempotent:
            raise EffectUncertain(
                f"the call of '{tool.name}' was begun by '{call.run_id}' and cut off: it may or may not have happened",
                fix="check whether it has; then start the workflow again, or do the rest by hand",
            )
        return Begun(call.arguments, key)

    def _take(self, at: EnteredStep, before: EnteredStep, call: ToolCall) -> None:
        now = self._stores.now()
        store_result(self._stores, take_over(at, build_call_result(before, call, now), now))
        raise StepDone(f"the step '{at.step}' was done by an earlier run")


def build_call_result(at: EnteredStep, call: ToolCall, now: datetime) -> StepResult:
    """Return what a call came to as a step's result."""
    return StepResult(
        tenant_id=at.tenant_id,
        run_id=at.run_id,
        place=at.place,
        name=at.step,
        status="failed" if call.is_error else "succeeded",
        text=call.result or "",
        provider=PROVIDER,
        model=call.tool,
        taint=find_call_sources([call]),
        began_at=call.started_at or now,
        ended_at=call.ended_at or now,
    )
