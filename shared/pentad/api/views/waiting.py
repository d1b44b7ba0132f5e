"""``Prefer: wait=N`` (RFC 7240): let a client wait for a run instead of asking again and again."""

import re
import time
from collections.abc import Callable

from pentad.api.views.approvals import HumanWaits
from pentad.domain.runs import Run, RunStatus

MOST_SECONDS = 25
"""API Gateway ends a request after 30 s; the rest is for the start of the run and the way back."""
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0
_GROWTH = 1.5
MOST_READS = 31
"""Pauses of 50 ms that grow by half up to 1 s: so many reads in `MOST_SECONDS`; a run of 2 s is read 8 times."""
_WAIT = re.compile(r'wait[ \t]*=[ \t]*"?([0-9]{1,4})"?[ \t]*(?:;.*)?', re.IGNORECASE)


def parse_wait_seconds(prefer: str | None) -> int | None:
    """Return the seconds that a Prefer header asks to wait, at most `MOST_SECONDS`, or None.

    A preference is a wish: one that is not well formed, or is unknown, is not followed, and the answer says which was.
    """
    if prefer is None:
        return None
    for part in prefer.split(","):
        match = _WAIT.fullmatch(part.strip())
        if match is not None:
            return min(int(match[1]), MOST_SECONDS)
    return None


def is_settled(status: RunStatus) -> bool:
    """Tell whether there is nothing more to wait for: a run has ended, or waits for a human itself."""
    return status.ended or status is RunStatus.AWAITING_HUMAN


class RunWaiter:
    """Waits for runs.

    Attributes:
        waits: tells what runs wait for.

    Args:
        waits: tells what runs wait for.
        sleep: pauses; a test passes its own.
        timer: seconds that only go forward.
    """

    def __init__(
        self,
        waits: HumanWaits,
        *,
        sleep: Callable[[float], None] = time.sleep,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self.waits = waits
        self._sleep = sleep
        self._timer = timer

    def __call__(self, run: Run, seconds: float) -> Run:
        """Return the run as it is once it is settled, or when the time is over."""
        end = self._timer() + seconds
        pause = _FIRST_PAUSE
        for _ in range(MOST_READS):
            if is_settled(self.waits.find(run)[0]) or self._timer() >= end:
                break
            self._sleep(min(pause, max(0.0, end - self._timer())))
            pause = min(_LONGEST_PAUSE, pause * _GROWTH)
            run = self.waits.runs.get(run.tenant_id, run.run_id)
        return run
