"""The first write of a run, all or nothing: the run, the user's message, the session's head and its lease."""

import random
import time
from collections.abc import Callable
from datetime import timedelta

from pentad.aws.table import ConditionFailed, Item, Table
from pentad.domain import keys
from pentad.domain.errors import IdempotencyConflict, InvalidInput, SessionBusy, StoreUnavailable
from pentad.domain.messages import Message
from pentad.domain.runs import Run
from pentad.memory.adapters.session_items import append_entries, grown, session_from, spill_messages
from pentad.memory.ports import ObjectStore, Session
from pentad.orchestration.adapters.run_items import run_item, session_run_item

# Two requests at the same instant cancel each other's transaction at most so often before one is told to retry.
_TRIES = 5
_BACKOFF_SECONDS = 0.05


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

    def __call__(self, run: Run, request: Message, *, session_days: int, lease_seconds: int) -> Item:
        """Return the run's item: the new one, or what an earlier try of the same request stored.

        Raises:
            IdempotencyConflict: the run id exists with another request_hash.
            SessionBusy: another run holds the lease.
            InvalidInput: the session belongs to another agent or user.
            StoreUnavailable: the store did not answer, or others were in the way each time.
        """
        spill_messages(self._objects, run.tenant, run.session, [request])
        for attempt in range(_TRIES):
            try:
                return self._try(run, request, session_days, lease_seconds)
            except (ConditionFailed, StoreUnavailable) as failure:
                stored = self._outcome(run, failure)
                if stored is not None:
                    return stored
                if attempt == _TRIES - 1 and isinstance(failure, StoreUnavailable):
                    raise
            self._sleep(random.uniform(0, _BACKOFF_SECONDS * 2**attempt))  # noqa: S311 - jitter, no secret
        raise SessionBusy("others write to the session at the same time", field="session", retry_after=1)

    def _try(self, run: Run, request: Message, session_days: int, lease_seconds: int) -> Item:
        before = self._session(run, session_days)
        after, stored = grown(before, [request], run.created_at)
        item = run_item(run.model_copy(update={"request_seq": stored[0].seq}))
        self._state.transact(
            [
                self._state.putting(item, condition="attribute_not_exists(pk)"),
                self._lease(run, lease_seconds, token=after.version),
                self._state.putting(session_run_item(run)),
                *append_entries(self._state, before, after, stored),
            ]
        )
        return item

    def _session(self, run: Run, session_days: int) -> Session:
        """Return the session's head as it stands, or that of a session to be made."""
        item = self._state.get(keys.session_pk(run.tenant, run.session), keys.META)
        lifetime = timedelta(days=session_days)
        if item is not None:
            session = session_from(item)
            _check_owner(session, run)
            return session.model_copy(update={"expires_at": session.updated_at + lifetime})
        return Session(
            tenant=run.tenant,
            session=run.session,
            agent=run.agent,
            user=run.user,
            version=0,
            length=0,
            created_at=run.created_at,
            updated_at=run.created_at,
            expires_at=run.created_at + lifetime,
        )

    def _lease(self, run: Run, seconds: int, *, token: int) -> Item:
        now = int(run.created_at.timestamp())
        return self._transient.putting(
            {
                "pk": keys.session_pk(run.tenant, run.session),
                "sk": keys.LEASE,
                "type": "lease",
                "run": run.run,
                "token": token,
                "expires_at": now + seconds,
                "ttl": now + seconds,
            },
            condition="attribute_not_exists(pk) OR expires_at <= :now OR #run = :run",
            names={"#run": "run"},
            values={":now": now, ":run": run.run},
        )

    def _outcome(self, run: Run, failure: ConditionFailed | StoreUnavailable) -> Item | None:
        """Return the stored run of an earlier try, None where a new try may succeed, or raise what is the matter."""
        stored = self._state.get(keys.run_pk(run.tenant, run.run), keys.META)
        if stored is not None:
            if stored["request_hash"] != run.request_hash:
                raise IdempotencyConflict(
                    "the idempotency key was used for another request",
                    field="idempotency_key",
                    fix="use a new key for a new request, or send the first request again",
                ) from failure
            return stored
        if isinstance(failure, ConditionFailed) and failure.reasons[1] == "ConditionalCheckFailed":
            raise SessionBusy(
                "another run of this session has not ended",
                field="session",
                retry_after=_seconds_left(failure.items[1], run),
                fix="wait until it has ended, or use another session",
            ) from failure
        return None


def _check_owner(session: Session, run: Run) -> None:
    if session.agent != run.agent:
        raise InvalidInput(
            f"the session belongs to the agent {session.agent}", field="session", fix="use that agent or a new session"
        )
    if session.user != run.user:
        raise InvalidInput("the session belongs to another user", field="session", fix="use that user or a new session")


def _seconds_left(lease: Item | None, run: Run) -> float | None:
    return None if lease is None else max(0.0, float(lease["expires_at"]) - run.created_at.timestamp())
