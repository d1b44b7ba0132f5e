"""What the function host is told and what it answers: specifications, results, limits, logs and errors.

Errors::

    HostError
      FunctionNotFound        no such function, version or alias        (AWS: ResourceNotFoundException, 404)
      TooManyRequests         concurrency or queue bound reached        (AWS: TooManyRequestsException, 429)
      RequestTooLarge         request payload over the limit            (AWS: RequestEntityTooLargeException, 413)
      HostStopped             the host is stopping or was never started (AWS: ServiceException, 500)
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import psutil

from twin.host.clocks import CallClock

LATEST = "$LATEST"

SYNC_PAYLOAD_BYTES = 6_291_456
"""Largest request of a synchronous invocation (AWS Lambda quotas)."""

ASYNC_PAYLOAD_BYTES = 1_048_576
"""Largest request of an asynchronous invocation (AWS Lambda quotas, 1 MB since October 2025)."""

RESPONSE_BYTES = 6_291_556
"""Largest response; AWS names this number in its own error message."""


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """One Lambda function, as the deployer resolved it from the template.

    `layer_dirs` are unpacked layers; each one's `python/` folder is importable after the function's own code.
    A layer of compiled third-party packages is left out by the caller: those come from this environment.
    `asynchronous_retries` and `asynchronous_seconds`, the greatest age of an event, are what the function's
    EventInvokeConfig says; Lambda's own are 2 and six hours.
    """

    name: str
    arn: str
    handler: str
    code_dir: Path
    role_arn: str
    log_group: str
    layer_dirs: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    memory_mb: int = 128
    timeout_seconds: float = 3.0
    reserved_concurrency: int | None = None
    tracing: bool = False
    runtime: str = "python3.13"
    architecture: str = "arm64"
    asynchronous_retries: int = 2
    asynchronous_seconds: float = 21_600.0


@dataclass(frozen=True, slots=True)
class InvokeResult:
    """The outcome of one invocation, in the terms of Lambda's Invoke API.

    `function_error` is None or "Unhandled"; the payload then holds the error object. `log_tail` is the last
    4 KB of the log as text (not base64) when asked for. Durations are in milliseconds.
    """

    status_code: int
    payload: bytes
    function_error: str | None
    log_tail: str | None
    executed_version: str
    request_id: str
    cold: bool
    init_ms: float | None
    duration_ms: float
    max_memory_mb: int

    def json(self) -> Any:
        """Return the payload parsed as JSON.

        Raises:
            ValueError: The payload is not JSON.
        """
        return json.loads(self.payload)


@dataclass(frozen=True, slots=True)
class InvocationReport:
    """One REPORT record, as the log prints it, for traces, benchmarks and metrics.

    `failed` is what the metric Errors counts: also an error that the function raised, of which the log says success.
    """

    function: str
    request_id: str
    started_ms: int
    duration_ms: float
    init_ms: float | None
    max_memory_mb: int
    status: str
    trace_id: str | None
    failed: bool = False


class LogEvent(NamedTuple):
    """One log line with its time in milliseconds since the epoch."""

    timestamp_ms: int
    message: str


class LogSink(Protocol):
    """Where a function's log lines go. Must not block: it is called on the path of invocations."""

    def write(self, log_group: str, log_stream: str, events: Sequence[LogEvent]) -> None:
        """Take lines of one stream, in order."""


class Share(StrEnum):
    """Whose processes a call may take: those for HTTP APIs, those for all else, or one beside them (see `pool`)."""

    API = "api"
    RUNS = "runs"
    NESTED = "nested"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a call comes from.

    Attributes:
        role_arn: the role of the caller; a function's own role makes the call a nested one.
        api: whether an HTTP API calls.
        clock: of the caller's time limit; it stands until the function has the event.
    """

    role_arn: str | None = None
    api: bool = False
    clock: CallClock | None = None


CONCURRENCY: Final = 1_000
"""Concurrent executions of an account, unless AWS has granted it another number (AWS Lambda quotas)."""
_PROCESS_MB: Final = 80
"""What a function's process takes in memory."""
_PROCESSES_A_CORE: Final = 16
"""More would start, at a second of a core each, and wait for a core instead of for a process."""
_FEWEST, _MOST = 16, 64


