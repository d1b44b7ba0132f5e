"""The progress of the pipeline after a run, in DynamoDB: one item in the session's partition."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from pentad.aws.table import ConditionFailed, Item, Table
from pentad.domain import keys
from pentad.domain.errors import StoreUnavailable
from pentad.memory.clock import utc_now
from pentad.memory.remember.ports import Claimed, DeletedSession
from pentad.memory.sessions.ports import Session

_STEP = "done_"
"""What the name of a step's attribute begins with: DynamoDB sets no entry of a map that is not there yet."""


class DynamoProgress:
    """The progress of the deployment.

    Args:
        table: the state table.
        clock: tells the time, in UTC.
    """

    def __init__(self, table: Table, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._table = table
        self._clock = clock

    def read(self, tenant_id: str, session_id: str) -> Mapping[str, int]:
        """Return the first message that each step has not covered."""
        item = self._table.get(keys.session_pk(tenant_id, session_id), keys.REMEMBERED)
        return _parse_done(item or {})

    def find_deleted(self, tenant_id: str, session_id: str) -> DeletedSession | None:
        """Return what is known of a session that was deleted; see the port.

        `pentad.orchestration.runs.adapters.session_removal` notes it.
        """
        item = self._table.get(keys.session_pk(tenant_id, session_id), keys.REMEMBERED)
        return _parse_deleted(tenant_id, session_id, item or {})

    def claim(self, session: Session | DeletedSession, *, owner: str, seconds: float) -> Claimed:
        """Keep other workers off a session; see the port.

        Raises:
            StoreUnavailable: another worker is at it.
        """
        now = self._clock().timestamp()
        try:
            item = self._table.update(
                keys.session_pk(session.tenant_id, session.session_id),
                keys.REMEMBERED,
                "SET #type = :type, #owner = :owner, expires_at_ms = :until, #ttl = :ttl",
                condition="attribute_not_exists(expires_at_ms) OR expires_at_ms < :now OR #owner = :owner",
                names={"#type": "type", "#owner": "owner", "#ttl": "ttl"},
                values={
                    ":type": "remembered",
                    ":owner": owner,
                    ":until": int((now + seconds) * 1000),
                    ":now": int(now * 1000),
                    # With the session's newest message: what it was made of is gone then.
                    ":ttl": int(session.expires_at.timestamp()),
                },
            )
        except ConditionFailed as failed:
            left = float(failed.item["expires_at_ms"]) / 1000 - now if failed.item else seconds
            raise StoreUnavailable("the session is being remembered already", retry_after=max(0.0, left)) from failed
        return Claimed(_parse_done(item), _parse_deleted(session.tenant_id, session.session_id, item))

    def advance(self, session: Session, key: str, next_seq: int, *, owner: str) -> None:
        """Note that a step has covered a session up to ``next_seq``.

        Raises:
            StoreUnavailable: the claim is another's by now.
        """
        try:
            self._table.update(
                keys.session_pk(session.tenant_id, session.session_id),
                keys.REMEMBERED,
                "SET #done = :next",
                condition="#owner = :owner",
                names={"#owner": "owner", "#done": f"{_STEP}{key}"},
                values={":owner": owner, ":next": next_seq},
            )
        except ConditionFailed as failed:
            raise StoreUnavailable("another worker has taken the session over") from failed

    def begin_anew(self, session: Session, *, owner: str, seconds: float) -> None:
        """Forget that a session of this id was deleted, and how far its steps were.

        Raises:
            StoreUnavailable: the claim is another's by now.
        """
        item = {
            "pk": keys.session_pk(session.tenant_id, session.session_id),
            "sk": keys.REMEMBERED,
            "type": "remembered",
            "owner": owner,
            "expires_at_ms": int((self._clock().timestamp() + seconds) * 1000),
            "ttl": int(session.expires_at.timestamp()),
        }
        try:
            self._table.put(item, condition="#owner = :owner", names={"#owner": "owner"}, values={":owner": owner})
        except ConditionFailed as failed:
            raise StoreUnavailable("another worker has taken the session over") from failed

    def remove(self, tenant_id: str, session_id: str, *, owner: str | None = None) -> None:
        """Remove what is kept here of a session, unless another is at work on it."""
        condition: dict[str, Any] = {
            "condition": "#owner = :owner",
            "names": {"#owner": "owner"},
            "values": {":owner": owner},
        }
        if owner is None:
            condition = {
                "condition": "attribute_exists(deleted_at) AND "
                "(attribute_not_exists(expires_at_ms) OR expires_at_ms < :now)",
                "values": {":now": int(self._clock().timestamp() * 1000)},
            }
        with suppress(ConditionFailed):
            self._table.delete(keys.session_pk(tenant_id, session_id), keys.REMEMBERED, **condition)

    def release(self, tenant_id: str, session_id: str, *, owner: str) -> None:
        """Let other workers in; a claim that is not held (any more) is left alone."""
        try:
            self._table.update(
                keys.session_pk(tenant_id, session_id),
                keys.REMEMBERED,
                "REMOVE #owner, expires_at_ms",
                condition="#owner = :owner",
                names={"#owner": "owner"},
                values={":owner": owner},
            )
        except ConditionFailed:
            return


def _parse_done(item: Item) -> dict[str, int]:
    return {name.removeprefix(_STEP): int(value) for name, value in item.items() if name.startswith(_STEP)}


def _parse_deleted(tenant_id: str, session_id: str, item: Item) -> DeletedSession | None:
    if "deleted_at" not in item:
        return None
    user = item.get("deleted_user")
    until = datetime.fromtimestamp(int(item["ttl"]), UTC)
    return DeletedSession(tenant_id, session_id, None if user is None else str(user), until)
