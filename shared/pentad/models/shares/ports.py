"""What a fair share asks of its store."""

from typing import Protocol

SHARE_FIELD = "share"
"""The field of the error of a call beyond its tenant's share, by which a caller knows that nothing was asked."""


class ShareStore(Protocol):
    """Keeps the slots that a tenant's calls hold. A slot whose process died is free again when its time is over."""

    def take(self, tenant_id: str, slot: str, *, most: int, now: float, until: float) -> bool:
        """Take a slot if fewer than ``most`` are held; tell if it was taken.

        Args:
            tenant_id: whose.
            slot: names it; no two calls use one name.
            most: slots of a tenant.
            now: epoch seconds.
            until: when it is free again if nobody gives it back.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def renew(self, tenant_id: str, slot: str, *, until: float) -> None:
        """Let a slot that is held end later; one that is not held (any more) is left alone.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def give_back(self, tenant_id: str, slot: str) -> None:
        """Free a slot; one that is not held (any more) is left alone.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...
