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
    with invocation("authorizer", context, {}):
        try:
            return wiring.make_authorize()(event)
        except NotAuthenticated as error:
            wiring.make_telemetry().log_event("authorizer.refused", level="WARNING", detail=error.message)
            raise Exception("Unauthorized") from None
