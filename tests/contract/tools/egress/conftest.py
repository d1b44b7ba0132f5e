"""Servers and clients for the tests of the egress client."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pentad.tools.egress.adapters.resolver_system import SystemResolver
from pentad.tools.egress.adapters.wire_httpcore import HttpcoreWire
from pentad.tools.egress.allowlist import Allowlist
from pentad.tools.egress.client import EgressClient
from pentad.tools.egress.ports import NameUnknown, WireAnswer, WireRequest
from tests.contract.tools.egress.servers import Authority, HttpServer, run_http

PUBLIC_ADDRESS = "93.184.215.14"
"""Of a server on the internet; the tests' network leads connections to it to this machine."""

DOWN_ADDRESS = "93.184.215.15"
"""Of one that takes no connections."""


class Names:
    """A resolver with answers of the tests': each name has one answer after the other, and then the last for good."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self.answers = {name.replace("_", "."): list(given) for name, given in answers.items()}
        self.asked: list[str] = []

    def resolve(self, host: str, port: int, *, seconds: float) -> Sequence[str]:
        self.asked.append(host)
        given = self.answers.get(host)
        if not given:
            raise NameUnknown
        return given.pop(0) if len(given) > 1 else given[0]


class Rewired:
    """The real wire, but that a public address is this machine and port 443 is a server's of the tests."""

    def __init__(self, wire: HttpcoreWire, ports: dict[int, int]) -> None:
        self._wire = wire
        self._ports = ports
        self.addresses: list[str] = []

    def send(self, request: WireRequest, *, monotonic: Callable[[], float]) -> WireAnswer:
        self.addresses.append(request.address)
        port = 1 if request.address == DOWN_ADDRESS else self._ports.get(request.port, request.port)
        there = "127.0.0.1" if request.address in (PUBLIC_ADDRESS, DOWN_ADDRESS) else request.address
        return self._wire.send(replace(request, address=there, port=port), monotonic=monotonic)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder: Path = tmp_path_factory.mktemp("authority")
    return Authority(folder)


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with run_http() as running:
        yield running


@pytest.fixture
def tls_server(authority: Authority) -> Iterator[HttpServer]:
    with run_http(authority.serve_for("api.example.com", "localhost")) as running:
        yield running


def make_client(*egress: str, remaining: float = 30.0) -> EgressClient:
    """Return a client with the system's names and the real wire."""
    return EgressClient(
        Allowlist(egress), resolver=SystemResolver(), wire=HttpcoreWire(), remaining_seconds=lambda: remaining
    )
