"""The HTTP API's function."""

from typing import Any

from pentad.runtime.entrypoint import LambdaContext, invocation
from pentad.runtime.wiring import api as wiring


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of API Gateway (HTTP API, payload 2.0)."""
    authorizer = event.get("requestContext", {}).get("authorizer", {}).get("lambda") or {}
    with invocation("api", context, {"tenant": authorizer.get("tenant"), "key": authorizer.get("key_id")}):
        return wiring.make_api()(event, context)
