"""Where requests really go: names, addresses, TLS and redirects, against real servers."""

import gzip
from collections.abc import Callable

import pytest

from pentad.domain.errors import PolicyDenied, ToolFailed, ToolUnavailable
from pentad.tools.egress.adapters.wire_httpcore import HttpcoreWire
from pentad.tools.egress.allowlist import Allowlist
from pentad.tools.egress.client import EgressClient
from tests.contract.tools.egress.conftest import DOWN_ADDRESS, PUBLIC_ADDRESS, Names, Rewired, make_client
from tests.contract.tools.egress.servers import Answer, Authority, HttpServer, run_http
from tests.secrets_watch import MARK

API = "https://api.example.com"


def make_public(
    authority: Authority, names: Names, ports: dict[int, int], *egress: str
) -> tuple[EgressClient, Rewired]:
    """Return a client whose names are the test's, and which trusts the tests' authority."""
    wire = Rewired(HttpcoreWire(authority.trust), ports)
    return EgressClient(Allowlist(egress or ("api.example.com",)), resolver=names, wire=wire), wire


def redirect_to(location: str, status: int = 302) -> Callable[[object], Answer]:
    return lambda got: Answer(status, [("Location", location)], b"")


def test_the_checked_address_gets_the_name_in_sni_and_host(authority: Authority, tls_server: HttpServer) -> None:
    names = Names(api_example_com=[[PUBLIC_ADDRESS], ["127.0.0.1"]])
    client, wire = make_public(authority, names, {443: tls_server.port})
    answer = client.request("GET", f"{API}/a?b=1", params={"c": "ü"}, headers={"X-Key": "k"})
    assert (answer.status, answer.json(), answer.url) == (200, {}, f"{API}/a?b=1&c=%C3%BC")
    got = tls_server.got[0]
    assert (got.path, got.headers["host"], got.headers["x-key"]) == ("/a?b=1&c=%C3%BC", "api.example.com", "k")
    assert tls_server.names == ["api.example.com"]
    assert (wire.addresses, names.asked) == ([PUBLIC_ADDRESS], ["api.example.com"])


def test_a_name_that_leads_elsewhere_the_second_time_is_refused_then(
    authority: Authority, tls_server: HttpServer
) -> None:
    names = Names(api_example_com=[[PUBLIC_ADDRESS], ["127.0.0.1"]])
    client, wire = make_public(authority, names, {443: tls_server.port})
    tls_server.answer = redirect_to("/again")
    with pytest.raises(PolicyDenied, match="not public"):
        client.request("GET", API)
    assert wire.addresses == [PUBLIC_ADDRESS]
    assert len(tls_server.got) == 1


@pytest.mark.parametrize(
    "bad",
    ["127.0.0.1", "10.0.0.5", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "fd00:ec2::254"],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_bad_address_among_good_ones_refuses_the_name(authority: Authority, bad: str, place: int) -> None:
    addresses = [PUBLIC_ADDRESS, "1.1.1.1"]
    addresses.insert(place, bad)
    client, wire = make_public(authority, Names(api_example_com=[addresses]), {})
    with pytest.raises(PolicyDenied, match="not public"):
        client.request("GET", API)
    assert wire.addresses == []


@pytest.mark.parametrize("answer", ["fe80::1%eth0", "no address", ""])
def test_an_answer_that_is_no_plain_address_refuses_the_name(authority: Authority, answer: str) -> None:
    client, wire = make_public(authority, Names(api_example_com=[[PUBLIC_ADDRESS, answer]]), {})
    with pytest.raises(ToolUnavailable):
        client.request("GET", API)
    assert wire.addresses == []


def test_a_certificate_for_another_name_is_refused(authority: Authority) -> None:
    with run_http(authority.serve_for("other.example.com", "127.0.0.1")) as server:
        client, _ = make_public(authority, Names(api_example_com=[[PUBLIC_ADDRESS]]), {443: server.port})
        with pytest.raises(ToolFailed, match=r"certificate of 'api\.example\.com' is not valid"):
            client.request("POST", f"{API}/{MARK}", headers={"Authorization": MARK}, body=MARK)
        assert server.got == []


def test_a_certificate_of_an_unknown_authority_is_refused(tls_server: HttpServer) -> None:
    client = make_client(f"https://localhost:{tls_server.port}")
    with pytest.raises(ToolFailed, match="certificate"):
        client.request("GET", f"https://localhost:{tls_server.port}/")
    assert tls_server.got == []


def test_an_address_has_its_own_certificate(authority: Authority) -> None:
    with run_http(authority.serve_for("127.0.0.1")) as server:
        entry = f"127.0.0.1:{server.port}"
        client = EgressClient(Allowlist([entry]), resolver=Names(), wire=HttpcoreWire(authority.trust))
        assert client.request("GET", f"https://{entry}/").status == 200


def test_a_second_address_is_tried_where_the_first_takes_no_connection(
    authority: Authority, tls_server: HttpServer
) -> None:
    client, wire = make_public(
        authority, Names(api_example_com=[[DOWN_ADDRESS, PUBLIC_ADDRESS]]), {443: tls_server.port}
    )
    assert client.request("GET", API).status == 200
    assert wire.addresses == [DOWN_ADDRESS, PUBLIC_ADDRESS]


# Redirects


def test_a_redirect_within_an_origin_keeps_credentials(server: HttpServer) -> None:
    entry = f"127.0.0.1:{server.port}"
    server.answer = lambda got: Answer(302, [("Location", "/b?c")]) if got.path == "/a" else Answer(body=b"[1]")
    answer = make_client(entry).request("GET", f"http://{entry}/a", headers={"Authorization": "Bearer x"})
    assert (answer.json(), answer.url) == ([1], f"http://{entry}/b?c")
    assert [got.headers.get("authorization") for got in server.got] == ["Bearer x", "Bearer x"]


def test_a_redirect_to_another_origin_loses_every_header_that_may_be_a_credential(server: HttpServer) -> None:
    with run_http() as other:
        server.answer = redirect_to(f"http://127.0.0.1:{other.port}/there")
        client = make_client(f"127.0.0.1:{server.port}", f"127.0.0.1:{other.port}")
        sent = {"Authorization": "a", "Cookie": "b", "X-Api-Key": "c", "Accept": "text/plain"}
        client.request("GET", f"http://127.0.0.1:{server.port}/", headers=sent)
        got = other.got[0].headers
        assert got["accept"] == "text/plain"
        assert not {"authorization", "cookie", "x-api-key", "referer"} & got.keys()


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/",
        "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
        "http://localhost/",
        "http://2130706433/",
        "http://[::ffff:7f00:1]/",
        "http://internal.example.com/",
        "file:///etc/passwd",
        "//user@127.0.0.1/",
        "http://public.example.com:8080/",
    ],
)
def test_a_redirect_is_checked_like_the_first_request(authority: Authority, server: HttpServer, location: str) -> None:
    names = Names(public_example_com=[[PUBLIC_ADDRESS]], internal_example_com=[["10.0.0.1"]], localhost=[["127.0.0.1"]])
    client, wire = make_public(authority, names, {80: server.port}, "public")
    server.answer = redirect_to(location)
    with pytest.raises((PolicyDenied, ToolFailed)):
        client.request("GET", "http://public.example.com/")
    assert wire.addresses == [PUBLIC_ADDRESS]


