"""Nothing is sent to what may not be reached, however it is spelled; and a URL that is taken has one reading."""

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pentad.domain.errors import PolicyDenied, ToolFailed, ToolUnavailable
from pentad.tools.egress.allowlist import Allowlist
from pentad.tools.egress.client import EgressClient
from pentad.tools.egress.ports import NameUnknown, WireAnswer, WireRequest
from pentad.tools.egress.urls import parse_url

NAMES = {
    "good.example": ["93.184.215.14"],
    "loop.example": ["127.0.0.1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "nat64.example": ["64:ff9b::a9fe:a9fe"],
    "translated.example": ["::ffff:0:10.0.0.1"],
    "mixed.example": ["93.184.215.14", "2002:7f00:1::"],
    "zone.example": ["fe80::1%eth0"],
    "localhost": ["127.0.0.1", "::1"],
}
DENIED = (
    *(f"http://{name}/" for name in NAMES if name not in ("good.example", "zone.example")),
    "http://127.0.0.1/",
    "http://127.0.0.1:80/",
    "http://127.8.9.10/",
    "http://0.0.0.0/",
    "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
    "http://169.254.170.2/v2/credentials",
    "http://10.0.0.1/",
    "http://172.31.255.255/",
    "http://192.168.0.1/",
    "http://100.64.0.1/",
    "http://198.18.0.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[0:0:0:0:0:ffff:169.254.169.254]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[64:ff9b:1::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:0:4136:e378:8000:63bf:80ff:fffe]/",
    "http://[fd00:ec2::254]/latest/",
    "http://[fe80::1]/",
    "http://[fc00::1]/",
    "http://[ff02::1]/",
    "http://LOCALHOST./",
    "http://good.example:22/",
    "http://good.example:8080/",
    "https://good.example:80/",
)


class Names:
    """A resolver of names that are known."""

    def resolve(self, host: str, port: int, *, seconds: float) -> Sequence[str]:
        if host not in NAMES:
            raise NameUnknown
        return NAMES[host]


class Recorder:
    """A wire that answers at once, and remembers."""

    def __init__(self) -> None:
        self.sent: list[WireRequest] = []

    def send(self, request: WireRequest, *, monotonic: Callable[[], float]) -> WireAnswer:
        self.sent.append(request)
        return WireAnswer(200, [("Content-Type", "text/plain")], b"ok")


def make(*egress: str) -> tuple[EgressClient, Recorder]:
    wire = Recorder()
    return EgressClient(Allowlist(egress or ("public",)), resolver=Names(), wire=wire), wire


@pytest.mark.parametrize("url", DENIED)
def test_what_is_not_public_is_denied_and_nothing_is_sent(url: str) -> None:
    client, wire = make()
    with pytest.raises(PolicyDenied):
        client.request("GET", url)
    assert wire.sent == []


@pytest.mark.parametrize("url", ["http://zone.example/", "http://unknown.example/"])
def test_a_name_without_a_plain_address_is_not_reached(url: str) -> None:
    client, wire = make()
    with pytest.raises(ToolUnavailable):
        client.request("GET", url)
    assert wire.sent == []


def test_a_public_address_is_reached_by_name_and_number() -> None:
    client, wire = make()
    for url in ("http://good.example/a", "https://93.184.215.14/", "http://[64:ff9b::93.184.215.14]/"):
        assert client.request("GET", url).text == "ok"
    assert [request.address for request in wire.sent] == ["93.184.215.14", "93.184.215.14", "64:ff9b::5db8:d70e"]
    assert [dict(request.headers)["Host"] for request in wire.sent][:2] == ["good.example", "93.184.215.14"]


def test_no_time_is_left_for_a_call_that_is_over() -> None:
    client = EgressClient(
        Allowlist(["public"]), resolver=Names(), wire=Recorder(), monotonic=iter([0.0, *[1e9] * 5]).__next__
    )
    with pytest.raises(ToolUnavailable, match="in time"):
        client.request("GET", "http://good.example/")


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "GET /x HTTP/1.1\r\nX: y", "", "g et"])
def test_other_methods_are_not_sent(method: str) -> None:
    client, wire = make()
    with pytest.raises(ToolFailed):
        client.request(method, "http://good.example/")
    assert wire.sent == []


_PARTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["@", ":", "//", "\\", "#", "?", "%", "[", "]", ".", "127.0.0.1", "0x7f", "::1", "good.example", "80"]
    ),
)


@given(st.sampled_from(["http://", "https://", "HTTP://", "http:", "//", ""]), st.lists(_PARTS, max_size=8))
@example("http://", ["good.example", "#", "@", "127.0.0.1"])
@example("http://", ["good.example", "\\", "@", "127.0.0.1"])
def test_a_url_that_is_taken_reads_the_same_again_for_every_reader(scheme: str, parts: list[str]) -> None:
    try:
        found = parse_url(scheme + "".join(parts))
    except ToolFailed:
        return
    again = parse_url(found.url)
    assert again == found
    plain = urlsplit(found.url)
    assert (plain.hostname, plain.username, plain.port or found.port) == (found.host, None, found.port)
    assert found.url.isascii()
    assert not set(found.url) & set(' \t\r\n\\<>"')


@pytest.mark.parametrize("location", ["/b", "http://93.184.215.14/b"])
def test_who_needs_a_part_of_an_answer_needs_no_more_of_it_after_a_redirect(location: str) -> None:
    class Redirects(Recorder):
        def send(self, request: WireRequest, *, monotonic: Callable[[], float]) -> WireAnswer:
            answer = super().send(request, monotonic=monotonic)
            return answer if len(self.sent) > 1 else WireAnswer(307, [("Location", location)], b"")

    wire = Redirects()
    client = EgressClient(Allowlist(["public"]), resolver=Names(), wire=wire)
    assert client.request("GET", "http://good.example/a", until=bool).text == "ok"
    assert [request.until for request in wire.sent] == [bool, bool]
    assert [dict(request.headers)["accept-encoding"] for request in wire.sent] == ["identity", "identity"]
    client.request("GET", "http://good.example/a")
    assert dict(wire.sent[2].headers)["accept-encoding"] == "gzip, deflate"
