"""The clock of a call: it stands while the call waits for a process, which calls do not do on AWS.

AWS runs up to a thousand calls at once, and starts a call in a second or so. On a laptop calls wait for each other,
so a caller's time limit (a task's `TimeoutSeconds`, API Gateway's 30 s) counts from when a function has the event.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from weakref import WeakValueDictionary

HEADER: Final = "x-twin-call"
"""The request header that names the clock of the caller."""
_LEAST_WAIT: Final = 0.05

_known: WeakValueDictionary[str, CallClock] = WeakValueDictionary()
_current = threading.local()


class CallClock:
    """Seconds that count for a caller's time limit. Thread-safe."""

    def __init__(self, *, held: bool = False) -> None:
        self.id = uuid.uuid4().hex
        self._lock = threading.Lock()
        self._spent = 0.0
        self._since: float | None = None if held else time.monotonic()
        _known[self.id] = self

    def hold(self) -> None:
        """Stop counting."""
        with self._lock:
            if self._since is not None:
                self._spent += time.monotonic() - self._since
                self._since = None

    def run(self) -> None:
        """Count on."""
        with self._lock:
            if self._since is None:
                self._since = time.monotonic()

    def read_seconds(self) -> float:
        """Return the seconds that count so far."""
        with self._lock:
            return self._spent + (0.0 if self._since is None else time.monotonic() - self._since)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait for the event for so many seconds that count; tell whether it came.

        It ends: the host bounds how long a call waits for a process.
        """
        while not event.wait(max(_LEAST_WAIT, seconds - self.read_seconds())):
            if self.read_seconds() >= seconds:
                return event.is_set()
        return True


@contextmanager
def in_use(clock: CallClock) -> Iterator[None]:
    """Make a clock that of the calls that this thread makes."""
    _current.clock = clock
    try:
        yield
    finally:
        _current.clock = None


def current_id() -> str | None:
    """Return the id of this thread's clock, to be sent in `HEADER`."""
    clock: CallClock | None = getattr(_current, "clock", None)
    return None if clock is None else clock.id


def find(clock_id: str | None) -> CallClock | None:
    """Return the clock that a request names; None where nobody waits by it."""
    return None if clock_id is None else _known.get(clock_id)
