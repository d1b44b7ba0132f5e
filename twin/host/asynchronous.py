"""Event invocations: queued, run by a few workers, tried again, then handed to the on-failure callback.

As Lambda does it (developer guide, "How Lambda handles errors and retries with asynchronous invocation"): an error of
the function is tried again after one minute and then after two. What was throttled, or failed by the service, is tried
again with growing waits and counts as no attempt, until the event is older than the function's configuration allows.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from twin.host.model import AsyncFailure, HostError, HostLimits, InvokeResult, TooManyRequests
from twin.host.registry import Target

logger = logging.getLogger(__name__)
STOP_SECONDS: Final = 5.0
_DOUBLINGS: Final = 16
_LOOK_SECONDS: Final = 0.1
"""How often a clock that is not the machine's is looked at while something waits: it tells nobody that it was moved."""

Run = Callable[[Target, bytes, str, str | None], InvokeResult]
OnFailure = Callable[[AsyncFailure], None]


@dataclass(frozen=True, slots=True)
class _Job:
    target: Target
    payload: bytes
    request_id: str
    trace_header: str | None
    expires: float
    """In the clock's seconds."""
    runs: int = 0
    refusals: int = 0


class AsyncInvoker:
    """The queue of asynchronous invocations and its workers.

    Args:
        run: runs a function once.
        limits: waits, workers, and how much may wait.
        read_seconds: the clock of waits and of events' age; it may stand still, or jump. None: the machine's own.
    """

    def __init__(self, run: Run, limits: HostLimits, read_seconds: Callable[[], float] | None = None) -> None:
        self._run = run
        self._limits = limits
        self._read_seconds = read_seconds or time.monotonic
        self._longest_look = None if read_seconds is None else _LOOK_SECONDS
        self._changed = threading.Condition()
        self._ready: deque[_Job] = deque()
        self._later: list[tuple[float, int, _Job]] = []
        self._numbers = itertools.count()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self.on_failure: OnFailure | None = None

    def submit(self, target: Target, payload: bytes, request_id: str, trace_header: str | None) -> None:
        """Queue an invocation.

        Raises:
            TooManyRequests: The queue is full; what waits for another attempt counts.
        """
        expires = self._read_seconds() + target.spec.asynchronous_seconds * self._limits.async_scale
        with self._changed:
            self._start_workers()
            if len(self._ready) + len(self._later) >= self._limits.async_backlog:
                raise TooManyRequests("CallerRateLimitExceeded")
            self._ready.append(_Job(target, payload, request_id, trace_header, expires))
            self._changed.notify()

    def _start_workers(self) -> None:
        while len(self._threads) < self._limits.async_workers and not self._stopping.is_set():
            thread = threading.Thread(target=self._run_worker, name="function-async", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _run_worker(self) -> None:
        while (job := self._take()) is not None:
            self._try_job(job)

    def _take(self) -> _Job | None:
        """Wait for a job whose time has come; None once the host stops."""
        with self._changed:
            while not self._stopping.is_set():
                now = self._read_seconds()
                while self._later and self._later[0][0] <= now:
                    self._ready.append(heapq.heappop(self._later)[2])
                if self._ready:
                    return self._ready.popleft()
                self._changed.wait(self._choose_wait(now))
        return None

    def _choose_wait(self, now: float) -> float | None:
        """Return how long a worker waits for a job, in the machine's seconds; None until it is told of one."""
        if not self._later:
            return None
        wait = self._later[0][0] - now
        return wait if self._longest_look is None else min(wait, self._longest_look)

    def _try_job(self, job: _Job) -> None:
        if self._read_seconds() >= job.expires:
            self._give_up(job, None, "the event is older than the function's configuration allows", expired=True)
            return
        try:
            result = self._run(job.target, job.payload, job.request_id, job.trace_header)
        except HostError as exc:
            if not self._stopping.is_set():
                self._handle_refusal(replace(job, refusals=job.refusals + 1), exc)
            return
        if result.function_error is not None and not self._stopping.is_set():
            self._handle_error(replace(job, runs=job.runs + 1, refusals=0), result)

    def _handle_error(self, job: _Job, result: InvokeResult) -> None:
        waits = self._limits.async_retry_seconds
        if job.runs > min(job.target.spec.asynchronous_retries, len(waits)):
            self._give_up(job, result, result.payload.decode("utf-8", "replace"))
        else:
            self._retry(job, waits[job.runs - 1], result)

    def _handle_refusal(self, job: _Job, error: HostError) -> None:
        reason = f"{error.code}: {error}"
        if error.status != TooManyRequests.status and error.status < 500:  # no wait would mend it
            self._give_up(job, None, reason, status=error.status)
            return
        logger.debug("an asynchronous invocation of '%s' was refused: %s", job.target.spec.name, reason)
        first, longest = self._limits.async_throttle_seconds
        self._retry(job, min(longest, first * 2.0 ** min(job.refusals - 1, _DOUBLINGS)), None, reason, error.status)

    def _retry(
        self, job: _Job, seconds: float, result: InvokeResult | None, reason: str = "", status: int = 200
    ) -> None:
        """Try again later, or give up at once where the event would be too old by then."""
        wait = seconds * self._limits.async_scale
        if self._read_seconds() + wait >= job.expires:
            reason = reason or "the event would be too old for another attempt"
            self._give_up(job, result, reason, status=status, expired=True)
            return
        with self._changed:
            heapq.heappush(self._later, (self._read_seconds() + wait, next(self._numbers), job))
            self._changed.notify()

    def _give_up(
        self, job: _Job, result: InvokeResult | None, reason: str, *, status: int = 200, expired: bool = False
    ) -> None:
        spec = job.target.spec
        logger.warning("asynchronous invocation of '%s' failed after %d attempts: %s", spec.name, job.runs, reason)
        if self.on_failure is not None:
            failure = AsyncFailure(spec, job.request_id, job.payload, job.runs, result, reason, status, expired)
            self.on_failure(failure)

    def stop(self) -> None:
        """Drop what is queued and end the workers."""
        self._stopping.set()
        with self._changed:
            self._ready.clear()
            self._later.clear()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(STOP_SECONDS)
