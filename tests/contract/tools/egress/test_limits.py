"""Bad manners of servers: slow, endless, too large, broken. Each ends as one typed error, asked once."""

import gzip
import socket
import threading
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from pentad.domain.errors import PentadError, ToolFailed, ToolThrottled, ToolUnavailable
from tests.contract.tools.egress.conftest import make_client
from tests.contract.tools.egress.servers import Answer, HttpServer, repeat, run_raw
from tests.secrets_watch import MARK

HEAD = b"HTTP/1.1 200 OK\r\n"
Talk = Callable[[socket.socket, threading.Event], None]


def read_head(connection: socket.socket) -> None:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65_536)


def say(*pieces: bytes, then: bytes = b"", pause: float = 0.0) -> Talk:
    """Return a server that sends pieces, and then one again and again."""

    def talk(connection: socket.socket, stop: threading.Event) -> None:
        read_head(connection)
        for piece in pieces:
            connection.sendall(piece)
        if then:
            repeat(connection, stop, then, pause=pause)

    return talk


def keep_silent(connection: socket.socket, stop: threading.Event) -> None:
    stop.wait(20)


def drip_all(connection: socket.socket, stop: threading.Event) -> None:
    repeat(connection, stop, b"H", pause=0.02)


TOO_SLOW = {
    "silence": keep_silent,
    "a drip before the request is read": drip_all,
    "a status line that drips": say(then=b"H", pause=0.02),
    "headers that drip": say(HEAD, then=b"X: y\r\n", pause=0.02),
    "a body that drips": say(HEAD, b"Content-Length: 100000\r\n\r\n", then=b"x", pause=0.02),
    "chunks that drip": say(HEAD, b"Transfer-Encoding: chunked\r\n\r\n", then=b"1\r\nx\r\n", pause=0.02),
    "interim answers that drip": say(then=b"HTTP/1.1 103 Early Hints\r\n\r\n", pause=0.02),
}


@pytest.mark.parametrize("talk", TOO_SLOW.values(), ids=TOO_SLOW)
def test_time_is_counted_in_total(talk: Talk) -> None:
    with run_raw(talk) as port, pytest.raises((ToolUnavailable, ToolFailed)) as caught:
        make_client(f"127.0.0.1:{port}").request("GET", f"http://127.0.0.1:{port}/{MARK}", timeout=0.6)
    if talk is not drip_all:
        assert "in time" in caught.value.message


def test_a_handshake_that_never_ends_has_the_same_time() -> None:
    with run_raw(keep_silent) as port, pytest.raises(ToolUnavailable):
        make_client(f"127.0.0.1:{port}").request("GET", f"https://127.0.0.1:{port}/", timeout=0.4)


def test_no_request_has_more_time_than_the_call() -> None:
    with run_raw(keep_silent) as port, pytest.raises(ToolUnavailable, match="in time"):
        make_client(f"127.0.0.1:{port}", remaining=0.8).request("GET", f"http://127.0.0.1:{port}/", timeout=60)


BOMB = gzip.compress(b"0" * 30_000_000)
TWICE = gzip.compress(b"0" * 3_000_000) * 3
TOO_LARGE = {
    "a body": say(HEAD, b"Content-Length: 9000000\r\n\r\n", then=b"x" * 65_536),
    "a body without a length": say(HEAD, b"\r\n", then=b"x" * 65_536),
    "chunks": say(HEAD, b"Transfer-Encoding: chunked\r\n\r\n", then=b"8000\r\n" + b"x" * 32_768 + b"\r\n"),
    "a chunk with a long extension": say(HEAD, b"Transfer-Encoding: chunked\r\n\r\n1;", then=b"x" * 65_536),
    "compressed": say(HEAD, b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB), BOMB),
    "compressed in members": say(HEAD, b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(TWICE), TWICE),
    "headers": say(HEAD, then=b"X-Long: " + b"x" * 8_000 + b"\r\n"),
    "one header": say(HEAD, b"X: ", then=b"x" * 65_536),
    "interim answers": say(then=b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1_000),
}


@pytest.mark.parametrize("talk", TOO_LARGE.values(), ids=TOO_LARGE)
def test_bytes_are_counted_also_after_decompression(talk: Talk) -> None:
    with run_raw(talk) as port, pytest.raises(ToolFailed):
        make_client(f"127.0.0.1:{port}").request("GET", f"http://127.0.0.1:{port}/", timeout=20)


def test_as_many_bytes_as_were_asked_for_are_taken(server: HttpServer) -> None:
    entry = f"127.0.0.1:{server.port}"
    server.answer = lambda got: Answer(body=b"x" * 1_000)
    client = make_client(entry)
    assert len(client.request("GET", f"http://{entry}/", max_bytes=1_000).body) == 1_000
    with pytest.raises(ToolFailed, match="more than 999 bytes"):
        client.request("GET", f"http://{entry}/", max_bytes=999)


