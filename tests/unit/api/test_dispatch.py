"""What every route has in common: scopes, problems, paths, methods, OpenAPI."""

import json
from typing import Any

import pytest

from pentad.api import problems
from pentad.api.body import BODY_BYTES
from pentad.api.mcp.protocol import DENIED
from pentad.api.problems import from_error, status_of
from pentad.api.rates.rates import RateLimits, RequestRate
from pentad.api.routes import MCP_PATH, ROUTES, is_door
from pentad.domain.errors import (
    ConfigurationError,
    EffectUncertain,
    PentadError,
    StoreUnavailable,
    ToolFailed,
    TransientError,
    iter_leaves,
)
from tests.unit.api.client import Client

ALL = " ".join(sorted({route.scope for route in ROUTES}))


def _path(template: str) -> str:
    return template.replace("<run>", "run_" + "0" * 26).replace("<", "").replace(">", "")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_each_route_needs_its_scope(route: Any) -> None:
    others = " ".join(scope for scope in ALL.split() if scope != route.scope)
    reply = Client()(route.method, _path(route.path), {} if route.method == "POST" else None, scopes=others)
    assert reply.status == 403
    if is_door(route.path):
        assert reply.json["error"]["code"] == "insufficient_permissions"
        assert route.scope in reply.json["error"]["message"]
    elif route.path == MCP_PATH:
        assert reply.json["error"]["code"] == DENIED
        assert route.scope in reply.json["error"]["message"]
    else:
        assert reply.json["code"] == "PolicyDenied"
        assert route.scope in reply.json["detail"]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_each_route_of_the_table_is_served(route: Any) -> None:
    reply = Client()(route.method, _path(route.path), {} if route.method == "POST" else None, scopes=route.scope)
    assert reply.status != 405
    assert "no such path" not in reply.text


def test_a_request_past_no_authorizer_is_not_authenticated() -> None:
    reply = Client()("GET", "/v1/runs", tenant_id=None)
    assert (reply.status, reply.headers["www-authenticate"]) == (401, "Bearer")


def test_an_unknown_path_is_a_problem() -> None:
    reply = Client()("GET", "/v1/nothing")
    assert (reply.status, reply.json["status"], reply.headers["content-type"]) == (
        404,
        404,
        "application/problem+json",
    )


def test_another_method_is_not_allowed_and_the_allowed_are_named() -> None:
    reply = Client()("PUT", "/v1/runs", {})
    assert (reply.status, reply.headers["allow"]) == (405, "GET, POST")


def test_a_body_of_2_mb_is_refused_with_the_limit() -> None:
    reply = Client()("POST", "/v1/runs", {"agent": "assistant", "message": "x" * 2_000_000})
    assert reply.status == 413
    assert f"{BODY_BYTES:,}" in reply.json["detail"]
    assert "100,000" in reply.json["fix"]


def test_a_request_beyond_the_rate_is_429_with_retry_after() -> None:
    client = Client(limits=RateLimits(starts=RequestRate(key=1, user=1, tenant=5)))
    body = {"agent": "assistant", "message": "Hi"}
    assert client("POST", "/v1/runs", body).status == 202
    refused = client("POST", "/v1/runs", body)
    assert (refused.status, refused.json["code"]) == (429, "ModelThrottled")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert "this key" in refused.json["detail"]
    assert client("GET", "/v1/runs").status == 200
    door = client("POST", "/v1/chat/completions", {"model": "primary", "messages": [{"role": "user", "content": "Hi"}]})
    assert (door.status, door.json["error"]["type"]) == (429, "rate_limit_error")
    assert door.headers["retry-after"] == refused.headers["retry-after"]


def test_another_content_type_is_not_supported() -> None:
    reply = Client()("POST", "/v1/runs", raw="<a/>", headers={"Content-Type": "application/xml"})
    assert (reply.status, reply.json["field"]) == (415, "Content-Type")


