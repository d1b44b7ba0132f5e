"""What the review list asks of its store."""

from datetime import datetime
from typing import Literal, Protocol

from pentad.domain.runs import Actor, Review
from pentad.domain.values import Page


class ReviewStore(Protocol):
    """What was done and should be looked at."""

    def add(self, review: Review) -> bool:
        """Put it on the list and tell whether it is new; a repeat (same id) changes nothing.

        The id is that of `pentad.domain.ids.review_id`.
        """
        ...

    def get(self, tenant_id: str, review_id: str) -> Review:
        """Return one.

        Raises:
            NotFound: no such review for this tenant.
        """
        ...

    def list_open(self, tenant_id: str, *, limit: int = 50, cursor: str | None = None) -> Page[Review]:
        """Return what nobody has looked at yet, the oldest first."""
        ...

    def close(
        self,
        tenant_id: str,
        review_id: str,
        *,
        by: str,
        verdict: Literal["correct", "wrong"],
        note: str | None,
        at: datetime,
        actor: Actor | None = None,
    ) -> Review:
        """Take it off the list; the same verdict again returns what is stored.

        Raises:
            NotFound: no such review.
            InvalidTransition: it was closed with another verdict.
        """
        ...
