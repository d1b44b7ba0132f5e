"""What rates ask of their store."""

from typing import Protocol


class RateCounter(Protocol):
    """Counts requests in windows of time."""

    def take(self, tenant_id: str, subject: str, *, window: int, most: int, count: int = 1) -> bool:
        """Count requests if fewer than ``most`` are counted; tell if they were.

        Args:
            tenant_id: whose requests they are.
            subject: what is counted within the tenant, such as ``key#abc``.
            window: epoch seconds at which the window began.
            most: requests in a window.
            count: how many are counted at once.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...
