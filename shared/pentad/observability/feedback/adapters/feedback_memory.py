"""Feedback in dictionaries."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from pentad.aws.pages import decode_cursor, encode_cursor
from pentad.domain import keys
from pentad.domain.errors import NotFound
from pentad.domain.keys import iso
from pentad.domain.values import Page
from pentad.observability.feedback.adapters.feedback_dynamodb import LISTED
from pentad.observability.feedback.ports import KEY_DAYS, Feedback, FeedbackKey, GivenCorrection


class MemoryFeedback:
    """A `FeedbackStore`.

    Args:
        now: the clock, UTC.
        has_run: tells by tenant and run whether there is such a run.
        tell: takes the corrections that memory is to learn from.
    """

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        has_run: Callable[[str, str], bool] = lambda *_: True,
        tell: Callable[[GivenCorrection], None] = lambda _: None,
    ) -> None:
        self._now = now
        self._tell = tell
        self._has_run = has_run
        self._lock = threading.Lock()
        self._feedback: dict[tuple[str, str, str], Feedback] = {}
        self._keys: dict[tuple[str, str, str], tuple[datetime, FeedbackKey]] = {}

    def find(self, tenant_id: str, run_id: str, feedback_id: str) -> Feedback | None:
        """See `FeedbackStore`."""
        return self._feedback.get((tenant_id, run_id, feedback_id))

    def save(
        self, feedback: Feedback, key: FeedbackKey | None = None, correction: GivenCorrection | None = None
    ) -> bool:
        """See `FeedbackStore`."""
        if not self._has_run(feedback.tenant_id, feedback.run_id):
            raise NotFound("no such run", field="run")
        where = (feedback.tenant_id, feedback.run_id)
        with self._lock:
            stored = self._feedback.get((*where, feedback.feedback_id))
            if feedback.version != (1 if stored is None else stored.version + 1):
                return False
            if key is not None and self.find_key(*where, key.key_hash) is not None:
                return False
            self._feedback[*where, feedback.feedback_id] = feedback
            if correction is not None:
                self._tell(correction)
            if key is not None:
                self._keys[*where, key.key_hash] = (self._now() + timedelta(days=KEY_DAYS), key)
            return True

    def find_key(self, tenant_id: str, run_id: str, key_hash: str) -> FeedbackKey | None:
        """See `FeedbackStore`."""
        found = self._keys.get((tenant_id, run_id, key_hash))
        return None if found is None or found[0] <= self._now() else found[1]

    def note_key(self, tenant_id: str, run_id: str, key: FeedbackKey) -> None:
        """See `FeedbackStore`."""
        with self._lock:
            if self.find_key(tenant_id, run_id, key.key_hash) is None:
                self._keys[tenant_id, run_id, key.key_hash] = (self._now() + timedelta(days=KEY_DAYS), key)

    def list_for_run(self, tenant_id: str, run_id: str) -> list[Feedback]:
        """See `FeedbackStore`."""
        found = [one for (*where, _), one in self._feedback.items() if where == [tenant_id, run_id]]
        return sorted(found, key=lambda one: (one.given_at, one.feedback_id))[:LISTED]

    def list_page(self, tenant_id: str, *, limit: int = 50, cursor: str | None = None) -> Page[Feedback]:
        """See `FeedbackStore`."""
        pk = keys.collection_pk(tenant_id, keys.FEEDBACK_LIST)
        start = decode_cursor(cursor, pk)
        own = sorted(
            (one for one in self._feedback.values() if one.tenant_id == tenant_id), key=_sort_key, reverse=True
        )
        after = [one for one in own if start is None or _sort_key(one) < start["sk"]]
        end = {"pk": pk, "sk": _sort_key(after[limit - 1])} if len(after) > limit else None
        return Page[Feedback](items=tuple(after[:limit]), cursor=encode_cursor(end))


def _sort_key(feedback: Feedback) -> str:
    return f"{iso(feedback.given_at)}#{feedback.feedback_id}"
