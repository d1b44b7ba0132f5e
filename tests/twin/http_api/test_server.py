"""The port of an HTTP API: headers, bodies and limits as they travel over a socket."""

import http.client
import json
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.twin.http_api.builders import Functions, api, gateway
from twin.http_api.server import MAXIMUM_BODY, HttpApiServer

pytestmark = pytest.mark.twin


@pytest.fixture
def connection() -> Iterator[http.client.HTTPConnection]:
    server = HttpApiServer()
    server.serve(gateway(api("ANY /e/{proxy+}"), Functions(api=lambda event: event)))
    address = server.url.removeprefix("http://")
    with closing(http.client.HTTPConnection(address, timeout=10)) as opened:
        yield opened
    server.stop()


def call(connection: http.client.HTTPConnection, *arguments: object, **named: object) -> tuple[int, object]:
    connection.request(*arguments, **named)  # type: ignore[arg-type]
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def test_path_is_decoded_and_query_is_raw(connection: http.client.HTTPConnection) -> None:
    status, event = call(connection, "GET", "/e/a%20b/%C3%A9?x=%2F&y")
    assert isinstance(event, dict)
    assert status == 200
    assert (event["rawPath"], event["rawQueryString"]) == ("/e/a b/é", "x=%2F&y")
    assert event["queryStringParameters"] == {"x": "/", "y": ""}


def test_header_names_are_in_lower_case(connection: http.client.HTTPConnection) -> None:
    _, event = call(connection, "GET", "/e/x", headers={"X-Custom-Name": "V", "Authorization": "k"})
    assert isinstance(event, dict)
    assert event["headers"]["x-custom-name"] == "V"
    assert event["headers"]["authorization"] == "k"


def test_connection_is_kept_alive(connection: http.client.HTTPConnection) -> None:
    call(connection, "GET", "/e/1")
    socket = connection.sock
    call(connection, "POST", "/e/2", body=b"{}")
    assert connection.sock is socket


def test_unicode_body_arrives_whole(connection: http.client.HTTPConnection) -> None:
    body = "grüße 🎉".encode()
    _, event = call(connection, "POST", "/e/x", body=body, headers={"content-type": "text/plain"})
    assert isinstance(event, dict)
    assert event["body"] == "grüße 🎉"


def test_body_over_ten_megabytes_is_too_long(connection: http.client.HTTPConnection) -> None:
    status, answer = call(connection, "POST", "/e/x", body=b"x" * (MAXIMUM_BODY + 1))
    assert (status, answer) == (413, {"message": "Request Too Long"})


def test_chunked_body_is_read(connection: http.client.HTTPConnection) -> None:
    parts = iter([b"ab", b"cd"])
    headers = {"content-type": "text/plain"}
    _, event = call(connection, "POST", "/e/x", body=parts, headers=headers, encode_chunked=True)
    assert isinstance(event, dict)
    assert event["body"] == "abcd"


def test_api_that_does_not_serve_yet_holds_its_port() -> None:
    first, second = HttpApiServer(), HttpApiServer()
    assert first.url != second.url
    first.stop()
    second.stop()
