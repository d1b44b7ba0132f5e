"""The twin's HTTP server over real sockets: what it answers, and what happens at each bound."""

import http.client
import logging
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from twin.servers.loopback import ConnectionCut, Limits, LoopbackServer, Request, Response

pytestmark = pytest.mark.twin

SMALL = Limits(connections=3, head_bytes=1000, body_bytes=1000, idle_seconds=5.0, read_seconds=0.3)
Serve = Callable[..., LoopbackServer]


def echo(request: Request) -> Response:
    shown = f"{request.method} {request.path} {dict(request.query)} {len(request.body)} ".encode()
    return Response(200, shown + request.body[:100], {"content-type": "text/plain"})


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(handler: Callable[[Request], Response] = echo, **options: object) -> LoopbackServer:
            server = LoopbackServer(handler, name="test", **options)  # type: ignore[arg-type]
            stack.callback(server.stop)
            server.start()
            return server

        yield start


def connect(server: LoopbackServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), 10)


def read_all(client: socket.socket) -> bytes:
    data = b""
    while got := client.recv(65536):
        data += got
    return data


def send(server: LoopbackServer, data: bytes) -> bytes:
    """Send bytes, and read until the server closes."""
    with connect(server) as client:
        client.sendall(data)
        return read_all(client)


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


CLOSE = b"Host: localhost\r\nConnection: close\r\n"


def test_request_reaches_the_handler_whole(serve: Serve) -> None:
    answer = send(serve(), b"POST /a%20b?x=1&x=2&y HTTP/1.1\r\n" + CLOSE + b"Content-Length: 3\r\n\r\nabc")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"POST /a%20b {'x': ['1', '2'], 'y': ['']} 3 abc")


def test_requests_sent_at_once_are_answered_in_order(serve: Serve) -> None:
    one = b"GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = b"GET /3 HTTP/1.1\r\n" + CLOSE + b"\r\n"
    answer = send(serve(), one + one.replace(b"/1 ", b"/2 ") + last)
    places = [answer.index(f"GET /{number} ".encode()) for number in (1, 2, 3)]
    assert places == sorted(places)
    assert answer.count(b"HTTP/1.1 200") == 3


def test_request_in_single_bytes_is_read(serve: Serve) -> None:
    with connect(serve()) as client:
        for byte in (
            b"POST / HTTP/1.1\r\n"
            + CLOSE
            + b"Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\nT: 1\r\n\r\n"
        ):
            client.sendall(bytes([byte]))
        assert read_all(client).endswith(b"3 abc")


def test_head_has_the_length_and_no_body(serve: Serve) -> None:
    server = serve(lambda request: Response(200, b"thirteen more"))
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as client:
        for method, body in (("HEAD", b""), ("GET", b"thirteen more")):
            client.request(method, "/")
            response = client.getresponse()
            assert (response.read(), response.headers["content-length"]) == (body, "13")


