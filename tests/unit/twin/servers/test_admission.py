"""Which hosts and which web pages may send requests to the twin."""

import pytest

from twin.servers.admission import Admission
from twin.servers.head import parse_head
from twin.servers.messages import Refused


def check(
    admission: Admission, *lines: str, method: str = "POST", target: str = "/", protocol: str = "HTTP/1.1"
) -> int:
    """Return 200, or the status of the refusal."""
    try:
        admission.check(parse_head("\r\n".join((f"{method} {target} {protocol}", *lines)).encode("latin-1")))
    except Refused as refused:
        return refused.status
    return 200


OWN = "Host: 127.0.0.1:8000"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:8000",
        "localhost",
        "LOCALHOST:1",
        "localhost.",
        "[::1]:8000",
        "bucket.localhost:4",
        "127.8.9.1",
    ],
)
def test_names_of_this_machine_are_taken(host: str) -> None:
    assert check(Admission(), f"Host: {host}") == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil.example:127.0.0.1",
        "127.0.0.1@evil.example",
        "evil.example, 127.0.0.1",
        "0.0.0.0:8000",
        "[::]:8000",
        "192.168.0.1",
        "2130706433",
        "notlocalhost",
        "",
        "[::1",
    ],
)
def test_any_other_name_is_refused(host: str) -> None:
    expected = 200 if host == "[::1" else 421  # an unclosed bracket still names the loopback address only
    assert check(Admission(), f"Host: {host}") == expected


def test_name_in_an_absolute_target_counts_too() -> None:
    assert check(Admission(), OWN, target="http://evil.example/") == 421
    assert check(Admission(), OWN, target="http://127.0.0.1:8000/") == 200
    assert check(Admission(), OWN, target="evil.example:80") == 421


def test_request_without_a_host_is_refused_but_by_the_old_protocol() -> None:
    assert check(Admission()) == 400
    assert check(Admission(), protocol="HTTP/1.0") == 200


def test_configured_name_is_taken_as_host_and_as_origin() -> None:
    admission = Admission(["Twin.Example"])
    assert check(admission, "Host: twin.example:80") == 200
    assert check(admission, OWN, "Origin: https://twin.example") == 200
    assert check(admission, "Host: other.example") == 421


@pytest.mark.parametrize(
    "origin", ["http://localhost:3000", "http://127.0.0.1", "https://app.localhost", "http://[::1]:1"]
)
def test_pages_of_this_machine_may_ask(origin: str) -> None:
    assert check(Admission(), OWN, f"Origin: {origin}", "Sec-Fetch-Site: same-site") == 200


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "",
        "http://localhost.evil.example",
        "http://127.0.0.1@evil.example",
        "http://[",
        "file://",
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET", "OPTIONS"])
def test_pages_of_other_origins_may_not(origin: str, method: str) -> None:
    assert check(Admission(), OWN, f"Origin: {origin}", method=method) == 403


def test_request_that_hides_its_origin_is_known_by_its_site() -> None:
    image = ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image")
    frame = ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe")
    link = ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document")
    assert check(Admission(), OWN, *image, method="GET") == 403
    assert check(Admission(), OWN, *frame, method="GET") == 403
    assert check(Admission(), OWN, *link, method="POST") == 403
    assert check(Admission(), OWN, *link, method="GET") == 200


def test_an_api_allows_further_origins() -> None:
    admission = Admission(allows_origin=lambda origin: origin == "https://shop.example")
    assert check(admission, OWN, "Origin: https://shop.example") == 200
    assert check(admission, OWN, "Origin: https://evil.example") == 403
    assert check(admission, OWN, "Sec-Fetch-Site: cross-site") == 403
    assert check(Admission(allows_origin=lambda origin: True), OWN, "Sec-Fetch-Site: cross-site") == 200
