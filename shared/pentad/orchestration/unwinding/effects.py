"""List the effects of a run and of all runs below it, the newest first, each with what undoing it would come to.

Only what is stored is read; no tool is asked. So whether something was changed since shows when it is undone.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal, Protocol

from pydantic import Field

from pentad.domain.canonical import call_key, effect_key
from pentad.domain.declarations.agents import Catalog, ToolSpec, UndoKind
from pentad.domain.errors import EffectUncertain, InvalidInput, InvalidTransition
from pentad.domain.runs import CallStatus, Run, ToolCall
from pentad.domain.values import FrozenValue
from pentad.orchestration.lifecycle.redrive import Effects
from pentad.orchestration.runs.ports import RunStore
from pentad.tools.runtime.ports import AuditEntry

MAX_RUNS = 200
"""A run with more below it is not undone as a whole."""
Outcome = Literal[
    "to_undo", "undone", "already_undone", "irreversible", "refused", "failed", "unknown", "call_failed", "not_allowed"
]
"""``refused``: the tool undid nothing, mostly since something was changed. ``failed``: it broke, or did not answer.

``unknown``: whether it happened, or was undone, is not known. ``call_failed``: the call itself ended with an error.
``not_allowed``: another group decides of it.
"""
_GRAPH = "it ran inside a graph, which keeps nothing to undo; ask its author what it changed"
_UNKNOWN_CALL = "the call was cut off: it may or may not have happened"
_UNKNOWN_UNDO = "an earlier undo was cut off, or is running: it may or may not have happened"


class RunEffect(FrozenValue):
    """One effect, and what became of it.

    ``at`` is when its outcome was known; of one whose outcome is not, when it began.
    """

    run_id: str
    agent: str
    step: int
    index: int
    tool: str
    kind: UndoKind
    at: datetime | None
    outcome: Outcome
    reason: str | None = Field(default=None, description="why it is not undone, or what undoing it does")
    undo_token: str | None = None


class RunAudit(Protocol):
    """What is asked of the audit: which tools ran inside of graphs."""

    def list_for_run(self, tenant_id: str, run_id: str) -> list[AuditEntry]:
        """Return a run's entries in order.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...


class ListEffects:
    """Lists the effects of runs.

    Args:
        catalog: says which tools have effects; one that is gone from it counts as one that has.
        runs: the store of runs.
        effects: the ledger of effects.
        audit: asked only where a graph ran that has effects.
    """

    def __init__(self, catalog: Catalog, runs: RunStore, effects: Effects, audit: RunAudit) -> None:
        self._catalog = catalog
        self._runs = runs
        self._effects = effects
        self._audit = audit

    def __call__(self, run: Run) -> list[RunEffect]:
        """Return the effects of a run and of those below it, the newest first.

        Raises:
            InvalidTransition: a run has not ended: it may make further effects.
            InvalidInput: there are too many runs below it.
            StoreUnavailable: a store did not answer.
        """
        found = [effect for one in self._walk(run) for effect in self._list_own(one)]
        return sorted(found, key=_sort_key, reverse=True)

    def read(self, call: ToolCall, run: Run) -> RunEffect | None:
        """Return the effect of one call, or None where nothing was run.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        spec = self._catalog.tools.get(call.tool)
        if spec is not None and spec.effects == "none":
            return None
        if call.status in (CallStatus.SUCCEEDED, CallStatus.UNDONE):
            outcome, reason = self._judge_done(spec, call)
            return _build(spec, call, run, outcome, reason, call.ended_at)
        begun = self._effects.find(call.tenant_id, call.run_id, call_key(call))
        if begun is None:
            return None
        if begun.status == "begun" or call.error_type == EffectUncertain.__name__:
            return _build(spec, call, run, "unknown", _UNKNOWN_CALL, begun.begun_at)
        reason = f"the call failed ({begun.error_type or 'with an error'}): it may have done something before"
        return _build(spec, call, run, "call_failed", reason, begun.done_at)

    def _walk(self, run: Run) -> Iterator[Run]:
        waiting, seen = [run], {run.run_id}
        while waiting:
            one = waiting.pop()
            if not one.status.ended:
                raise InvalidTransition(
                    f"the run '{one.run_id}' is {one.status.value} and may do more", field="run", fix="cancel it first"
                )
            yield one
            names = [name for name in self._runs.list_children(one.tenant_id, one.run_id) if name not in seen]
            seen.update(names)
            if len(seen) > MAX_RUNS:
                raise InvalidInput(
                    f"there are more than {MAX_RUNS} runs below it",
                    field="run",
                    fix="undo those below it one by one",
                )
            waiting += [self._runs.get(one.tenant_id, name) for name in names]

    def _list_own(self, run: Run) -> list[RunEffect]:
        calls = self._runs.list_calls(run.tenant_id, run.run_id)
        found = [effect for effect in (self.read(call, run) for call in calls) if effect is not None]
        graphs = {(one.step, one.index) for one in found if "checkpoints" in self._catalog.tool_data.get(one.tool, ())}
        if not graphs:
            return found
        entries = self._audit.list_for_run(run.tenant_id, run.run_id)
        inner = [one for one in entries if one.of_graph and (one.step, one.index) in graphs]
        return found + [_build_inner(one, run) for one in inner]

    def _judge_done(self, spec: ToolSpec | None, call: ToolCall) -> tuple[Outcome, str | None]:
        if call.status is CallStatus.UNDONE:
            by = "" if call.undone_by is None else f" by {call.undone_by.person}"
            return "already_undone", f"it was undone before{by}"
        if spec is None:
            return "irreversible", "this deployment no longer has the tool"
        if not spec.reversible or call.undo is None:
            return "irreversible", _explain_irreversible(spec)
        if self._is_cut_off(spec, call):
            return "unknown", _UNKNOWN_UNDO
        return "to_undo", "its effect stays, and another one compensates for it" if spec.compensates else None

    def _is_cut_off(self, spec: ToolSpec, call: ToolCall) -> bool:
        """Tell whether an undo was begun that can't be repeated; who never tried has begun none."""
        if spec.idempotent or (call.undone_by is None and call.undo_failure is None):
            return False
        key = effect_key(call.run_id, call.step, call.index, call.tool, call.arguments, action="undo")
        begun = self._effects.find(call.tenant_id, call.run_id, key)
        return begun is not None and begun.status == "begun"


def _explain_irreversible(spec: ToolSpec) -> str:
    if spec.reversible:
        return "the call left nothing to undo"
    return f"the tool '{spec.name}' declares no undo"


def _build(
    spec: ToolSpec | None, call: ToolCall, run: Run, outcome: Outcome, reason: str | None, at: datetime | None
) -> RunEffect:
    return RunEffect(
        run_id=call.run_id,
        agent=run.agent,
        step=call.step,
        index=call.index,
        tool=call.tool,
        kind="irreversible" if spec is None else spec.undo_kind,
        at=at or call.started_at,
        outcome=outcome,
        reason=reason,
        undo_token=call.undo_token,
    )


def _build_inner(entry: AuditEntry, run: Run) -> RunEffect:
    return RunEffect(
        run_id=run.run_id,
        agent=run.agent,
        step=entry.step,
        index=entry.index,
        tool=entry.tool,
        kind="irreversible",
        at=entry.at,
        outcome="irreversible",
        reason=_GRAPH,
    )


def _sort_key(effect: RunEffect) -> tuple[float, str, int, int]:
    # Of effects of one moment the later call is the newer.
    return (0.0 if effect.at is None else effect.at.timestamp(), effect.run_id, effect.step, effect.index)
