"""What every handler is wrapped in: telemetry bound to the invocation, the event validated, errors logged.

Nothing is translated: the class name of an error is what Step Functions matches, as ``errorType``.
"""

import functools
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from pentad.domain.errors import ConfigurationError, ModelAuthentication, PentadError, StoreUnavailable, Unreadable
from pentad.domain.tracing import HEADER, parse_traceparent
from pentad.observability.logs.redact import make_safe_error
from pentad.observability.metrics import names
from pentad.observability.metrics.functions import RUN_FUNCTIONS
from pentad.orchestration.lifecycle.start import to_invalid_input
from pentad.orchestration.trace.cold_starts import COLD_START
from pentad.runtime.settings import initialization_type
from pentad.runtime.wiring.ground.telemetry import telemetry_of

R = TypeVar("R")
_KEYS = ("tenant", "run", "session", "agent", "step", "index", "op")
_warm: set[str] = set()


def _name_keys(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return what every line of an invocation carries; a workflow's step has a name where a run's has a number."""
    keys = {key: event[key] for key in _KEYS if isinstance(event.get(key), str | int)}
    if isinstance(keys.get("step"), str):
        keys["step_name"] = keys.pop("step")
    return keys


class LambdaContext(Protocol):
    """What handlers need of Lambda's context object."""

    aws_request_id: str
    invoked_function_arn: str

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left before Lambda ends the invocation."""
        ...


def deadline_of(context: LambdaContext, *, spare_seconds: float) -> float:
    """Return the ``time.time()`` by which work has to be done to leave ``spare_seconds`` for the rest."""
    return time.time() + context.get_remaining_time_in_millis() / 1000 - spare_seconds


@contextmanager
def invocation(
    service: str, context: LambdaContext, keys: Mapping[str, Any], traceparent: object = None
) -> Iterator[None]:
    """Bind the telemetry of one invocation and log its error; metrics are written at the end.

    Args:
        service: the function's name without the deployment's prefix.
        context: Lambda's context.
        keys: what every line carries, such as tenant and run.
        traceparent: the span that caused it, where a function of ours says so; ignored where it is not valid.
    """
    telemetry = telemetry_of(service)
    with telemetry.bind(request_id=context.aws_request_id, **keys):
        caller = parse_traceparent(traceparent)
        if caller is not None:
            telemetry.join(caller)
        if service not in _warm:
            _warm.add(service)
            telemetry.count(names.COLD_STARTS, function=service)
        if "run" in keys:
            # What Lambda says of an invocation that it ends (its time, its memory) names the request alone.
            telemetry.log_event("invocation.began")
        try:
            yield
        except Exception as error:  # logged and raised again as it is
            level = "WARNING" if isinstance(error, PentadError) else "ERROR"
            message = error.message if isinstance(error, PentadError) else None
            telemetry.log_event("invocation.failed", level=level, error=type(error).__name__, detail=message)
            telemetry.count(names.ERRORS, function=service, error=type(error).__name__)
            if _is_fault(error):
                telemetry.count(names.FAULTS)
            if service in RUN_FUNCTIONS:
                telemetry.count(names.RAISED)
            safe = make_safe_error(error)
            if safe is not None:
                raise safe from None
            raise


def _is_fault(error: Exception) -> bool:
    """Tell whether an error is one of code, of a right or of a store: all others are how a function says no.

    An event that does not validate is one too: it comes from our own state machines and queues.
    """
    if not isinstance(error, PentadError) or isinstance(error.__cause__, ValidationError):
        return True
    faults = StoreUnavailable | ConfigurationError | ModelAuthentication | Unreadable
    return isinstance(error, faults) or type(error) is PentadError


def entrypoint(
    service: str | Callable[[], str], event_type: Any, *, tells: tuple[type[Any], ...] = ()
) -> Callable[[Callable[[Any, LambdaContext], R]], Callable[[Mapping[str, Any], LambdaContext], Any]]:
    """Make a Lambda handler of a function that takes a validated event.

    Args:
        service: the function's name without the deployment's prefix, or what returns it.
        event_type: the pydantic type of the event; the models of a union differ by ``op``.
        tells: the types of events that come from a state: its first answer says how long the process took to begin,
            so that the history of the execution, and with it the run's trace, has it.
    """
    adapter: TypeAdapter[Any] = TypeAdapter(event_type)
    # The handler's module is imported by now, but for its last lines.
    began_ms = measure_age_ms()
    told = False

    def decorate(function: Callable[[Any, LambdaContext], R]) -> Callable[[Mapping[str, Any], LambdaContext], Any]:
        @functools.wraps(function)
        def handler(event: Mapping[str, Any], context: LambdaContext) -> Any:
            given = event if isinstance(event, Mapping) else {}
            keys = _name_keys(given)
            with invocation(service if isinstance(service, str) else service(), context, keys, given.get(HEADER)):
                try:
                    parsed = adapter.validate_python(event)
                except ValidationError as error:
                    raise to_invalid_input(error) from error
                answer = _plain(function(parsed, context))
            nonlocal told
            first, told = not told, True
            if first and isinstance(parsed, tells) and isinstance(answer, dict):
                answer = answer | _describe_cold_start(began_ms)
            return answer

        return handler

    return decorate


def measure_age_ms() -> int | None:
    """Return for how many milliseconds this process has been there; None where the system does not say.

    Source: proc(5), fields starttime of /proc/self/stat and uptime of /proc/uptime.
    """
    try:
        fields = Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        up = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
        return max(0, round((up - int(fields[19]) / os.sysconf("SC_CLK_TCK")) * 1000))
    except (OSError, ValueError, IndexError):
        return None


def _describe_cold_start(began_ms: int | None) -> dict[str, int | str]:
    """Return what a first answer says of its process; what was restored or kept ready has no time of its own."""
    kind = initialization_type()
    if kind is None:
        return {}
    if kind != "on-demand" or began_ms is None:
        return {COLD_START: kind}
    return {COLD_START: began_ms}


def _plain(result: Any) -> Any:
    """Return a result as Lambda's runtime can serialise it; None is left out, as references are optional."""
    if isinstance(result, BaseModel):
        return result.model_dump(mode="json", exclude_none=True)
    return result