BROKEN = {
    "nothing": say(),
    "no HTTP": say(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "a body that ends early": say(HEAD, b"Content-Length: 10\r\n\r\n12345"),
    "a chunk of no length": say(HEAD, b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "two lengths": say(HEAD, b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx"),
    "broken gzip": say(HEAD, b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"),
    "half a gzip": say(HEAD, b"Content-Encoding: gzip\r\nContent-Length: 20\r\n\r\n", gzip.compress(b"x" * 99)[:20]),
    "an encoding that was not asked for": say(HEAD, b"Content-Encoding: br\r\nContent-Length: 3\r\n\r\nabc"),
    "two encodings": say(HEAD, b"Content-Encoding: gzip, gzip\r\nContent-Length: 3\r\n\r\nabc"),
}


@pytest.mark.parametrize("talk", BROKEN.values(), ids=BROKEN)
def test_a_broken_answer_is_told_and_asked_for_once(talk: Talk) -> None:
    asked: list[int] = []

    def count(connection: socket.socket, stop: threading.Event) -> None:
        asked.append(1)
        talk(connection, stop)

    with run_raw(count) as port, pytest.raises((ToolFailed, ToolUnavailable)) as caught:
        make_client(f"127.0.0.1:{port}").request(
            "POST", f"http://127.0.0.1:{port}/{MARK}", headers={"Authorization": MARK}, body=MARK, timeout=5
        )
    assert asked == [1]
    assert MARK not in str(caught.value)


@pytest.mark.parametrize("window", [15, -15])
def test_both_readings_of_deflate_are_read(server: HttpServer, window: int) -> None:
    entry, machine = f"127.0.0.1:{server.port}", zlib.compressobj(wbits=window)
    packed = machine.compress(b"[1]") + machine.flush()
    server.answer = lambda got: Answer(headers=[("Content-Encoding", "deflate")], body=packed)
    assert make_client(entry).request("GET", f"http://{entry}/").json() == [1]


def test_nobody_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ToolUnavailable, match="refused the connection"):
        make_client(f"127.0.0.1:{port}").request("GET", f"http://127.0.0.1:{port}/{MARK}")


def test_an_early_refusal_of_a_large_body_is_read() -> None:
    def refuse(connection: socket.socket, stop: threading.Event) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        stop.wait(1)

    with run_raw(refuse) as port:
        client = make_client(f"127.0.0.1:{port}")
        answer = client.request("POST", f"http://127.0.0.1:{port}/", body=b"x" * 100, timeout=5)
        assert answer.status == 413


@pytest.mark.parametrize(
    ("status", "headers", "kind", "wait"),
    [
        (429, [("Retry-After", "7")], ToolThrottled, 7.0),
        (429, [], ToolThrottled, None),
        (503, [("Retry-After", "3")], ToolUnavailable, 3.0),
        (500, [], ToolUnavailable, None),
        (408, [], ToolUnavailable, None),
        (400, [], ToolFailed, None),
        (401, [], ToolFailed, None),
        (404, [], ToolFailed, None),
    ],
)
def test_statuses_are_answers_until_they_are_checked(
    server: HttpServer, status: int, headers: list[tuple[str, str]], kind: type[PentadError], wait: float | None
) -> None:
    entry = f"127.0.0.1:{server.port}"
    server.answer = lambda got: Answer(status, headers, f"your key {MARK} is not known".encode())
    answer = make_client(entry).request("GET", f"http://{entry}/{MARK}")
    assert answer.status == status
    with pytest.raises(kind) as caught:
        answer.check("The vendor")
    assert getattr(caught.value, "retry_after", None) == wait
    assert MARK not in f"{caught.value} {answer!r}"


def test_a_rate_limit_after_a_change_does_not_promise_that_nothing_was_done(server: HttpServer) -> None:
    entry = f"127.0.0.1:{server.port}"
    server.answer = lambda got: Answer(429 if got.path == "/limited" else 200)
    client = make_client(entry)
    client.request("POST", f"http://{entry}/search", json={}, changes=False)
    client.request("POST", f"http://{entry}/limited", json={})
    with pytest.raises(ToolThrottled):
        client.request("GET", f"http://{entry}/limited").check()
    client.request("POST", f"http://{entry}/write", json={})
    with pytest.raises(ToolUnavailable):
        client.request("GET", f"http://{entry}/limited").check()


def test_fifty_requests_at_once(server: HttpServer) -> None:
    entry = f"127.0.0.1:{server.port}"
    server.answer = lambda got: Answer(body=got.path.encode())
    client = make_client(entry)

    def ask(number: int) -> bytes:
        return client.request("GET", f"http://{entry}/{number}").body

    with ThreadPoolExecutor(50) as pool:
        assert list(pool.map(ask, range(50))) == [f"/{number}".encode() for number in range(50)]
