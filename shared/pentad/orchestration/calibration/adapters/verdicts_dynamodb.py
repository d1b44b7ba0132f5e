"""Humans' verdicts in DynamoDB: reviews that were closed and approvals that judge, on one list of the tenant."""

import json

from pentad.aws.pages import decode_cursor, encode_cursor
from pentad.aws.readable import from_stored
from pentad.aws.table import Item, Table
from pentad.domain import keys
from pentad.domain.runs import Review
from pentad.domain.values import Page
from pentad.orchestration.calibration.human_verdicts import HumanVerdict, judge_review


class DynamoVerdicts:
    """A `VerdictStore` over the state table.

    Args:
        state: the table of reviews and approvals.
    """

    def __init__(self, state: Table) -> None:
        self._state = state

    def list_page(self, tenant_id: str, *, limit: int = 50, cursor: str | None = None) -> Page[HumanVerdict]:
        """See `VerdictStore`."""
        pk = keys.collection_pk(tenant_id, keys.VERDICT_LIST)
        start = decode_cursor(cursor, pk, attribute="gsi1pk")
        items, end = self._state.query(pk, index="gsi1", limit=limit, start=start, descending=True)
        found = tuple(one for one in map(_parse_verdict, items) if one is not None)
        return Page[HumanVerdict](items=found, cursor=encode_cursor(end))


def _parse_verdict(item: Item) -> HumanVerdict | None:
    # An approval may be too large for an item: its verdict stands beside it.
    if item["type"] == "review":
        closing = {name: item[name] for name in ("verdict", "closed_at")}
        return judge_review(Review.model_validate(json.loads(item["body"]) | closing, extra="ignore"))
    return from_stored(HumanVerdict, item["judged"])
