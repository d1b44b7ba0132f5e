"""The function host: runs the registered Lambda functions and answers as Lambda's Invoke API does."""

from __future__ import annotations

import logging
import os
import tempfile
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

from twin.host import invocation
from twin.host.asynchronous import AsyncInvoker, OnFailure
from twin.host.model import (
    ASYNC_PAYLOAD_BYTES,
    LATEST,
    SYNC_PAYLOAD_BYTES,
    FunctionSpec,
    HostLimits,
    InvocationReport,
    InvokeResult,
    LogSink,
    Origin,
    RequestTooLarge,
    Share,
)
from twin.host.pool import InstancePool, QueuePlace
from twin.host.processes.endpoint import RuntimeEndpoint
from twin.host.processes.environment import build_environment, describe_start
from twin.host.processes.instance import Instance, Start
from twin.host.processes.output import InstanceLog
from twin.host.processes.spawner import WATCH, Spawner
from twin.host.registry import FunctionRegistry, Target
from twin.private_files import make_private_folder

logger = logging.getLogger(__name__)
REAP_SECONDS: Final = 0.25
STOP_SECONDS: Final = 5.0

CredentialsFor = Callable[[str], Mapping[str, str]]
"""Environment variables with temporary credentials of a role, by its ARN."""


@dataclass(frozen=True, slots=True)
class HostSettings:
    """Where a host lives, and what all its functions have.

    Attributes:
        region: the region functions see.
        state_dir: its state folder.
        extra_environment: variables all functions get.
        watch: how processes learn of the host's end.
        modules: what functions import from their layers and from installed packages, whatever their environment; it
            is imported once for many (see `processes.fork_servers`). Empty: each process starts by itself.
        read_seconds: the clock of the waits and the age of asynchronous invocations. None: the machine's own.
    """

    region: str
    state_dir: Path
    extra_environment: Mapping[str, str]
    watch: str = WATCH
    modules: tuple[str, ...] = ()
    read_seconds: Callable[[], float] | None = None


