"""Segments in DynamoDB: in the user's partition, or in the session's where it has no user."""

from datetime import UTC, datetime

from pentad.aws.readable import check_readable
from pentad.aws.table import ConditionFailed, Table
from pentad.domain import keys
from pentad.memory.turns.ports import Kind, Owner, StoredSegment


class DynamoSegments:
    """The segments of the deployment.

    Args:
        table: the state table.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def list_newest(self, owner: Owner, kind: Kind, limit: int, *, consistent: bool = True) -> list[StoredSegment]:
        """Return the segments with the highest numbers, the newest first, at most ``limit``."""
        items, _ = self._table.query(
            _make_pk(owner), begins=keys.said_prefix(kind), limit=limit, descending=True, consistent=consistent
        )
        found = []
        for item in items:
            with check_readable("a segment of what was said"):
                expires_at = datetime.fromtimestamp(int(item["ttl"]), UTC)
                body = bytes(item["body"])
                found.append(StoredSegment(int(item["number"]), int(item["version"]), body, expires_at))
        return found

    def put(self, owner: Owner, kind: Kind, segment: StoredSegment) -> bool:
        """Store a segment if what stands there has the version before it; tell whether it did."""
        item = {
            "pk": _make_pk(owner),
            "sk": keys.said_sk(kind, segment.number),
            "type": "said",
            "number": segment.number,
            "version": segment.version,
            "body": segment.body,
            "ttl": int(segment.expires_at.timestamp()),
        }
        before = segment.version - 1
        condition = "#version = :before" if before else "attribute_not_exists(#version)"
        values = {":before": before} if before else None
        try:
            self._table.put(item, condition=condition, names={"#version": "version"}, values=values)
        except ConditionFailed:
            return False
        return True

    def remove(self, owner: Owner, kind: Kind, number: int) -> None:
        """Remove a segment; one that is not there is no error."""
        self._table.delete(_make_pk(owner), keys.said_sk(kind, number))


def _make_pk(owner: Owner) -> str:
    if owner.user_id is None:
        return keys.session_pk(owner.tenant_id, owner.session_id)
    return keys.user_pk(owner.tenant_id, owner.user_id)
