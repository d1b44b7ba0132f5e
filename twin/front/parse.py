"""Turns an HTTP request into an API call: service, operation and parameters, in every wire protocol in use."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import HTTPException

_CREDENTIAL: Final = re.compile(r"Credential=(?P<key>[^/,\s]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
_PREFIXES: Final = {"monitoring": "cloudwatch", "eventbridge": "events"}
_MODELS: Final = {"states": "stepfunctions", "email": "ses"}
_REST: Final = frozenset(("s3", "lambda", "xray", "apigateway", "scheduler", "pipes"))
_NEEDS_BODY: Final = frozenset(("DeleteObjects", "PutBucketNotificationConfiguration"))
DEFAULT_REGION: Final = "us-east-1"
UNKNOWN: Final = "Unknown"


class NotAwsRequest(Exception):
    """The request is not signed as AWS requests are."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What the signature says: whose key, which region and service. It is not verified."""

    access_key: str
    session_token: str | None
    region: str
    service: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """Operation and parameters."""

    operation: str
    params: Mapping[str, Any]


def read_headers(environ: Mapping[str, Any]) -> dict[str, str]:
    """Return the request's headers with lower-case names."""
    headers = {
        key[5:].replace("_", "-").lower(): str(value)
        for key, value in environ.items()
        if key.startswith("HTTP_") and isinstance(value, str)
    }
    headers["content-type"] = environ.get("CONTENT_TYPE", "")
    return headers


def read_signature(headers: Mapping[str, str], query: Mapping[str, str]) -> Signature:
    """Find the credential scope in the Authorization header or in a presigned query.

    Raises:
        NotAwsRequest: There is none.
    """
    text = headers.get("authorization", "")
    token = headers.get("x-amz-security-token")
    if "X-Amz-Credential" in query:
        text = f"Credential={query['X-Amz-Credential']}"
        token = query.get("X-Amz-Security-Token")
    if "AWSAccessKeyId" in query:  # the older form of presigned URLs, which botocore still makes for S3
        return Signature(query["AWSAccessKeyId"], query.get("x-amz-security-token"), DEFAULT_REGION, "s3")
    match = _CREDENTIAL.search(text)
    if match is None:
        raise NotAwsRequest("the request carries no AWS signature")
    service = match["service"].lower()
    return Signature(match["key"], token, match["region"], _PREFIXES.get(service, service))


def read_query(environ: Mapping[str, Any]) -> dict[str, str]:
    """Return the query parameters; of a repeated one the last."""
    return dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))


def parse_call(service: str, environ: Mapping[str, Any], headers: Mapping[str, str], body: bytes) -> Parsed:
    """Find operation and parameters. What cannot be understood is the operation "Unknown"."""
    target = headers.get("x-amz-target")
    if target:
        return Parsed(target.rsplit(".", 1)[-1], _parse_json(body))
    if service in _REST or _is_ses_v2(service, environ):
        return _parse_rest(service, environ, body)
    if headers["content-type"].startswith("application/x-www-form-urlencoded"):
        return _parse_query(service, body)
    return Parsed(UNKNOWN, {})


def _parse_json(body: bytes) -> Mapping[str, Any]:
    try:
        parsed = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _parse_query(service: str, body: bytes) -> Parsed:
    form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    operation = form.get("Action", UNKNOWN)
    return Parsed(operation, {key: value for key, value in form.items() if key not in ("Action", "Version")})


def parse_rest(service: str, environ: Mapping[str, Any], content: bytes) -> Mapping[str, Any]:
    """Return all parameters of a REST request, those of its content too.

    Raises:
        ValueError: The content is not what the operation takes.
    """
    request = Request({**environ, "wsgi.input": io.BytesIO(b"")})
    operation, uri = get_service_router(service).match(request)
    return _parse_rest_params(service, operation.name, request, uri, content)


def _parse_rest(service: str, environ: Mapping[str, Any], body: bytes) -> Parsed:
    model = _MODELS.get(service, service)
    if _is_ses_v2(service, environ):
        model = "sesv2"
    if service == "apigateway" and environ.get("PATH_INFO", "").startswith("/v2/"):
        model = "apigatewayv2"
    request = Request({**environ, "wsgi.input": io.BytesIO(b"")})
    try:
        operation, uri = get_service_router(model).match(request)
    except (HTTPException, NotImplementedError):
        return Parsed(UNKNOWN, {})
    if service != "s3":
        content = body if model == "sesv2" else b""  # the sender is in the body, and nowhere else
        return Parsed(operation.name, _parse_rest_params(model, operation.name, request, uri, content))
    payload = body if operation.name in _NEEDS_BODY else b""
    return Parsed(operation.name, _parse_rest_params(model, operation.name, request, uri, payload))


def _is_ses_v2(service: str, environ: Mapping[str, Any]) -> bool:
    """Both APIs of SES are signed by one name."""
    return service == "ses" and environ.get("PATH_INFO", "").startswith("/v2/")


def _parse_rest_params(
    model: str, operation: str, request: Request, uri: Mapping[str, Any], body: bytes
) -> Mapping[str, Any]:
    service_model = get_service_model(model)
    parser = PROTOCOL_PARSERS[str(service_model.protocol)](service_model.operation_model(operation))
    parsed: dict[str, Any] = parser.parse(
        {
            "method": request.method,
            "values": request.args,
            "headers": request.headers,
            "body": body,
            "url_path": request.path,
            "url_params": {key: unquote(value) if isinstance(value, str) else value for key, value in uri.items()},
        }
    )
    parsed.pop("Body", None)
    return parsed


def with_body(environ: dict[str, Any], body: bytes) -> dict[str, Any]:
    """Return a copy of a WSGI environment with a fresh body, for one call of an application."""
    return {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
