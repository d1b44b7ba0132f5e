"""Buckets of tokens in the table ``transient``: an item for each, taken from by one conditional update.

A bucket that is in use is one request; one that was not used since it was full again is two, since an update expression
can't take the later of two times: the first update's refusal says what stands there.
"""

from typing import Any

from pentad.aws.table import ConditionFailed, Item, Table
from pentad.domain import keys
from pentad.domain.errors import StoreUnavailable

_TRIES = 40
_REMEMBERED = 128
"""Calls of one generation; the one before is kept beside it, so that at no moment all are forgotten."""
_KEPT_SECONDS = 86_400


class DynamoTokenBuckets:
    """See `TokenBuckets`.

    Args:
        table: the table ``transient``.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def take(
        self, tenant_id: str | None, bucket: str, call_key: str, *, burst: int, interval_us: int, now_us: int
    ) -> int | None:
        """See `TokenBuckets`."""
        pk = keys.tool_rates_pk(tenant_id)
        latest = now_us + (burst - 1) * interval_us
        ttl = (now_us + (burst + 1) * interval_us) // 1_000_000 + _KEPT_SECONDS
        values = {":interval": interval_us, ":calls": {call_key}, ":call": call_key, ":ttl": ttl, ":type": "tool_rate"}
        for _ in range(_TRIES):
            try:
                self._table.update(
                    pk,
                    bucket,
                    "SET full_at = full_at + :interval, #ttl = :ttl, #type = :type ADD calls :calls",
                    condition="full_at > :now AND full_at <= :latest AND NOT contains(calls, :call) "
                    "AND (attribute_not_exists(calls_before) OR NOT contains(calls_before, :call)) "
                    "AND size(calls) < :most",
                    names={"#ttl": "ttl", "#type": "type"},
                    values=values | {":now": now_us, ":latest": latest, ":most": _REMEMBERED},
                )
                return None
            except ConditionFailed as failure:
                item = failure.item or self._table.get(pk, bucket)
            if item is not None and call_key in {*item.get("calls", ()), *item.get("calls_before", ())}:
                return None
            if item is not None and int(item["full_at"]) > latest:
                return int(item["full_at"]) - latest
            if self._replace(pk, bucket, item, values, now_us):
                return None
        raise StoreUnavailable("too many calls count against the same rate limit at once; try again")

    def _replace(self, pk: str, bucket: str, item: Item | None, values: dict[str, Any], now_us: int) -> bool:
        """Take a token of a bucket that is full, or that remembers too many calls; tell if nobody was faster."""
        full_at = now_us if item is None else max(now_us, int(item["full_at"]))
        calls = set() if item is None else set(item.get("calls", ()))
        before = {}
        if len(calls) >= _REMEMBERED:
            before, calls = {":before": calls}, set()
        condition = "attribute_not_exists(pk)" if item is None else "full_at = :seen"
        named = {} if item is None else {":seen": int(item["full_at"])}
        try:
            self._table.update(
                pk,
                bucket,
                "SET full_at = :full, calls = :calls, #ttl = :ttl, #type = :type"
                + (", calls_before = :before" if before else ""),
                condition=condition,
                names={"#ttl": "ttl", "#type": "type"},
                values={
                    ":full": full_at + values[":interval"],
                    ":calls": calls | values[":calls"],
                    ":ttl": values[":ttl"],
                    ":type": values[":type"],
                    **named,
                    **before,
                },
            )
        except ConditionFailed:
            return False
        return True
