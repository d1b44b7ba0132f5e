"""What was said, whose it is, and what is asked of the store of its segments."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

Kind = Literal["words", "vectors"]
Place = tuple[str, int, int]
"""Where something was said: session, sequence number of the message, part of it."""


@dataclass(frozen=True)
class Owner:
    """Whose conversations: a user's in all sessions, or those of one session that has no user.

    Attributes:
        tenant_id: the tenant.
        user_id: the user, or None.
        session_id: the session; says who the owner is where there is no user.
    """

    tenant_id: str
    user_id: str | None
    session_id: str


@dataclass(frozen=True)
class StoredSegment:
    """One item of what is kept for an owner.

    Attributes:
        number: segments are filled in the order of their numbers, from 0 on.
        version: grows by one with each write.
        body: as `segments` encodes it; at most 400 KB with its keys (DynamoDB's limit of an item).
        expires_at: when it may be removed.
    """

    number: int
    version: int
    body: bytes
    expires_at: datetime


class SegmentItems(Protocol):
    """Segments of owners: what one tenant, user or session keeps is in no other's reach."""

    def list_newest(self, owner: Owner, kind: Kind, limit: int, *, consistent: bool = True) -> list[StoredSegment]:
        """Return the segments with the highest numbers, the newest first, at most ``limit``.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def put(self, owner: Owner, kind: Kind, segment: StoredSegment) -> bool:
        """Store a segment if what stands there has the version before it (0: nothing); tell whether it did.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def remove(self, owner: Owner, kind: Kind, number: int) -> None:
        """Remove a segment; one that is not there is no error.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...
