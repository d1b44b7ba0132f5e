"""Promote the first run of a session's queue, by one transaction that may be tried again."""

from collections.abc import Callable
from datetime import datetime

from pentad.aws.table import ConditionFailed, Item, Table
from pentad.domain import keys
from pentad.domain.errors import StoreUnavailable
from pentad.domain.runs import Run
from pentad.memory.sessions.items import append_entries, compute_append, spill_messages
from pentad.orchestration.runs.adapters.lease_items import build_promote_entry, holder_of, queue_of, remove_from_queue
from pentad.orchestration.runs.adapters.run_items import load_waiting, parse_run
from pentad.orchestration.runs.adapters.runs_start import RunStart, build_fail_entry
from pentad.orchestration.runs.ports import QUEUE_LENGTH
from pentad.orchestration.runs.spill import Spill

_TRIES = QUEUE_LENGTH + 5
"""Each try takes a cancelled run out of the queue, or finds that others were faster."""


class RunQueue:
    """The queues of sessions.

    Args:
        state: the table of sessions and runs.
        transient: the table of leases.
        spill: where large messages are.
        starting: knows the head of a session.
        now: the clock.
    """

    def __init__(
        self, state: Table, transient: Table, spill: Spill, starting: RunStart, now: Callable[[], datetime]
    ) -> None:
        self._state = state
        self._transient = transient
        self._spill = spill
        self._starting = starting
        self._now = now

    def find_position(self, run: Run) -> int | None:
        """Return a run's place in its session's queue, from 1, or None."""
        queue = queue_of(self._transient.get(keys.session_pk(run.tenant_id, run.session_id), keys.LEASE))
        return queue.index(run.run_id) + 1 if run.run_id in queue else None

    def remove(self, run: Run) -> None:
        """Take a run that has ended out of the queue; one that stays there is passed over later."""
        for _ in range(_TRIES):
            queue = queue_of(self._transient.get(keys.session_pk(run.tenant_id, run.session_id), keys.LEASE))
            if run.run_id not in queue:
                return
            try:
                remove_from_queue(self._transient, run.tenant_id, run.session_id, run.run_id, queue)
            except ConditionFailed:
                continue

    def promote(self, tenant_id: str, session_id: str) -> Item | None:
        """Give a session that nobody holds to the first of its queue and return that run's item, or None.

        Raises:
            StoreUnavailable: the store did not answer, or others were in the way each time.
        """
        for _ in range(_TRIES):
            lease = self._transient.get(keys.session_pk(tenant_id, session_id), keys.LEASE)
            queue, now = queue_of(lease), self._now()
            if lease is None or not queue or holder_of(lease, now.timestamp()) is not None:
                return None
            item = self._state.get(keys.run_pk(tenant_id, queue[0]), keys.META)
            run = None if item is None else parse_run(item, self._spill.unpack("outcome", item))
            try:
                if item is None or run is None or not run.waiting:
                    remove_from_queue(self._transient, tenant_id, session_id, queue[0], queue)
                    continue
                return self._grant_lease(run, item, lease, now)
            except ConditionFailed:
                continue  # Somebody was faster: look again.
        raise StoreUnavailable("others are changing the session's queue at the same time", retry_after=1)

    def _grant_lease(self, run: Run, item: Item, lease: Item, now: datetime) -> Item:
        waiting = load_waiting(self._spill, item)
        before = self._starting.get_head(run, waiting.session_days)
        after, stored = compute_append(before, [waiting.request], now)
        after = after.model_copy(update={"fence": after.version})
        holder = run.model_copy(update={"request_seq": stored[0].seq, "fence": after.version})
        spill_messages(self._spill.objects, run.tenant_id, run.session_id, [waiting.request])
        lost = str(lease["run"]) if "run" in lease else None
        taking = build_promote_entry(
            self._transient, holder, lease, now=int(now.timestamp()), seconds=waiting.lease_seconds, lost=lost
        )
        entries = [self._build_claim_entry(holder), taking, *append_entries(self._state, before, after, stored)]
        try:
            self._state.transact(
                [*entries, *([] if lost is None else [build_fail_entry(self._state, run.tenant_id, lost, now)])]
            )
        except ConditionFailed as failure:
            if lost is None or failure.reasons[-1] != "ConditionalCheckFailed":
                raise
            # The holder had ended, and left its lease: there is nothing to fail.
            self._state.transact(entries)
        return self._state.get(keys.run_pk(run.tenant_id, run.run_id), keys.META) or item

    def _build_claim_entry(self, run: Run) -> Item:
        return self._state.build_update(
            keys.run_pk(run.tenant_id, run.run_id),
            keys.META,
            "SET fence = :fence, request_seq = :seq REMOVE waiting, waiting_spill",
            condition="#status = :queued AND fence = :none",
            names={"#status": "status"},
            values={":fence": run.fence, ":seq": run.request_seq, ":queued": run.status.value, ":none": 0},
        )
