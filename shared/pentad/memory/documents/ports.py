"""What is asked of the registry of documents."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from pentad.domain.knowledge import Document
from pentad.domain.values import Page

if TYPE_CHECKING:
    # Named, not loaded: the API lists documents, and reads none.
    from pentad.memory.documents.contents import ReadDocument


class DocumentReader(Protocol):
    """Turns a document's bytes into chunks. What a document does to its reader happens to no other document."""

    def read(self, data: bytes, *, name: str, media_type: str, deadline: float | None = None) -> "ReadDocument":
        """Return what the document holds.

        Args:
            data: the document.
            name: its name.
            media_type: the content type it was uploaded with.
            deadline: ``time.time()`` by which to have read it; the reader's own limit where none is given.

        Raises:
            InvalidInput: it can't be read, or takes more memory, time or text than a document may.
            StoreUnavailable: the time that was left did not suffice; with more it may.
        """
        ...


class UploadKeys(Protocol):
    """Says of the API keys that uploads were made with whether they still count."""

    def is_revoked(self, tenant_id: str, key_id: str) -> bool:
        """Tell if a key was revoked; one that nobody knows was not.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...


class DocumentRegistry(Protocol):
    """What is indexed, in which version. One writer a document at a time: `claim` before writing."""

    def acquire(self, tenant_id: str, name: str, *, owner: str, seconds: float) -> None:
        """Keep other writers off the document until `release`, for ``seconds`` at most.

        The same owner may claim again, which renews the claim.

        Raises:
            StoreUnavailable: another owner holds it; ``retry_after`` says for how long at most.
        """
        ...

    def release(self, tenant_id: str, name: str, *, owner: str) -> None:
        """Let other writers in; a claim that is not held (any more) is left alone."""
        ...

    def record_intent(self, tenant_id: str, name: str, chunks: Mapping[str, str]) -> None:
        """Replace the chunk list before the vectors change, so that a crash leaves no vector nobody knows of.

        Chunks that are not yet in the vector store have an empty SHA-256. The entry stays as it is.
        """
        ...

    def get(self, tenant_id: str, name: str) -> Document | None:
        """Return a document's entry, or None."""
        ...

    def get_chunks(self, tenant_id: str, name: str) -> dict[str, str]:
        """Return the document's chunks as indexed: chunk id to SHA-256 of its text."""
        ...

    def put(self, document: Document, chunks: Mapping[str, str]) -> None:
        """Store the entry and its chunks; an older version never replaces a newer one."""
        ...

    def list_page(self, tenant_id: str, *, limit: int = 100, cursor: str | None = None) -> Page[Document]:
        """Return the tenant's documents by name."""
        ...
