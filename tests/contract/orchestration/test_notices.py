"""What the steps of a run tell its reader is kept on the run, each notice once, whatever the number of steps."""

from datetime import UTC, datetime

from pentad.domain.messages import Message, TextBlock
from pentad.domain.runs import Decision, Run, RunStatus, Step

from .stores import Stores

TENANT, RUN = "acme", "run_" + "0" * 26


def _started(stores: Stores) -> Run:
    now = stores.clock()
    run = Run(
        tenant=TENANT,
        run=RUN,
        agent="assistant",
        session="s1",
        status=RunStatus.QUEUED,
        trigger="api",
        created_at=now,
        updated_at=now,
        request_seq=0,
        request_hash="h",
    )
    message = Message(message_id="m0", role="user", blocks=(TextBlock(text="Hi"),), created_at=now, run=RUN, step=0)
    return stores.runs.start(run, message, session_days=1, lease_seconds=60)


def _step(step: int, *notices: str) -> Step:
    return Step(
        tenant=TENANT,
        run=RUN,
        step=step,
        decision=Decision(kind="tools", step=step),
        message_seq=step,
        provider="p",
        notices=notices,
        started_at=datetime(2026, 11, 22, tzinfo=UTC),
        duration_ms=1,
    )


def test_notices_of_steps_are_the_runs_each_once(stores: Stores) -> None:
    run = _started(stores)
    for step, notices in ((1, ("b",)), (2, ()), (3, ("a", "b"))):
        stores.runs.record_step(_step(step, *notices), [])
    assert stores.runs.get(run.tenant, run.run).notices == ("a", "b")


def test_notices_of_the_end_take_their_place(stores: Stores) -> None:
    run = _started(stores)
    stores.runs.record_step(_step(1, "a"), [])
    ended = stores.runs.finish(
        run.tenant, run.run, RunStatus.SUCCEEDED, at=stores.clock(), answer="4", notices=("a", "z")
    )
    assert ended.notices == stores.runs.get(run.tenant, run.run).notices == ("a", "z")
