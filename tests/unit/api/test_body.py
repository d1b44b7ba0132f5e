"""Bodies that nothing can be read from, on every route that takes one: 4xx with the reason, never 500."""

import base64
import gzip
import json
from typing import Any

import pytest

from pentad.api.body import BadBody, read_body
from pentad.api.routes import MCP_PATH, ROUTES, is_door
from tests.unit.api.client import Client, Reply

_RUN = json.dumps({"agent": "assistant", "message": "Grüße, 東京"}, ensure_ascii=False)
_BODIES: dict[str, tuple[bytes, dict[str, str], int]] = {
    "not UTF-8": (b'{"agent": "\xff\xfe"}', {}, 400),
    "Latin-1": (_RUN.encode("cp1252", "replace"), {}, 400),
    "UTF-16": (_RUN.encode("utf-16"), {}, 400),
    "UTF-16, and it says so": (_RUN.encode("utf-16"), {"content-type": "application/json; charset=UTF-16"}, 415),
    "gzip": (gzip.compress(_RUN.encode()), {"content-encoding": "gzip"}, 415),
    "gzip, unsaid": (gzip.compress(_RUN.encode()), {}, 400),
    "nested 100,000 deep": (b"[" * 100_000 + b"]" * 100_000, {}, 400),
    "objects nested 100,000 deep": (b'{"a":' * 100_000, {}, 400),
    "an integer of 5,000 digits": (b'{"agent": ' + b"1" * 5_000 + b"}", {}, 400),
    "a number beyond floats": (b'{"agent": 1e999}', {}, 400),
    "NaN": (b'{"agent": NaN}', {}, 400),
    "half a surrogate pair as a name": (b'{"agent": "\\ud83d", "\\udc00": 1}', {}, 400),
    "a NUL in a string": (b'{"agent": "\x00"}', {}, 400),
    "cut": (b'{"agent": "ass', {}, 400),
    "a list": (b"[]", {}, 400),
    "a string": (b'"agent"', {}, 400),
    "null": (b"null", {}, 400),
    "only blanks": (b"  \n", {}, 400),
    "only a byte order mark": (b"\xef\xbb\xbf", {}, 400),
}
_POSTS = [route for route in ROUTES if route.method == "POST" and route.name != "cancel_run"]


def _send(route: Any, body: bytes, headers: dict[str, str], *, encoded: bool = True) -> Reply:
    path = route.path.replace("<run>", "run_" + "0" * 26).replace("<", "").replace(">", "")
    raw = base64.b64encode(body).decode() if encoded else body.decode()
    return Client().send("POST", path, raw, encoded=encoded, headers={"content-type": "application/json"} | headers)


@pytest.mark.parametrize("kind", _BODIES)
@pytest.mark.parametrize("route", _POSTS, ids=lambda route: route.name)
def test_a_body_that_cannot_be_read_is_told_so(route: Any, kind: str) -> None:
    body, headers, status = _BODIES[kind]
    reply = _send(route, body, headers)
    # What a path or a body names is looked for first where there is nothing to read of the body.
    assert reply.status == status or (reply.status == 404 and status == 400)
    assert ("error" in reply.json) == (is_door(route.path) or route.path == MCP_PATH)


@pytest.mark.parametrize("label", ["multipart/form-data", "multipart/form-data; boundary=x", "text/plain", "a", "/;;="])
def test_another_label_is_named_and_the_door_does_not_look_at_it(label: str) -> None:
    start = next(route for route in _POSTS if route.name == "start_run")
    reply = _send(start, _RUN.encode(), {"content-type": label})
    assert (reply.status, reply.json["field"], reply.json["fix"]) == (415, "Content-Type", "send application/json")
    door = next(route for route in _POSTS if route.name == "embed")
    asked = {"model": "embeddings", "input": "Hi"}
    assert _send(door, json.dumps(asked).encode(), {"content-type": label}).status == 200


@pytest.mark.parametrize("label", ["", "application/json", "APPLICATION/JSON; Charset=UTF-8", "application/x+json"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_text_that_means_one_thing_is_read_however_it_comes(label: str, mark: bytes) -> None:
    start = next(route for route in _POSTS if route.name == "start_run")
    assert _send(start, mark + _RUN.encode(), {"content-type": label}).status == 202
    assert _send(start, mark + _RUN.encode(), {"content-type": label}, encoded=False).status == 202


def test_a_cancel_needs_no_body_and_refuses_one_that_cannot_be_read() -> None:
    client = Client()
    run_id = client("POST", "/v1/runs", {"agent": "assistant", "message": "Hi"}).json["run_id"]
    assert client("POST", f"/v1/runs/{run_id}/cancel", raw='{"reason": ').status == 400
    assert client("POST", f"/v1/runs/{run_id}/cancel", raw=" ").status == 200


def test_a_body_is_measured_in_bytes_of_what_was_sent() -> None:
    text = json.dumps({"a": "é" * 490_000}, ensure_ascii=False)
    assert len(text.encode()) < 1_000_000 < len(base64.b64encode(text.encode()))
    read = read_body({"body": base64.b64encode(text.encode()).decode(), "isBase64Encoded": True})
    assert (read["body"], read["isBase64Encoded"]) == (text, False)
    with pytest.raises(BadBody) as caught:
        read_body({"body": json.dumps({"a": "é" * 510_000}, ensure_ascii=False), "isBase64Encoded": False})
    assert caught.value.status == 413


def test_a_body_of_a_read_is_not_looked_at() -> None:
    reply = Client().send("GET", "/v1/agents", "[" * 100_000, encoded=False, headers={})
    assert reply.status == 200


@pytest.mark.parametrize("route", _POSTS, ids=lambda route: route.name)
def test_half_a_surrogate_pair_is_read_on_each_route_as_the_same(route: Any) -> None:
    reply = _send(route, b'{"x": "\\ud83d", "\\udc00": ["\\udfff"]}', {})
    # What a path or a body names is looked for first: there a fault is told, and nothing else.
    assert reply.headers.get("x-pentad-mended") == "body" or reply.status in (400, 404)
    assert 200 <= reply.status < 500
