"""Requests that make no sense end in a problem document that names the field and the fix, and store nothing."""

import json
from typing import Any

import httpx
import pytest

from tests.twin.stack.world import Tenant

pytestmark = pytest.mark.twin

CONTENT = {"bytes": 5, "sha256": "0" * 64}
GOOD = {"agent": "assistant", "message": "hello"}


def refused(tenant: Tenant, response: httpx.Response, status: int, field: str | None) -> Any:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert problem["type"] and problem["title"] and problem["detail"] and problem["instance"]
    assert problem.get("field") == field
    assert problem["fix"]
    assert tenant.items() == []
    return problem


def test_message_of_two_megabytes_is_too_large_and_the_limit_is_named(tenant: Tenant) -> None:
    problem = refused(tenant, tenant.post("/v1/runs", GOOD | {"message": "x" * 2_000_000}), 413, None)
    assert "1,000,000 bytes" in problem["detail"]
    assert "100,000 characters" in problem["fix"]


def test_message_of_too_many_characters_is_refused_and_the_limit_is_named(tenant: Tenant) -> None:
    problem = refused(tenant, tenant.post("/v1/runs", GOOD | {"message": "x" * 100_001}), 400, "message")
    assert "100000" in problem["detail"].replace(",", "")


def test_unknown_agent_is_refused_and_the_known_ones_are_named(tenant: Tenant) -> None:
    problem = refused(tenant, tenant.post("/v1/runs", GOOD | {"agent": "nobody"}), 400, "agent")
    assert "assistant" in problem["fix"]


def test_body_that_is_no_json_is_refused(tenant: Tenant) -> None:
    response = tenant.send("POST", "/v1/runs", {"Content-Type": "application/json"}, content=b'{"agent": ')
    refused(tenant, response, 400, "body")


def test_body_that_is_not_declared_as_json_is_refused(tenant: Tenant) -> None:
    response = tenant.send("POST", "/v1/runs", {"Content-Type": "text/plain"}, content=json.dumps(GOOD).encode())
    refused(tenant, response, 415, "Content-Type")


@pytest.mark.parametrize("session", ["../../etc", "a/../b", "a#b", "", "x" * 65, "a\n"])
def test_session_that_is_no_safe_name_is_refused(tenant: Tenant, session: str) -> None:
    refused(tenant, tenant.post("/v1/runs", GOOD | {"session": session}), 400, "session")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"agent": "assistant"}, "message"),
        ({"message": "hello"}, "agent"),
        (GOOD | {"colour": "red"}, "colour"),
        (GOOD | {"message": "   "}, "message"),
        (GOOD | {"message": 7}, "message"),
        (GOOD | {"user": "a b"}, "user"),
        (GOOD | {"metadata": {str(number): "x" for number in range(17)}}, "metadata"),
    ],
)
def test_wrong_field_is_named(tenant: Tenant, body: Any, field: str) -> None:
    refused(tenant, tenant.post("/v1/runs", body), 400, field)


def test_idempotency_key_of_other_characters_is_refused(tenant: Tenant) -> None:
    refused(tenant, tenant.post("/v1/runs", GOOD, Idempotency_Key="a b"), 400, "idempotency_key")


@pytest.mark.parametrize("path", ["/v1/runs/run_..", "/v1/runs/%2e%2e%2fkeys", "/v1/runs/run_" + "0" * 26])
def test_run_that_is_not_there_is_not_found(tenant: Tenant, path: str) -> None:
    response = tenant.send("GET", path)
    assert (response.status_code, response.json()["code"]) == (404, "NotFound")
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("name", ["../secret.md", "/a.md", "a//b.md", "a/../b.md", ""])
def test_document_of_an_unsafe_name_is_refused(tenant: Tenant, name: str) -> None:
    refused(tenant, tenant.post("/v1/documents", {"name": name, "media_type": "text/markdown", **CONTENT}), 400, "name")


def test_document_of_what_is_no_type_is_refused(tenant: Tenant) -> None:
    response = tenant.post("/v1/documents", {"name": "a.md", "media_type": "markdown", **CONTENT})
    refused(tenant, response, 400, "media_type")


def test_other_method_of_a_path_is_refused_with_those_that_are_allowed(tenant: Tenant) -> None:
    response = tenant.send("DELETE", "/v1/runs")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"
    assert response.headers["content-type"] == "application/problem+json"
