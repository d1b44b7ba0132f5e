"""The progress of the pipeline after a run, in memory."""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime

from pentad.domain.errors import StoreUnavailable
from pentad.memory.clock import utc_now
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

    def read(self, tenant_id: str, session_id: str) -> Mapping[str, int]:
        """Return the first message that each step has not covered."""
        with self._lock:
            return dict(self._done.get((tenant_id, session_id), {}))

    def claim(self, session: Session, *, owner: str, seconds: float) -> Mapping[str, int]:
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
            return dict(self._done.get(place, {}))

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

    def release(self, tenant_id: str, session_id: str, *, owner: str) -> None:
        """Let other workers in; a claim that is not held (any more) is left alone."""
        with self._lock:
            if self._claims.get((tenant_id, session_id), ("", 0.0))[0] == owner:
                del self._claims[tenant_id, session_id]
