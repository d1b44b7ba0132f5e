"""Build the OpenAPI 3.1 document: what Powertools reads off the routes, and what it can't know."""

import json
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver
from aws_lambda_powertools.event_handler.openapi.models import HTTPBearer

from pentad.api.openapi import door, mcp
from pentad.api.problems import HELP_FIELD, MEDIA_TYPE, list_codes
from pentad.api.routes import MCP_PATH, is_door
from pentad.api.views.problem import Problem
from pentad.domain.declarations.agents import Catalog

TITLE = "Pentad"
VERSION = "1"
DESCRIPTION = "Runs, sessions, approvals and documents of an agent stack. Errors are RFC 9457 problem documents."
_JSON = "application/json"
_UNUSED = ("HTTPValidationError", "ResponseValidationError", "ValidationError")
_GATEWAY_ERROR = {
    "type": "object",
    "description": "what API Gateway itself answers, before the API is asked",
    "required": ["message"],
    "properties": {"message": {"type": "string"}},
}

Json = dict[str, Any]


def build_openapi(app: ApiGatewayResolver, catalog: Catalog) -> Json:
    """Return the document, every operation with the problems it may answer.

    Args:
        app: has the routes.
        catalog: the agents and workflows that a run can be started with.
    """
    text = app.get_openapi_json_schema(
        title=TITLE,
        version=VERSION,
        description=DESCRIPTION,
        security_schemes={"key": HTTPBearer(description="an API key, or a token of the configured issuer")},
        security=[{"key": []}],
    )
    document: Json = json.loads(text)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in _UNUSED:
        schemas.pop(name, None)
    schemas |= {"Problem": Problem.model_json_schema(), "GatewayError": _GATEWAY_ERROR, **door.SCHEMAS, **mcp.SCHEMAS}
    _describe_run_request(schemas["RunRequest"]["properties"], catalog)
    for path, operations in document["paths"].items():
        for operation in operations.values():
            _describe_errors(path, operation["responses"])
            if is_door(path):
                door.describe(path, operation)
            if path == MCP_PATH:
                mcp.describe(operation)
    _describe_runs(document["paths"])
    document[HELP_FIELD] = list_codes()
    return document


def _describe_run_request(fields: Json, catalog: Catalog) -> None:
    """Say what pydantic's own schema can't: which agents there are, and that a message has words."""
    known = sorted([*catalog.agents, *catalog.workflows])
    fields["agent"] = {"type": "string", "enum": known, "description": "who answers"}
    # A pattern and a length of 100,000 in one are more than the generators of values and clients can take.
    words = f"the user's message, at most {fields['message'].pop('maxLength'):,} characters"
    fields["message"] |= {"pattern": r"\S", "description": words}


def _describe_errors(path: str, responses: Json) -> None:
    responses.pop("422", None)
    responses["401"] = _answer("No valid credential; API Gateway's own answer", _JSON, "GatewayError")
    if is_door(path):
        schema = {"oneOf": [_ref("OpenAIError"), _ref("GatewayError")]}
        described = "An error in OpenAI's shape, or API Gateway's own"
        responses["default"] = {"description": described, "content": {_JSON: {"schema": schema}}}
    else:
        problem = _answer("A problem, or API Gateway's own error", MEDIA_TYPE, "Problem")
        problem["content"][_JSON] = {"schema": _ref("GatewayError")}
        responses["default"] = problem


def _describe_runs(paths: Mapping[str, Json]) -> None:
    """Say of what starts a run that it may have ended already, and where it is read."""
    started = paths["/v1/runs"]["post"]["responses"]
    started["200"] = started["202"] | {"description": "The run has ended, or waits for a human"}
    for responses, codes in (
        (started, ("200", "202")),
        (paths["/v1/runs/{run}/fork"]["post"]["responses"], ("202",)),
    ):
        for code in codes:
            responses[code] = responses[code] | {"links": _build_run_links(paths)}


def _build_run_links(paths: Mapping[str, Json]) -> Json:
    """Return the operations that go on with the run of an answer."""
    after = {"": "get", "/events": "get", "/trace": "get", "/recording": "get", "/cancel": "post"}
    ids = [paths[f"/v1/runs/{{run}}{path}"][method]["operationId"] for path, method in after.items()]
    return {name: {"operationId": name, "parameters": {"run": "$response.body#/run_id"}} for name in ids}


def _answer(description: str, media_type: str, name: str) -> Json:
    return {"description": description, "content": {media_type: {"schema": _ref(name)}}}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}
