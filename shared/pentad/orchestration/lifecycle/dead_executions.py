"""Fail runs whose execution died silently, on read.

AWS tells nobody of the end of an Express execution; and nobody asks again for a run without an idempotency key whose
starter died between storing it and starting its execution.
"""

from datetime import datetime, timedelta

from pentad.domain.runs import Run, RunStatus
from pentad.orchestration.lifecycle.advance import DIED
from pentad.orchestration.lifecycle.start import EXPRESS_MARGIN_SECONDS, EXPRESS_SECONDS
from pentad.orchestration.runs.ports import RunStore

EXPRESS_MARK = ":express:"
"""Part of the ARN of every Express execution."""
BEGINNING_SECONDS = 120
"""Recall, the first state, has the run go on before that; to start an execution again is the same execution."""


def end_overdue(run: Run, runs: RunStore, now: datetime) -> Run:
    """Return the run; as failed, with its session free, where its Express execution has outlived its five minutes.

    Args:
        run: as it is stored. Whatever an execution does to its run changes ``updated_at``, so that a run which has
            not changed for so long has none that lives.
        runs: the store.
        now: the time.

    Raises:
        StoreUnavailable: the store did not answer.
    """
    if run.status.ended or EXPRESS_MARK not in (run.execution_arn or ""):
        return run
    if now - run.updated_at <= timedelta(seconds=EXPRESS_SECONDS + EXPRESS_MARGIN_SECONDS):
        return run
    return runs.finish(run.tenant_id, run.run_id, RunStatus.FAILED, at=now, answer=None, error=DIED)


def is_start_overdue(run: Run, now: datetime) -> bool:
    """Tell whether a run that holds its session should have begun long ago: its execution may not have been started."""
    return (
        run.status is RunStatus.QUEUED
        and not run.waiting
        and now - run.updated_at > timedelta(seconds=BEGINNING_SECONDS)
    )
