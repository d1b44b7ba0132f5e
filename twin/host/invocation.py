"""One invocation on one instance, from START to REPORT: what the runtime says becomes what Lambda answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from twin.host import payloads
from twin.host.clocks import CallClock
from twin.host.model import RESPONSE_BYTES, InvocationReport
from twin.host.processes.endpoint import RuntimeRequest
from twin.host.processes.instance import End, Event, Instance

UNHANDLED: Final = "Unhandled"
ACCEPTED: Final = 202
TOO_LARGE: Final = 413
FORBIDDEN: Final = 403


class InstanceGone(Exception):
    """An idle instance had ended before it could be given the call: another one can serve it."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """What an invocation is about. `clock` is that of the caller's time limit; it runs once the event is given."""

    request_id: str
    payload: bytes
    function_arn: str
    version: str
    trace_id: str
    clock: CallClock | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went. `reusable` tells whether the instance may serve again."""

    payload: bytes
    function_error: str | None
    status: str
    reusable: bool


def run(
    instance: Instance, call: Invocation, *, init_deadline: float, on_ready: Callable[[], None] | None = None
) -> tuple[Outcome, InvocationReport]:
    """Run a call on an instance that is starting or idle; every line of the log is written at the end.

    The clock of the function's time limit starts when the runtime has been handed the event, as on AWS. `on_ready` is
    called when the start of the process has ended, well or badly.

    Raises:
        InstanceGone: A warm instance turned out to have ended; the function has not seen the event.
    """
    first = instance.init_ms is None
    started_ms = int(time.time() * 1000)
    ready = _wait_ready(instance, init_deadline, on_ready)
    began = time.monotonic()
    if call.clock is not None:
        call.clock.run()
    delivered = _deliver(instance, call, ready)
    if not delivered and not first and ready is not End.STOPPED:
        raise InstanceGone
    instance.log.begin(call.request_id, call.version)
    got = instance.wait_request(began + instance.spec.timeout_seconds) if delivered else ready
    outcome = (
        _handle_result(instance, call, got) if isinstance(got, RuntimeRequest) else _handle_end(instance, call, got)
    )
    duration_ms = (time.monotonic() - began) * 1000
    if outcome.reusable:
        instance.measure_memory_mb()
    report = InvocationReport(
        function=instance.spec.name,
        request_id=call.request_id,
        started_ms=started_ms,
        duration_ms=duration_ms,
        init_ms=instance.init_ms if first else None,
        max_memory_mb=instance.peak_mb,
        status=outcome.status,
        trace_id=call.trace_id,
        failed=outcome.function_error is not None,
    )
    instance.log.end(report, instance.spec.memory_mb)
    return outcome, report


def _wait_ready(instance: Instance, deadline: float, on_ready: Callable[[], None] | None) -> RuntimeRequest | End:
    """Wait until the runtime asks for work; the first time, that took the initialisation."""
    began = time.monotonic()
    try:
        ready = instance.wait_ready(deadline)
    finally:
        if on_ready is not None:
            on_ready()
    if instance.init_ms is None:
        instance.init_ms = (time.monotonic() - began) * 1000
    return ready


def _deliver(instance: Instance, call: Invocation, ready: RuntimeRequest | End) -> bool:
    """Hand the event to the runtime if it asked for one; False if it did not or is gone."""
    if not isinstance(ready, RuntimeRequest) or ready.path != "invocation/next":
        return False
    deadline_ms = int((time.time() + instance.spec.timeout_seconds) * 1000)
    return instance.dispatch(Event(call.request_id, call.payload, deadline_ms, call.function_arn, call.trace_id))


def _handle_result(instance: Instance, call: Invocation, request: RuntimeRequest) -> Outcome:
    """Turn what the runtime posted into an outcome."""
    if request.path == f"invocation/{call.request_id}/response":
        if len(request.body) > RESPONSE_BYTES:
            instance.acknowledge(request, TOO_LARGE, payloads.build_too_large_error())
            return Outcome(payloads.build_too_large_error(), UNHANDLED, "error", reusable=False)
        instance.acknowledge(request, ACCEPTED, b"{}")
        return Outcome(request.body, None, "success", reusable=True)
    if request.path == f"invocation/{call.request_id}/error":
        instance.acknowledge(request, ACCEPTED, b"{}")
        return Outcome(request.body, UNHANDLED, "success", reusable=True)
    if request.path == "init/error":
        instance.acknowledge(request, ACCEPTED, b"{}")
        instance.wait_exit()
        return Outcome(request.body, UNHANDLED, "error", reusable=False)
    instance.acknowledge(request, FORBIDDEN, b'{"errorType":"InvalidStateTransition"}')
    return _handle_end(instance, call, End.EXITED)


def _handle_end(instance: Instance, call: Invocation, end: End) -> Outcome:
    """Turn the end of the process, or of its time, into an outcome."""
    if end is End.TIMED_OUT:
        seconds = instance.spec.timeout_seconds
        stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        instance.log.add(f"{stamp} {call.request_id} Task timed out after {seconds:.2f} seconds")
        return Outcome(payloads.build_timeout_error(call.request_id, seconds), UNHANDLED, "timeout", reusable=False)
    returncode = -9 if end in (End.OUT_OF_MEMORY, End.STOPPED) else instance.wait_exit()
    instance.log.read_output()
    instance.log.add(f"RequestId: {call.request_id} Error: {payloads.exit_reason(returncode)}", payloads.EXIT_ERROR)
    return Outcome(payloads.build_exit_error(call.request_id, returncode), UNHANDLED, "error", reusable=False)
