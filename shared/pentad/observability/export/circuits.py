"""Keep a target that hangs from keeping the others waiting: their shares are in the same queue."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from pentad.domain.errors import ToolUnavailable

SLOW_SECONDS: Final = 3.0
"""A failure that took longer opens the circuit; one that is told at once keeps nobody waiting."""
OPEN_SECONDS: Final = 60.0


class TargetCircuits:
    """One circuit a target, in this process.

    Args:
        clock: seconds, ``time.monotonic``.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open_until: dict[str, float] = {}

    @contextmanager
    def guard(self, name: str) -> Iterator[None]:
        """Ask a target inside; one that hung a moment ago is not asked.

        Raises:
            ToolUnavailable: its circuit is open; ``retry_after`` says how long.
        """
        left = self._open_until.get(name, 0.0) - self._clock()
        if left > 0:
            raise ToolUnavailable("the traces' target did not answer a moment ago", retry_after=left)
        began = self._clock()
        try:
            yield
        except ToolUnavailable:
            if self._clock() - began >= SLOW_SECONDS:
                self._open_until[name] = self._clock() + OPEN_SECONDS
            raise
