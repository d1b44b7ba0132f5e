"""Who else can reach the twin: other users of the machine, and web pages in the user's own browser."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from pentad.cli.commands.twin.docs_ui import DocsUi
from tests.twin.http_api.builders import Functions, api, gateway
from tests.twin.strangers import list_readable, needs_root, run_as_other_user, talk, talk_as_other_user
from twin.front.account import reset_account
from twin.front.front import AwsFront
from twin.http_api.server import HttpApiServer
from twin.simulator import Simulator
from twin.vectors import LocalIndex

pytestmark = pytest.mark.twin

NAMES = ("aws", "api", "models", "vectors", "page")
PRIVATE = ("models", "vectors", "page")


@dataclass
class Endpoints:
    """One of each server of the twin. `reached` has what came through to what is behind them."""

    urls: dict[str, str] = field(default_factory=dict)
    reached: list[Any] = field(default_factory=list)

    def port(self, name: str) -> int:
        return urlsplit(self.urls[name]).port or 0

    def path(self, name: str) -> str:
        """A path that the server answers when its user asks."""
        own = {"aws": "/_twin/health", "models": "/_simulator/requests", "vectors": "/describe_index_stats"}
        return urlsplit(self.urls[name]).path + own.get(name, "/logs")


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    made = Endpoints()

    def answer(event: dict[str, Any]) -> str:
        made.reached.append(event)
        return "reached"

    def list_groups() -> list[str]:
        made.reached.append("logs")
        return ["/aws/lambda/secret"]

    reset_account()
    with ExitStack() as stack:
        front = stack.enter_context(AwsFront(hosts=("twin.example",)))
        simulator = stack.enter_context(Simulator(hosts=("twin.example",)))
        index = LocalIndex(tmp_path_factory.mktemp("index") / "vectors.sqlite", 3, hosts=("twin.example",))
        stack.enter_context(index)
        server = HttpApiServer(hosts=("twin.example",))
        stack.callback(server.stop)
        cors = {"AllowOrigins": ["https://shop.example"]}
        server.serve(gateway(api("ANY /{proxy+}", cors=cors), Functions(api=answer)))
        page = DocsUi(
            server.url,
            openapi=dict,
            log_groups=list_groups,
            read_log=lambda name, count: [],
            hosts=("twin.example",),
        )
        stack.callback(page.stop)
        made.urls = dict(zip(NAMES, (front.url, server.url, simulator.url, index.url, page.start()), strict=True))
        yield made


@pytest.fixture
def endpoints(started: Endpoints) -> Endpoints:
    started.reached.clear()
    return started


def ask(endpoints: Endpoints, name: str, method: str = "GET", **headers: str) -> httpx.Response:
    url = f"http://127.0.0.1:{endpoints.port(name)}{endpoints.path(name)}"
    fields = {"api-key": "local"} | {key.replace("_", "-"): value for key, value in headers.items()}
    return httpx.request(method, url, headers=fields, content=b"{}" if method == "POST" else None, timeout=20)


def write(endpoints: Endpoints, name: str, path: str | None = None) -> bytes:
    lines = (f"GET {path or endpoints.path(name)} HTTP/1.1", "Host: 127.0.0.1", "Api-Key: local", "Connection: close")
    return "\r\n".join((*lines, "", "")).encode()


@pytest.mark.parametrize("name", NAMES)
def test_user_of_the_twin_is_answered(endpoints: Endpoints, name: str) -> None:
    assert ask(endpoints, name).status_code == 200
    assert talk(endpoints.port(name), write(endpoints, name)).startswith(b"HTTP/1.1 200 ")


@needs_root
@pytest.mark.parametrize("name", NAMES)
def test_other_user_is_turned_away_with_the_whole_address_too(endpoints: Endpoints, name: str) -> None:
    answer = talk_as_other_user(endpoints.port(name), write(endpoints, name))
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert b"the twin answers the user who started it" in answer
    assert endpoints.reached == []


@needs_root
def test_other_user_who_hangs_up_at_once_has_no_effect(endpoints: Endpoints) -> None:
    """A closing connection has no owner: it must not count as root's."""
    port, data = endpoints.port("api"), write(endpoints, "api")

    def send_and_leave() -> bytes:
        for _ in range(50):
            client = socket.socket()
            client.connect(("127.0.0.1", port))
            client.send(data)
            client.close()
        return b"sent"

    assert run_as_other_user(send_and_leave) == b"sent"
    assert ask(endpoints, "api").status_code == 200  # connections are taken in order, so all others were looked at
    assert len(endpoints.reached) == 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "0.0.0.0", "192.168.1.2"],  # noqa: S104
)
def test_name_that_leads_here_by_dns_is_refused(endpoints: Endpoints, name: str, host: str) -> None:
    for method in ("GET", "POST"):
        assert ask(endpoints, name, method, host=host).status_code == 421
    assert endpoints.reached == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("host", ["localhost", "[::1]", "twin.example"])
