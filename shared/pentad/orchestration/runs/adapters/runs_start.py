"""The first write of a run, all or nothing: the run, the user's message, the session's head and its lease.

A run that finds its session busy and may wait is written without its message's place: into the session's queue.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from pentad.aws.jitter import draw
from pentad.aws.table import ConditionFailed, Item, Table
from pentad.domain import keys
from pentad.domain.errors import IdempotencyConflict, SessionBusy, SessionConflict, StoreUnavailable
from pentad.domain.ids import is_reserved_session
from pentad.domain.keys import iso
from pentad.domain.messages import Message
from pentad.domain.runs import Run, RunStatus
from pentad.memory.objects.ports import ObjectStore
from pentad.memory.sessions.items import append_entries, compute_append, parse_session, spill_messages
from pentad.memory.sessions.ports import Session, StoredMessage
from pentad.orchestration.runs.adapters.lease_items import build_enqueue_entry, build_take_entry, holder_of, queue_of
from pentad.orchestration.runs.adapters.run_items import (
    TAKEN_OVER,
    make_child_item,
    make_no_session_error,
    make_queue_full_error,
    make_run_item,
    make_session_run_item,
    store_waiting,
)
from pentad.orchestration.runs.conditions import build_open_condition
from pentad.orchestration.runs.ports import QUEUE_LENGTH
from pentad.orchestration.runs.spill import Spill

# Two requests at the same instant cancel each other's transaction at most so often before one is told to retry.
_TRIES = 5
_BACKOFF_SECONDS = 0.05
_LEASE, _LOST = 1, 2
"""Places of the lease and of the run that has lost it in the transaction."""


class _Lost(NamedTuple):
    """A run whose lease has expired, and whether it had ended before."""

    run_id: str
    ended: bool = False


class StartTerms(NamedTuple):
    """How long a new run's session and lease last, and whether the session has to be new."""

    session_days: int
    lease_seconds: int
    new_session: bool = False


