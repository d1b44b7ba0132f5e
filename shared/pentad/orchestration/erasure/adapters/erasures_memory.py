"""Receipts of erasures in memory."""

from pentad.orchestration.erasure.ports import Erasure


class MemoryErasures:
    """An `ErasureStore` in memory."""

    def __init__(self) -> None:
        self._erasures: dict[tuple[str, str, str], Erasure] = {}

    def get(self, tenant_id: str, user_hash: str, erasure_id: str) -> Erasure | None:
        """See `ErasureStore`."""
        return self._erasures.get((tenant_id, user_hash, erasure_id))

    def find_newest(self, tenant_id: str, user_hash: str) -> Erasure | None:
        """See `ErasureStore`."""
        own = [place for place in self._erasures if place[:2] == (tenant_id, user_hash)]
        return self._erasures[max(own)] if own else None

    def save(self, erasure: Erasure) -> Erasure | None:
        """See `ErasureStore`."""
        place = (erasure.tenant_id, erasure.user_hash, erasure.erasure_id)
        stored = self._erasures.get(place)
        if erasure.version != (0 if stored is None else stored.version):
            return None
        saved = erasure.model_copy(update={"version": erasure.version + 1})
        self._erasures[place] = saved
        return saved
