"""CORS of HTTP APIs: the preflight answer, and the headers put on every other response."""

from typing import Any

from twin.http_api.responses import HttpResponse

JsonObject = dict[str, Any]


def is_preflight(method: str, headers: dict[str, str]) -> bool:
    """Tell whether a request asks what it may do."""
    return method == "OPTIONS" and "origin" in headers and "access-control-request-method" in headers


def answer_preflight(cors: JsonObject, origin: str) -> HttpResponse:
    """Return the answer to a preflight request; without the CORS headers where the origin is not allowed."""
    headers = _build_origin_headers(cors, origin)
    if headers:
        for key, name in (("AllowMethods", "methods"), ("AllowHeaders", "headers")):
            if cors.get(key):
                headers.append((f"access-control-allow-{name}", ",".join(cors[key])))
        if "MaxAge" in cors:
            headers.append(("access-control-max-age", str(cors["MaxAge"])))
    return HttpResponse(204, tuple(headers), b"")


def add_cors_headers(cors: JsonObject, origin: str | None, response: HttpResponse) -> HttpResponse:
    """Return the response with the API's CORS headers: those of the function are dropped, as on AWS."""
    kept = [pair for pair in response.headers if not pair[0].startswith("access-control-")]
    allowed = [] if origin is None else _build_origin_headers(cors, origin)
    if allowed and cors.get("ExposeHeaders"):
        allowed.append(("access-control-expose-headers", ",".join(cors["ExposeHeaders"])))
    return HttpResponse(response.status, (*kept, *allowed), response.body)


def _build_origin_headers(cors: JsonObject, origin: str) -> list[tuple[str, str]]:
    origins = cors.get("AllowOrigins", [])
    if "*" in origins:
        headers = [("access-control-allow-origin", "*")]
    elif origin in origins:
        headers = [("access-control-allow-origin", origin), ("vary", "origin")]
    else:
        return []
    if cors.get("AllowCredentials"):
        headers.append(("access-control-allow-credentials", "true"))
    return headers
