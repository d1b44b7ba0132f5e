"""Puts functions' log lines into the local CloudWatch Logs, off the path of invocations."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from moto.logs.exceptions import ResourceAlreadyExistsException, ResourceNotFoundException

from pentad.local.front.account import MotoAccount
from pentad.local.host.model import LogEvent

logger = logging.getLogger(__name__)

QUEUE_BATCHES: Final = 10_000
STOP_SECONDS: Final = 5.0
MAX_KNOWN_STREAMS: Final = 10_000
_Batch = tuple[str, str, list[LogEvent]]


class CloudWatchLogSink:
    """A log sink with a bounded queue and one writer thread. What does not fit is dropped, counted and reported."""

    def __init__(self, account: MotoAccount, max_batches: int = QUEUE_BATCHES) -> None:
        self._account = account
        self._queue: queue.Queue[_Batch | None] = queue.Queue(max_batches)
        self._known: set[tuple[str, str]] = set()
        self._guard = threading.Lock()
        self._dropped = 0
        self._thread = threading.Thread(target=self._work, name="log-sink", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """How many lines were dropped because the queue was full."""
        with self._guard:
            return self._dropped

    def write(self, log_group: str, log_stream: str, events: Sequence[LogEvent]) -> None:
        """Take lines; never blocks."""
        try:
            self._queue.put_nowait((log_group, log_stream, list(events)))
        except queue.Full:
            with self._guard:
                first = self._dropped == 0
                self._dropped += len(events)
            if first:
                logger.warning("log lines are dropped: the local CloudWatch Logs cannot keep up")

    def flush(self, seconds: float = STOP_SECONDS) -> bool:
        """Wait until what was taken is written; False if that took too long."""
        deadline = time.monotonic() + seconds
        with self._queue.all_tasks_done:
            while self._queue.unfinished_tasks:
                remaining = deadline - time.monotonic()
                if remaining <= 0 or not self._queue.all_tasks_done.wait(remaining):
                    return False
        return True

    def stop(self) -> None:
        """Write what is queued and end the thread. Idempotent."""
        if not self._thread.is_alive():
            return
        self.flush()
        with suppress(queue.Full):
            self._queue.put(None, timeout=STOP_SECONDS)
        self._thread.join(STOP_SECONDS)
        if self.dropped:
            logger.warning("%d log lines were dropped", self.dropped)

    def _work(self) -> None:
        while True:
            batch = self._queue.get()
            try:
                if batch is None:
                    return
                self._put(*batch)
            except Exception:  # the boundary: a line that moto refuses must not end the thread
                logger.exception("the local CloudWatch Logs refused lines of %s", batch[0] if batch else "")
            finally:
                self._queue.task_done()

    def _put(self, group: str, stream: str, events: list[LogEvent]) -> None:
        backend = self._account.backend("logs")
        if (group, stream) not in self._known:
            self._create(backend, group, stream)
        fields = [{"timestamp": event.timestamp_ms, "message": event.message} for event in events]
        try:
            backend.put_log_events(group, stream, fields)
        except ResourceNotFoundException:  # the group was deleted and made again meanwhile
            self._create(backend, group, stream)
            backend.put_log_events(group, stream, fields)

    def _create(self, backend: Any, group: str, stream: str) -> None:
        """Make group and stream, as Lambda does for a function whose group does not exist."""
        if group not in backend.groups:
            with suppress(ResourceAlreadyExistsException):
                backend.create_log_group(log_group_name=group, tags={}, kmsKeyId=None)
        with suppress(ResourceAlreadyExistsException):
            backend.create_log_stream(group, stream)
        if len(self._known) >= MAX_KNOWN_STREAMS:
            self._known.clear()
        self._known.add((group, stream))
