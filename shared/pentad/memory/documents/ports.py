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
    """What is indexed, in which version. One writer a document at a time.

    A writer claims the document, renews its claim while it works, and names itself with what it writes: that is refused
    where another has claimed the document since.
    """

    def acquire(self, tenant_id: str, name: str, *, owner: str, seconds: float) -> None:
        """Keep other writers off the document until `release`, for ``seconds`` at most.

        Raises:
            StoreUnavailable: another owner holds it; ``retry_after`` says for how long at most.
        """
        ...

    def renew(self, tenant_id: str, name: str, *, owner: str, seconds: float) -> None:
        """Let a claim last for ``seconds`` from now.

        Raises:
            StoreUnavailable: it is not held any more.
        """
        ...

    def release(self, tenant_id: str, name: str, *, owner: str) -> None:
        """Let other writers in; a claim that is not held (any more) is left alone."""
        ...

    def record_intent(self, tenant_id: str, name: str, chunks: Mapping[str, str], *, owner: str) -> None:
        """Replace the chunk list before the vectors change, so that a crash leaves no vector nobody knows of.

        Args:
            tenant_id: the tenant.
            name: of the document, whose entry stays as it is.
            chunks: all that may be in the vector store, also those listed before. Those that are not certain have an
                empty SHA-256.
            owner: who holds the claim.

        Raises:
            StoreUnavailable: the claim is another's by now.
        """
        ...

    def get(self, tenant_id: str, name: str) -> Document | None:
        """Return a document's entry, or None."""
        ...

    def get_chunks(self, tenant_id: str, name: str) -> dict[str, str]:
        """Return the document's chunks as indexed: chunk id to SHA-256 of its text."""
        ...

    def put(
        self, document: Document, chunks: Mapping[str, str], *, owner: str | None = None, ends: bool = False
    ) -> None:
        """Store the entry and its chunks.

        The holder of the claim is the one who knows, whatever its clock says. Without a claim an older entry (by
        ``indexed_at``) does not replace a newer one.

        Args:
            document: the entry.
            chunks: what is in the vector store of it.
            owner: who holds the claim; None where no writer can be at work.
            ends: the claim ends with it.

        Raises:
            StoreUnavailable: the claim is another's by now.
        """
        ...

    def list_page(self, tenant_id: str, *, limit: int = 100, cursor: str | None = None) -> Page[Document]:
        """Return the tenant's documents by name."""
        ...
