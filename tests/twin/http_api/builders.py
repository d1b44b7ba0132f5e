"""Build the parts of an HTTP API for tests."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from twin.deploy.deployment import HttpApi, HttpAuthorizer, HttpIntegration, HttpRoute, HttpStage, InvokePermission
from twin.host.clocks import CallClock
from twin.http_api.events import ApiIdentity, HttpRequest
from twin.http_api.gateway import HttpGateway, InvokeFailed

API = "arn:aws:lambda:us-east-1:123456789012:function:api"
AUTHORIZER = "arn:aws:lambda:us-east-1:123456789012:function:authorizer"
IDENTITY = ApiIdentity("123456789012", "us-east-1", "abc123")
SOURCE = "arn:aws:execute-api:us-east-1:123456789012:abc123/*"

Function = Callable[[dict[str, Any]], object]


class Functions:
    """Functions in the process: a real target of the gateway without a host."""

    def __init__(self, **functions: Function) -> None:
        self._functions = functions
        self.events: list[dict[str, Any]] = []

    def __call__(self, arn: str, payload: bytes, clock: CallClock) -> bytes:
        event = json.loads(payload)
        self.events.append(event)
        name = arn.rsplit(":", 1)[-1]
        if name not in self._functions:
            raise InvokeFailed(f"no function {name}")
        return json.dumps(self._functions[name](event)).encode()


def authorizer(**changes: Any) -> HttpAuthorizer:
    values: dict[str, Any] = {
        "id": "auth1",
        "name": "keys",
        "kind": "REQUEST",
        "function": AUTHORIZER,
        "identity_sources": ("$request.header.Authorization",),
        "cache_ttl": 0,
        "simple_responses": True,
        "issuer": None,
        "audience": (),
    }
    return HttpAuthorizer(**(values | changes))


def api(
    *keys: str, guard: HttpAuthorizer | None = None, cors: dict[str, Any] | None = None, timeout: int = 30_000
) -> HttpApi:
    made = HttpApi("abc123", "test", cors)
    made.integrations["int1"] = HttpIntegration("int1", API, timeout)
    made.stages.append(HttpStage("$default", {}))
    if guard is not None:
        made.authorizers[guard.id] = guard
    for index, key in enumerate(keys):
        made.routes.append(HttpRoute(f"r{index}", key, "int1", guard.id if guard else None, ()))
    return made


def permission(function: str, source: str | None = SOURCE) -> InvokePermission:
    return InvokePermission(function, None, "apigateway.amazonaws.com", "lambda:InvokeFunction", source, None)


def gateway(
    made: HttpApi, functions: Functions, *permissions: InvokePermission, clock: Callable[[], float] = time.monotonic
) -> HttpGateway:
    allowed = permissions or (permission("api"), permission("authorizer"))
    return HttpGateway(made, IDENTITY, functions, allowed, clock=clock)


def request(
    method: str = "GET",
    path: str = "/",
    *,
    query: str = "",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> HttpRequest:
    return HttpRequest(method, path, query, headers or {}, body, "127.0.0.1", "HTTP/1.1", "req-1")