def test_https_never_redirects_to_http(authority: Authority, tls_server: HttpServer) -> None:
    names = Names(api_example_com=[[PUBLIC_ADDRESS]])
    client, wire = make_public(authority, names, {443: tls_server.port}, "public")
    tls_server.answer = redirect_to("http://api.example.com/")
    with pytest.raises(ToolFailed, match="https to http"):
        client.request("GET", API)
    assert len(wire.addresses) == 1


def test_redirects_end(server: HttpServer) -> None:
    entry = f"127.0.0.1:{server.port}"
    server.answer = redirect_to("/loop")
    with pytest.raises(ToolFailed, match="redirects"):
        make_client(entry).request("GET", f"http://{entry}/")
    assert len(server.got) == 6
    answer = make_client(entry).request("GET", f"http://{entry}/", redirects=0)
    assert (answer.status, answer.headers["location"]) == (302, "/loop")


@pytest.mark.parametrize(
    ("status", "method", "body"),
    [(301, "GET", b""), (302, "GET", b""), (303, "GET", b""), (307, "POST", b"x"), (308, "POST", b"x")],
)
def test_a_post_is_redirected_as_http_says(server: HttpServer, status: int, method: str, body: bytes) -> None:
    entry = f"127.0.0.1:{server.port}"
    server.answer = lambda got: Answer(status, [("Location", "/b")]) if got.path == "/a" else Answer()
    make_client(entry).request("POST", f"http://{entry}/a", body="x", headers={"content-type": "text/plain"})
    second = server.got[1]
    assert (second.method, second.body, "content-type" in second.headers) == (method, body, bool(body))


@pytest.mark.parametrize("status", [307, 308])
def test_a_body_follows_no_redirect_to_another_host(server: HttpServer, status: int) -> None:
    with run_http() as other:
        server.answer = redirect_to(f"http://127.0.0.1:{other.port}/", status)
        client = make_client(f"127.0.0.1:{server.port}", f"127.0.0.1:{other.port}")
        with pytest.raises(ToolFailed, match="was not sent there"):
            client.request("POST", f"http://127.0.0.1:{server.port}/", body=f"client_secret={MARK}")
        assert other.got == []


def test_proxies_of_the_environment_are_not_asked(server: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    entry = f"127.0.0.1:{server.port}"
    assert make_client(entry).request("GET", f"http://{entry}/").status == 200


def test_localhost_is_reached_where_the_allowlist_names_it(server: HttpServer) -> None:
    url = f"http://localhost:{server.port}/"
    assert make_client(f"localhost:{server.port}").request("GET", url).status == 200
    for egress in (["public"], [f"127.0.0.1:{server.port}"], ["localhost"], []):
        with pytest.raises(PolicyDenied):
            make_client(*egress).request("GET", url)
    assert len(server.got) == 1


def test_compressed_answers_are_read(server: HttpServer) -> None:
    entry = f"127.0.0.1:{server.port}"
    server.answer = lambda got: Answer(headers=[("Content-Encoding", "gzip")], body=gzip.compress(b"[1, 2]"))
    assert make_client(entry).request("GET", f"http://{entry}/").json() == [1, 2]
