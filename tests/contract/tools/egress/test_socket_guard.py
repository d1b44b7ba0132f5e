"""What a tool's own code may connect to: real sockets, held to an allowlist."""

import asyncio
import smtplib
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink

from pentad.domain.errors import PolicyDenied
from pentad.tools.egress.adapters.socket_guard import hold, hold_caller
from pentad.tools.egress.allowlist import Allowlist
from pentad.tools.egress.connections import ConnectionRules, OwnEndpoints
from tests.contract.tools.egress.conftest import make_client
from tests.contract.tools.egress.servers import Answer, HttpServer, run_http


def make_rules(*egress: str, told: list[str] | None = None, own: OwnEndpoints | None = None) -> ConnectionRules:
    tell = (lambda place: None) if told is None else told.append
    return ConnectionRules("probe", Allowlist(egress), own or OwnEndpoints(), tell)


def connect_raw(host: str, port: int) -> None:
    with socket.socket() as sock:
        sock.connect((host, port))


def connect_by_number(host: str, port: int) -> None:
    with socket.socket() as sock:
        sock.connect_ex((host, port))


def connect_created(host: str, port: int) -> None:
    socket.create_connection((host, port), timeout=5).close()


def send_datagram(host: str, port: int) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.sendto(b"secret", (host, port))


def send_message(host: str, port: int) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.sendmsg([b"secret"], [], 0, (host, port))


class Disguised(socket.socket):
    """A socket that says that it is one of this machine's files."""

    family = socket.AF_UNIX


def connect_disguised(host: str, port: int) -> None:
    with Disguised(socket.AF_INET) as sock:
        sock.connect((host, port))


def open_url(host: str, port: int) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.open(f"http://{host}:{port}/", timeout=5).read()


def ask_requests(host: str, port: int) -> None:
    with requests.Session() as session:
        session.trust_env = False
        session.get(f"http://{host}:{port}/", timeout=5)


def ask_httpx(host: str, port: int) -> None:
    httpx.get(f"http://{host}:{port}/", trust_env=False)


async def _ask(host: str, port: int) -> None:
    _, writer = await asyncio.open_connection(host, port)
    writer.close()
    await writer.wait_closed()


def ask_asyncio(host: str, port: int) -> None:
    asyncio.run(_ask(host, port))


async def _ask_async_httpx(host: str, port: int) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.get(f"http://{host}:{port}/")


def ask_async_httpx(host: str, port: int) -> None:
    try:
        asyncio.run(_ask_async_httpx(host, port))
    except BaseExceptionGroup as group:  # of anyio, which the runtime reads too
        raise group.exceptions[0] from None


def ask_in_thread(host: str, port: int) -> None:
    raised: list[BaseException] = []

    def run() -> None:
        try:
            connect_created(host, port)
        except BaseException as error:  # a boundary: it is raised where it is waited for
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


STREAMS = [connect_raw, connect_by_number, connect_created, connect_disguised, open_url, ask_requests, ask_httpx]
STREAMS += [ask_asyncio, ask_async_httpx, ask_in_thread]
WAYS: list[Callable[[str, int], None]] = [*STREAMS, send_datagram, send_message]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: str(way.__name__))
def test_whatever_opens_a_connection_is_held_to_the_allowlist(way: Callable[[str, int], None]) -> None:
    with run_http() as allowed, run_http() as other, hold(make_rules(f"127.0.0.1:{allowed.port}")):
        way("127.0.0.1", allowed.port)
        with pytest.raises(PolicyDenied) as refused:
            way("127.0.0.1", other.port)
        assert other.got == []
    assert refused.value.message.startswith(f"the tool 'probe' may not connect to '127.0.0.1:{other.port}'")
    fix = f"its egress is '127.0.0.1:{allowed.port}'; to allow it, write '127.0.0.1:{other.port}' into egress of @tool"
    assert refused.value.fix == fix


@pytest.mark.parametrize(
    "way", [way for way in STREAMS if way not in (connect_raw, connect_by_number, connect_disguised)]
)
def test_a_name_is_refused_before_anybody_is_asked_for_its_address(
    way: Callable[[str, int], None], server: HttpServer
) -> None:
    told: list[str] = []
    with hold(make_rules(f"localhost:{server.port}", told=told)):
        way("localhost", server.port)
        for _ in range(2):
            with pytest.raises(PolicyDenied, match=r"may not connect to 'evil\.example"):
                way("evil.example", server.port)
    assert [place.partition(":")[0] for place in told] == ["evil.example"]


