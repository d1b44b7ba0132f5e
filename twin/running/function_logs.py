"""Take the log lines of functions and put them into the local CloudWatch Logs, off the path of invocations."""

import json
import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from twin.host.model import LogEvent

FOLDER: Final = "PENTAD_TWIN_LINES"
"""The variable that names a folder; a twin leaves all lines of functions there when it stops. Without it, it does not.
"""
_PREFIX: Final = "/aws/lambda/"
logger = logging.getLogger(__name__)

_CAPACITY = 20_000
_STOP_SECONDS = 5.0

_Lines = tuple[str, str, tuple[LogEvent, ...]]


class FunctionLogs:
    """A sink for the function host: a bounded queue and one writer. When it is full, lines are dropped and counted."""

    def __init__(self, account: str, region: str) -> None:
        self._account, self._region = account, region
        self._queue: queue.Queue[_Lines | None] = queue.Queue(_CAPACITY)
        self._streams: set[tuple[str, str]] = set()
        self._dropped = 0
        self._listener: Callable[[str, str, Sequence[LogEvent]], None] | None = None
        self._busy = threading.Event()
        self._thread = threading.Thread(target=self._run, name="function-logs", daemon=True)
        self._thread.start()

    def write(self, log_group: str, log_stream: str, events: Sequence[LogEvent]) -> None:
        """Take lines of one stream; never blocks."""
        try:
            self._queue.put_nowait((log_group, log_stream, tuple(events)))
        except queue.Full:
            self._dropped += len(events)

    def listen(self, listener: Callable[[str, str, Sequence[LogEvent]], None] | None) -> None:
        """Have the lines of a stream told once they are stored; None for nobody."""
        self._listener = listener

    def flush(self, seconds: float = _STOP_SECONDS) -> bool:
        """Wait until everything taken so far is written; False if that takes too long."""
        deadline = time.monotonic() + seconds
        while self._queue.unfinished_tasks:
            if time.monotonic() > deadline:
                return False
            self._busy.wait(0.01)
        return True

    def stop(self) -> None:
        """Write what is left and end."""
        try:
            self._queue.put(None, timeout=_STOP_SECONDS)
        except queue.Full:
            logger.warning("the writer of function logs did not end in time: the last lines may be missing")
        self._thread.join(_STOP_SECONDS)
        if self._dropped:
            logger.warning("%d log lines were dropped: functions wrote faster than they were stored", self._dropped)
        write_lines(self._account, self._region)

    def _run(self) -> None:
        while (lines := self._queue.get()) is not None:
            try:
                self._store(*lines)
            except Exception:  # boundary: a line that cannot be stored must not end the writer
                logger.exception("log lines of %s were lost", lines[0])
            finally:
                self._queue.task_done()
        self._queue.task_done()

    def _store(self, group: str, stream: str, events: Sequence[LogEvent]) -> None:
        from moto.logs.models import logs_backends

        backend: Any = logs_backends[self._account][self._region]
        if (group, stream) not in self._streams:
            self._streams.add((group, stream))
            if group not in backend.groups:
                backend.create_log_group(group, {})
            if stream not in backend.groups[group].streams:
                backend.create_log_stream(group, stream)
        lines = [{"timestamp": event.timestamp_ms, "message": event.message} for event in events]
        backend.put_log_events(group, stream, lines)
        if self._listener is not None:
            self._listener(group, stream, events)


def write_lines(account: str, region: str) -> None:
    """Write the lines of all functions into a file of their own: a JSON array of group and line on each line."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return
    from moto.logs.models import logs_backends

    backend: Any = logs_backends[account][region]
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    with (place / f"{os.getpid()}-{time.time_ns()}.jsonl").open("w", encoding="utf-8") as file:
        for name, group in list(backend.groups.items()):
            if not name.startswith(_PREFIX):
                continue
            for stream in list(group.streams.values()):
                file.writelines(json.dumps([name, event.message]) + "\n" for event in list(stream.events))
