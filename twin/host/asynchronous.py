"""Event invocations: queued, run by a few workers, tried again twice, then handed to the on-failure callback."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from twin.host.model import AsyncFailure, HostError, HostLimits, InvokeResult, TooManyRequests
from twin.host.registry import Target

logger = logging.getLogger(__name__)
STOP_SECONDS: Final = 5.0

Run = Callable[[Target, bytes, str, str | None], InvokeResult]
OnFailure = Callable[[AsyncFailure], None]


@dataclass(frozen=True, slots=True)
class _Job:
    target: Target
    payload: bytes
    request_id: str
    trace_header: str | None
    attempt: int = 1


class AsyncInvoker:
    """The queue of asynchronous invocations and its workers."""

    def __init__(self, run: Run, limits: HostLimits) -> None:
        self._run = run
        self._limits = limits
        self._jobs: queue.Queue[_Job | None] = queue.Queue(limits.async_backlog)
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._timers: set[threading.Timer] = set()
        self._lock = threading.Lock()
        self.on_failure: OnFailure | None = None

    def submit(self, target: Target, payload: bytes, request_id: str, trace_header: str | None) -> None:
        """Queue an invocation.

        Raises:
            TooManyRequests: The queue is full.
        """
        self._start_workers()
        try:
            self._jobs.put_nowait(_Job(target, payload, request_id, trace_header))
        except queue.Full:
            raise TooManyRequests("CallerRateLimitExceeded") from None

    def _start_workers(self) -> None:
        with self._lock:
            while len(self._threads) < self._limits.async_workers and not self._stopping.is_set():
                thread = threading.Thread(target=self._run_worker, name="function-async", daemon=True)
                self._threads.append(thread)
                thread.start()

    def _run_worker(self) -> None:
        while (job := self._jobs.get()) is not None:
            if self._stopping.is_set():
                return
            self._try_job(job)

    def _try_job(self, job: _Job) -> None:
        result: InvokeResult | None = None
        reason = ""
        try:
            result = self._run(job.target, job.payload, job.request_id, job.trace_header)
            if result.function_error is None:
                return
            reason = result.payload.decode("utf-8", "replace")
        except HostError as exc:
            reason = f"{exc.code}: {exc}"
        if self._stopping.is_set():
            return
        if job.attempt <= min(job.target.spec.asynchronous_retries, len(self._limits.async_retry_seconds)):
            self._retry(job)
        else:
            self._give_up(job, result, reason)

    def _retry(self, job: _Job) -> None:
        timer = threading.Timer(
            self._limits.async_retry_seconds[job.attempt - 1],
            self._requeue,
            (replace(job, attempt=job.attempt + 1),),
        )
        timer.name = "function-retry"
        timer.daemon = True
        with self._lock:
            if self._stopping.is_set():
                return
            self._timers = {other for other in self._timers if other.is_alive()}
            self._timers.add(timer)
            timer.start()

    def _requeue(self, job: _Job) -> None:
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            self._give_up(job, None, "the queue of asynchronous invocations is full")

    def _give_up(self, job: _Job, result: InvokeResult | None, reason: str) -> None:
        spec = job.target.spec
        logger.warning("asynchronous invocation of %s failed after %d attempts: %s", spec.name, job.attempt, reason)
        if self.on_failure is not None:
            self.on_failure(AsyncFailure(spec, job.request_id, job.payload, job.attempt, result, reason))

    def stop(self) -> None:
        """Drop what is queued and end the workers."""
        self._stopping.set()
        with self._lock:
            for timer in self._timers:
                timer.cancel()
        while not self._jobs.empty():
            try:
                self._jobs.get_nowait()
            except queue.Empty:
                break
        for _ in self._threads:
            self._jobs.put(None, timeout=STOP_SECONDS)
        for thread in self._threads:
            thread.join(STOP_SECONDS)
