"""Erasures of users, and what is asked of the stores of their receipts and of their things."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal, Protocol

from pydantic import Field

from pentad.domain.ids import ErasureId, RunId, TenantId, UserId
from pentad.domain.values import FrozenValue

ERASURE_REQUESTED: Final = "pentad.erasure.requested"
RECEIPT_DAYS: Final = 400
"""How long a receipt is kept after it was last written."""
ErasureStatus = Literal["asked", "running", "done", "refused", "incomplete"]
ErasureStage = Literal["survey", "remove", "check"]
"""Look for runs under way; remove; look again everywhere."""
KINDS: Final = (
    "sessions",
    "session_items",
    "runs",
    "run_items",
    "graph_items",
    "memory_items",
    "feedback_items",
    "documents",
    "document_objects",
    "payload_objects",
    "leases",
    "spend_counters",
    "cached_replies",
    "tool_records",
    "tool_marks",
    "tool_files",
    "vectors",
    "content_streams",
)
"""What a receipt counts: items of DynamoDB, versions of objects of S3, vectors, streams of logs."""


class ErasureRequest(FrozenValue):
    """What the queue says: whose erasure to go on with. The only place that names the user, until it is worked off."""

    tenant_id: TenantId
    user_id: UserId
    erasure_id: ErasureId


class Erasure(FrozenValue):
    """The receipt of an erasure, and how far it has come: counts and places, no content, no name.

    Of work that a crash cut off before it was noted the counts miss at most one page (`Place.visit`).
    """

    tenant_id: str
    erasure_id: str
    user_hash: str
    status: ErasureStatus = "asked"
    stage: ErasureStage = "survey"
    place: int = Field(default=0, ge=0, description="which of the places comes next")
    cursor: str | None = Field(default=None, description="where to go on in that place")
    round: int = Field(default=0, ge=0, description="how often it began anew, since something was left")
    only_check: bool = Field(default=False, description="it was asked to look again, and removes nothing")
    removed: dict[str, int] = Field(default={}, description="by kind")
    left: dict[str, int] = Field(default={}, description="by kind: what the last look found, as far as it has come")
    open_run_id: str | None = Field(default=None, description="a run under way, for which it was refused")
    asked_at: datetime
    updated_at: datetime
    checked_at: datetime | None = Field(default=None, description="when it was last looked everywhere")
    version: int = Field(default=0, ge=0)

    @property
    def is_open(self) -> bool:
        """Whether there is work to do."""
        return self.status in ("asked", "running")


class ErasureStore(Protocol):
    """Receipts. Each call is for one tenant, by key."""

    def get(self, tenant_id: str, user_hash: str, erasure_id: str) -> Erasure | None:
        """Return a receipt, or None.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def find_newest(self, tenant_id: str, user_hash: str) -> Erasure | None:
        """Return the receipt of the newest erasure of a user, or None.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def save(self, erasure: Erasure) -> Erasure | None:
        """Store a receipt if what stands there has its version (0: nothing); return it with the next one, else None.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...


class Visit(FrozenValue):
    """What a visit of a page of a place found."""

    found: Mapping[str, int] = Field(default={}, description="by kind: what was removed, or what there is")
    cursor: str | None = Field(default=None, description="where the next page begins; None at the end")
    open_run_id: RunId | None = Field(default=None, description="of the user, under way and left alone")


class Place(Protocol):
    """One of the places where a user's things are."""

    def visit(self, tenant_id: str, user_id: str, cursor: str | None, *, stage: ErasureStage) -> Visit:
        """Look at one page for a user's things; again is safe.

        What says where other things are goes last, so that a visit that was cut finds them again.

        Args:
            tenant_id: the tenant.
            user_id: the user.
            cursor: where the page before ended; None for the first.
            stage: ``survey`` looks for runs under way, ``remove`` removes what can be, ``check`` counts what is there.

        Raises:
            StoreUnavailable: a store did not answer.
        """
        ...
