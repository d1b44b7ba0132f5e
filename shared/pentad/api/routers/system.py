"""``/v1/agents`` and ``/v1/openapi.json``."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver

from pentad.api.identity.caller import Caller
from pentad.api.openapi.build import build_openapi
from pentad.api.routers.serve import serve
from pentad.api.views.views import AgentList, build_agent_list
from pentad.domain.declarations.agents import Catalog


@dataclass(frozen=True)
class SystemRoutes:
    """Lists agents and serves the OpenAPI document.

    Attributes:
        catalog: agents and tools.
    """

    catalog: Catalog

    def register(self, app: ApiGatewayResolver, caller: Callable[[], Caller]) -> None:
        """Add the routes."""

        @serve(app, summary="List agents and their tools")
        def list_agents() -> AgentList:
            return build_agent_list(self.catalog)

        @serve(app, in_document=False)
        def openapi() -> Response[str]:
            body = json.dumps(build_openapi(app, self.catalog))
            return Response(status_code=200, content_type="application/json", body=body)
