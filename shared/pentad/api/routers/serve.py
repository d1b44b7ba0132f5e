"""How a router's function takes its route from the table `pentad.api.routes.ROUTES`."""

from collections.abc import Callable
from typing import Any, TypeVar

from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver

from pentad.api.routes import route_named

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
