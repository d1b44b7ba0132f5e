"""What the twin's server reads from the head of a request, and what it does not guess about."""

import pytest

from twin.servers.head import MAX_FIELDS, parse_head, read_length
from twin.servers.messages import Refused

MOST = 100


def parse(*lines: str) -> bytes:
    return "\r\n".join(("POST /a HTTP/1.1", *lines)).encode("latin-1")


def refuse(data: bytes) -> int:
    with pytest.raises(Refused) as refused:
        read_length(parse_head(data), MOST)
    return refused.value.status


def test_fields_keep_order_and_spelling_and_repeated_ones_are_joined() -> None:
    head = parse_head(b"GET /x?y HTTP/1.1\r\nX-One: 1\r\nx-ONE:\t2 \r\nCookie: a=1\r\ncookie: b=2\r\nEmpty:")
    assert (head.method, head.target, head.protocol) == ("GET", "/x?y", "HTTP/1.1")
    assert head.fields[:2] == (("X-One", "1"), ("x-ONE", "2"))
    assert head.headers == {"x-one": "1, 2", "cookie": "a=1; b=2", "empty": ""}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GET /a",
        b"GET  /a HTTP/1.1",
        b"GET /a b HTTP/1.1",
        b"G(T /a HTTP/1.1",
        b"GET /a\x00 HTTP/1.1",
        parse("no colon"),
        parse("Name : value"),
        parse("A: 1", " folded"),
        parse(": nameless"),
        parse("A: b\nContent-Length: 5"),
        parse("A: b\rC: d"),
        parse("A: \x00"),
    ],
)
def test_what_parsers_read_differently_is_refused(data: bytes) -> None:
    assert refuse(data) == 400


@pytest.mark.parametrize("data", [b"GET /a HTTP/2.0", b"PRI * HTTP/3", b"GET /a RTSP/1.0"])
def test_other_protocols_are_refused(data: bytes) -> None:
    assert refuse(data) == 505


def test_more_fields_than_the_bound_are_refused() -> None:
    lines = [f"A{number}: 1" for number in range(MAX_FIELDS)]
    assert read_length(parse_head(parse(*lines)), MOST) == 0
    assert refuse(parse(*lines, "One-More: 1")) == 431


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (("Content-Length: 101",), 413),
        (("Content-Length: 999999999999999999",), 413),
        (("Content-Length: 5", "Content-Length: 6"), 400),
        (("Content-Length: -1",), 400),
        (("Content-Length: +5",), 400),
        (("Content-Length: 0x5",), 400),
        (("Content-Length: ٣".encode().decode("latin-1"),), 400),
        (("Content-Length: 5", "Transfer-Encoding: chunked"), 400),
        (("Transfer-Encoding: gzip, chunked",), 501),
        (("Transfer-Encoding: identity",), 501),
    ],
)
def test_lengths_that_are_too_long_or_doubtful_are_refused(lines: tuple[str, ...], status: int) -> None:
    assert refuse(parse(*lines)) == status


def test_length_is_read() -> None:
    assert read_length(parse_head(parse("Content-Length: 100")), MOST) == 100
    assert read_length(parse_head(parse("Transfer-Encoding: Chunked")), MOST) is None


@pytest.mark.parametrize(
    ("protocol", "connection", "kept"),
    [("HTTP/1.1", "keep-alive", True), ("HTTP/1.1", "Close", False), ("HTTP/1.0", "keep-alive", False)],
)
def test_connection_is_kept_by_version_and_header(protocol: str, connection: str, kept: bool) -> None:
    assert parse_head(f"GET / {protocol}\r\nConnection: {connection}".encode()).keeps_alive is kept
