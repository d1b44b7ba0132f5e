"""Runs that wait for their session, and cancelling: views and requests beside the router."""

from pydantic import Field

from pentad.api.services import Services
from pentad.api.views.views import RunView, run_view
from pentad.domain.errors import PentadError
from pentad.domain.runs import Run
from pentad.domain.values import FrozenValue
from pentad.orchestration.lifecycle.cancel import REASON_CHARACTERS
from pentad.orchestration.lifecycle.dead_executions import never_began


class CancelRequest(FrozenValue):
    """The body of ``POST /v1/runs/{id}/cancel``."""

    reason: str | None = Field(default=None, max_length=REASON_CHARACTERS, description="why, for whoever looks later")


def current_view(run: Run, services: Services) -> RunView:
    """Return the view of a run; of one that waits, its place among those that do.

    Whoever looks at a run that waits, or that should have begun long ago, lets it go on where a crash has left that to
    be done.
    """
    late = never_began(run, services.now())
    if not run.waiting and not late:
        return run_view(run, services.approvals)
    try:
        if late:
            services.start_run.advance.revive(run)
        else:
            services.start_run.advance(run.tenant, run.session)
    except PentadError as error:
        # An extra: the reader is told how the run stands all the same.
        services.telemetry.event("run.heal_failed", level="WARNING", error=type(error).__name__)
    run = services.runs.get(run.tenant, run.run)
    place = services.runs.place_in_queue(run.tenant, run.run) if run.waiting else None
    return run_view(run, services.approvals).model_copy(update={"queue_position": place})
