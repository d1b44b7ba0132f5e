"""How a router's function takes its route from the table `pentad.api.routes.ROUTES`."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver
from aws_lambda_powertools.event_handler.openapi.params import Query

from pentad.api.routes import route_named
from pentad.domain.ids import IDEMPOTENCY_KEY_PATTERN

KEY_FORM: dict[str, Any] = {"pattern": IDEMPOTENCY_KEY_PATTERN}
"""Of the header Idempotency-Key, for the document: what does not fit is told in our words."""
Cursor = Annotated[
    str | None,
    Query(json_schema_extra={"pattern": "^[A-Za-z0-9_-]+$"}, description="as the page before has it"),
]
F = TypeVar("F", bound=Callable[..., Any])


def serve(
    app: ApiGatewayResolver, *, summary: str | None = None, status_code: int = 200, in_document: bool = True
) -> Callable[[F], F]:
    """Let a function answer the route of its name.

    Args:
        app: answers the requests.
        summary: one line for the OpenAPI document.
        status_code: of a successful answer.
        in_document: whether the OpenAPI document shows it.
    """

    def decorate(function: F) -> F:
        route = route_named(function.__name__)
        app.route(
            route.path,
            method=route.method,
            tags=[route.tag],
            summary=summary,
            status_code=status_code,
            include_in_schema=in_document,
        )(function)
        return function

    return decorate
