"""Reviews in DynamoDB: an item beside its run, on the tenant's list while it is open."""

import json
from datetime import datetime
from typing import Any, Literal

from pentad.aws.pages import decode_cursor, encode_cursor
from pentad.aws.readable import from_stored
from pentad.aws.table import ConditionFailed, Item, Table
from pentad.domain import keys
from pentad.domain.errors import InvalidInput, InvalidTransition, NotFound
from pentad.domain.ids import parse_review_id
from pentad.domain.keys import iso
from pentad.domain.runs import Actor, Review
from pentad.domain.values import Page

_CLOSING = {"closed_at", "closed_by", "closer", "verdict", "note"}


class DynamoReviews:
    """A `ReviewStore` over the state table.

    Args:
        state: the table.
    """

    def __init__(self, state: Table) -> None:
        self._state = state

    def add(self, review: Review) -> bool:
        """See `ReviewStore`."""
        pk, sk = _make_key(review.tenant_id, review.review_id)
        item: Item = {
            "pk": pk,
            "sk": sk,
            "type": "review",
            "gsi1pk": keys.collection_pk(review.tenant_id, "REVIEWS"),
            "gsi1sk": f"{iso(review.created_at)}#{review.review_id}",
            "body": review.model_dump_json(exclude=_CLOSING),
        }
        try:
            self._state.put(item, condition="attribute_not_exists(pk)")
        except ConditionFailed:
            return False
        return True

    def get(self, tenant_id: str, review_id: str) -> Review:
        """See `ReviewStore`."""
        item = self._state.get(*_make_key(tenant_id, review_id))
        if item is None:
            raise NotFound("no such review", field="review")
        return _parse_review(item)

    def list_open(self, tenant_id: str, *, limit: int = 50, cursor: str | None = None) -> Page[Review]:
        """See `ReviewStore`."""
        pk = keys.collection_pk(tenant_id, "REVIEWS")
        start = decode_cursor(cursor, pk, attribute="gsi1pk")
        items, end = self._state.query(pk, index="gsi1", limit=limit, start=start)
        return Page[Review](items=tuple(_parse_review(item) for item in items), cursor=encode_cursor(end))

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
        pk, sk = _make_key(tenant_id, review_id)
        names, values = {}, {":at": iso(at), ":by": by, ":verdict": verdict}
        # From the list of what is open to that of verdicts.
        values |= {":list": keys.collection_pk(tenant_id, keys.VERDICT_LIST), ":place": f"{iso(at)}#{review_id}"}
        update = "SET closed_at = :at, closed_by = :by, verdict = :verdict, gsi1pk = :list, gsi1sk = :place"
        if actor is not None:
            update += ", closer = :closer"
            values[":closer"] = actor.model_dump_json()
        if note is not None:
            update += ", #note = :note"
            names["#note"], values[":note"] = "note", note
        try:
            item = self._state.update(
                pk,
                sk,
                update,
                condition="attribute_exists(pk) AND attribute_not_exists(verdict)",
                names=names,
                values=values,
            )
        except ConditionFailed:
            return check_verdict(self.get(tenant_id, review_id), verdict)
        return _parse_review(item)


def check_verdict(stored: Review, wanted: str) -> Review:
    """Return a closed review where it was closed as wanted.

    Raises:
        InvalidTransition: it was not.
    """
    if stored.verdict != wanted:
        raise InvalidTransition(f"the review is already closed as {stored.verdict}", field="verdict")
    return stored


def _make_key(tenant_id: str, review_id: str) -> tuple[str, str]:
    try:
        run_id, step, cause = parse_review_id(review_id)
    except InvalidInput as error:
        raise NotFound("no such review", field="review") from error
    return keys.run_pk(tenant_id, run_id), keys.review_sk(step, cause)


def _parse_review(item: Item) -> Review:
    closing: dict[str, Any] = {name: item[name] for name in _CLOSING & set(item)}
    if "closer" in closing:
        closing["closer"] = from_stored(Actor, closing["closer"])
    return Review.model_validate(json.loads(item["body"]) | closing, extra="ignore")