def test_a_name_counts_as_python_asks_for_it() -> None:
    with hold(make_rules("stra\u00dfe.example:80")), pytest.raises(PolicyDenied, match=r"to 'strasse\.example"):
        socket.getaddrinfo("stra\u00dfe.example", 80)


def test_an_address_counts_for_the_names_that_led_to_it(server: HttpServer) -> None:
    with hold(make_rules(f"localhost:{server.port}")):
        with pytest.raises(PolicyDenied, match=r"127\.0\.0\.1"):
            connect_raw("127.0.0.1", server.port)
        assert socket.gethostbyname("localhost") == "127.0.0.1"
        connect_raw("127.0.0.1", server.port)
        with pytest.raises(PolicyDenied, match=f"localhost:{server.port + 1}"):
            connect_raw("127.0.0.1", server.port + 1)


def test_a_name_that_is_connected_to_unresolved_is_refused_with_what_to_write(server: HttpServer) -> None:
    with hold(make_rules(f"localhost:{server.port}")), pytest.raises(PolicyDenied) as refused:
        connect_raw("localhost", server.port)
    assert refused.value.fix is not None and "socket.create_connection" in refused.value.fix


@pytest.mark.parametrize(
    "way", [open_url, ask_requests, lambda host, port: httpx.get(f"http://{host}:{port}/", follow_redirects=True)]
)
@pytest.mark.parametrize(
    "there", ["169.254.169.254/latest/", "[fd00:ec2::254]/", "127.0.0.1:1/", "10.0.0.5:80/", "2130706433/"]
)
def test_a_redirect_is_held_like_the_first_request(
    way: Callable[[str, int], Any], there: str, server: HttpServer
) -> None:
    server.answer = lambda got: Answer(302, [("Location", f"http://{there}")], b"")
    with hold(make_rules(f"127.0.0.1:{server.port}")), pytest.raises(PolicyDenied):
        way("127.0.0.1", server.port)
    assert len(server.got) == 1


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.5", "169.254.169.254", "::1", "::ffff:10.0.0.5", "64:ff9b::7f00:1"]
)
def test_public_is_no_private_address(address: str) -> None:
    with hold(make_rules("public")), pytest.raises(PolicyDenied, match="not public"):
        socket.create_connection((address, 443), timeout=1)


def test_a_name_of_a_public_host_that_leads_inwards_is_refused() -> None:
    """As a server of names does that wants to reach what only we reach."""
    rules = make_rules("public", "*.example.com")
    rules.check_name("www.example.com", 443)
    rules.remember("www.example.com", ["93.184.215.14", "10.0.0.5"])
    rules.check_address("93.184.215.14", 443)
    with pytest.raises(PolicyDenied, match=r"'www\.example\.com:443': it leads to an address that is not public"):
        rules.check_address("10.0.0.5", 443)


@pytest.mark.parametrize(("port", "allowed"), [(443, True), (80, False), (25, False)])
def test_a_host_without_a_port_is_for_https(port: int, allowed: bool) -> None:
    rules = make_rules("api.example.com")
    rules.remember("API.example.com.", ["93.184.215.14"])
    if allowed:
        rules.check_address("93.184.215.14", port)
    else:
        with pytest.raises(PolicyDenied, match=f"'api.example.com:{port}'"):
            rules.check_address("93.184.215.14", port)


def test_none_at_all_is_no_connection_and_nothing_said_is_no_rule(server: HttpServer) -> None:
    with hold(make_rules()), pytest.raises(PolicyDenied, match="may not connect"):
        open_url("127.0.0.1", server.port)
    with hold(None):
        open_url("127.0.0.1", server.port)


def test_two_tools_in_one_process_are_held_each_to_its_own() -> None:
    with run_http() as one, run_http() as two:
        places = [f"127.0.0.1:{one.port}", f"127.0.0.1:{two.port}"]
        for mine, other in ((one, two), (two, one)):
            with hold(make_rules(places[mine is two])):
                ask_requests("127.0.0.1", mine.port)
                with pytest.raises(PolicyDenied):
                    ask_requests("127.0.0.1", other.port)


def test_a_thread_that_outlives_its_call_is_held_to_what_counts_now(server: HttpServer) -> None:
    go, raised = threading.Event(), list[BaseException]()

    def run() -> None:
        go.wait(5)
        try:
            connect_created("127.0.0.1", server.port)
        except BaseException as error:  # a boundary
            raised.append(error)

    with hold(make_rules(f"127.0.0.1:{server.port}")):
        thread = threading.Thread(target=run)
        thread.start()
    with hold(make_rules()):
        go.set()
        thread.join()
    assert isinstance(raised[0], PolicyDenied)


