"""The progress of the pipeline after a run, in memory."""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime

from pentad.domain.errors import StoreUnavailable
from pentad.memory.clock import utc_now
from pentad.memory.remember.ports import Claimed, DeletedSession
from pentad.memory.sessions.ports import Session

_Place = tuple[str, str]


class MemoryProgress:
    """Progress in dictionaries.

    Args:
        clock: tells the time, in UTC.
    """

    def __init__(self, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._done: dict[_Place, dict[str, int]] = {}
        self._claims: dict[_Place, tuple[str, float]] = {}
        self._deleted: dict[_Place, DeletedSession] = {}

    def read(self, tenant_id: str, session_id: str) -> Mapping[str, int]:
        """Return the first message that each step has not covered."""
        with self._lock:
            return dict(self._done.get((tenant_id, session_id), {}))

    def note_deleted(self, deleted: DeletedSession) -> None:
        """Note that a session was deleted, as the removal of its head does in the deployment."""
        with self._lock:
            self._deleted[deleted.tenant_id, deleted.session_id] = deleted

    def find_deleted(self, tenant_id: str, session_id: str) -> DeletedSession | None:
        """Return what is known of a session that was deleted; see the port."""
        with self._lock:
            return self._deleted.get((tenant_id, session_id))

    def claim(self, session: Session | DeletedSession, *, owner: str, seconds: float) -> Claimed:
        """Keep other workers off a session; see the port.

        Raises:
            StoreUnavailable: another worker is at it.
        """
        place, now = (session.tenant_id, session.session_id), self._clock().timestamp()
        with self._lock:
            holder, until = self._claims.get(place, ("", 0.0))
            if holder not in ("", owner) and until > now:
                raise StoreUnavailable("the session is being remembered already", retry_after=until - now)
            self._claims[place] = (owner, now + seconds)
            return Claimed(dict(self._done.get(place, {})), self._deleted.get(place))

    def advance(self, session: Session, key: str, next_seq: int, *, owner: str) -> None:
        """Note that a step has covered a session up to ``next_seq``.

        Raises:
            StoreUnavailable: the claim is another's by now.
        """
        place = (session.tenant_id, session.session_id)
        with self._lock:
            if self._claims.get(place, ("", 0.0))[0] != owner:
                raise StoreUnavailable("another worker has taken the session over")
            self._done.setdefault(place, {})[key] = next_seq

    def begin_anew(self, session: Session, *, owner: str, seconds: float) -> None:
        """Forget that a session of this id was deleted, and how far its steps were.

        Raises:
            StoreUnavailable: the claim is another's by now.
        """
        place, now = (session.tenant_id, session.session_id), self._clock().timestamp()
        with self._lock:
            if self._claims.get(place, ("", 0.0))[0] != owner:
                raise StoreUnavailable("another worker has taken the session over")
            self._claims[place] = (owner, now + seconds)
            self._done.pop(place, None)
            self._deleted.pop(place, None)

    def remove(self, tenant_id: str, session_id: str, *, owner: str | None = None) -> None:
        """Remove what is kept here of a session, unless another is at work on it."""
        place, now = (tenant_id, session_id), self._clock().timestamp()
        with self._lock:
            holder, until = self._claims.get(place, ("", 0.0))
            if holder != owner if owner is not None else until >= now or place not in self._deleted:
                return
            for kept in (self._claims, self._done, self._deleted):
                kept.pop(place, None)

    def release(self, tenant_id: str, session_id: str, *, owner: str) -> None:
        """Let other workers in; a claim that is not held (any more) is left alone."""
        with self._lock:
            if self._claims.get((tenant_id, session_id), ("", 0.0))[0] == owner:
                del self._claims[tenant_id, session_id]
