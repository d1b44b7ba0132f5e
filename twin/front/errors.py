"""Errors that the front answers itself, in each service's own shape, so that botocore raises the right exception."""

from __future__ import annotations

import json
import uuid
from typing import Final
from xml.sax.saxutils import escape

from twin.front.model import ApiResponse

_QUERY: Final = frozenset(("sns", "sts", "iam"))
_REST_JSON: Final = frozenset(("lambda", "apigateway", "xray"))
_QUERY_COMPATIBLE: Final = frozenset(("sqs", "cloudwatch"))


def build_access_denied(service: str, message: str) -> ApiResponse:
    """The answer to a call that no policy allows."""
    if service == "s3":
        return build_s3_error(403, "AccessDenied", message)
    if service in _QUERY:
        return _build_query_error(403, "AuthorizationError" if service == "sns" else "AccessDenied", message)
    if service in _QUERY_COMPATIBLE:
        return _build_json_error(service, 403, "AccessDeniedException", message, query_code="AccessDenied")
    return _build_json_error(service, 403 if service in _REST_JSON else 400, "AccessDeniedException", message)


def build_error(service: str, status: int, code: str, message: str) -> ApiResponse:
    """An error of a service, by its name."""
    if service == "s3":
        return build_s3_error(status, code, message)
    if service in _QUERY:
        return _build_query_error(status, code, message)
    query_code = code if service in _QUERY_COMPATIBLE else None
    return _build_json_error(service, status, code, message, query_code=query_code)


def build_invalid_credentials(service: str, message: str) -> ApiResponse:
    """The answer to a key that was never issued."""
    if service == "s3":
        return build_s3_error(403, "InvalidAccessKeyId", message)
    if service in _QUERY:
        return _build_query_error(403, "InvalidClientTokenId", message)
    if service in _QUERY_COMPATIBLE:
        return _build_json_error(
            service, 403, "UnrecognizedClientException", message, query_code="InvalidClientTokenId"
        )
    return _build_json_error(service, 403 if service in _REST_JSON else 400, "UnrecognizedClientException", message)


def build_missing_token() -> ApiResponse:
    """The answer to a request without credentials."""
    return _build_json_error("", 403, "MissingAuthenticationTokenException", "Missing Authentication Token")


def build_rest_error(status: int, code: str, body: dict[str, str]) -> ApiResponse:
    """An error of a REST service that speaks JSON."""
    headers = (
        ("Content-Type", "application/json"),
        ("x-amzn-ErrorType", code),
        ("x-amzn-RequestId", str(uuid.uuid4())),
    )
    return ApiResponse(status, headers, json.dumps(body).encode())


def _build_json_error(service: str, status: int, code: str, message: str, query_code: str | None = None) -> ApiResponse:
    headers = [
        ("Content-Type", "application/json" if service in _REST_JSON else "application/x-amz-json-1.0"),
        ("x-amzn-ErrorType", code),
        ("x-amzn-RequestId", str(uuid.uuid4())),
    ]
    if query_code is not None:
        headers.append(("x-amzn-query-error", f"{query_code};Sender"))
    body = {"__type": f"com.amazon.coral.service#{code}", "Message": message, "message": message}
    return ApiResponse(status, tuple(headers), json.dumps(body).encode())


def build_s3_error(status: int, code: str, message: str) -> ApiResponse:
    """An error of S3."""
    request_id = uuid.uuid4().hex[:16].upper()
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>{escape(message)}</Message><RequestId>{request_id}</RequestId></Error>"
    )
    return ApiResponse(status, (("Content-Type", "application/xml"), ("x-amz-request-id", request_id)), body.encode())


def _build_query_error(status: int, code: str, message: str) -> ApiResponse:
    request_id = str(uuid.uuid4())
    body = (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    )
    return ApiResponse(status, (("Content-Type", "text/xml"), ("x-amzn-RequestId", request_id)), body.encode())
