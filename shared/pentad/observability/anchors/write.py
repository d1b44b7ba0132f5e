"""Write anchors: for each tenant whose chains grew, and one of the deployment's as a sign of life."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from pentad.aws.sealed import SealKey
from pentad.domain.errors import StoreUnavailable
from pentad.observability.anchors.anchor import MAX_HEADS, NOBODY, AuditAnchor, ChainHead
from pentad.observability.anchors.ports import AnchorStore, HeadSource
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)
"""No chain stands in the index with an earlier time: ledgers have it since then."""
WINDOW = timedelta(days=7)
"""Ends of chains of so long a time are held in memory at once, however long nothing was anchored."""
OVERLAP = timedelta(minutes=5)
"""An index shows an entry a little later; what an anchor says twice does no harm."""
_TRIES = 3


class WriteAnchors:
    """Anchors what has grown since the last time.

    Args:
        heads: ends of chains.
        store: keeps anchors.
        key: signs them.
        telemetry: logs, and a metric of anchors.
        now: the clock, UTC.
    """

    def __init__(
        self, heads: HeadSource, store: AnchorStore, key: SealKey, telemetry: Telemetry, *, now: Callable[[], datetime]
    ) -> None:
        self._heads = heads
        self._store = store
        self._key = key
        self._telemetry = telemetry
        self._now = now

    def __call__(self) -> int:
        """Write the anchors of now and return how many there are; a repeat after a crash goes over all of it again.

        The deployment's own anchor comes last: from its time the next look begins. Where nothing was anchored for
        long, be it years, all of that time is looked at.

        Raises:
            StoreUnavailable: a store did not answer, or another always was first.
        """
        now, last = self._now(), self._store.get_newest(NOBODY)
        since = min(now, BEGAN) if last is None else last.at - OVERLAP
        own: dict[str, ChainHead] = {}
        written, tenants = 0, set[str]()
        for begin, end in _split(since, now):
            grown = self._find_grown(begin, end)
            own |= grown.pop(NOBODY, {})
            written += sum(self._anchor(tenant_id, found, now) for tenant_id, found in sorted(grown.items()))
            tenants |= set(grown)
        written += self._anchor(NOBODY, own, now, always=True)
        self._telemetry.count(names.AUDIT_ANCHORS, written)
        self._telemetry.log_event("audit.anchored", anchors=written, tenants=len(tenants))
        return written

    def _find_grown(self, since: datetime, until: datetime) -> dict[str, dict[str, ChainHead]]:
        grown: dict[str, dict[str, ChainHead]] = {}
        for head in self._heads.iter_heads(since, until):
            found = grown.setdefault(find_tenant(head.pk), {})
            known = found.get(head.pk)
            found[head.pk] = head if known is None or head.number > known.number else known
        return grown

    def _anchor(self, tenant_id: str, found: dict[str, ChainHead], now: datetime, *, always: bool = False) -> int:
        newest = self._store.get_newest(tenant_id)
        known = set() if newest is None else set(newest.heads)
        heads = sorted((head for head in found.values() if head not in known), key=lambda head: head.pk)
        parts = [heads[first : first + MAX_HEADS] for first in range(0, len(heads), MAX_HEADS)]
        if not parts and always:
            parts = [[]]
        for part in parts:
            newest = self._append(tenant_id, tuple(part), newest, now)
        return len(parts)

    def _append(
        self, tenant_id: str, heads: tuple[ChainHead, ...], newest: AuditAnchor | None, now: datetime
    ) -> AuditAnchor:
        for _ in range(_TRIES):
            made = AuditAnchor(
                tenant_id=tenant_id,
                number=1 if newest is None else newest.number + 1,
                at=now,
                heads=heads,
                before="" if newest is None else newest.digest,
            ).sign(self._key)
            if self._store.put(made):
                return made
            newest = self._store.get_newest(tenant_id)
        raise StoreUnavailable(f"others write anchors of '{tenant_id}' at the same time")


def _split(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield a time in parts, the oldest first."""
    begin = since
    while until - begin > WINDOW:
        yield begin, begin + WINDOW
        begin += WINDOW
    yield begin, until


def find_tenant(pk: str) -> str:
    """Return whose chain a partition is; what is no tenant's is the deployment's."""
    parts = pk.split("#", 2)
    return parts[1] if parts[0] == "T" and len(parts) == 3 else NOBODY
