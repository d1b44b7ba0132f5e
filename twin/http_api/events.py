"""The events that API Gateway sends to Lambda: payload format 2.0 for integrations and authorizers.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from twin.deploy.deployment import HttpStage

JsonObject = dict[str, Any]

_TEXT_TYPES = ("application/json", "application/xml", "application/javascript")


@dataclass(frozen=True)
class HttpRequest:
    """A request as received: header names in lower case with the values in order of arrival."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    source_ip: str
    protocol: str
    request_id: str
    received: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def cookies(self) -> list[str]:
        """The cookies, one `name=value` each: format 2.0 lists them apart from the headers."""
        header = self.headers.get("cookie", "")
        return [part.strip() for part in header.split(";") if part.strip()]


@dataclass(frozen=True)
class ApiIdentity:
    """What an event says about the API itself."""

    account: str
    region: str
    api_id: str

    @property
    def domain(self) -> str:
        """The API's default domain."""
        return f"{self.api_id}.execute-api.{self.region}.amazonaws.com"


def build_request_event(
    identity: ApiIdentity,
    stage: HttpStage,
    route_key: str,
    request: HttpRequest,
    parameters: Mapping[str, str],
    authorizer: JsonObject | None,
) -> JsonObject:
    """Return the event of a Lambda proxy integration."""
    event = _build_base(identity, stage, route_key, request, parameters)
    if authorizer is not None:
        event["requestContext"]["authorizer"] = authorizer
    body, encoded = _encode_body(request)
    if body is not None:
        event["body"] = body
    event["isBase64Encoded"] = encoded
    return event


def build_authorizer_event(
    identity: ApiIdentity,
    stage: HttpStage,
    route_key: str,
    request: HttpRequest,
    parameters: Mapping[str, str],
    identity_source: list[str],
    route_arn: str,
) -> JsonObject:
    """Return the event of a Lambda authorizer; it never carries the body."""
    event = _build_base(identity, stage, route_key, request, parameters)
    return event | {"type": "REQUEST", "routeArn": route_arn, "identitySource": identity_source or None}


def _build_base(
    identity: ApiIdentity, stage: HttpStage, route_key: str, request: HttpRequest, parameters: Mapping[str, str]
) -> JsonObject:
    path = request.path if stage.name == "$default" else f"/{stage.name}{request.path}"
    event: JsonObject = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": request.query,
        "headers": {name: value for name, value in request.headers.items() if name != "cookie"},
        "requestContext": _build_context(identity, stage, route_key, request, path),
    }
    optional = {
        "cookies": request.cookies,
        "queryStringParameters": parse_query(request.query),
        "pathParameters": dict(parameters),
        "stageVariables": dict(stage.variables),
    }
    return event | {name: value for name, value in optional.items() if value}


def _build_context(
    identity: ApiIdentity, stage: HttpStage, route_key: str, request: HttpRequest, path: str
) -> JsonObject:
    return {
        "accountId": identity.account,
        "apiId": identity.api_id,
        "domainName": identity.domain,
        "domainPrefix": identity.api_id,
        "http": {
            "method": request.method,
            "path": path,
            "protocol": request.protocol,
            "sourceIp": request.source_ip,
            "userAgent": request.headers.get("user-agent", ""),
        },
        "requestId": request.request_id,
        "routeKey": route_key,
        "stage": stage.name,
        "time": request.received.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(request.received.timestamp() * 1000),
    }


def parse_query(query: str) -> dict[str, str]:
    """Return decoded parameters, repeated ones joined by commas."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def _encode_body(request: HttpRequest) -> tuple[str | None, bool]:
    if not request.body:
        return None, False
    if _is_text(request.headers):
        try:
            return request.body.decode("utf-8"), False
        except UnicodeDecodeError:
            pass  # declared as text, but it is not: sent as bytes below
    return base64.b64encode(request.body).decode("ascii"), True


def _is_text(headers: Mapping[str, str]) -> bool:
    if headers.get("content-encoding", "identity") != "identity":
        return False
    kind = headers.get("content-type", "text/plain").split(";")[0].strip().lower()
    return kind.startswith("text/") or kind.endswith("+json") or kind in _TEXT_TYPES
