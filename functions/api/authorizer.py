"""The HTTP API's Lambda authorizer."""

from typing import Any

from pentad.domain.errors import NotAuthenticated
from pentad.runtime import bootstrap
from pentad.runtime.entrypoint import LambdaContext, invocation


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Tell whose credential a request carries.

    Raises:
        Exception: with exactly the message that API Gateway answers with 401; ``isAuthorized: false`` would be a 403.
    """
    with invocation("authorizer", context, {}):
        try:
            return bootstrap.authorize()(event)
        except NotAuthenticated as error:
            bootstrap.telemetry("authorizer").event("authorizer.refused", level="WARNING", detail=error.message)
            raise Exception("Unauthorized") from None
