"""The HTTP API's function."""

from typing import Any

from pentad.runtime import bootstrap
from pentad.runtime.entrypoint import LambdaContext, invocation


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of API Gateway (HTTP API, payload 2.0)."""
    authorizer = event.get("requestContext", {}).get("authorizer", {}).get("lambda") or {}
    with invocation("api", context, {"tenant": authorizer.get("tenant"), "key": authorizer.get("key_id")}):
        return bootstrap.api()(event, context)
