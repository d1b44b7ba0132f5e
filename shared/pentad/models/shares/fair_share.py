"""A tenant's fair share of the gateway: so many of its calls run at once, and one more is told to come again.

A share must not be an outage: where its store does not answer, calls go through.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pentad.domain.errors import ModelThrottled, StoreUnavailable
from pentad.models.shares.ports import SHARE_FIELD, ShareStore
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry

SLOT_SECONDS = 310.0
"""A little more than the gateway's function runs: whoever holds a slot for longer is dead."""
_RETRY_SECONDS = 2.0


class FairShare:
    """Holds a slot for each call.

    Args:
        store: where slots are kept.
        telemetry: logs and metrics.
        most: calls of one tenant at once.
        clock: ``time.time``.
    """

    def __init__(
        self, store: ShareStore, telemetry: Telemetry, *, most: int, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._telemetry = telemetry
        self._most = most
        self._clock = clock

    @contextmanager
    def hold(self, tenant_id: str) -> Iterator[None]:
        """Hold a slot of the tenant's share.

        Raises:
            ModelThrottled: the tenant's calls hold all of them.
        """
        slot = self._take(tenant_id)
        try:
            yield
        finally:
            self._give_back(tenant_id, slot)

    def _take(self, tenant_id: str) -> str:
        slot, now = secrets.token_hex(8), self._clock()
        try:
            taken = self._store.take(tenant_id, slot, most=self._most, now=now, until=now + SLOT_SECONDS)
        except StoreUnavailable as error:
            self._telemetry.log_event("share.unavailable", level="WARNING", error=error.message)
            return slot  # it may have been taken all the same
        except Exception:
            self._give_back(tenant_id, slot)
            raise
        if not taken:
            self._telemetry.count(names.SHARE_REFUSALS)
            raise ModelThrottled(
                f"this tenant has {self._most} model calls running, the most that it may",
                retry_after=_RETRY_SECONDS,
                field=SHARE_FIELD,
                fix="wait until some have ended",
            )
        return slot

    def _give_back(self, tenant_id: str, slot: str) -> None:
        try:
            self._store.give_back(tenant_id, slot)
        except Exception as error:  # a boundary: it is free when its time is over, and the reply is here and paid for
            self._telemetry.log_event("share.unavailable", level="WARNING", error=type(error).__name__)