class FunctionHost:
    """Runs functions, each instance in its own process under the real runtime client.

    Thread-safe. Use it as a context manager, or call `stop`.
    """

    def __init__(
        self,
        sink: LogSink,
        credentials: CredentialsFor,
        settings: HostSettings,
        limits: HostLimits | None = None,
    ) -> None:
        self._sink = sink
        self._credentials = credentials
        self._settings = settings
        self._limits = limits or HostLimits()
        self._registry = FunctionRegistry()
        self._pool = InstancePool(self._limits)
        self._spawner = Spawner(settings.modules)
        self._reports: deque[InvocationReport] = deque(maxlen=self._limits.reports_kept)
        self._stopping = threading.Event()
        make_private_folder(settings.state_dir)
        self._async = AsyncInvoker(self._run, self._limits, settings.read_seconds)
        self._reaper = threading.Thread(target=self._run_reaper, name="function-reaper", daemon=True)
        self._reaper.start()

    def register(self, spec: FunctionSpec) -> None:
        """Add a function, or replace it: calls in flight finish on the earlier code, and published versions keep it."""
        if self._registry.add(spec):
            self._pool.forget(spec.name, keep=self._registry.is_current)

    def unregister(self, name: str) -> None:
        """Forget a function."""
        self._registry.remove(name)
        self._pool.forget(name)

    def restart(self, name: str) -> None:
        """End a function's idle instances: the next call starts anew and remembers nothing."""
        self._pool.forget(name)

    def add_qualifier(self, name: str, qualifier: str, version: str) -> None:
        """Add a version or an alias of a function, so that `name:qualifier` can be invoked."""
        self._registry.add_qualifier(name, qualifier, version)

    def resolve(self, reference: str, qualifier: str | None = None) -> Target:
        """Find a function by name or ARN.

        Raises:
            FunctionNotFound: No such function, version or alias.
        """
        return self._registry.resolve(reference, qualifier)

    def invoke(
        self,
        reference: str,
        payload: bytes,
        *,
        qualifier: str | None = None,
        log_tail: bool = False,
        trace_header: str | None = None,
        origin: Origin | None = None,
    ) -> InvokeResult:
        """Invoke a function and wait for its result, and before that for a process, in order of arrival.

        Raises:
            FunctionNotFound: No such function, version or alias.
            TooManyRequests: A concurrency bound is reached.
            RequestTooLarge: The payload is over 6 MB.
            HostStopped: The host is stopping.
        """
        target = self._registry.resolve(reference, qualifier)
        if len(payload) > SYNC_PAYLOAD_BYTES:
            raise RequestTooLarge(
                f"{len(payload)} byte payload is too large for the RequestResponse invocation type"
                f" (limit {SYNC_PAYLOAD_BYTES} bytes)"
            )
        return self._run(target, payload, str(uuid.uuid4()), trace_header, log_tail=log_tail, origin=origin)

    def invoke_async(
        self,
        reference: str,
        payload: bytes,
        *,
        qualifier: str | None = None,
        trace_header: str | None = None,
    ) -> str:
        """Queue an invocation and return its request id. It is tried again twice when it fails.

        Raises:
            FunctionNotFound: No such function, version or alias.
            TooManyRequests: The queue is full.
            RequestTooLarge: The payload is over 1 MB.
        """
        target = self._registry.resolve(reference, qualifier)
        if len(payload) > ASYNC_PAYLOAD_BYTES:
            raise RequestTooLarge(
                f"{len(payload)} byte payload is too large for the Event invocation type"
                f" (limit {ASYNC_PAYLOAD_BYTES} bytes)"
            )
        request_id = str(uuid.uuid4())
        self._async.submit(target, payload, request_id, trace_header)
        return request_id

    def on_async_failure(self, callback: OnFailure) -> None:
        """Set who is told of asynchronous invocations that failed for good (on-failure destinations)."""
        self._async.on_failure = callback

    def list_reports(self) -> list[InvocationReport]:
        """Return the last REPORT records, oldest first."""
        return list(self._reports)

    def count_waiting(self) -> int:
        """Count the calls that wait for a process."""
        return self._pool.count_waiting()

    def count_instances(self) -> dict[str, int]:
        """Count the running instances of each function."""
        return self._pool.count_instances()

    def list_pids(self) -> list[int]:
        """Return the process ids of the running instances."""
        return self._pool.list_pids()

    def stop(self) -> None:
        """End every process and thread of the host. Idempotent."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        self._pool.stop()
        self._async.stop()
        self._reaper.join(STOP_SECONDS)
        self._spawner.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _run(
        self,
        target: Target,
        payload: bytes,
        request_id: str,
        trace_header: str | None,
        log_tail: bool = False,
        origin: Origin | None = None,
    ) -> InvokeResult:
        origin = origin or Origin()
        place = self._pool.enter(target.spec, self._choose_share(origin))
        trace = trace_header or generate_trace_id(sampled=target.spec.tracing)
        call = invocation.Invocation(request_id, payload, target.invoked_arn, target.version, trace, origin.clock)
        try:
            if origin.clock is not None:
                origin.clock.hold()
            instance, cold, outcome, report = self._run_on_instance(place, call)
            tail = instance.log.get_tail() if log_tail else None
            if outcome.reusable and self._registry.is_current(target.spec):
                self._pool.release(instance)
            else:
                self._pool.discard(instance)
        finally:
            if origin.clock is not None:
                origin.clock.run()
            self._pool.exit(place)
        self._reports.append(report)
        return InvokeResult(
            status_code=200,
            payload=outcome.payload,
            function_error=outcome.function_error,
            log_tail=tail,
            executed_version=target.version,
            request_id=request_id,
            cold=cold,
            init_ms=report.init_ms,
            duration_ms=report.duration_ms,
            max_memory_mb=report.max_memory_mb,
        )

    def _choose_share(self, origin: Origin) -> Share:
        if origin.api:
            return Share.API
        return Share.NESTED if self._registry.has_role(origin.role_arn) else Share.RUNS

    def _run_on_instance(
        self, place: QueuePlace, call: invocation.Invocation
    ) -> tuple[Instance, bool, invocation.Outcome, InvocationReport]:
        while True:
            instance = self._pool.acquire(place)
            cold = instance is None
            if instance is None:
                instance = self._start_instance(place)
            elif not instance.is_alive():
                # A write to a process that has just ended may succeed, and the call would be taken for lost.
                self._pool.discard(instance)
                continue
            try:
                outcome, report = invocation.run(
                    instance,
                    call,
                    init_deadline=time.monotonic() + self._limits.init_seconds,
                    on_ready=(lambda: self._pool.finish_start(place)) if cold else None,
                )
                return instance, cold, outcome, report
            except invocation.InstanceGone:
                self._pool.discard(instance)  # bounded: each round uses up an idle instance, then one is started
            except BaseException:
                self._pool.discard(instance)
                raise

    def _start_instance(self, place: QueuePlace) -> Instance:
        instance: Instance | None = None
        try:
            instance = self._make_instance(place.spec)
            instance.launch()
        except BaseException:
            self._pool.settle_slot(place, None)
            if instance is not None:
                instance.close()
            raise
        self._pool.settle_slot(place, instance)
        return instance

    def _make_instance(self, spec: FunctionSpec) -> Instance:
        stream = f"{datetime.now(UTC):%Y/%m/%d}/[{LATEST}]{uuid.uuid4().hex}"
        scratch = Path(tempfile.mkdtemp(prefix=f"{spec.name[:40]}-", dir=self._settings.state_dir))
        endpoint = RuntimeEndpoint()
        environment = build_environment(
            spec,
            region=self._settings.region,
            runtime_api=endpoint.address,
            log_stream=stream,
            scratch=scratch,
            credentials=self._credentials(spec.role_arn),
            extra=self._settings.extra_environment,
        )
        start = Start(
            spawner=self._spawner,
            log=InstanceLog(self._sink, spec.log_group, stream),
            endpoint=endpoint,
            function=describe_start(spec, bytecode=self._settings.state_dir / "bytecode", watch=self._settings.watch),
            environment=environment,
            scratch=scratch,
            watch_seconds=self._limits.watch_seconds,
        )
        return Instance(spec, start)

    def _run_reaper(self) -> None:
        while not self._stopping.wait(REAP_SECONDS):
            self._pool.evict_idle()


def generate_trace_id(*, sampled: bool) -> str:
    """Return an X-Ray trace header value with a new root."""
    root = f"1-{int(time.time()):08x}-{os.urandom(12).hex()}"
    return f"Root={root};Parent={os.urandom(8).hex()};Sampled={int(sampled)}"
