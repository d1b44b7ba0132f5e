"""What every test shares: no sockets outside the tiers that need them, one synth a session."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from pytest_socket import disable_socket, enable_socket

ROOT = Path(__file__).resolve().parent.parent
# These tiers start servers on the loopback interface; every other test must not open a socket.
_WITH_SOCKETS = ("twin", "contract", "e2e")


@pytest.fixture(autouse=True)
def _sockets(request: pytest.FixtureRequest) -> Iterator[None]:
    tier = Path(str(request.node.path)).relative_to(ROOT / "tests").parts[0]
    if tier in _WITH_SOCKETS:
        enable_socket()
        yield
        return
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def assembly_dir(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The synthesized assembly, made once for all workers."""
    from pentad.cli.synth import assembly

    shared = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        shared = shared.parent
    with FileLock(shared / "synth.lock", timeout=600):
        enable_socket()
        out, _ = assembly(ROOT)
    return out


@pytest.fixture(autouse=True, scope="session")
def _no_credentials() -> None:
    """A laptop's own credentials and keys must not reach a test."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "ANTHROPIC_API_KEY", "OPENAI_API_KEY", "PENTAD_URL", "PENTAD_KEY"):
        os.environ.pop(name, None)