def test_old_client_gets_a_stream_without_chunks(serve: Serve) -> None:
    server = serve(lambda request: Response(200, iter([b"one", b"", b"two"])))
    assert send(server, b"GET / HTTP/1.0\r\n\r\n").endswith(b"\r\n\r\nonetwo")
    assert send(server, b"GET / HTTP/1.1\r\n" + CLOSE + b"\r\n").endswith(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")


def test_stream_that_fails_is_seen_to_be_cut(serve: Serve) -> None:
    def pieces(error: Exception) -> Iterator[bytes]:
        yield b"one"
        raise error

    for error in (ConnectionCut(), RuntimeError("broken")):
        with closing(
            http.client.HTTPConnection("127.0.0.1", serve(lambda _, e=error: Response(200, pieces(e))).port)
        ) as c:
            c.request("GET", "/")
            with pytest.raises(http.client.IncompleteRead):
                c.getresponse().read()


def test_handler_that_raises_or_splits_its_head_answers_500_and_the_connection_goes_on(serve: Serve) -> None:
    def answer(request: Request) -> Response:
        if request.path == "/raise":
            raise RuntimeError("broken")
        return Response(200, b"", {"x": "a\r\nset-cookie: b"} if request.path == "/split" else {})

    with closing(http.client.HTTPConnection("127.0.0.1", serve(answer).port, timeout=10)) as client:
        for path, status in (("/raise", 500), ("/split", 500), ("/", 200)):
            client.request("GET", path)
            response = client.getresponse()
            response.read()
            assert (response.status, response.headers["set-cookie"]) == (status, None)


def test_connection_over_the_bound_is_told_so_and_a_later_one_is_served(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve(limits=SMALL)
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with caplog.at_level(logging.WARNING), ExitStack() as stack:
        held = [stack.enter_context(connect(server)) for _ in range(SMALL.connections)]
        for client in held:  # each is accepted once it is answered
            client.sendall(request)
            assert status_of(client.recv(65536)) == 200
        with connect(server) as refused:
            assert status_of(read_all(refused)) == 503
        assert server.count_refusals() == {"too_many_connections": 1}
        assert "3 connections are open" in caplog.text
        held[0].close()
        while status_of(send(server, b"GET / HTTP/1.1\r\n" + CLOSE + b"\r\n")) == 503:
            threading.Event().wait(0.01)


@pytest.mark.parametrize(
    ("data", "status", "kind"),
    [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 2000, 431, "headers_too_large"),
        (
            b"GET /" + b"x" * 900 + b" HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 100 + b"\r\n\r\n",
            431,
            "headers_too_large",
        ),
        (b"POST / HTTP/1.1\r\n" + CLOSE + b"Content-Length: 1001\r\n\r\n", 413, "request_too_large"),
        (b"POST / HTTP/1.1\r\n" + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n3e9\r\n", 413, "request_too_large"),
        (
            b"POST / HTTP/1.1\r\n"
            + CLOSE
            + b"Transfer-Encoding: chunked\r\n\r\n"
            + (b"1f4\r\n" + b"x" * 500 + b"\r\n") * 3,
            413,
            "request_too_large",
        ),
        (b"POST / HTTP/1.1\r\n" + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n" + b"1" * 2000, 400, "bad_request"),
        (b"POST / HTTP/1.1\r\n" + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", 400, "bad_request"),
        (b"POST / HTTP/1.1\r\n" + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", 400, "bad_request"),
        (b"GET / HT", 408, "request_timeout"),
        (b"POST / HTTP/1.1\r\n" + CLOSE + b"Content-Length: 10\r\n\r\nabc", 408, "request_timeout"),
        (b"POST / HTTP/1.1\r\n" + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", 408, "request_timeout"),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421, "foreign_host"),
    ],
)
def test_each_bound_is_answered_and_counted(serve: Serve, data: bytes, status: int, kind: str) -> None:
    server = serve(limits=SMALL)
    answer = send(server, data)
    assert status_of(answer) == status
    assert b"Connection: close" in answer
    assert server.count_refusals() == {kind: 1}
    assert status_of(send(server, b"GET / HTTP/1.1\r\n" + CLOSE + b"\r\n")) == 200


def test_what_was_refused_is_told_as_the_server_stops(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    server = serve(limits=SMALL)
    for host in (b"evil.example", b"other.example"):
        assert status_of(send(server, b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")) == 421
    with caplog.at_level(logging.INFO):
        server.stop()
        server.stop()
    [told] = [record.message for record in caplog.records if "while it ran" in record.message]
    assert told.endswith("refused while it ran: foreign_host 2")


def test_request_that_comes_in_drops_is_ended(serve: Serve) -> None:
    with connect(serve(limits=SMALL)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nX: ")
        for _ in range(SMALL.head_bytes - 100):
            if select.select([client], [], [], 0.02)[0]:
                break
            client.sendall(b"x")
        assert status_of(read_all(client)) == 408


def test_body_over_the_bound_is_answered_though_the_client_sends_it_all(serve: Serve) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", serve(limits=SMALL).port, timeout=10)) as client:
        client.request("POST", "/", body=b"x" * (8 << 20))
        assert client.getresponse().status == 413


def test_client_that_waits_for_a_word_gets_it_only_if_the_body_is_taken(serve: Serve) -> None:
    server = serve(limits=SMALL)
    asked = b"POST / HTTP/1.1\r\n" + CLOSE + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n"
    with connect(server) as client:
        client.sendall(asked % 2)
        assert client.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"ab")
        assert read_all(client).endswith(b"2 ab")
    assert status_of(send(server, asked % 2000)) == 413


def test_silent_connection_is_closed_without_a_word(serve: Serve) -> None:
    server = serve(limits=Limits(idle_seconds=0.2))
    assert send(server, b"") == b""
    assert server.count_refusals() == {}


def test_private_server_answers_below_its_path_only(serve: Serve) -> None:
    server = serve(private=True)
    prefix = server.url.removeprefix(f"http://127.0.0.1:{server.port}")
    assert len(prefix) > 30
    for path, status in (
        (prefix, 200),
        (f"{prefix}/a", 200),
        (f"{prefix}?a", 200),
        ("/", 404),
        (f"{prefix}x/a", 404),
        (prefix[:-1], 404),
        (f"{prefix[:-1]}_/a", 404),
        ("/a" + prefix, 404),
        (f"http://localhost{prefix}/a", 200),
    ):
        answer = send(server, f"GET {path} HTTP/1.1\r\n".encode() + CLOSE + b"\r\n")
        assert status_of(answer) == status, path
        assert prefix.encode() not in answer
    assert send(server, f"GET {prefix}/a HTTP/1.1\r\n".encode() + CLOSE + b"\r\n").endswith(b"GET /a {} 0 ")


def test_stopped_server_frees_its_port_and_its_connections(serve: Serve) -> None:
    server = serve()
    port = server.port
    with connect(server) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert status_of(client.recv(65536)) == 200
        server.stop()
        assert client.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 5)
    server.stop()
