"""What ends by itself, such as a claim, is renewed for as long as its process works: a killed one leaves it soon."""

import threading
import time
from collections.abc import Callable
from types import TracebackType

from pentad.domain.errors import PentadError, StoreUnavailable

RENEW_SECONDS = 5.0


class Heartbeat:
    """Renews something in a thread of its own until the block ends.

    Make it just before what it renews is taken, and enter it after. It tells by the time alone whether that is still
    held: nobody else takes it before its time is over.

    Args:
        renew: makes it last for ``seconds`` from now; what it raises is tried again at the next turn.
        seconds: how long it lasts.
        spare_seconds: a check fails so long before its end: what a writer does next takes time.
        every: seconds between two turns.
        clock: ``time.monotonic``.
    """

    def __init__(
        self,
        renew: Callable[[], object],
        *,
        seconds: float,
        spare_seconds: float = 0.0,
        every: float = RENEW_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._renew = renew
        self._lasts = seconds - spare_seconds
        self._every = every
        self._clock = clock
        self._renewed_at = clock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> "Heartbeat":
        """Begin to renew it."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Renew it no more; a renewal that is under way comes to its end first."""
        self._ended.set()
        self._thread.join()

    def check(self) -> None:
        """Go on only while it is held.

        Raises:
            StoreUnavailable: it was not renewed for so long that another may have taken it.
        """
        if self._clock() - self._renewed_at > self._lasts:
            raise StoreUnavailable("a claim could not be renewed in time: another writer may have taken it over")

    def _beat(self) -> None:
        while not self._ended.wait(self._every):
            began = self._clock()
            try:
                self._renew()
            except PentadError:
                continue  # its time goes on, and `check` says so
            self._renewed_at = began
