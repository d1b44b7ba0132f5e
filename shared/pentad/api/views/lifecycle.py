"""Runs that wait for their session, and cancelling: views and requests beside the router."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import Field

from pentad.api.views.approvals import HumanWaits
from pentad.api.views.view import View
from pentad.api.views.views import RunView, build_run_view
from pentad.domain.declarations.agents import UndoKind
from pentad.domain.errors import PentadError
from pentad.domain.ids import UNDO_PATTERN
from pentad.domain.runs import Run
from pentad.domain.values import FrozenValue
from pentad.observability.ports import Telemetry
from pentad.orchestration.lifecycle.advance import Advance
from pentad.orchestration.lifecycle.cancel import REASON_CHARACTERS
from pentad.orchestration.lifecycle.dead_executions import is_start_overdue
from pentad.orchestration.runs.ports import RunStore
from pentad.orchestration.unwinding.effects import Outcome, RunEffect


class CancelRequest(FrozenValue):
    """The body of ``POST /v1/runs/{id}/cancel``."""

    reason: str | None = Field(default=None, max_length=REASON_CHARACTERS, description="the reason, kept with the run")


class UndoRequest(FrozenValue):
    """The body of ``POST /v1/undo``."""

    undo_token: str = Field(
        max_length=100,
        description="from a tool call of the run's events",
        json_schema_extra={"pattern": UNDO_PATTERN},
    )


class UndoRunRequest(FrozenValue):
    """The body of ``POST /v1/runs/{id}/undo``."""

    after: str | None = Field(default=None, max_length=60, description="as the answer before has it, to go on there")
    stop: bool = Field(default=False, description="touch nothing older than an effect that could not be undone")


class EffectView(View, from_attributes=True):
    """One effect of a run, or of one below it, and what became of it."""

    run_id: str
    agent: str
    step: int
    index: int
    tool: str
    kind: UndoKind
    at: datetime | None = Field(description="when its outcome was known, or else when it began")
    outcome: Outcome
    reason: str | None = Field(description="why it is not undone, or what undoing it does")
    undo_token: str | None


class UndoneView(View):
    """Effects of a run and of those below it, the newest first, and what became of each."""

    run_id: str
    effects: tuple[EffectView, ...]
    after: str | None = Field(default=None, description="send it to go on; none where nothing is left to do")
    stopped: str | None = Field(default=None, description="why nothing older was touched")


def build_effect_views(effects: Sequence[RunEffect]) -> tuple[EffectView, ...]:
    """Return effects as the API shows them."""
    return tuple(EffectView.model_validate(effect) for effect in effects)


@dataclass(frozen=True)
class CurrentView:
    """Shows runs as they stand now, and lets those go on that a crash has left waiting.

    Attributes:
        runs: the store of runs.
        waits: tells what runs wait for.
        advance: begins the next run of a session.
        telemetry: logs.
        now: the clock.
    """

    runs: RunStore
    waits: HumanWaits
    advance: Advance
    telemetry: Telemetry
    now: Callable[[], datetime]

    def __call__(self, run: Run) -> RunView:
        """Return the view of a run; of one that waits, its place among those that do.

        A run that waits, or that should have begun long ago, is started where a crash has left that to be done.
        """
        late = is_start_overdue(run, self.now())
        if not run.waiting and not late:
            return build_run_view(run, self.waits)
        try:
            if late:
                self.advance.revive(run)
            else:
                self.advance(run.tenant_id, run.session_id)
        except PentadError as error:
            # An extra: the reader is shown the run all the same.
            self.telemetry.log_event("run.heal_failed", level="WARNING", error=type(error).__name__)
        run = self.runs.get(run.tenant_id, run.run_id)
        place = self.runs.find_queue_position(run.tenant_id, run.run_id) if run.waiting else None
        return build_run_view(run, self.waits).model_copy(update={"queue_position": place})
