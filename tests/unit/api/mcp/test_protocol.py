"""One message: its envelope, its revision, and headers that agree with it."""

import base64
from typing import Any

import pytest

from pentad.api.mcp.protocol import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    INVALID_REQUEST,
    META_CAPABILITIES,
    META_VERSION,
    MODERN,
    PARSE_ERROR,
    SUPPORTED,
    UNSUPPORTED_VERSION,
    McpFault,
    decode_body,
    parse_request,
)

Json = dict[str, Any]
META: Json = {META_VERSION: MODERN, META_CAPABILITIES: {}}
CALL: Json = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "add", "_meta": META}}
HEADERS = {"mcp-protocol-version": MODERN, "mcp-method": "tools/call", "mcp-name": "add"}


def refuse(body: Any, headers: dict[str, str]) -> McpFault:
    with pytest.raises(McpFault) as found:
        parse_request(body, headers)
    return found.value


def test_a_request_whose_headers_agree_is_read() -> None:
    asked = parse_request(CALL, HEADERS)
    assert (asked.method, asked.modern, asked.request_id) == ("tools/call", True, 1)


@pytest.mark.parametrize(
    "changed",
    [
        {"mcp-protocol-version": "2025-11-25"},
        {"mcp-protocol-version": f"{MODERN},{MODERN}"},
        {"mcp-protocol-version": None},
        {"mcp-method": "tools/list"},
        {"mcp-method": "TOOLS/CALL"},
        {"mcp-method": None},
        {"mcp-name": "sub"},
        {"mcp-name": "add,add"},
        {"mcp-name": None},
        {"mcp-name": "=?base64?####?="},
        {"mcp-name": "=?base64?YWRkZA==?="},
    ],
)
def test_a_header_that_says_something_else_is_told(changed: dict[str, str | None]) -> None:
    headers = {name: value for name, value in (HEADERS | changed).items() if value is not None}
    assert refuse(CALL, headers).code == HEADER_MISMATCH


@pytest.mark.parametrize("method", ["tools/call", "tasks/get"])
def test_a_name_that_only_a_header_has_is_told(method: str) -> None:
    body = CALL | {"method": method, "params": {"_meta": META}}
    assert refuse(body, HEADERS | {"mcp-method": method}).code == HEADER_MISMATCH
    parse_request(body, {name: value for name, value in HEADERS.items() if name != "mcp-name"} | {"mcp-method": method})


def test_a_name_that_no_header_can_hold_comes_as_base64() -> None:
    name = "größe"
    body = CALL | {"params": {"name": name, "_meta": META}}
    sent = f"=?base64?{base64.b64encode(name.encode()).decode()}?="
    assert parse_request(body, HEADERS | {"mcp-name": sent}).params["name"] == name


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2027-01-01", "x"])
@pytest.mark.parametrize("era", ["modern", "sessions", "notification"])
def test_a_revision_that_is_not_served_is_told_with_those_that_are(version: str, era: str) -> None:
    body = CALL | {"params": {"name": "add", "_meta": META | {META_VERSION: version}}}
    if era == "sessions":
        body = CALL | {"params": {"name": "add"}}
    if era == "notification":
        body = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    fault = refuse(body, HEADERS | {"mcp-protocol-version": version})
    assert fault.code == UNSUPPORTED_VERSION
    assert fault.data == {"supported": list(SUPPORTED), "requested": version}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ([CALL], INVALID_REQUEST),
        ([], INVALID_REQUEST),
        (None, INVALID_REQUEST),
        ("x", INVALID_REQUEST),
        ({}, INVALID_REQUEST),
        (CALL | {"jsonrpc": "1.0"}, INVALID_REQUEST),
        (CALL | {"method": 7}, INVALID_REQUEST),
        (CALL | {"method": ""}, INVALID_REQUEST),
        (CALL | {"id": None}, INVALID_REQUEST),
        (CALL | {"id": True}, INVALID_REQUEST),
        (CALL | {"id": 1.5}, INVALID_REQUEST),
        (CALL | {"id": "x" * 201}, INVALID_REQUEST),
        (CALL | {"id": {}}, INVALID_REQUEST),
        ({"jsonrpc": "2.0", "id": 1, "result": {}}, INVALID_REQUEST),
        (CALL | {"params": [1]}, INVALID_PARAMS),
        (CALL | {"params": {"name": "add"}}, INVALID_PARAMS),
        (CALL | {"params": {"name": "add", "_meta": {META_VERSION: MODERN}}}, INVALID_PARAMS),
        (CALL | {"params": {"name": "add", "_meta": "x"}}, INVALID_PARAMS),
        (CALL | {"params": {"name": "add", "_meta": META | {META_CAPABILITIES: []}}}, INVALID_PARAMS),
    ],
)
def test_what_is_no_message_is_refused(body: Any, code: int) -> None:
    assert refuse(body, HEADERS).code == code


@pytest.mark.parametrize("text", [None, "", "{", "\x00", "[" * 100_000, '{"a":' * 50_000, "NaN", '{"id": 1e999}'])
def test_what_is_no_json_is_a_parse_error(text: str | None) -> None:
    with pytest.raises(McpFault) as found:
        decode_body(text)
    assert found.value.code == PARSE_ERROR


@pytest.mark.parametrize("session", ["", "a b", "ä", "x" * 201, "a\nb"])
def test_a_session_that_is_not_ours_is_refused(session: str) -> None:
    body = CALL | {"params": {"name": "add"}}
    headers = {"mcp-protocol-version": "2025-11-25", "mcp-session-id": session}
    assert refuse(body, headers).code == INVALID_REQUEST


@pytest.mark.parametrize(
    ("capabilities", "forms", "tasks"),
    [
        ({}, False, False),
        ({"elicitation": {}}, True, False),
        ({"elicitation": {"form": {}}}, True, False),
        ({"elicitation": {"url": {}}}, False, False),
        ({"elicitation": 1, "extensions": []}, False, False),
        ({"extensions": {"io.modelcontextprotocol/tasks": {}}}, False, True),
    ],
)
def test_what_a_client_can_do_is_what_this_request_says(capabilities: Json, forms: bool, tasks: bool) -> None:
    body = CALL | {"params": {"name": "add", "_meta": META | {META_CAPABILITIES: capabilities}}}
    asked = parse_request(body, HEADERS)
    assert (asked.takes_forms, asked.takes_tasks) == (forms, tasks)