def test_names_of_the_machine_and_configured_ones_are_answered(endpoints: Endpoints, name: str, host: str) -> None:
    assert ask(endpoints, name, host=f"{host}:{endpoints.port(name)}").status_code == 200
    assert ask(endpoints, name, origin=f"https://{host}").status_code == 200


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example"])
def test_page_in_a_browser_cannot_send_a_simple_request(endpoints: Endpoints, name: str, origin: str) -> None:
    """What `fetch(url, {mode: "no-cors", method: "POST"})` sends: no preflight asks before it."""
    browser = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors", "sec_fetch_dest": "empty"}
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        reply = ask(endpoints, name, "POST", origin=origin, content_type=kind, **browser)
        assert (reply.status_code, reply.headers.get("access-control-allow-origin")) == (403, None)
    form = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    assert ask(endpoints, name, "POST", origin=origin, content_type="text/plain", **form).status_code == 403
    assert endpoints.reached == []


@pytest.mark.parametrize("name", NAMES)
def test_page_in_a_browser_cannot_load_an_image_a_script_or_a_frame(endpoints: Endpoints, name: str) -> None:
    """These requests have no Origin header."""
    for mode, kind in (("no-cors", "image"), ("no-cors", "script"), ("navigate", "iframe"), ("cors", "empty")):
        browser = {"sec_fetch_site": "cross-site", "sec_fetch_mode": mode, "sec_fetch_dest": kind}
        assert ask(endpoints, name, **browser).status_code == 403
    assert endpoints.reached == []


def test_page_whose_origin_the_api_allows_is_answered_by_the_api_alone(endpoints: Endpoints) -> None:
    reply = ask(endpoints, "api", "POST", origin="https://shop.example", sec_fetch_site="cross-site")
    assert (reply.status_code, reply.headers["access-control-allow-origin"]) == (200, "https://shop.example")
    for name in ("aws", *PRIVATE):
        assert ask(endpoints, name, "POST", origin="https://shop.example").status_code == 403


@pytest.mark.parametrize("name", PRIVATE)
def test_what_has_no_credentials_needs_its_whole_address(endpoints: Endpoints, name: str) -> None:
    token, path = urlsplit(endpoints.urls[name]).path, endpoints.path(name)
    assert len(token) > 30
    for tried in (
        path.removeprefix(token),
        "/",
        path.replace(token, "/" + "A" * (len(token) - 1)),
        token[:-1] + "/logs",
    ):
        assert talk(endpoints.port(name), write(endpoints, name, tried)).startswith(b"HTTP/1.1 404 ")
    assert endpoints.reached == []


def test_page_names_its_own_address_only_where_a_browser_follows_it(endpoints: Endpoints) -> None:
    with httpx.Client(base_url=endpoints.urls["page"] + "/", timeout=20) as client:
        shown = client.get("logs")
        assert 'href="logs?group=%2Faws%2Flambda%2Fsecret"' in shown.text
        assert shown.headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in shown.headers["content-security-policy"]
        assert client.get("logs?group=/aws/lambda/secret").status_code == 200
        token = urlsplit(endpoints.urls["page"]).path
        assert json.dumps([{"url": token}]) in client.get("").text


def test_vectors_are_the_users_own_file(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with LocalIndex(tmp_path / "new" / "vectors.sqlite", 3) as index:
            body = {"vectors": [{"id": "a", "values": [1, 0, 0]}]}
            httpx.post(
                f"{index.url}/vectors/upsert", json=body, headers={"api-key": "k"}, timeout=20
            ).raise_for_status()
            files = sorted(path.name for path in (tmp_path / "new").iterdir())
            assert "vectors.sqlite" in files and len(files) > 1  # its journal too
            assert [one for one in list_readable(tmp_path / "new") if ".sqlite" in one] == []
    finally:
        os.umask(before)
