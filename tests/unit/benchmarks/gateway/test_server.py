"""The fake provider reads whole requests, answers by path, and counts."""

from collections import Counter

import pytest

from benchmarks.gateway.server import answer, split

REQUEST = b"POST /pentad/up/v1/messages HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\n{}"


def test_a_request_is_whole_with_its_body_only() -> None:
    assert split(REQUEST[:-1]) is None
    assert split(REQUEST[:20]) is None
    assert split(REQUEST + b"GET") == (b"/pentad/up/v1/messages", len(REQUEST))


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (b"/a/up/v1/messages", b"200 OK"),
        (b"/a/up/v1/responses", b"200 OK"),
        (b"/a/up/v1/chat/completions?x=1", b"200 OK"),
        (b"/a/down/v1/messages", b"529 Overloaded"),
        (b"/a/up/v1/files", b"404 Not Found"),
        (b"/elsewhere", b"404 Not Found"),
    ],
)
def test_the_path_says_what_is_answered(target: bytes, status: bytes) -> None:
    assert answer(target, Counter()).startswith(b"HTTP/1.1 " + status)


def test_requests_are_counted_by_contender_and_side() -> None:
    counts: Counter[str] = Counter()
    for target in (b"/a/up/v1/messages", b"/a/up/v1/messages", b"/a/down/v1/messages", b"/counts"):
        answer(target, counts)
    assert counts == {"a/up": 2, "a/down": 1}
