"""A response cache in memory: for tests, and for the library without AWS."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from pentad.domain.models import ChatReply
from pentad.models.cache.cache import HANDED_SECONDS, decode, encode

MAX_REPLIES = 1_000
MAX_BYTES = 64 * 1024 * 1024


class MemoryResponseCache:
    """A `pentad.models.cache.ports.ResponseCache` that lives as long as the object; the least recently used go first.

    Args:
        clock: seconds.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._replies: OrderedDict[tuple[str, str], tuple[float, str]] = OrderedDict()
        self._bytes = 0
        self._claims: dict[tuple[str, str], tuple[str, float]] = {}
        self._handed: dict[tuple[str, str], tuple[str, float, str]] = {}

    def get(self, tenant_id: str, key: str, *, consistent: bool = False) -> ChatReply | None:
        """Return a reply; see the port."""
        with self._lock:
            expires, text = self._replies.get((tenant_id, key), (0.0, ""))
            if expires <= self._clock():
                self._drop((tenant_id, key))
                return None
            self._replies.move_to_end((tenant_id, key))
        return decode(text)

    def put(self, tenant_id: str, key: str, reply: ChatReply, *, seconds: int) -> None:
        """Keep a reply; see the port."""
        text = encode(reply)
        if text is None:
            return
        with self._lock:
            self._drop((tenant_id, key))
            self._replies[tenant_id, key] = (self._clock() + seconds, text)
            self._bytes += len(text)
            while len(self._replies) > MAX_REPLIES or self._bytes > MAX_BYTES:
                self._drop(next(iter(self._replies)))

    def note_user(self, tenant_id: str, key: str, user_id: str, *, seconds: int) -> None:
        """See the port. A process's memory goes with the process: no erasure looks for it."""

    def claim(self, tenant_id: str, key: str, owner: str, *, until: float, instead_of: str | None = None) -> bool:
        """Claim a key; see the port."""
        with self._lock:
            now = self._clock()
            self._claims = {place: claim for place, claim in self._claims.items() if claim[1] > now}
            self._handed = {place: made for place, made in self._handed.items() if made[1] > now}
            if self._claims.get((tenant_id, key), (owner, 0.0))[0] not in (owner, instead_of):
                return False
            self._claims[tenant_id, key] = (owner, until)
            self._handed.pop((tenant_id, key), None)
            return True

    def find_claim(self, tenant_id: str, key: str) -> str | None:
        """Return who asks for a reply; see the port."""
        with self._lock:
            owner, until = self._claims.get((tenant_id, key), ("", 0.0))
            return owner if until > self._clock() else None

    def release(self, tenant_id: str, key: str, owner: str, *, handed: ChatReply | None = None) -> None:
        """End a claim; see the port."""
        text = None if handed is None else encode(handed)
        with self._lock:
            if self._claims.get((tenant_id, key), ("", 0.0))[0] == owner:
                del self._claims[tenant_id, key]
                if text is not None:
                    self._handed[tenant_id, key] = (owner, self._clock() + HANDED_SECONDS, text)

    def find_handed(self, tenant_id: str, key: str, owner: str) -> ChatReply | None:
        """Return what a claim has ended with; see the port."""
        with self._lock:
            by, expires, text = self._handed.get((tenant_id, key), ("", 0.0, ""))
            if by != owner or expires <= self._clock():
                return None
        return decode(text)

    def _drop(self, place: tuple[str, str]) -> None:
        _, text = self._replies.pop(place, (0.0, ""))
        self._bytes -= len(text)
