"""What is asked of the store of summaries."""

from datetime import datetime
from typing import Protocol

from pydantic import Field

from pentad.domain.values import FrozenValue

KEPT = 20
"""Summaries kept of one session, the newest: an epoch takes the last one that ends before it begins."""


class SessionSummary(FrozenValue):
    """A summary of messages ``first_seq`` to ``last_seq`` of a session, all of which it was made from."""

    tenant_id: str
    session_id: str
    first_seq: int = Field(ge=0)
    last_seq: int = Field(ge=0)
    version: int = Field(ge=1, description="counts the summaries of the session")
    text: str = Field(min_length=1)
    made_at: datetime
    expires_at: datetime
    recipe: str
    partly: tuple[int, ...] = Field(
        default=(),
        exclude_if=lambda value: not value,
        description="the newest long messages of which the ends alone were read",
    )
    partly_before: int = Field(
        default=0, ge=0, exclude_if=lambda value: not value, description="how many more of them come before these"
    )
    taint: tuple[str, ...] = Field(
        default=(), exclude_if=lambda value: not value, description="sources of untrusted text that led to it"
    )


class SummaryStore(Protocol):
    """Summaries by session. They go with their session."""

    def list_all(self, tenant_id: str, session_id: str) -> list[SessionSummary]:
        """Return the kept summaries, in the order of the messages at which they end.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def put(self, summary: SessionSummary) -> bool:
        """Keep a summary, and drop the oldest over `KEPT`.

        Returns:
            False, with nothing changed, where another one of the same end has the same or a later version.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def remove_all(self, tenant_id: str, session_id: str) -> None:
        """Remove the summaries of a session. Repeatable.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...
