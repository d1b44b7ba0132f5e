"""The HTTP API's Lambda authorizer."""

from typing import Any

from pentad.domain.errors import NotAuthenticated
from pentad.runtime.entrypoint import LambdaContext, invocation
from pentad.runtime.wiring import authorizer as wiring


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return whose credential a request carries.

    Raises:
        Exception: with exactly the message that API Gateway answers with 401; ``isAuthorized: false`` would be a 403.
    """
    # Outside of the invocation: whoever sends a wrong key must not count as a function that fails.
    if (answer := _authorize(event, context)) is None:
        raise Exception("Unauthorized")
    return answer


def _authorize(event: dict[str, Any], context: LambdaContext) -> dict[str, Any] | None:
    with invocation("authorizer", context, {}):
        try:
            return wiring.make_authorize()(event)
        except NotAuthenticated as error:
            wiring.make_telemetry().log_event("authorizer.refused", level="WARNING", detail=error.message)
            return None