def test_the_runtimes_own_endpoints_and_the_checked_client_go_on(server: HttpServer) -> None:
    own = OwnEndpoints()
    with run_http() as runtime:
        own.add(f"http://localhost:{runtime.port}/2018-06-01/runtime?x=1")
        with hold(make_rules(f"127.0.0.1:{server.port}", own=own)):
            open_url("localhost", runtime.port)
            assert (
                make_client(f"127.0.0.1:{server.port}").request("GET", f"http://127.0.0.1:{server.port}/").status == 200
            )
            with pytest.raises(PolicyDenied, match=f"localhost:{runtime.port + 1}"):
                open_url("localhost", runtime.port + 1)


def test_mail_is_held_too(mail_port: int) -> None:
    with hold(make_rules(f"localhost:{mail_port}")):
        with smtplib.SMTP("localhost", mail_port, timeout=5) as server:  # it asks for this machine's own name as well
            assert server.noop()[0] == 250
        with pytest.raises(PolicyDenied, match=r"smtp\.evil\.example:587"):
            smtplib.SMTP("smtp.evil.example", 587, timeout=5)


@pytest.fixture
def mail_port() -> Iterator[int]:
    controller = Controller(Sink(), hostname="127.0.0.1", port=0)
    with socket.create_server(("127.0.0.1", 0)) as free:
        controller.port = free.getsockname()[1]
    controller.start()
    yield controller.port
    controller.stop()


def test_names_of_strange_addresses_are_not_asked_for() -> None:
    with hold(make_rules("public")):
        for ask in (
            lambda: socket.gethostbyaddr("93.184.215.14"),
            lambda: socket.getnameinfo(("93.184.215.14", 80), 0),
        ):
            with pytest.raises(PolicyDenied):
                ask()
        assert socket.getfqdn()
        with suppress(OSError):
            socket.gethostbyaddr("127.0.0.1")


def test_what_stays_on_this_machine_is_free(tmp_path: Path) -> None:
    with hold(make_rules()), socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(str(tmp_path / "s"))
        server.listen()
        client.connect(str(tmp_path / "s"))
        first, second = socket.socketpair()
        first.sendall(b"x")
        assert second.recv(1) == b"x"
        first.close()
        second.close()
        with socket.create_server(("127.0.0.1", 0)) as listening:
            assert listening.getsockname()[1]


def test_more_addresses_than_are_remembered_are_forgotten_from_the_oldest_on() -> None:
    rules = make_rules("*.example.com")
    for number in range(4_097):
        rules.remember("a.example.com", [f"93.184.{number // 256}.{number % 256}"])
    rules.check_address("93.184.16.0", 443)
    with pytest.raises(PolicyDenied):
        rules.check_address("93.184.0.0", 443)


def test_a_caller_is_held_to_its_own_rules_besides_and_what_runs_beside_it_is_not() -> None:
    with run_http() as mine, run_http() as others:
        process = make_rules(f"127.0.0.1:{mine.port}", f"127.0.0.1:{others.port}")
        with hold(process), ThreadPoolExecutor(1) as beside:
            beside.submit(connect_created, "127.0.0.1", others.port).result()  # its thread is there before
            with hold_caller(make_rules(f"127.0.0.1:{mine.port}")):
                for way in (connect_created, ask_requests, ask_httpx, ask_asyncio, ask_in_thread):
                    way("127.0.0.1", mine.port)
                    with pytest.raises(PolicyDenied):
                        way("127.0.0.1", others.port)
                beside.submit(connect_created, "127.0.0.1", others.port).result()
                with hold_caller(None), pytest.raises(PolicyDenied):
                    connect_created("127.0.0.1", others.port)
            connect_created("127.0.0.1", others.port)
        with hold(make_rules()), hold_caller(make_rules(f"127.0.0.1:{mine.port}")), pytest.raises(PolicyDenied):
            connect_created("127.0.0.1", mine.port)  # a caller has no more than its process


def test_a_thread_that_a_caller_leaves_behind_stays_held(server: HttpServer) -> None:
    go, raised = threading.Event(), list[BaseException]()

    def run() -> None:
        go.wait(5)
        try:
            connect_created("127.0.0.1", server.port)
        except BaseException as error:  # a boundary
            raised.append(error)

    with hold_caller(make_rules()):
        thread = threading.Thread(target=run)
        thread.start()
    go.set()
    thread.join()
    assert isinstance(raised[0], PolicyDenied)
