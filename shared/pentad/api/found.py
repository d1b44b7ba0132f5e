"""The run that a path names."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pentad.domain.errors import InvalidInput, NotFound
from pentad.domain.ids import RUN_PATTERN, check_id
from pentad.domain.runs import Run
from pentad.observability.ports import Telemetry
from pentad.orchestration.lifecycle.announce_end import record_silent_end
from pentad.orchestration.lifecycle.dead_executions import end_overdue
from pentad.orchestration.runs.ports import RunStore


def check_run_id(run_id: str) -> str:
    """Return the id of a run in a path.

    Raises:
        NotFound: it is not an id of ours, so there is no such run.
    """
    try:
        return check_id("run", run_id)
    except InvalidInput as error:
        raise NotFound("no such run", field="run", fix=f"ids of runs match {RUN_PATTERN}") from error


@dataclass(frozen=True)
class FindRun:
    """Finds runs; one whose execution died silently has failed from then on.

    Attributes:
        runs: the store of runs.
        now: the clock.
        telemetry: takes the root span and the metrics of a run that ends here; None for none.
    """

    runs: RunStore
    now: Callable[[], datetime]
    telemetry: Telemetry | None = None

    def __call__(self, tenant_id: str, run_id: str) -> Run:
        """Return a run of a tenant.

        Raises:
            NotFound: there is no such run.
            StoreUnavailable: the store did not answer.
        """
        found = self.runs.get(tenant_id, check_run_id(run_id))
        at = self.now()
        ended = end_overdue(found, self.runs, at)
        if self.telemetry is not None:
            record_silent_end(found, ended, at, self.telemetry)
        return ended
