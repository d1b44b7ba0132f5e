"""What the OpenAPI document says, tried by schemathesis with all its checks; and requests that are no HTTP."""

import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

from pentad.api.rates.kinds import KINDS
from pentad.api.rates.rates import RateLimits, RequestRate
from tests.contract.api.wire import KEY, serve_api
from tests.unit.api.client import Client

EXAMPLES = 4
"""Requests for an operation in the phase of random values; those of the phases before come from the document."""
_AUTHORIZATION = {"Authorization": f"Bearer {KEY}"}
_NO_LIMIT = 10**9


@pytest.fixture
def url() -> Iterator[str]:
    client = Client(limits=RateLimits(**dict.fromkeys(KINDS, RequestRate(_NO_LIMIT, _NO_LIMIT, _NO_LIMIT))))
    with serve_api(client) as address:
        for number in range(3):  # There is something to list, to page and to go on with.
            client("POST", "/v1/runs", {"agent": "assistant", "message": f"Hi {number}", "session": f"s{number}"})
        yield address


def test_every_operation_keeps_to_the_document(url: str) -> None:
    config = SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "headers": _AUTHORIZATION,
            "checks": {"enabled": True},
            "continue-on-failure": True,
            "generation": {"deterministic": True, "max-examples": EXAMPLES, "no-shrink": True},
            "phases": {name: {"enabled": True} for name in ("examples", "coverage", "fuzzing", "stateful")},
        }
    )
    schema = schemathesis.openapi.from_url(f"{url}/v1/openapi.json", headers=_AUTHORIZATION, config=config)
    phases, failures, errors, requests = {}, [], [], 0
    for event in from_schema(schema).execute():
        if isinstance(event, events.PhaseFinished):
            phases[str(event.phase.name)] = event.status
        elif isinstance(event, events.ScenarioFinished):
            requests += len(event.recorder.interactions)
            failures += _collect_failures(event)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            errors.append(str(event))
    assert (failures, errors) == ([], [])
    assert {name: phases[name] for name in ("coverage", "fuzzing", "stateful")} == {
        "coverage": Status.SUCCESS,
        "fuzzing": Status.SUCCESS,
        "stateful": Status.SUCCESS,
    }
    assert requests > 900


def _collect_failures(event: Any) -> list[str]:
    return [
        f"{check.name}: {check.failure_info.failure.message}\n{check.failure_info.code_sample[:1000]}"
        for checks in event.recorder.checks.values()
        for check in checks
        if check.status is Status.FAILURE
    ]


def test_without_a_credential_the_answer_is_api_gateways_as_documented(url: str) -> None:
    document = httpx.get(f"{url}/v1/openapi.json", headers=_AUTHORIZATION).json()
    for path in ("/v1/runs", "/v1/models"):
        refused = httpx.get(f"{url}{path}")
        assert (refused.status_code, refused.json()) == (401, {"message": "Unauthorized"})
        answer = document["paths"][path]["get"]["responses"]["401"]["content"]["application/json"]["schema"]
        assert answer == {"$ref": "#/components/schemas/GatewayError"}


def _send_raw(url: str, head: str, body: bytes) -> bytes:
    where = urlsplit(url)
    assert where.hostname is not None and where.port is not None
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        lines = ["POST /v1/runs HTTP/1.1", f"Host: {where.netloc}", f"Authorization: Bearer {KEY}"]
        sent = "\r\n".join([*lines, "Content-Type: application/json", "Connection: close", head, "", ""])
        connection.sendall(sent.encode() + body)
        found = bytearray()
        while part := connection.recv(65_536):
            found += part
    return bytes(found)


_RUN = b'{"agent": "assistant", "message": "Hi"}'


@pytest.mark.parametrize(
    ("head", "body", "status"),
    [
        ("Content-Length: -1", _RUN, 400),
        ("Content-Length: x", _RUN, 400),
        ("Content-Length: 99999999999999999999", _RUN, 400),
        ("Content-Length: 20000000", _RUN, 413),
        ("Content-Length: 4\r\nContent-Length: 5", _RUN, 400),
        ("Transfer-Encoding: chunked", b"27\r\n" + _RUN + b"\r\n0\r\n\r\n", 202),
        ("Transfer-Encoding: chunked", b"zz\r\n" + _RUN + b"\r\n0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked", b"-1\r\n" + _RUN + b"\r\n0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked\r\nContent-Length: 4", b"27\r\n" + _RUN + b"\r\n0\r\n\r\n", 400),
    ],
)
def test_a_request_that_is_no_http_is_a_bad_request(url: str, head: str, body: bytes, status: int) -> None:
    assert _send_raw(url, head, body).startswith(f"HTTP/1.1 {status} ".encode())
