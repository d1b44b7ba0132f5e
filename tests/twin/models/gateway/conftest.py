"""A twin of the gateway's own: circuits, drills and killed processes are the whole twin's."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_socket import enable_socket
from typer.testing import CliRunner

from pentad.cli import target
from pentad.cli.main import app
from pentad.models.breaker.adapters.breaker_dynamodb import DynamoCircuits
from pentad.models.breaker.shared_breaker import CACHE_SECONDS, SharedBreaker
from pentad.testing.stack import keeper
from tests.twin.stack.world import Stack, Tenant


@pytest.fixture(scope="session")
def own_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the twin's files."""
    return tmp_path_factory.mktemp("gateway-twin")


@pytest.fixture(scope="session")
def own_stack(assembly_dir: Path, own_state: Path) -> Iterator[Stack]:
    """The stack on a twin that only these tests use: they are of one xdist group."""
    enable_socket()
    with keeper.running(assembly_dir, own_state) as facts, Stack(facts) as found:
        yield found


@pytest.fixture
def stack(own_stack: Stack) -> Iterator[Stack]:
    """The stack as if nothing had failed before."""
    yield own_stack
    own_stack.simulator.reset()
    breaker = breaker_of(own_stack)
    known = breaker.get_all()
    for name in known:
        breaker.force(name, None)
    if any(one.open_until or one.forced for one in known.values()):
        time.sleep(CACHE_SECONDS)  # until no process of the gateway goes by what it saw of them before


@pytest.fixture
def tenant(stack: Stack) -> Tenant:
    """A new tenant."""
    return stack.tenant()


def breaker_of(stack: Stack) -> SharedBreaker:
    """Return the breaker as the operator sees it."""
    from pentad.aws.table import Table

    return SharedBreaker(DynamoCircuits(Table(stack.aws("dynamodb"), stack.outputs["TransientTable"])), cache_seconds=0)


Command = Callable[..., tuple[int, Any]]


@pytest.fixture
def command(stack: Stack, own_state: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Return a function that runs the command line with --json against the twin: exit code and what it printed."""
    monkeypatch.setattr(target, "state_folder", lambda: own_state)

    def run(*arguments: str) -> tuple[int, Any]:
        result = CliRunner().invoke(app, ["--json", *arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, json.loads(result.stdout)

    return run
