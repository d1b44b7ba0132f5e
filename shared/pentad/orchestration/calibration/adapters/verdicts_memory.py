"""Humans' verdicts, of reviews and approvals in memory."""

from collections.abc import Callable, Iterable

from pentad.aws.pages import decode_cursor, encode_cursor
from pentad.domain import keys
from pentad.domain.keys import iso
from pentad.domain.runs import Approval, Review
from pentad.domain.values import Page
from pentad.orchestration.calibration.human_verdicts import HumanVerdict, judge_approval, judge_review


class MemoryVerdicts:
    """A `VerdictStore`.

    Args:
        reviews: returns a tenant's reviews.
        approvals: returns a tenant's approvals.
    """

    def __init__(
        self, reviews: Callable[[str], Iterable[Review]], approvals: Callable[[str], Iterable[Approval]]
    ) -> None:
        self._reviews = reviews
        self._approvals = approvals

    def list_page(self, tenant_id: str, *, limit: int = 50, cursor: str | None = None) -> Page[HumanVerdict]:
        """See `VerdictStore`."""
        pk = keys.collection_pk(tenant_id, keys.VERDICT_LIST)
        start = decode_cursor(cursor, pk)
        judged = [*map(judge_review, self._reviews(tenant_id)), *map(judge_approval, self._approvals(tenant_id))]
        found = sorted((one for one in judged if one is not None), key=_sort_key, reverse=True)
        after = [one for one in found if start is None or _sort_key(one) < start["sk"]]
        end = {"pk": pk, "sk": _sort_key(after[limit - 1])} if len(after) > limit else None
        return Page[HumanVerdict](items=tuple(after[:limit]), cursor=encode_cursor(end))


def _sort_key(verdict: HumanVerdict) -> str:
    return f"{iso(verdict.at)}#{verdict.run_id}#{verdict.step:05d}#{verdict.source}"
