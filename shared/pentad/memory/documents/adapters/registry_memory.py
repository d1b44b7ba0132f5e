"""The document registry in a dictionary."""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime

from pentad.aws.pages import decode_cursor, encode_cursor
from pentad.domain import keys
from pentad.domain.errors import StoreUnavailable
from pentad.domain.knowledge import Document
from pentad.domain.values import Page
from pentad.memory.clock import utc_now

Place = tuple[str, str]


class MemoryRegistry:
    """A registry for tests and for one process.

    Args:
        clock: tells the time, in UTC.
    """

    def __init__(self, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._documents: dict[Place, Document] = {}
        self._chunks: dict[Place, dict[str, str]] = {}
        self._claims: dict[Place, tuple[str, float]] = {}

    def acquire(self, tenant_id: str, name: str, *, owner: str, seconds: float) -> None:
        """Keep other writers off the document until `release`, for ``seconds`` at most.

        Raises:
            StoreUnavailable: another owner holds it.
        """
        now = self._clock().timestamp()
        with self._lock:
            holder, until = self._claims.get((tenant_id, name), (owner, now))
            if holder != owner and until >= now:
                raise StoreUnavailable("the document is being indexed already", retry_after=until - now)
            self._claims[tenant_id, name] = (owner, now + seconds)

    def renew(self, tenant_id: str, name: str, *, owner: str, seconds: float) -> None:
        """Let a claim last for ``seconds`` from now.

        Raises:
            StoreUnavailable: it is not held any more.
        """
        now = self._clock().timestamp()
        with self._lock:
            self._check_owner((tenant_id, name), owner)
            self._claims[tenant_id, name] = (owner, now + seconds)

    def release(self, tenant_id: str, name: str, *, owner: str) -> None:
        """Let other writers in; a claim that is not held (any more) is left alone."""
        with self._lock:
            if self._claims.get((tenant_id, name), ("", 0.0))[0] == owner:
                del self._claims[tenant_id, name]

    def get(self, tenant_id: str, name: str) -> Document | None:
        """Return a document's entry, or None."""
        with self._lock:
            return self._documents.get((tenant_id, name))

    def get_chunks(self, tenant_id: str, name: str) -> dict[str, str]:
        """Return the document's chunks as indexed: chunk id to SHA-256 of its text; empty where it is not certain."""
        with self._lock:
            return dict(self._chunks.get((tenant_id, name), {}))

    def record_intent(self, tenant_id: str, name: str, chunks: Mapping[str, str], *, owner: str) -> None:
        """Replace the chunk list before the vectors change; see the port.

        Raises:
            StoreUnavailable: the claim is another's by now.
        """
        with self._lock:
            self._check_owner((tenant_id, name), owner)
            self._chunks[tenant_id, name] = dict(chunks)

    def put(
        self, document: Document, chunks: Mapping[str, str], *, owner: str | None = None, ends: bool = False
    ) -> None:
        """Store the entry and its chunks; see the port.

        Raises:
            StoreUnavailable: the claim is another's by now.
        """
        place = (document.tenant_id, document.name)
        with self._lock:
            if owner is not None:
                self._check_owner(place, owner)
            if ends:
                self._claims.pop(place, None)
            stored = self._documents.get(place)
            if owner is not None or stored is None or stored.indexed_at <= document.indexed_at:
                self._documents[place] = document
                self._chunks[place] = dict(chunks)

    def _check_owner(self, place: Place, owner: str) -> None:
        if self._claims.get(place, ("", 0.0))[0] != owner:
            raise StoreUnavailable("another writer has taken the document over")

    def list_page(self, tenant_id: str, *, limit: int = 100, cursor: str | None = None) -> Page[Document]:
        """Return the tenant's documents by name.

        Raises:
            InvalidInput: the cursor is not valid.
        """
        pk = keys.collection_pk(tenant_id, "DOCS")
        start = decode_cursor(cursor, pk)
        with self._lock:
            names = sorted(name for owner, name in self._documents if owner == tenant_id)
            after = [name for name in names if start is None or name > start["sk"]]
            found = tuple(self._documents[tenant_id, name] for name in after[:limit])
        end = {"pk": pk, "sk": after[limit - 1]} if len(after) > limit else None
        return Page[Document](items=found, cursor=encode_cursor(end))
