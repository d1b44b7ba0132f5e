"""What rates of tools ask of the store of their buckets."""

from typing import Protocol


class TokenBuckets(Protocol):
    """Buckets of tokens. A bucket is full at first, holds ``burst`` tokens, and one comes back in each interval.

    What is stored is the time at which the bucket will be full again; so a bucket that nobody uses needs no write.
    """

    def take(
        self, tenant_id: str | None, bucket: str, call_key: str, *, burst: int, interval_us: int, now_us: int
    ) -> int | None:
        """Take a token and return None, or return how many microseconds are left until there is one.

        The same call takes no second token as long as the bucket remembers it: for its last 128 calls at least.

        Args:
            tenant_id: whose bucket; None for one that all tenants share.
            bucket: which one.
            call_key: the call.
            burst: so many tokens there are in a full bucket.
            interval_us: microseconds in which a token comes back.
            now_us: microseconds since the epoch, by the clock of whoever asks.

        Raises:
            StoreUnavailable: the store did not answer, or others were in the way each time.
        """
        ...
