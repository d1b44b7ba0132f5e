"""Let one tenant's messages not hold up another's: so many of a tenant are worked on at once, the others go to the end.

A queue hands out what came first, so a tenant's thousand documents stand before another's one. A message whose tenant
has its share at work goes back as a new one with a wait that grows, which takes milliseconds; the next tenant's
message is then seconds away and not hours. It is sent before the old one is deleted: a crash between both leaves two,
and what works on them is idempotent. A message that went back often enough is worked on all the same.
"""

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pentad.aws.heartbeat import Heartbeat
from pentad.aws.jitter import draw
from pentad.aws.redelivery import SqsRedelivery
from pentad.domain.errors import StoreUnavailable
from pentad.models.shares.ports import ShareStore
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry

# Lambda's own detection of loops, which drops a message after 16 rounds, is off for the function that uses this
# (`infra.components.function.FunctionOptions.sends_again`): this bound takes its place.
MOST_RETURNS = 200
"""At the longest wait that is most of a day: less than the four days that the queue keeps a message."""
_FIRST_SECONDS = 2
_GROWTH = 1.25
"""A wait is about a fifth of the time waited so far, so a share stands empty for about so long at the end. Doubled
waits would be half of it: of a tenant that is alone, half of the time nothing would be worked on."""
_LONGEST_SECONDS = 300
_SLOT_SECONDS = 30.0
"""How long the slot of a process that was killed stays taken. One that is at work is renewed."""
_FIELD = "pentad_returns"


class FairQueue:
    """Holds a slot for each message that is worked on.

    Args:
        shares: where slots are kept.
        queue: sends messages back.
        telemetry: logs and metrics.
        most: messages of one tenant at once.
        clock: ``time.time``.
        random: from 0 up to 1, for jitter.
    """

    def __init__(
        self,
        shares: ShareStore,
        queue: SqsRedelivery,
        telemetry: Telemetry,
        *,
        most: int,
        clock: Callable[[], float] = time.time,
        random: Callable[[], float] = draw,
    ) -> None:
        self._shares = shares
        self._queue = queue
        self._telemetry = telemetry
        self._most = most
        self._clock = clock
        self._random = random

    @contextmanager
    def hold(self, tenant_id: str, queue_arn: str, message: Mapping[str, Any]) -> Iterator[bool]:
        """Hold a slot of the tenant's share, or send the message back; tells which.

        Args:
            tenant_id: whose message.
            queue_arn: the queue that it came by.
            message: its body.

        Raises:
            StoreUnavailable: it could not be sent back.
        """
        returns, slot = _count_returns(message), secrets.token_hex(8)
        taken = self._take(tenant_id, slot)
        if taken is False and returns < MOST_RETURNS:
            self._send_back(queue_arn, message, returns)
            yield False
            return
        with self._keep(tenant_id, slot, taken):
            yield True

    @contextmanager
    def hold_or_refuse(self, tenant_id: str) -> Iterator[None]:
        """Hold a slot of the tenant's share for what comes by no queue, and is tried again by who calls.

        Raises:
            StoreUnavailable: all are held.
        """
        slot = secrets.token_hex(8)
        taken = self._take(tenant_id, slot)
        if taken is False:
            self._telemetry.count(names.SHARE_RETURNS)
            raise StoreUnavailable(f"{self._most} batches of this tenant's documents are at work, its share")
        with self._keep(tenant_id, slot, taken):
            yield

    @contextmanager
    def _keep(self, tenant_id: str, slot: str, taken: bool | None) -> Iterator[None]:
        """Renew a slot for as long as the block runs, and give it back."""
        if not taken:
            yield
            return
        try:
            with Heartbeat(
                lambda: self._shares.renew(tenant_id, slot, until=self._clock() + _SLOT_SECONDS), seconds=_SLOT_SECONDS
            ):
                yield
        finally:
            self._give_back(tenant_id, slot)

    def _take(self, tenant_id: str, slot: str) -> bool | None:
        """Return if a slot was taken; None where nobody knows: a share must not be an outage."""
        now = self._clock()
        try:
            return self._shares.take(tenant_id, slot, most=self._most, now=now, until=now + _SLOT_SECONDS)
        except StoreUnavailable as error:
            self._telemetry.log_event("share.unavailable", level="WARNING", error=error.message)
            return None

    def _give_back(self, tenant_id: str, slot: str) -> None:
        try:
            self._shares.give_back(tenant_id, slot)
        except StoreUnavailable as error:  # it is free when its time is over
            self._telemetry.log_event("share.unavailable", level="WARNING", error=error.message)

    def _send_back(self, queue_arn: str, message: Mapping[str, Any], returns: int) -> None:
        longest = min(_LONGEST_SECONDS, _FIRST_SECONDS * _GROWTH ** min(returns, MOST_RETURNS))
        # Half of it at least: messages that went back together shall not come together.
        seconds = max(1, round(longest * (1 + self._random()) / 2))
        self._queue.send_again(queue_arn, json.dumps({**message, _FIELD: returns + 1}), seconds)
        self._telemetry.count(names.SHARE_RETURNS)


def _count_returns(message: Mapping[str, Any]) -> int:
    found = message.get(_FIELD)
    return found if isinstance(found, int) and not isinstance(found, bool) and found > 0 else 0
