"""The response cache in DynamoDB: one item a reply, in the table of what expires."""

import time
from collections.abc import Callable

from pentad.aws.table import Table
from pentad.domain import keys
from pentad.domain.models import ChatReply
from pentad.models.cache.cache import decode, encode


class DynamoResponseCache:
    """A `pentad.models.ports.ResponseCache` over the table ``transient``.

    Each reply has a partition of its own, so that no tenant's cache is a hot one.

    Args:
        table: the table.
        clock: seconds since the epoch.
    """

    def __init__(self, table: Table, *, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._clock = clock

    def get(self, tenant_id: str, key: str) -> ChatReply | None:
        """Return a reply; see the port. A reply of the last moment may be missed: the read is the cheap one."""
        item = self._table.get(keys.cached_reply_pk(tenant_id, key), keys.META, consistent=False)
        # DynamoDB deletes what has expired within days, not at once.
        if item is None or int(item["ttl"]) <= self._clock():
            return None
        return decode(item["body"])

    def put(self, tenant_id: str, key: str, reply: ChatReply, *, seconds: int) -> None:
        """Keep a reply; see the port."""
        body = encode(reply)
        if body is None:
            return
        expires = int(self._clock()) + seconds
        pk = keys.cached_reply_pk(tenant_id, key)
        self._table.put({"pk": pk, "sk": keys.META, "type": "cached_reply", "body": body, "ttl": expires})
