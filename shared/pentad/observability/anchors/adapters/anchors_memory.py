"""Anchors in a dictionary: for tests."""

from collections.abc import Iterator
from datetime import datetime

from pentad.observability.anchors.anchor import AuditAnchor, read_anchor, write_anchor


class MemoryAnchors:
    """An `AnchorStore`."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int], bytes] = {}

    def get_newest(self, tenant_id: str) -> AuditAnchor | None:
        """See the port."""
        numbers = [number for tenant, number in self._kept if tenant == tenant_id]
        return read_anchor(self._kept[tenant_id, max(numbers)]) if numbers else None

    def put(self, anchor: AuditAnchor) -> bool:
        """See the port."""
        place = (anchor.tenant_id, anchor.number)
        if place in self._kept:
            return False
        self._kept[place] = write_anchor(anchor)
        return True

    def iter_versions(self, tenant_id: str, *, since: datetime | None = None) -> Iterator[AuditAnchor]:
        """Yield a tenant's anchors, the newest first."""
        for tenant, number in sorted(self._kept, reverse=True):
            if tenant == tenant_id:
                yield read_anchor(self._kept[tenant, number])
