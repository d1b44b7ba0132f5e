"""What every handler is wrapped in: telemetry bound to the invocation, the event validated, errors logged.

Nothing is translated: the class name of an error is what Step Functions matches, as ``errorType``.
"""

import functools
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from pentad.domain.errors import PentadError
from pentad.domain.tracing import HEADER, parse_traceparent
from pentad.observability.metrics import names
from pentad.orchestration.lifecycle.start import to_invalid_input
from pentad.runtime.wiring.ground.telemetry import telemetry_of

R = TypeVar("R")
_KEYS = ("tenant", "run", "session", "agent", "step", "index", "op")
_warm: set[str] = set()


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
        try:
            yield
        except Exception as error:  # logged and raised again as it is
            level = "WARNING" if isinstance(error, PentadError) else "ERROR"
            message = error.message if isinstance(error, PentadError) else None
            telemetry.log_event("invocation.failed", level=level, error=type(error).__name__, detail=message)
            telemetry.count(names.ERRORS, function=service, error=type(error).__name__)
            raise


def entrypoint(
    service: str | Callable[[], str], event_type: Any
) -> Callable[[Callable[[Any, LambdaContext], R]], Callable[[Mapping[str, Any], LambdaContext], Any]]:
    """Make a Lambda handler of a function that takes a validated event.

    Args:
        service: the function's name without the deployment's prefix, or what returns it.
        event_type: the pydantic type of the event; the models of a union differ by ``op``.
    """
    adapter: TypeAdapter[Any] = TypeAdapter(event_type)

    def decorate(function: Callable[[Any, LambdaContext], R]) -> Callable[[Mapping[str, Any], LambdaContext], Any]:
        @functools.wraps(function)
        def handler(event: Mapping[str, Any], context: LambdaContext) -> Any:
            given = event if isinstance(event, Mapping) else {}
            keys = {key: given[key] for key in _KEYS if isinstance(given.get(key), str | int)}
            with invocation(service if isinstance(service, str) else service(), context, keys, given.get(HEADER)):
                try:
                    parsed = adapter.validate_python(event)
                except ValidationError as error:
                    raise to_invalid_input(error) from error
                return _plain(function(parsed, context))

        return handler

    return decorate


def _plain(result: Any) -> Any:
    """Return a result as Lambda's runtime can serialise it; None is left out, as references are optional."""
    if isinstance(result, BaseModel):
        return result.model_dump(mode="json", exclude_none=True)
    return result
