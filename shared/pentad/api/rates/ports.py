"""What rates ask of their store."""

from typing import Protocol


class RateCounter(Protocol):
    """Counts requests in windows of time."""

    def take(self, tenant_id: str, subject: str, *, window: int, most: int) -> bool:
        """Count one request if fewer than ``most`` are counted; tell if it was.

        Args:
            tenant_id: whose requests they are.
            subject: what is counted within the tenant, such as ``key#abc``.
            window: epoch seconds at which the window began.
            most: requests in a window.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...
