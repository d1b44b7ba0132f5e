"""Documents, passages and citations."""

import re
from datetime import datetime
from typing import Final, Literal

from pydantic import Field

from pentad.domain.values import FrozenValue

MAX_DOCUMENT_BYTES = 25 * 1024 * 1024
"""Of an uploaded document."""
DOCUMENT_REQUESTED = "pentad.document.requested"
"""The event by which a document is to be read and indexed anew; its detail has the form of S3's own events."""
SEARCH_KNOWLEDGE = "search_knowledge"
"""The name of the built-in tool that searches the documents."""
NO_COLLECTION = "."
USERS = "users"
"""The folder, and so the collection, of users' own documents."""
_OWNED = re.compile(rf"{USERS}/([^/]+)/")


class Passage(FrozenValue):
    """A retrieved piece of a document. ``document[start:end] == text`` in the parsed text of that version."""

    passage_id: str = Field(description="the chunk's id: stable while its text is unchanged")
    document: str = Field(description="the document's name, such as docs/architecture.md")
    version: str = Field(description="the version of the document it was cut from")
    title: str = Field(description="heading path, such as Architecture > Storage")
    text: str
    header: str = Field(default="", description="of the table that the text's rows are of; not a part of the text")
    start: int = Field(ge=0, description="character offset in the parsed text")
    end: int = Field(ge=0)
    score: float = Field(description="how well it ranks for the question, 1 is the best")
    page: int | None = Field(default=None, description="of the document, from 1, where it has pages")


_MONTHS: Final = tuple("January February March April May June July August September October November December".split())


class Utterance(FrozenValue):
    """A message's own words, or a part of them where they are long, as they are kept to be recalled."""

    session_id: str
    seq: int = Field(ge=0, description="of the message in its session")
    part: int = Field(default=0, ge=0, description="of the message")
    speaker: str = Field(description="the user's id, the agent's name, or the name that the text begins with")
    text: str
    at: datetime
    taint: tuple[str, ...] = Field(
        default=(), exclude_if=lambda value: not value, description="sources of untrusted text that led to it"
    )

    @property
    def place(self) -> tuple[str, int, int]:
        """Where it was said, as session, message and part: no two utterances of a user have the same."""
        return (self.session_id, self.seq, self.part)

    @property
    def day(self) -> str:
        """When it was said, as it is said: 8 May 2026 (UTC)."""
        return f"{self.at.day} {_MONTHS[self.at.month - 1]} {self.at.year}"

    @property
    def line(self) -> str:
        """The speaker, the day and the text, as it is embedded and shown: a day said by name is found by name."""
        return f"{self.speaker} ({self.day}): {' '.join(self.text.split())}"


class Citation(FrozenValue):
    """A place in an answer that points to a passage."""

    marker: str = Field(description="as it stands in the answer, such as [cite:k7f2qa]")
    passage_id: str
    document: str
    version: str
    title: str
    start: int
    end: int
    quote: str = Field(description="the passage's text, at most 500 characters")
    page: int | None = Field(default=None, description="of the document, from 1, where it has pages")


DocumentStatus = Literal["indexed", "stale", "failed", "deleted"]
"""``stale``: an earlier version is in the index, because the newest one could not be indexed."""


class Document(FrozenValue):
    """What the registry knows of a document."""

    tenant_id: str
    name: str
    version: str = Field(description="the S3 version id or ETag that was indexed")
    status: DocumentStatus
    media_type: str
    bytes: int = Field(ge=0)
    chunks: int = Field(ge=0)
    embedded: int = Field(ge=0, description="chunks embedded at the last ingest; unchanged ones are not embedded again")
    indexed_at: datetime
    error: str | None = Field(default=None, description="why the newest version is not in the index")
    failed_version: str | None = Field(default=None, description="the version that the error is about, if another one")
    notes: tuple[str, ...] = Field(default=(), description="what is doubtful about how the document was read")
    sha256: str | None = Field(default=None, description="of the content that is indexed")
    language: str | None = Field(default=None, description="of the text, as far as it was recognised, such as en")
    parser: str | None = Field(default=None, description="what read it")
    recipe: str | None = Field(default=None, description="how it was cut and prepared for the index")

    @property
    def latest_version(self) -> str:
        """The newest version that was looked at, whether it could be indexed or not."""
        return self.failed_version or self.version


BULK_MACHINE = "bulk-ingest"
"""Of the state machine that indexes many documents, without the stage's prefix."""
BULK_DOCUMENTS = 100_000
"""Of one bulk ingestion at most."""


def own_documents(user_id: str) -> str:
    """Return what the names of a user's own documents begin with; all other documents are the tenant's."""
    return f"{USERS}/{user_id}/"


def find_collection(document: str) -> str:
    """Return the collection that a document is in: the first folder of its name, or `.` where it is in none."""
    folder, slash, _ = document.partition("/")
    return folder if slash and folder else NO_COLLECTION


def find_owner(document: str) -> str | None:
    """Return the user whose own a document is by its name, or None where it is the tenant's."""
    match = _OWNED.match(document)
    return None if match is None else match[1]
