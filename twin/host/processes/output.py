"""Log lines of one instance: its own output cut into lines, and the lines that Lambda adds around them."""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from typing import Final

from twin.host.model import InvocationReport, LogEvent, LogSink

READ_BYTES: Final = 64 * 1024
MAX_LINE_BYTES: Final = 256 * 1024
TAIL_BYTES: Final = 4 * 1024
MAX_READS: Final = 256  # a process that writes without end must not hold the reader


class InstanceLog:
    """Reads the instance's output pipe and writes lines to the sink, in order and with times."""

    def __init__(self, sink: LogSink, group: str, stream: str) -> None:
        self._sink = sink
        self._group = group
        self._stream = stream
        self._partial = bytearray()
        self._tail: deque[str] = deque()
        self._tail_bytes = 0
        self._read_end, self.write_end = os.pipe()
        os.set_blocking(self._read_end, False)

    @property
    def descriptor(self) -> int:
        """The end to watch."""
        return self._read_end

    def close_write_end(self) -> None:
        """Close the host's copy of the process's end."""
        if self.write_end >= 0:
            os.close(self.write_end)
            self.write_end = -1

    def read_output(self) -> bool:
        """Read all output that is there; False once the pipe is at its end."""
        for _ in range(MAX_READS):
            try:
                data = os.read(self._read_end, READ_BYTES)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not data:
                return False
            self._split_lines(data)
        return True

    def _split_lines(self, data: bytes) -> None:
        self._partial += data
        *lines, rest = self._partial.split(b"\n")
        self._partial = rest
        if len(self._partial) > MAX_LINE_BYTES:
            lines.append(self._partial)
            self._partial = bytearray()
        if lines:
            # The runtime client joins the lines of one record with carriage returns, so that it stays one event.
            self.add(*(line.decode("utf-8", "replace").replace("\r", "\n") for line in lines))

    def flush(self) -> None:
        """Write an unfinished last line."""
        if self._partial:
            rest, self._partial = self._partial, bytearray()
            self.add(rest.decode("utf-8", "replace").replace("\r", "\n"))

    def add(self, *lines: str) -> None:
        """Write lines with the present time, skipping empty ones as CloudWatch Logs does."""
        now = int(time.time() * 1000)
        events = [LogEvent(now, line) for line in lines if line]
        if not events:
            return
        for event in events:
            self._tail.append(event.message)
            self._tail_bytes += len(event.message) + 1
        while len(self._tail) > 1 and self._tail_bytes - len(self._tail[0]) > TAIL_BYTES:
            self._tail_bytes -= len(self._tail.popleft()) + 1
        self._sink.write(self._group, self._stream, events)

    def begin(self, request_id: str, version: str) -> None:
        """Start an invocation's lines: the tail begins here."""
        self._tail.clear()
        self._tail_bytes = 0
        self.add(f"START RequestId: {request_id} Version: {version}")

    def end(self, report: InvocationReport, memory_mb: int) -> None:
        """Write what is left of the invocation's output, then END and REPORT."""
        self.read_output()
        self.flush()
        self.add(f"END RequestId: {report.request_id}", format_report(report, memory_mb))

    def get_tail(self) -> str:
        """Return the last 4 KB of this invocation's lines."""
        text = "".join(f"{line}\n" for line in self._tail)
        return text.encode()[-TAIL_BYTES:].decode("utf-8", "ignore")

    def close(self) -> None:
        """Read the rest and close both ends."""
        self.close_write_end()
        self.read_output()
        self.flush()
        with contextlib.suppress(OSError):
            os.close(self._read_end)


def format_report(report: InvocationReport, memory_mb: int) -> str:
    """Return Lambda's REPORT line."""
    billed = int(report.duration_ms + (report.init_ms or 0) + 0.999)
    parts = [
        f"REPORT RequestId: {report.request_id}",
        f"Duration: {report.duration_ms:.2f} ms",
        f"Billed Duration: {billed} ms",
        f"Memory Size: {memory_mb} MB",
        f"Max Memory Used: {report.max_memory_mb} MB",
    ]
    if report.init_ms is not None:
        parts.append(f"Init Duration: {report.init_ms:.2f} ms")
    if report.status != "success":
        parts.append(f"Status: {report.status}")
    return "\t".join(parts)
