"""Undo the effects of a run and of all runs below it, the newest first, a bounded stretch at a time.

The rule: an effect that can't be undone, or whose undo is refused or fails, is told, and those before it are undone all
the same, since most effects stand alone. With ``stop`` nothing older is touched then. Where the tool runner or a store
does not answer, nothing older is touched in any case: it is not known what is undone.

Everything can be repeated: what is undone stays undone, and a process that dies leaves a prefix of the list undone. Of
two at once the second is refused.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from pentad.domain import keys
from pentad.domain.errors import (
    EffectUncertain,
    InvalidInput,
    InvalidTransition,
    PentadError,
    RecordChanged,
    StoreUnavailable,
    ToolFailed,
    TransientError,
)
from pentad.domain.runs import Actor, Run
from pentad.orchestration.lifecycle.undo import Undo
from pentad.orchestration.runs.ports import RunStore
from pentad.orchestration.unwinding.effects import ListEffects, Outcome, RunEffect
from pentad.tools.runtime.ports import CallOrder

HELD_SECONDS = 40.0
"""So long one request has a run for itself: longer than the API's function lives."""
MAY_BE_UNDONE = frozenset({"to_undo", "unknown"})
Refuse = Callable[[RunEffect], str | None]
"""Given an effect, returns why the caller may not undo it, or None."""


class Stretch(NamedTuple):
    """What one request has come to.

    Attributes:
        effects: those that it has looked at, the newest first.
        after: where to go on: the place of the last of them; None where nothing is left to do.
        stopped: why it does not go on, though something is left.
    """

    effects: list[RunEffect]
    after: str | None
    stopped: str | None


class UndoRun:
    """Undoes runs.

    Args:
        effects: lists them.
        undo: undoes one call.
        runs: the store of runs.
        order: lets one request at a time undo a run.
    """

    def __init__(self, effects: ListEffects, undo: Undo, runs: RunStore, order: CallOrder) -> None:
        self._effects = effects
        self._undo = undo
        self._runs = runs
        self._order = order

    def plan(self, run: Run, *, refuse: Refuse) -> list[RunEffect]:
        """Return what `__call__` would go through, in its order; nothing is changed.

        Args:
            run: which.
            refuse: see `Refuse`.

        Raises:
            PentadError: what `ListEffects` raises.
        """
        return [self._mark_refused(effect, refuse) for effect in self._effects(run)]

    def __call__(
        self,
        run: Run,
        *,
        actor: Actor,
        owner: str,
        refuse: Refuse,
        goes_on: Callable[[], bool],
        after: str | None = None,
        stop: bool = False,
    ) -> Stretch:
        """Undo effects as long as there is time.

        Args:
            run: which; it and all below it have ended.
            actor: who undoes it.
            owner: of this request; the same request may come again.
            refuse: see `Refuse`.
            goes_on: tells whether there is time for one more; the first is begun in any case.
            after: where an earlier request has come to: only older effects are looked at.
            stop: touch nothing older than an effect that could not be undone.

        Raises:
            InvalidTransition: another request undoes the run now, or a run has not ended.
            InvalidInput: ``after`` is no place in this run, or it has too many runs below it.
            StoreUnavailable: a store did not answer before anything was begun.
        """
        place = f"{keys.UNDO}{run.run_id}"
        if not self._order.take(run.tenant_id, place, owner, seconds=HELD_SECONDS):
            raise InvalidTransition(
                "another request is undoing this run", field="run", fix="wait until it has ended, at most 40 seconds"
            )
        try:
            waiting = self._skip(self.plan(run, refuse=refuse), after)
            return self._undo_each(run, waiting, actor, goes_on, stop)
        finally:
            with suppress(StoreUnavailable):  # it ends by itself; what was undone is not to be lost
                self._order.give_back(run.tenant_id, place, owner)

    @staticmethod
    def _skip(effects: list[RunEffect], after: str | None) -> list[RunEffect]:
        if after is None:
            return effects
        places = [name_place(effect) for effect in effects]
        if after not in places:
            raise InvalidInput(
                "'after' is not a place in this run", field="after", fix="send the one from the last answer"
            )
        # What ran inside of a graph has the graph's place, and stands behind it.
        return effects[len(places) - places[::-1].index(after) :]

    def _undo_each(
        self, run: Run, waiting: list[RunEffect], actor: Actor, goes_on: Callable[[], bool], stop: bool
    ) -> Stretch:
        done: list[RunEffect] = []
        begun = False
        for number, effect in enumerate(waiting):
            if effect.outcome != "to_undo":
                done.append(effect)
                continue
            if begun and not goes_on():
                return Stretch(done, name_place(waiting[number - 1]), None)
            begun = True
            ended, unanswered = self._undo_one(run, effect, actor)
            done.append(ended)
            if ended.outcome not in ("undone", "already_undone") and (stop or unanswered):
                why = "it did not answer" if unanswered else "it could not be undone"
                return Stretch(done, name_place(effect), f"{why}: {ended.tool} of step {ended.step}")
        return Stretch(done, None, None)

    def _undo_one(self, run: Run, effect: RunEffect, actor: Actor) -> tuple[RunEffect, bool]:
        """Return what became of an effect, and whether nobody answered."""
        try:
            self._undo(run.tenant_id, str(effect.undo_token), actor=actor)
        except PentadError as error:
            outcome, reason = self._judge(run.tenant_id, effect, error)
            unanswered = isinstance(error, TransientError) and outcome == "failed"
            return effect.model_copy(update={"outcome": outcome, "reason": reason}), unanswered
        return effect.model_copy(update={"outcome": "undone", "reason": None}), False

    def _judge(self, tenant_id: str, effect: RunEffect, error: PentadError) -> tuple[Outcome, str]:
        said = f"{error.message}{f' ({error.fix})' if error.fix else ''}"
        if isinstance(error, TransientError):
            return "failed", said
        # Somebody may have undone it between the list and now; and the ledger knows whether anything was begun.
        call = self._runs.get_call(tenant_id, effect.run_id, effect.step, effect.index)
        found = self._effects.read(call, self._runs.get(tenant_id, effect.run_id))
        if found is not None and found.outcome == "already_undone":
            return "already_undone", str(found.reason)
        if isinstance(error, EffectUncertain):
            return "unknown", said
        is_open = found is not None and found.outcome == "to_undo"
        return ("refused" if is_open and isinstance(error, ToolFailed | RecordChanged) else "failed"), said

    @staticmethod
    def _mark_refused(effect: RunEffect, refuse: Refuse) -> RunEffect:
        reason = refuse(effect) if effect.outcome in MAY_BE_UNDONE else None
        return effect if reason is None else effect.model_copy(update={"outcome": "not_allowed", "reason": reason})


def name_place(effect: RunEffect) -> str:
    """Return the place of an effect, by which a further request goes on."""
    return f"{effect.run_id}.{effect.step:05d}.{effect.index:02d}"
