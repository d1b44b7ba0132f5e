"""URLs are read once, and what programs read differently is not taken."""

import pytest

from pentad.domain.errors import ToolFailed
from pentad.tools.egress.urls import join_url, parse_url

REFUSED = (
    "",
    "example.com",
    "//example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_",
    "javascript:alert(1)",
    "https://",
    "https:///path",
    "https://user@example.com/",
    "https://user:password@example.com/",
    "https://example.com@127.0.0.1/",
    "https://@127.0.0.1/",
    "https://example.com:0/",
    "https://example.com:65536/",
    "https://example.com:-1/",
    "https://example.com:8O/",
    "https://exa mple.com/",
    "https://example.com\t.evil.com/",
    "https://example.com\n/",
    "https://example.com\\@127.0.0.1/",
    "https:\\\\127.0.0.1/",
    "https://127.0.0.1\\.example.com/",
    "https://example..com/",
    "https://.example.com/",
    "https://example.com../",
    "https://-example.com/",
    "https://exa%6dple.com/",
    "https://127.0.0.1%2f@example.com/",
    "https://%31%32%37.0.0.1/",
    # One address in all its spellings
    "http://2130706433/",
    "http://017700000001/",
    "http://0x7f000001/",
    "http://0x7f.0x0.0x0.0x1/",
    "http://0177.0.0.1/",
    "http://0177.0.0.0x1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://127.0.0.1.1/",
    "http://127.0.0.01/",
    "http://0127.0.0.1/",
    "http://00000127.0.0.1/",
    "http://0x7f.1/",
    "http://0X7F.1/",
    "http://127.0x1/",
    "http://256.1.1.1/",
    "http://0/",
    "http://0x/",
    "http://1/",
    "http://４２９４９６７２９５/",  # noqa: RUF001
    "http://0x7f.０.0.1/",  # noqa: RUF001
    "http://[::1%25eth0]/",
    "http://[::1%eth0]/",
    "http://[fe80::1%25lo]/",
    "http://[::1/",
    "http://::1/",
    "http://[127.0.0.1]/",
    "http://[v1.x]/",
    "http://[::1]x/",
    "http://[::ffff:127.1]/",
    "http://[0:0:0:0:0:0:0:0:1]/",
    "https://" + "a" * 64 + ".com/",
    "https://" + "a." * 130 + "com/",
    "https://example.com/" + "a" * 9_000,
    "https://example.com/\ud800",
    "https://\udfff.example.com/",
)


@pytest.mark.parametrize("url", REFUSED)
def test_what_can_be_read_in_two_ways_is_not_taken(url: str) -> None:
    with pytest.raises(ToolFailed) as caught:
        parse_url(url)
    assert caught.value.field == "url"


@pytest.mark.parametrize(
    ("url", "host", "port", "target"),
    [
        ("https://example.com", "example.com", 443, "/"),
        ("HTTPS://EXAMPLE.com.:443/A?b=C#frag", "example.com", 443, "/A?b=C"),
        ("http://example.com:8080/", "example.com", 8080, "/"),
        ("https://example.com/a b".replace(" ", "%20"), "example.com", 443, "/a%20b"),
        ("https://example.com/ü?q=ü", "example.com", 443, "/%C3%BC?q=%C3%BC"),
        ("https://bücher.example/", "xn--bcher-kva.example", 443, "/"),
        ("https://例え。テスト/", "xn--r8jz45g.xn--zckzah", 443, "/"),
        ("http://127.0.0.1./", "127.0.0.1", 80, "/"),
        ("http://１２７.０.０.１/", "127.0.0.1", 80, "/"),  # noqa: RUF001
        ("http://127。0。0。1/", "127.0.0.1", 80, "/"),
        ("http://[::1]:90/", "::1", 90, "/"),
        ("http://[0:0:0:0:0:0:0:1]/", "::1", 80, "/"),
        ("http://[0000::FFFF:7F00:0001]/", "::ffff:7f00:1", 80, "/"),
        ("https://a_b.example.com/", "a_b.example.com", 443, "/"),
    ],
)
def test_a_url_has_one_reading(url: str, host: str, port: int, target: str) -> None:
    place = parse_url(url)
    shown = place.host.replace("::ffff:127.0.0.1", "::ffff:7f00:1")  # newer versions of Python show the last part so
    assert (shown, place.port, place.target) == (host, port, target)


def test_parameters_are_added_and_escaped() -> None:
    place = parse_url("https://example.com/find?a=1", {"q": "x&y=z ü", "none": None, "on": True, "id": [1, 2]})
    assert place.target == "/find?a=1&q=x%26y%3Dz+%C3%BC&on=true&id=1&id=2"


def test_half_of_a_surrogate_pair_in_parameters_is_one_unknown_character() -> None:
    place = parse_url("https://example.com/", {"k\ud83d": ["\ud83d", "\ud83d\ude00"]})
    assert place.target == "/?k%EF%BF%BD=%EF%BF%BD&k%EF%BF%BD=%F0%9F%98%80"


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/next", "https://example.com/next"),
        ("next?x=1", "https://example.com/a/next?x=1"),
        ("//other.example/x", "https://other.example/x"),
        ("http://other.example:81/x y", "http://other.example:81/x%20y"),
        ("?only=query", "https://example.com/a/b?only=query"),
    ],
)
def test_a_redirect_is_read_against_where_it_came_from(location: str, url: str) -> None:
    assert join_url(parse_url("https://example.com/a/b"), location).url == url


@pytest.mark.parametrize(
    "location",
    [
        "http://user@h.example/",
        "ftp://h.example/",
        "http://0x7f.1/",
        "http://h.example\\x",
        "h\tttp://x/",
        "//[::1",
        "/\ud83d",
    ],
)
def test_a_redirect_is_read_as_strictly(location: str) -> None:
    with pytest.raises(ToolFailed):
        join_url(parse_url("https://example.com/"), location)
