"""One execution environment: a process, its Runtime API endpoint and its log, run by one thread at a time."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

import psutil

from twin.host.model import FunctionSpec
from twin.host.processes.endpoint import EndpointError, RuntimeEndpoint, RuntimeRequest
from twin.host.processes.environment import FunctionStart
from twin.host.processes.output import InstanceLog
from twin.host.processes.spawner import FunctionProcess, ProcessPlan, Spawner, kill_group

MEGABYTE: Final = 1024 * 1024
EXIT_GRACE_SECONDS: Final = 2.0


class End(StrEnum):
    """How a wait for the process ended other than with a request."""

    EXITED = "exited"
    TIMED_OUT = "timed out"
    OUT_OF_MEMORY = "out of memory"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Event:
    """One invocation as the runtime client receives it. The deadline is in epoch milliseconds."""

    request_id: str
    payload: bytes
    deadline_ms: int
    function_arn: str
    trace_id: str

    def to_headers(self) -> dict[str, str]:
        """Return the headers of the Runtime API's "next" response."""
        return {
            "Lambda-Runtime-Aws-Request-Id": self.request_id,
            "Lambda-Runtime-Deadline-Ms": str(self.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": self.function_arn,
            "Lambda-Runtime-Trace-Id": self.trace_id,
        }


@dataclass(frozen=True, slots=True)
class Start:
    """What an instance needs to start, beyond its function."""

    spawner: Spawner
    log: InstanceLog
    endpoint: RuntimeEndpoint
    function: FunctionStart
    environment: Mapping[str, str]
    scratch: Path
    watch_seconds: float


@dataclass(slots=True, eq=False)
class Instance:
    """A running process of one function. Not thread-safe: the pool hands it to one thread at a time."""

    spec: FunctionSpec
    start: Start
    idle_since: float = 0.0
    peak_mb: int = 0
    init_ms: float | None = None
    _process: FunctionProcess | None = None
    _pidfd: int = -1
    _next: RuntimeRequest | None = None
    _output_open: bool = True
    _stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def log(self) -> InstanceLog:
        """The instance's log."""
        return self.start.log

    @property
    def pid(self) -> int | None:
        """Process id, None before the start."""
        return self._process.pid if self._process else None

    def launch(self) -> None:
        """Start the process.

        Raises:
            OSError: It cannot be started.
        """
        plan = ProcessPlan(self.start.function, self.start.environment, self.log.write_end)
        self._process = self.start.spawner.spawn(plan)
        self.log.close_write_end()
        self.start.endpoint.watch(self.log.descriptor)
        with suppress(AttributeError, OSError):  # Linux only; elsewhere the end is seen at the next look
            self._pidfd = os.pidfd_open(self._process.pid)
            self.start.endpoint.watch(self._pidfd)

    def wait_ready(self, deadline: float) -> RuntimeRequest | End:
        """Wait until the runtime asks for work; return that request, or its init error, or how it ended."""
        if self._next is not None:
            return self._next
        got = self.wait_request(deadline)
        if isinstance(got, RuntimeRequest) and got.path == "invocation/next":
            self._next = got
        return got

    def wait_request(self, deadline: float) -> RuntimeRequest | End:
        """Wait for the next request of the runtime, reading its output and watching its memory meanwhile.

        `deadline` is on the monotonic clock.
        """
        while True:
            remaining = deadline - time.monotonic()
            if self._stopping.is_set():
                return End.STOPPED
            if remaining <= 0:
                return End.TIMED_OUT
            try:
                request, ready = self.start.endpoint.wait(min(self.start.watch_seconds, remaining))
            except (EndpointError, OSError):
                return End.EXITED
            if self.log.descriptor in ready:
                self._read_output()
            if request is not None:
                return request
            if self._has_exited():
                # Its last request may have arrived between the wait and this look.
                request, _ = self.start.endpoint.wait(0)
                return request if request is not None else End.EXITED
            if self.measure_memory_mb() > self.spec.memory_mb:
                return End.OUT_OF_MEMORY

    def dispatch(self, event: Event) -> bool:
        """Hand an invocation to the waiting runtime; False if it is gone."""
        request, self._next = self._next, None
        assert request is not None, "dispatch() follows wait_ready()"  # noqa: S101
        try:
            request.connection.send_response(200, event.to_headers(), event.payload)
        except OSError:
            return False
        return True

    def acknowledge(self, request: RuntimeRequest, status: int, body: bytes) -> None:
        """Answer a result that the runtime posted; its connection may be gone already."""
        with suppress(OSError):
            request.connection.send_response(status, {}, body)

    def is_alive(self) -> bool:
        """Read what an idle instance printed; False if it has ended."""
        self._read_output()
        return not self._has_exited()

    def wait_exit(self) -> int:
        """Wait a moment for the process to end, killing it after that, and return its exit code."""
        if self._process is None:
            return 1
        try:
            return self._process.wait(EXIT_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            kill_group(self._process)
            return self._process.returncode if self._process.returncode is not None else -9

    def measure_memory_mb(self) -> int:
        """Resident memory now, in MB rounded up; remembered as the peak."""
        try:
            assert self._process is not None  # noqa: S101 - only called on a started instance
            resident = psutil.Process(self._process.pid).memory_info().rss
        except psutil.Error:
            return 0
        megabytes = -(-resident // MEGABYTE)
        self.peak_mb = max(self.peak_mb, megabytes)
        return megabytes

    def interrupt(self) -> None:
        """Tell the thread that uses this instance to give up: the host stops. Kills the process."""
        self._stopping.set()
        if self._process is not None:
            kill_group(self._process)

    def close(self) -> None:
        """Kill the process, read its last words, and free everything. Idempotent."""
        if self._process is not None:
            kill_group(self._process)
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1
        self.start.endpoint.close()
        self.log.close()
        shutil.rmtree(self.start.scratch, ignore_errors=True)

    def _has_exited(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _read_output(self) -> None:
        if self._output_open and not self.log.read_output():
            self._output_open = False
            self.start.endpoint.unwatch(self.log.descriptor)
