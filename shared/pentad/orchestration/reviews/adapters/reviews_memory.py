"""Reviews in a dictionary."""

import threading
from datetime import datetime
from typing import Literal

from pentad.aws.pages import decode_cursor, encode_cursor
from pentad.domain import keys
from pentad.domain.errors import NotFound
from pentad.domain.keys import iso
from pentad.domain.runs import Actor, Review
from pentad.domain.values import Page
from pentad.orchestration.reviews.adapters.reviews_dynamodb import check_verdict


class MemoryReviews:
    """A `ReviewStore`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reviews: dict[tuple[str, str], Review] = {}

    def add(self, review: Review) -> bool:
        """See `ReviewStore`."""
        with self._lock:
            if (review.tenant_id, review.review_id) in self._reviews:
                return False
            self._reviews[review.tenant_id, review.review_id] = review
            return True

    def get(self, tenant_id: str, review_id: str) -> Review:
        """See `ReviewStore`."""
        stored = self._reviews.get((tenant_id, review_id))
        if stored is None:
            raise NotFound("no such review", field="review")
        return stored

    def list_open(self, tenant_id: str, *, limit: int = 50, cursor: str | None = None) -> Page[Review]:
        """See `ReviewStore`."""
        pk = keys.collection_pk(tenant_id, "REVIEWS")
        start = decode_cursor(cursor, pk)
        own = [one for one in self._reviews.values() if one.tenant_id == tenant_id and one.verdict is None]
        after = [one for one in sorted(own, key=_sort_key) if start is None or _sort_key(one) > start["sk"]]
        end = {"pk": pk, "sk": _sort_key(after[limit - 1])} if len(after) > limit else None
        return Page[Review](items=tuple(after[:limit]), cursor=encode_cursor(end))

    def list_all(self, tenant_id: str) -> list[Review]:
        """Return all of a tenant."""
        return [one for one in self._reviews.values() if one.tenant_id == tenant_id]

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
        """See `ReviewStore`."""
        with self._lock:
            stored = self.get(tenant_id, review_id)
            if stored.verdict is not None:
                return check_verdict(stored, verdict)
            closing = {"closed_by": by, "closer": actor, "verdict": verdict, "note": note, "closed_at": at}
            closed = stored.model_copy(update=closing)
            self._reviews[tenant_id, review_id] = closed
            return closed


def _sort_key(review: Review) -> str:
    return f"{iso(review.created_at)}#{review.review_id}"
