"""``/v1/agents`` and ``/v1/openapi.json``."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver
from aws_lambda_powertools.event_handler.openapi.models import HTTPBearer

from pentad.api.identity.caller import Caller
from pentad.api.problems import MEDIA_TYPE, Problem
from pentad.api.routers.serve import serve
from pentad.api.routes import is_door
from pentad.api.views.views import AgentList, build_agent_list
from pentad.domain.declarations.agents import Catalog

TITLE = "Pentad"
VERSION = "1"
DESCRIPTION = "Runs, sessions, approvals and documents of an agent stack. Errors are RFC 9457 problem documents."
_OPENAI_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}
_OPENAI_BODY = {
    "required": True,
    "description": "as in OpenAI's API; docs/door.md says what is followed, ignored and refused",
    "content": {"application/json": {"schema": {"type": "object"}}},
}


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
            return Response(status_code=200, content_type="application/json", body=json.dumps(build_openapi(app)))


def build_openapi(app: ApiGatewayResolver) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document, every operation with the problems it may answer."""
    text = app.get_openapi_json_schema(
        title=TITLE,
        version=VERSION,
        description=DESCRIPTION,
        security_schemes={"key": HTTPBearer(description="an API key, or a token of the configured issuer")},
        security=[{"key": []}],
    )
    document: dict[str, Any] = json.loads(text)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = Problem.model_json_schema()
    for unused in ("HTTPValidationError", "ResponseValidationError", "ValidationError"):
        schemas.pop(unused, None)
    reference = {"schema": {"$ref": "#/components/schemas/Problem"}}
    schemas["OpenAIError"] = _OPENAI_ERROR
    problem = {"description": "A problem", "content": {MEDIA_TYPE: reference}}
    fault = {
        "description": "An error in OpenAI's shape",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/OpenAIError"}}},
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            responses = operation["responses"]
            responses.pop("422", None)
            responses["default"] = fault if is_door(path) else problem
            if is_door(path) and method == "post":
                operation["requestBody"] = _OPENAI_BODY
    started = document["paths"]["/v1/runs"]["post"]["responses"]
    started["200"] = started["202"] | {"description": "The run has ended, or waits for a human"}
    return document
