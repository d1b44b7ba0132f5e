"""HTTP responses: API Gateway's own errors, and Lambda's results in payload format 2.0."""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

#: API Gateway's texts, by cause (status, message), as HTTP APIs send them.
BAD_REQUEST = (400, "Bad Request")
UNAUTHORIZED = (401, "Unauthorized")
FORBIDDEN = (403, "Forbidden")
NOT_FOUND = (404, "Not Found")
TOO_LONG = (413, "Request Too Long")
HEADERS_TOO_LARGE = (431, "Request Header Fields Too Large")
INTERNAL = (500, "Internal Server Error")
UNAVAILABLE = (503, "Service Unavailable")
#: What Retry-After says where nothing was free.
RETRY_SECONDS = 2


@dataclass(frozen=True)
class HttpResponse:
    """A response; header names may repeat (cookies)."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class GatewayError(Exception):
    """A request that ends in API Gateway itself."""

    def __init__(self, error: tuple[int, str], reason: str = "") -> None:
        super().__init__(reason or error[1])
        self.status, self.message = error

    def to_response(self, request_id: str | None = None) -> HttpResponse:
        """Return the error as a response.

        Where nothing was free (503) it is a problem document (RFC 9457) with Retry-After, beside AWS's own `message`:
        waiting for a place is the twin's own, and whoever waits should know that trying again helps.
        """
        if self.status != UNAVAILABLE[0]:
            body = json.dumps({"message": self.message}, separators=(",", ":")).encode()
            return HttpResponse(self.status, (("content-type", "application/json"),), body)
        problem = {
            "type": "about:blank",
            "title": self.message,
            "status": self.status,
            "detail": "the API could not answer in time; try again",
            "instance": request_id,
            "code": "ServiceUnavailable",
            "message": self.message,
        }
        body = json.dumps(problem, separators=(",", ":")).encode()
        headers = (("content-type", "application/problem+json"), ("retry-after", str(RETRY_SECONDS)))
        return HttpResponse(self.status, headers, body)


def parse_lambda_response(payload: bytes) -> HttpResponse:
    """Return the response that a function's result stands for.

    Raises:
        GatewayError: 500 where the result cannot be a response.
    """
    try:
        result = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise GatewayError(INTERNAL, f"the function's result is not JSON: {error}") from error
    if not isinstance(result, dict) or "statusCode" not in result:
        # Whatever else the function returns is the body of a 200: a string stays as it is.
        body = result.encode() if isinstance(result, str) else payload
        return HttpResponse(200, (("content-type", "application/json"),), body)
    return _parse_structured(result)


def _parse_structured(result: dict[str, Any]) -> HttpResponse:
    try:
        status = int(result["statusCode"])
    except (TypeError, ValueError) as error:
        raise GatewayError(INTERNAL, f"statusCode {result['statusCode']!r} is not a number") from error
    if not 100 <= status <= 599:
        raise GatewayError(INTERNAL, f"statusCode {status} is out of range")
    headers = [(str(name).lower(), _format_header(value)) for name, value in (result.get("headers") or {}).items()]
    if not any(name == "content-type" for name, _ in headers):
        headers.append(("content-type", "text/plain; charset=utf-8"))
    headers.extend(("set-cookie", str(cookie)) for cookie in result.get("cookies") or ())
    return HttpResponse(status, tuple(headers), _decode_body(result))


def _format_header(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if "\r" in text or "\n" in text:
        raise GatewayError(INTERNAL, "a response header holds a line break")
    return text


def _decode_body(result: dict[str, Any]) -> bytes:
    body = result.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise GatewayError(INTERNAL, "the body of a function's response is not a string")
    if not result.get("isBase64Encoded"):
        return body.encode("utf-8")
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise GatewayError(INTERNAL, f"the body is not base64: {error}") from error