class RunStart:
    """Writes the first transaction of a run.

    Args:
        state: the table of sessions and runs.
        transient: the table of leases.
        objects: the payload bucket, for a message too large for an item.
        sleep: waits between tries; a test passes its own.
    """

    def __init__(
        self, state: Table, transient: Table, objects: ObjectStore, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._state = state
        self._transient = transient
        self._objects = objects
        self._sleep = sleep

    def __call__(self, run: Run, request: Message | None, terms: StartTerms) -> Item:
        """Return the run's item: the new one, or what an earlier try of the same request stored.

        Raises:
            IdempotencyConflict: the run id exists with another request_hash.
            SessionBusy: another run holds the lease and this one may not wait, or the queue is full.
            SessionConflict: the session belongs to another agent or user.
            NotFound: there is no such session, and only we make one of such an id.
            StoreUnavailable: the store did not answer, others were in the way each time, or a session that has to be
                new is there.
        """
        if request is not None:
            spill_messages(self._objects, run.tenant_id, run.session_id, [request])
        lost: _Lost | None = None
        for attempt in range(_TRIES):
            try:
                return self._try(run, request, terms, lost, looks=attempt > 0 or not terms.new_session)
            except (ConditionFailed, StoreUnavailable) as failure:
                stored = self._find_earlier(run, failure)
                if stored is not None:
                    return stored
                if attempt == _TRIES - 1 and isinstance(failure, StoreUnavailable):
                    raise
                lease, lost = _resolve_conflict(run, failure, lost)
                if lease is not None:
                    if request is None:
                        raise _make_busy_error(lease, run) from failure
                    waiting = self._wait_or_refuse(run, request, terms, lease, failure)
                    if waiting is not None:
                        return waiting
            self._sleep(draw() * _BACKOFF_SECONDS * 2**attempt)
        raise SessionBusy("others are writing to the session at the same time", field="session", retry_after=1)

    def _try(
        self, run: Run, request: Message | None, terms: StartTerms, lost: _Lost | None, *, looks: bool = True
    ) -> Item:
        # A session that has to be new is not looked for: the write's condition says if it is there.
        before = self.get_head(run, terms.session_days) if looks else _make_head(run, terms.session_days)
        earlier = self._check_session(run, before, terms)
        if earlier is not None:
            return earlier
        no_message: tuple[StoredMessage, ...] = ()
        after, stored = _renew_head(before, run.created_at), no_message
        if request is not None:
            after, stored = compute_append(before, [request], run.created_at)
        after = after.model_copy(update={"fence": after.version})
        place = stored[0].seq if stored else run.request_seq
        holder = run.model_copy(update={"request_seq": place, "fence": after.version})
        item = make_run_item(holder)
        now = int(run.created_at.timestamp())
        self._state.transact(
            [
                self._state.build_put(item, condition="attribute_not_exists(pk)"),
                build_take_entry(
                    self._transient, holder, now=now, seconds=terms.lease_seconds, lost=lost.run_id if lost else None
                ),
                *(
                    [build_fail_entry(self._state, run.tenant_id, lost.run_id, run.created_at)]
                    if lost and not lost.ended
                    else []
                ),
                *self._build_index_entries(run),
                *append_entries(self._state, before, after, stored),
            ]
        )
        return item

    def _wait_or_refuse(
        self, run: Run, request: Message, terms: StartTerms, lease: Item, failure: Exception
    ) -> Item | None:
        """Put the run into the queue and return its item, None where the session is free by now, or refuse it."""
        if run.if_busy != "enqueue":
            raise _make_busy_error(lease, run) from failure
        if len(queue_of(lease)) >= QUEUE_LENGTH:
            raise make_queue_full_error() from failure
        item = make_run_item(run) | store_waiting(
            Spill(self._objects), run, request, terms.session_days, terms.lease_seconds
        )
        now = int(run.created_at.timestamp())
        try:
            self._state.transact(
                [
                    self._state.build_put(item, condition="attribute_not_exists(pk)"),
                    build_enqueue_entry(self._transient, run, now=now),
                    *self._build_index_entries(run),
                ]
            )
        except (ConditionFailed, StoreUnavailable):
            # The holder has ended meanwhile, the queue has filled up, or this request came twice: look again.
            return None
        return item

    def _check_session(self, run: Run, before: Session, terms: StartTerms) -> Item | None:
        """Return the run of an earlier try where the session that it made is there; None where the session may be used.

        Raises:
            NotFound: there is no such session, and only we make one of such an id.
            StoreUnavailable: the session has to be new and is another's; a new try has another id.
        """
        is_there = before.version > 0 or before.created_at != run.created_at
        if terms.new_session and is_there:
            earlier = self._find_earlier(run, None)
            if earlier is None:
                raise StoreUnavailable("the session of the new run already exists", retry_after=1)
            return earlier
        may_make = terms.new_session or run.trigger == "schedule"
        if not may_make and not is_there and is_reserved_session(run.session_id):
            raise make_no_session_error()
        return None

    def _build_index_entries(self, run: Run) -> list[Item]:
        entries = [self._state.build_put(make_session_run_item(run))]
        if run.parent_run_id is not None:
            entries.append(self._state.build_put(make_child_item(run, run.parent_run_id)))
        return entries

    def get_head(self, run: Run, session_days: int) -> Session:
        """Return the session's head as it stands, or that of a session to be made.

        Raises:
            SessionConflict: the session belongs to another agent or user.
        """
        item = self._state.get(keys.session_pk(run.tenant_id, run.session_id), keys.META)
        if item is None:
            return _make_head(run, session_days)
        session = parse_session(item)
        _check_owner(session, run)
        return session.model_copy(update={"expires_at": session.updated_at + timedelta(days=session_days)})

    def _find_earlier(self, run: Run, failure: Exception | None) -> Item | None:
        """Return the stored run of an earlier try, or None.

        Raises:
            IdempotencyConflict: it was another request.
        """
        stored = self._state.get(keys.run_pk(run.tenant_id, run.run_id), keys.META)
        if stored is not None and stored["request_hash"] != run.request_hash:
            raise IdempotencyConflict(
                "the idempotency key was used for another request",
                field="idempotency_key",
                fix="use a new key for a new request, or send the first request again",
            ) from failure
        return stored


def build_fail_entry(state: Table, tenant_id: str, run_id: str, at: datetime) -> Item:
    """Return the entry that ends a run which has lost its session."""
    condition, ends = build_open_condition()
    return state.build_update(
        keys.run_pk(tenant_id, run_id),
        keys.META,
        "SET #status = :to, updated_at = :at, ended_at = :at, outcome = :outcome",
        condition=condition,
        names={"#status": "status"},
        values=ends | {":to": RunStatus.FAILED.value, ":at": iso(at), ":outcome": f'{{"error": "{TAKEN_OVER}"}}'},
    )


def _resolve_conflict(
    run: Run, failure: ConditionFailed | StoreUnavailable, lost: _Lost | None
) -> tuple[Item | None, _Lost | None]:
    """Return the lease's item where the session is busy, and the run to take the session over from on the next try."""
    if not isinstance(failure, ConditionFailed):
        return None, lost
    if lost is not None and not lost.ended and failure.reasons[_LOST] == "ConditionalCheckFailed":
        return None, lost._replace(ended=True)
    if failure.reasons[_LEASE] != "ConditionalCheckFailed":
        return None, lost
    lease = failure.items[_LEASE]
    if lease is None:
        return None, None
    if holder_of(lease, run.created_at.timestamp()) is not None:
        return lease, None
    if queue_of(lease) and run.if_busy != "interrupt":
        return lease, None  # Those who wait come first.
    return None, _Lost(str(lease["run"])) if "run" in lease else None


def _make_head(run: Run, session_days: int) -> Session:
    return Session(
        tenant_id=run.tenant_id,
        session_id=run.session_id,
        agent=run.agent,
        user_id=run.user_id,
        version=0,
        length=0,
        created_at=run.created_at,
        updated_at=run.created_at,
        expires_at=run.created_at + timedelta(days=session_days),
    )


def _renew_head(head: Session, now: datetime) -> Session:
    lifetime = head.expires_at - head.updated_at
    return head.model_copy(update={"version": head.version + 1, "updated_at": now, "expires_at": now + lifetime})


def _check_owner(session: Session, run: Run) -> None:
    # The user first: whose it is not learns nothing of the session.
    if session.user_id != run.user_id:
        raise SessionConflict(
            "the session belongs to another user", field="session", fix="use that user or a new session"
        )
    if session.agent != run.agent:
        raise SessionConflict(
            f"the session belongs to the agent '{session.agent}'",
            field="session",
            fix="use that agent or a new session",
        )


def _make_busy_error(lease: Item, run: Run) -> SessionBusy:
    now = run.created_at.timestamp()
    held = holder_of(lease, now) is not None
    return SessionBusy(
        "another run of this session has not ended" if held else "other runs are waiting for this session",
        field="session",
        retry_after=max(0.0, float(lease["expires_at"]) - now) if held else 1,
        fix="wait until it has ended, or use another session",
    )
