"""Deliver events to targets with bounded retries; what cannot be delivered goes to the dead-letter queue."""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from twin.deploy.deployment import RuleTarget

logger = logging.getLogger(__name__)

_CAPACITY = 10_000
_WORKERS = 4
#: AWS retries for a day; a laptop gives up sooner, so that a failure shows while someone is watching.
_MAXIMUM_ATTEMPTS = 5
_FIRST_DELAY = 0.5
_LONGEST_DELAY = 30.0
_STOP_SECONDS = 5.0


class DeliveryFailed(Exception):
    """A delivery that may work later."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class DeliveryRefused(DeliveryFailed):
    """A delivery that will not work however often it is tried: no permission, no such target."""


@dataclass(frozen=True)
class Delivery:
    """One event on its way to one target. `source_arn` is the rule or schedule it comes from."""

    target: RuleTarget
    body: str
    source_arn: str
    service: str
    event_id: str
    attempts: int = 0
    first: float = 0.0


class Courier(Protocol):
    """Hands a delivery to its target."""

    def send(self, delivery: Delivery) -> None:
        """Send once.

        Raises:
            DeliveryFailed: worth another attempt.
            DeliveryRefused: not worth one.
        """

    def send_to_dlq(self, delivery: Delivery, error: DeliveryFailed) -> None:
        """Put the delivery into its target's dead-letter queue.

        Raises:
            DeliveryFailed: the queue did not take it.
        """


class DeliveryQueue:
    """A bounded queue with worker threads; deliveries wait in it until they are due."""

    def __init__(
        self,
        courier: Courier,
        *,
        clock: Callable[[], float] = time.monotonic,
        first_delay: float = _FIRST_DELAY,
        capacity: int = _CAPACITY,
    ) -> None:
        self._courier, self._clock = courier, clock
        self._first_delay, self._capacity = first_delay, capacity
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, int, Delivery]] = []
        self._number = itertools.count()
        self._active = 0
        self._stopped = False
        self._threads = [
            threading.Thread(target=self._run_worker, name=f"delivery-{index}", daemon=True)
            for index in range(_WORKERS)
        ]
        for thread in self._threads:
            thread.start()

    def put(self, delivery: Delivery) -> None:
        """Take a delivery; when the queue is full it is buried at once, and said so in the log."""
        with self._changed:
            full = len(self._waiting) >= self._capacity
            if not full:
                self._push(replace(delivery, first=self._clock()), self._clock())
        if full:
            self._give_up(delivery, DeliveryFailed("QueueFull", f"{self._capacity} deliveries are waiting"))

    def is_idle(self) -> bool:
        """Tell whether nothing is waiting or under way."""
        with self._changed:
            return not self._waiting and not self._active

    def stop(self) -> None:
        """End the workers; what still waits is dropped, and counted in the log."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(_STOP_SECONDS)
        if self._waiting:
            logger.warning("%d events were not delivered, since the twin stopped", len(self._waiting))

    def _push(self, delivery: Delivery, due: float) -> None:
        heapq.heappush(self._waiting, (due, next(self._number), delivery))
        self._changed.notify()

    def _take(self) -> Delivery | None:
        with self._changed:
            while not self._stopped:
                delay = self._waiting[0][0] - self._clock() if self._waiting else None
                if delay is not None and delay <= 0:
                    self._active += 1
                    return heapq.heappop(self._waiting)[2]
                self._changed.wait(delay)
            return None

    def _run_worker(self) -> None:
        while (delivery := self._take()) is not None:
            try:
                self._try_send(replace(delivery, attempts=delivery.attempts + 1))
            except Exception:  # boundary: one delivery must not end its worker
                logger.exception("delivery of %s to %s failed", delivery.event_id, delivery.target.arn)
            finally:
                with self._changed:
                    self._active -= 1

    def _try_send(self, delivery: Delivery) -> None:
        try:
            self._courier.send(delivery)
        except DeliveryRefused as error:
            self._give_up(delivery, error)
        except DeliveryFailed as error:
            allowed = min(delivery.target.maximum_retries, _MAXIMUM_ATTEMPTS - 1)
            too_old = self._clock() - delivery.first >= delivery.target.maximum_age
            if delivery.attempts > allowed or too_old:
                self._give_up(delivery, error)
                return
            delay = min(self._first_delay * 2 ** (delivery.attempts - 1), _LONGEST_DELAY)
            logger.info("event %s to %s: %s; again in %.1f s", delivery.event_id, delivery.target.arn, error, delay)
            with self._changed:
                self._push(delivery, self._clock() + delay)

    def _give_up(self, delivery: Delivery, error: DeliveryFailed) -> None:
        logger.error(
            "event %s was not delivered to %s after %d attempts: %s",
            delivery.event_id,
            delivery.target.arn,
            delivery.attempts,
            error,
        )
        if delivery.target.dead_letter_arn is None:
            return
        try:
            self._courier.send_to_dlq(delivery, error)
        except DeliveryFailed as burial:
            logger.error("event %s did not reach its dead-letter queue: %s", delivery.event_id, burial)
