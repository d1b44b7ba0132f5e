"""The response cache in DynamoDB: one item a reply, and one beside it while somebody asks for it."""

import math
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from pentad.aws.table import ConditionFailed, Table
from pentad.domain import keys
from pentad.domain.ids import hash_user
from pentad.domain.models import ChatReply
from pentad.models.cache.cache import HANDED_SECONDS, decode, encode

_LONGEST_CALL_SECONDS = 3600


class DynamoResponseCache:
    """A `pentad.models.cache.ports.ResponseCache` over the table ``transient``.

    Each reply has a partition of its own, so that no tenant's cache is a hot one.

    Args:
        table: the table.
        clock: seconds since the epoch.
    """

    def __init__(self, table: Table, *, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._clock = clock

    def get(self, tenant_id: str, key: str, *, consistent: bool = False) -> ChatReply | None:
        """Return a reply; see the port. The read that may miss one of the last moment is the cheap one."""
        item = self._table.get(keys.cached_reply_pk(tenant_id, key), keys.META, consistent=consistent)
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

    def note_user(self, tenant_id: str, key: str, user_id: str, *, seconds: int) -> None:
        """Note whose run asks; see the port."""
        self._table.put(
            {
                "pk": keys.cached_replies_pk(tenant_id, hash_user(user_id)),
                "sk": key,
                "type": "cached_reply_user",
                # A reply that is put after this note ends after it, by less than a call takes.
                "ttl": int(self._clock()) + seconds + _LONGEST_CALL_SECONDS,
            }
        )

    def claim(self, tenant_id: str, key: str, owner: str, *, until: float, instead_of: str | None = None) -> bool:
        """Claim a key; see the port."""
        end = math.ceil(until)
        item = {
            "pk": keys.cached_reply_pk(tenant_id, key),
            "sk": keys.LEASE,
            "type": "cached_reply_claim",
            "owner": owner,
            "until": end,
            "ttl": end,
        }
        try:
            self._table.put(
                item,
                # A request that is sent again, since its answer was lost, finds its own claim.
                condition="attribute_not_exists(pk) OR #until <= :now OR #owner IN (:owner, :other)",
                names={"#until": "until", "#owner": "owner"},
                values={":now": math.floor(self._clock()), ":owner": owner, ":other": instead_of or owner},
            )
        except ConditionFailed:
            return False
        return True

    def find_claim(self, tenant_id: str, key: str) -> str | None:
        """Return who asks for a reply; see the port."""
        item = self._table.get(keys.cached_reply_pk(tenant_id, key), keys.LEASE)
        return None if item is None or int(item["until"]) <= self._clock() else str(item["owner"])

    def release(self, tenant_id: str, key: str, owner: str, *, handed: ChatReply | None = None) -> None:
        """End a claim; see the port. What is handed over stands in the claim's own item: the next claim ends it."""
        pk, body = keys.cached_reply_pk(tenant_id, key), None if handed is None else encode(handed)
        own: dict[str, Any] = {
            "condition": "#owner = :owner",
            "names": {"#owner": "owner"},
            "values": {":owner": owner},
        }
        with suppress(ConditionFailed):
            if body is None:
                self._table.delete(pk, keys.LEASE, **own)
                return
            now = math.floor(self._clock())
            claim = {"pk": pk, "sk": keys.LEASE, "type": "cached_reply_claim", "owner": owner}
            self._table.put({**claim, "until": now, "body": body, "ttl": now + HANDED_SECONDS}, **own)

    def find_handed(self, tenant_id: str, key: str, owner: str) -> ChatReply | None:
        """Return what a claim has ended with; see the port."""
        item = self._table.get(keys.cached_reply_pk(tenant_id, key), keys.LEASE, consistent=True)
        if item is None or item["owner"] != owner or "body" not in item or int(item["ttl"]) <= self._clock():
            return None
        return decode(item["body"])
