"""Feedback in DynamoDB: an item beside its run for each person and thing, on the tenant's list."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from pentad.aws.pages import decode_cursor, encode_cursor
from pentad.aws.readable import from_stored
from pentad.aws.table import ConditionFailed, Item, Table
from pentad.domain import keys
from pentad.domain.errors import NotFound
from pentad.domain.keys import iso
from pentad.domain.values import Page
from pentad.observability.feedback.ports import KEY_DAYS, WAIT_DAYS, Feedback, FeedbackKey, GivenCorrection

LISTED = 500
"""Of one run."""


class DynamoFeedback:
    """A `FeedbackStore` over the state table.

    Args:
        state: the table.
        now: the clock, UTC.
    """

    def __init__(self, state: Table, *, now: Callable[[], datetime]) -> None:
        self._state = state
        self._now = now

    def find(self, tenant_id: str, run_id: str, feedback_id: str) -> Feedback | None:
        """See `FeedbackStore`."""
        item = self._state.get(keys.run_pk(tenant_id, run_id), keys.feedback_sk(feedback_id))
        return None if item is None else from_stored(Feedback, item["body"])

    def save(
        self, feedback: Feedback, key: FeedbackKey | None = None, correction: GivenCorrection | None = None
    ) -> bool:
        """See `FeedbackStore`."""
        pk = keys.run_pk(feedback.tenant_id, feedback.run_id)
        # What is said of a run that is erased at this moment must not outlive it.
        entries = [
            self._state.build_check(pk, keys.META, condition="attribute_exists(pk)"),
            self._build_put(pk, feedback),
        ]
        if key is not None:
            entries.append(self._state.build_put(self._make_key_item(pk, key), **self._build_unknown()))
        if correction is not None:
            entries.append(self._state.build_put(_make_correction_item(correction)))
        try:
            self._state.transact(entries)
        except ConditionFailed as failure:
            if failure.reasons[0] == "ConditionalCheckFailed":
                raise NotFound("no such run", field="run") from failure
            return False
        return True

    def find_key(self, tenant_id: str, run_id: str, key_hash: str) -> FeedbackKey | None:
        """See `FeedbackStore`."""
        item = self._state.get(keys.run_pk(tenant_id, run_id), keys.feedback_key_sk(key_hash))
        if item is None or int(item["ttl"]) <= self._now().timestamp():
            return None
        return from_stored(FeedbackKey, item["body"])

    def note_key(self, tenant_id: str, run_id: str, key: FeedbackKey) -> None:
        """See `FeedbackStore`."""
        try:
            self._state.put(self._make_key_item(keys.run_pk(tenant_id, run_id), key), **self._build_unknown())
        except ConditionFailed:
            return  # The same request was faster.

    def list_for_run(self, tenant_id: str, run_id: str) -> list[Feedback]:
        """See `FeedbackStore`."""
        items, _ = self._state.query(keys.run_pk(tenant_id, run_id), begins=keys.FEEDBACK, limit=LISTED)
        found = [from_stored(Feedback, item["body"]) for item in items]
        return sorted(found, key=lambda one: (one.given_at, one.feedback_id))

    def list_page(self, tenant_id: str, *, limit: int = 50, cursor: str | None = None) -> Page[Feedback]:
        """See `FeedbackStore`."""
        pk = keys.collection_pk(tenant_id, keys.FEEDBACK_LIST)
        start = decode_cursor(cursor, pk, attribute="gsi1pk")
        items, end = self._state.query(pk, index="gsi1", limit=limit, start=start, descending=True)
        found = tuple(from_stored(Feedback, item["body"]) for item in items)
        return Page[Feedback](items=found, cursor=encode_cursor(end))

    def _build_put(self, pk: str, feedback: Feedback) -> Item:
        item: Item = {
            "pk": pk,
            "sk": keys.feedback_sk(feedback.feedback_id),
            "type": "feedback",
            "gsi1pk": keys.collection_pk(feedback.tenant_id, keys.FEEDBACK_LIST),
            # By when it was first given: a change does not move it while somebody pages.
            "gsi1sk": f"{iso(feedback.given_at)}#{feedback.feedback_id}",
            "version": feedback.version,
            "body": feedback.model_dump_json(),
        }
        if feedback.version == 1:
            return self._state.build_put(item, condition="attribute_not_exists(pk)")
        return self._state.build_put(
            item,
            condition="#version = :before",
            names={"#version": "version"},
            values={":before": feedback.version - 1},
        )

    def _build_unknown(self) -> dict[str, Any]:
        """Return the condition that a key is not known, or no more: DynamoDB removes what has expired within days."""
        return {
            "condition": "attribute_not_exists(pk) OR #ttl <= :now",
            "names": {"#ttl": "ttl"},
            "values": {":now": int(self._now().timestamp())},
        }

    def _make_key_item(self, pk: str, key: FeedbackKey) -> Item:
        return {
            "pk": pk,
            "sk": keys.feedback_key_sk(key.key_hash),
            "type": "feedback_key",
            "ttl": int((self._now() + timedelta(days=KEY_DAYS)).timestamp()),
            "body": key.model_dump_json(),
        }


def _make_correction_item(correction: GivenCorrection) -> Item:
    """Return the item of a correction that waits; a newer version takes the place of the one before."""
    return {
        "pk": keys.user_pk(correction.tenant_id, correction.user_id),
        "sk": keys.correction_sk(correction.feedback_id),
        "type": "correction",
        "version": correction.version,
        "ttl": int((correction.given_at + timedelta(days=WAIT_DAYS)).timestamp()),
        "body": correction.model_dump_json(),
    }