def count_affordable_processes(functions: int = 0) -> int:
    """Return how many processes of functions this machine has room for: 16 to 64.

    At most 16 a core, and no more than fit into a quarter of its memory. But of more functions each may have one: with
    fewer, functions that are called in turn would end each other's processes, and each call would be a cold start.

    Args:
        functions: how many are deployed.
    """
    memory_mb = psutil.virtual_memory().total // (1024 * 1024)
    wanted = max(_PROCESSES_A_CORE * (os.cpu_count() or 1), functions)
    return max(_FEWEST, min(_MOST, wanted, memory_mb // 4 // _PROCESS_MB))


def _count_starts() -> int:
    return max(2, min(16, os.cpu_count() or 1))


@dataclass(frozen=True, slots=True)
class HostLimits:
    """Bounds of the host. Seconds, megabytes and counts.

    Attributes:
        concurrency: calls at once, those that wait for a process included; calls beyond it are throttled.
        max_running: calls that run at once, but those of HTTP APIs and those that functions make. More would wait for
            a core instead of for a process, and hold meanwhile what they have taken: memory, and a tenant's share.
        max_processes: processes for all but HTTP APIs. A call that a function makes may start one beyond them.
        api_processes: processes for HTTP APIs.
        max_starting: processes that start at once, of each share.
        acquire_seconds: how long a call waits for a process before it is throttled.
        idle_seconds: when the last idle process of a function is ended.
        spare_seconds: when the other idle ones are.
        async_retry_seconds: waits before an event's second and third attempt, after errors of the function.
        async_throttle_seconds: the first and the longest wait before an event that was throttled is tried again;
            each wait is twice the one before.
        async_scale: factor on an event's waits and greatest age.
    """

    concurrency: int = CONCURRENCY
    max_running: int = field(default_factory=count_affordable_processes)
    max_processes: int = field(default_factory=count_affordable_processes)
    api_processes: int = field(default_factory=lambda: count_affordable_processes() // 2)
    max_starting: int = field(default_factory=_count_starts)
    acquire_seconds: float = 1_800.0
    init_seconds: float = 60.0
    idle_seconds: float = 600.0
    spare_seconds: float = 30.0
    watch_seconds: float = 0.05
    async_workers: int = 8
    async_backlog: int = 1_000
    async_retry_seconds: tuple[float, float] = (60.0, 120.0)
    async_throttle_seconds: tuple[float, float] = (1.0, 300.0)
    async_scale: float = 1.0
    reports_kept: int = 10_000


def make_limits(concurrency: int, processes: int | None, time_scale: float = 1.0, *, functions: int = 0) -> HostLimits:
    """Return limits with what a person may set; HTTP APIs get a process for two calls that run, at least two.

    Args:
        concurrency: calls at once.
        processes: processes for all but HTTP APIs; None: as many as fit into the memory.
        time_scale: factor on the waits and the age of asynchronous invocations.
        functions: how many are deployed.

    Raises:
        ValueError: a number is under 1.
    """
    if concurrency < 1 or (processes is not None and processes < 1):
        raise ValueError("'concurrency' and 'processes' must be 1 or more")
    running = count_affordable_processes() if processes is None else processes
    return HostLimits(
        concurrency=concurrency,
        max_running=running,
        max_processes=count_affordable_processes(functions) if processes is None else processes,
        api_processes=max(2, running // 2),
        async_scale=time_scale,
    )


@dataclass(frozen=True, slots=True)
class AsyncFailure:
    """An asynchronous invocation that failed for good, with what an on-failure destination is told.

    Attributes:
        attempts: how often the function ran.
        result: what its last run gave; None where none ran, or the last attempt was refused.
        status: the HTTP status of the last attempt: 200 where the function ran.
        expired: whether the event grew too old, instead of running out of retries.
    """

    spec: FunctionSpec
    request_id: str
    payload: bytes
    attempts: int
    result: InvokeResult | None
    reason: str
    status: int = 200
    expired: bool = False


class HostError(Exception):
    """A call that the host refused; see the module docstring for the tree and AWS's names."""

    code = "ServiceException"
    status = 500

    def to_body(self) -> dict[str, str]:
        """Return the JSON body that AWS sends with this error."""
        return {"Type": "User", "Message": str(self)}


class FunctionNotFound(HostError):
    """No such function, version or alias."""

    code = "ResourceNotFoundException"
    status = 404


class TooManyRequests(HostError):
    """A bound on concurrency or on the queue was reached."""

    code = "TooManyRequestsException"
    status = 429

    def __init__(self, reason: str) -> None:
        super().__init__("Rate Exceeded.")
        self.reason = reason

    def to_body(self) -> dict[str, str]:
        """Return the body; this error spells `message` in lower case, as AWS does."""
        return {"Reason": self.reason, "Type": "User", "message": str(self)}


class RequestTooLarge(HostError):
    """The request payload is over the limit."""

    code = "RequestEntityTooLargeException"
    status = 413


class HostStopped(HostError):
    """The host is not running."""

    def to_body(self) -> dict[str, str]:
        """Return the body of a service-side error."""
        return {"Type": "Service", "Message": str(self)}
