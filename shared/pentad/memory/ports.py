"""What the other layers ask of memory: sessions, vectors, documents."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from pentad.domain.knowledge import Document, Passage
from pentad.domain.messages import Message

T = TypeVar("T")


class Session(BaseModel):
    """The head of a session. ``version`` goes up by one with every append."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tenant: str
    session: str
    agent: str
    user: str | None = None
    version: int = Field(ge=0)
    length: int = Field(ge=0, description="messages; sequence numbers run from 0 to length - 1")
    epoch_first_seq: int = Field(default=0, ge=0, description="where the current epoch's context begins")
    estimated_tokens: int = Field(default=0, ge=0, description="of the messages since the epoch began")
    fence: int = Field(default=0, ge=0, description="fencing token of the run that holds the session, or held it last")
    created_at: datetime
    updated_at: datetime
    expires_at: datetime


class StoredMessage(BaseModel):
    """A message at its place in a session."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seq: int = Field(ge=0)
    message: Message
    passages: tuple[Passage, ...] = Field(default=(), description="given with a user's message, as it was sent")
    estimated_tokens: int = Field(default=0, ge=0)


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    items: tuple[T, ...]
    cursor: str | None = Field(default=None, description="give it back for the next page; none on the last")


class SessionStore(Protocol):
    """Sessions: one item per message, optimistic version, spill past the item limit."""

    def get(self, tenant: str, session: str) -> Session | None:
        """Return the session's head, or None."""
        ...

    def create(self, session: Session) -> None:
        """Make a session without messages, for a copy of another; the start of a run makes its own.

        One that is there is left as it is.

        Args:
            session: its head, with version 0 and length 0.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def append(
        self,
        tenant: str,
        session: str,
        messages: Sequence[Message],
        *,
        expected_version: int,
        fence: int | None = None,
        head: Session | None = None,
    ) -> Session:
        """Append messages in order and return the new head.

        A repeat (the message ids already stand at the end, written by an earlier try) changes nothing and
        returns the current head.

        Args:
            tenant: the tenant.
            session: the session.
            messages: in order.
            expected_version: of the head that the writer has read.
            fence: the run's fencing token (`Run.fence`); None writes whoever holds the session.
            head: the head that the writer has read; saves reading it again, and is checked all the same.

        Raises:
            NotFound: no such session.
            InvalidTransition: a newer run has taken the session over.
            SessionBusy: the version is not the expected one: another writer was faster.
            StoreUnavailable: the store did not answer.
        """
        ...

    def read(self, tenant: str, session: str, first: int, last: int) -> list[StoredMessage]:
        """Return the messages with ``first <= seq <= last`` in order; spilled ones are fetched."""
        ...

    def attach_passages(self, tenant: str, session: str, seq: int, passages: Sequence[Passage]) -> int:
        """Keep the passages that were given with a user's message; return the tokens by which the head's are raised.

        A repeat keeps the first, and raises nothing.

        Raises:
            NotFound: no such session or message.
            StoreUnavailable: the store did not answer.
        """
        ...

    def begin_epoch(self, tenant: str, session: str, first_seq: int, estimated_tokens: int) -> Session:
        """Let the context begin at ``first_seq`` from now on."""
        ...

    def page(self, tenant: str, *, limit: int = 50, cursor: str | None = None) -> Page[Session]:
        """Return the tenant's sessions, the last used first.

        Raises:
            InvalidInput: the cursor is not one of ours.
        """
        ...


class Vector(BaseModel):
    """A vector to store."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vector_id: str
    values: tuple[float, ...]
    metadata: dict[str, str | int | float | bool | list[str]]


class Match(BaseModel):
    """A vector found."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vector_id: str
    score: float
    metadata: dict[str, str | int | float | bool | list[str]]


class VectorStore(Protocol):
    """Vectors of one tenant in one namespace, by cosine similarity."""

    def upsert(self, tenant: str, vectors: Sequence[Vector]) -> None:
        """Store vectors, replacing those of the same id. Batches are the adapter's affair.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def query(
        self, tenant: str, values: Sequence[float], *, top_k: int, where: Mapping[str, str] | None = None
    ) -> list[Match]:
        """Return the nearest vectors, nearest first; ``where`` matches metadata fields exactly."""
        ...

    def fetch(self, tenant: str, vector_ids: Sequence[str]) -> dict[str, Vector]:
        """Return those of the vectors that are there, by id: their metadata is renewed without embedding again."""
        ...

    def delete(self, tenant: str, vector_ids: Sequence[str]) -> None:
        """Remove vectors; one that is not there is no error."""
        ...


class ObjectHead(BaseModel):
    """An object without its content."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    version: str = Field(description="the version id, or the ETag where the bucket keeps no versions")
    bytes: int = Field(ge=0)
    media_type: str = Field(description="the content type as it was uploaded, with its parameters")


class ObjectStore(Protocol):
    """Objects of one bucket: documents, and content too large for an item."""

    def head(self, key: str) -> ObjectHead | None:
        """Return what stands under the key now, or None.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def get(self, key: str, *, version: str | None = None) -> bytes:
        """Return an object's content; ``version`` as `head` gave it.

        Raises:
            NotFound: no such object, or it has another version now.
            StoreUnavailable: the store did not answer.
        """
        ...

    def put(self, key: str, data: bytes, *, media_type: str = "application/octet-stream") -> None:
        """Store an object, replacing what stood there.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...


class DocumentRegistry(Protocol):
    """What is indexed, in which version. One writer a document at a time: `claim` before writing."""

    def claim(self, tenant: str, name: str, *, owner: str, seconds: float) -> None:
        """Keep other writers off the document until `release`, for ``seconds`` at most.

        The same owner may claim again, which renews the claim.

        Raises:
            StoreUnavailable: another owner holds it; ``retry_after`` says for how long at most.
        """
        ...

    def release(self, tenant: str, name: str, *, owner: str) -> None:
        """Let other writers in; a claim that is not held (any more) is left alone."""
        ...

    def intend(self, tenant: str, name: str, chunks: Mapping[str, str]) -> None:
        """Replace the chunk list before the vectors change, so that a crash leaves no vector nobody knows of.

        Chunks that are not yet in the vector store have an empty SHA-256. The entry stays as it is.
        """
        ...

    def get(self, tenant: str, name: str) -> Document | None:
        """Return a document's entry, or None."""
        ...

    def chunks(self, tenant: str, name: str) -> dict[str, str]:
        """Return the document's chunks as indexed: chunk id to SHA-256 of its text."""
        ...

    def put(self, document: Document, chunks: Mapping[str, str]) -> None:
        """Store the entry and its chunks; an older version never replaces a newer one."""
        ...

    def page(self, tenant: str, *, limit: int = 100, cursor: str | None = None) -> Page[Document]:
        """Return the tenant's documents by name."""
        ...