def test_a_body_that_curl_calls_a_form_is_told_its_content_type_and_no_missing_field() -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    reply = Client()("POST", "/v1/runs", raw='{"agent": "assistant", "message": "hi"}', headers=form)
    assert (reply.status, reply.json["field"], reply.json["fix"]) == (415, "Content-Type", "send application/json")


def test_an_unexpected_error_tells_nothing_of_the_insides() -> None:
    client = Client()

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("secret detail")

    client.services.runs.list_page = broken  # type: ignore[method-assign]
    reply = client("GET", "/v1/runs")
    assert (reply.status, reply.json["instance"]) == (500, "request-1")
    assert "secret" not in reply.text
    assert "RuntimeError" not in reply.text


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (StoreUnavailable("throttled", retry_after=3), 503),
        (ToolFailed("it failed"), 502),
        (EffectUncertain("unknown"), 409),
        (ConfigurationError("arn:aws:secret"), 500),
    ],
)
def test_an_error_of_ours_has_its_status(error: PentadError, status: int) -> None:
    client = Client()

    def broken(*_: Any, **__: Any) -> Any:
        raise error

    client.services.runs.list_page = broken  # type: ignore[method-assign]
    reply = client("GET", "/v1/runs")
    assert (reply.status, reply.json["code"]) == (status, type(error).__name__)
    assert "arn:aws" not in reply.text


def test_a_transient_error_says_when_to_try_again() -> None:
    client = Client()

    def broken(*_: Any, **__: Any) -> Any:
        raise StoreUnavailable("throttled", retry_after=3)

    client.services.runs.list_page = broken  # type: ignore[method-assign]
    assert client("GET", "/v1/runs").headers["retry-after"] == "3"


def test_every_error_of_the_tree_has_a_status() -> None:
    class Any_(PentadError):
        pass

    assert status_of(Any_("x")) == 500
    for leaf in iter_leaves():
        error = leaf("x", limit="steps") if leaf.__name__ == "LimitReached" else leaf("x")  # type: ignore[call-arg]
        assert 400 <= status_of(error) < 600


def _resolve(document: Any, address: str) -> Any:
    path, _, pointer = address.partition("#/")
    assert path == "/v1/openapi.json"
    for part in pointer.split("/"):
        document = document[part]
    return document


def test_each_error_has_an_address_that_the_api_itself_answers() -> None:
    class Another(PentadError):
        pass

    client = Client()
    document = client("GET", "/v1/openapi.json").json
    leaves = list(iter_leaves())
    assert len(leaves) > 20
    for kind in (*leaves, Another):
        error = kind("x", limit="steps") if kind.__name__ == "LimitReached" else kind("x")
        problem, _ = from_error(error, "request")
        told = _resolve(document, problem.help)
        assert (told["status"], told["try_again"]) == (problem.status, isinstance(error, TransientError))
        assert told["means"].endswith(".")
    assert _resolve(document, client("GET", "/v1/nowhere").json["help"])["status"] == 404
    broken = problems.build_internal_error("request")
    assert _resolve(document, broken.help)["status"] == broken.status == 500


def test_no_answer_opens_cors() -> None:
    for method in ("GET", "OPTIONS"):
        reply = Client()(method, "/v1/agents", headers={"Origin": "https://evil.example"})
        assert not [name for name in reply.headers if name.startswith("access-control")]


def _document() -> Any:
    return Client()("GET", "/v1/openapi.json").json


def test_openapi_is_3_1_and_has_every_route() -> None:
    document = _document()
    assert document["openapi"].startswith("3.1")
    served = {
        (method.upper(), path.replace("{", "<").replace("}", ">"))
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert served == {(route.method, route.path) for route in ROUTES if route.path != "/v1/openapi.json"}


def test_openapi_operations_have_ids_and_summaries_and_problems() -> None:
    operations = [one for path in _document()["paths"].values() for one in path.values()]
    ids = [operation["operationId"] for operation in operations]
    assert len(set(ids)) == len(ids)
    assert all(operation["summary"] and "default" in operation["responses"] for operation in operations)


def test_openapi_references_resolve() -> None:
    document = _document()
    text = json.dumps(document)
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= set(document["components"]["schemas"])
