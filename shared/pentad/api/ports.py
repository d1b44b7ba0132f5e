"""What the API asks of the store that documents are uploaded to, and of what indexes many of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

BulkStatus = Literal["running", "done", "failed", "stopped"]


@dataclass(frozen=True)
class UploadTerms:
    """What one upload may be.

    Attributes:
        key: where it goes.
        media_type: its content type.
        size: its length in bytes.
        sha256: of its content, in hexadecimal digits.
        seconds: how long the address is good for.
        key_id: the API key that asked; None where a token did.
    """

    key: str
    media_type: str
    size: int
    sha256: str
    seconds: int
    key_id: str | None


class DocumentStore(Protocol):
    """The documents bucket, as far as the API reaches it."""

    def sign_upload(self, terms: UploadTerms) -> tuple[str, dict[str, str]]:
        """Return a presigned address for one PUT of this content, and the headers that are signed with it.

        It works once: it replaces what stands there now, and nothing that comes later.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is no error.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...


@dataclass(frozen=True)
class BulkIngest:
    """What is known of a bulk ingestion.

    Attributes:
        status: ``done`` where every document had its turn, whatever became of it.
        documents: how many there are, as far as they have been listed.
        done: had their turn; their entries say what became of them.
        failed: of those, had no entry written in the end: the next ingestion takes them up.
        running: at work now.
        error: why it ended before all had their turn.
        started_at: when it began.
        ended_at: when it ended.
    """

    status: BulkStatus
    documents: int
    done: int
    failed: int
    running: int
    error: str | None
    started_at: datetime
    ended_at: datetime | None


class BulkIngestion(Protocol):
    """Indexes all documents of a tenant below a folder that are not in the index as they are."""

    def start(self, tenant_id: str, name: str, prefix: str) -> None:
        """Begin; with a name that has begun already, nothing happens.

        Args:
            tenant_id: whose documents.
            name: of this ingestion, in at most 80 characters.
            prefix: what the documents' names begin with; all of the tenant's where it is empty.

        Raises:
            StoreUnavailable: the service did not answer.
        """
        ...

    def get(self, name: str) -> BulkIngest:
        """Return what is known of an ingestion, at most a second old.

        Raises:
            NotFound: none has the name.
            StoreUnavailable: the service did not answer.
        """
        ...


class CursorCipher(Protocol):
    """Encrypts cursors for one caller and one list."""

    def seal(self, cursor: str, *, tenant_id: str, user_id: str, route: str) -> str:
        """Return a cursor that nobody reads, and that `open` takes with the same three names alone.

        Raises:
            StoreUnavailable: the key service did not answer.
        """
        ...

    def open(self, sealed: str, *, tenant_id: str, user_id: str, route: str) -> str | None:
        """Return what was sealed, or None where this was not sealed for these names.

        Raises:
            StoreUnavailable: the key service did not answer.
        """
        ...


@dataclass(frozen=True)
class Holder:
    """What holds a place.

    Attributes:
        name: of the ingestion.
        seconds: since it took the place.
    """

    name: str
    seconds: int


class BulkClaims(Protocol):
    """Keeps one bulk ingestion open for each owner and folder."""

    def take(self, tenant_id: str, place: str, name: str, *, replaces: str | None = None) -> Holder | None:
        """Take a place, by one conditional write, or return what holds it. What holds it may take it again.

        Args:
            tenant_id: whose place.
            place: the owner and the folder, hashed.
            name: of the ingestion.
            replaces: one that has ended, and that may lose the place.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...
