"""What every test shares: no sockets outside the tiers that need them, one synth a session."""

import gc
import os
import shutil
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from pytest_socket import disable_socket, enable_socket

from tests import grants, log_lines, scheduling
from tests.secrets_watch import _no_secret_shows, secrets_watch  # noqa: F401 - fixtures of every test

# Its entry point loads it already; named here, the tests do not depend on when the environment was made.
pytest_plugins = ("pentad.testing.plugin",)

# How long an example takes says how busy the machine is, and nothing of the code.
settings.register_profile("any-machine", deadline=None)
settings.load_profile("any-machine")

ROOT = Path(__file__).resolve().parent.parent
# These tiers start servers on the loopback interface; every other test must not open a socket.
_WITH_SOCKETS = ("twin", "contract", "agents", "e2e")


def pytest_configure(config: pytest.Config) -> None:
    """Let the session's twins, also those of workers, tell which grants they have used."""
    if not hasattr(config, "workerinput"):
        os.environ["PENTAD_TWIN_USES"] = str(grants.FOLDER / str(os.getpid()))
        os.environ["PENTAD_TWIN_LINES"] = str(log_lines.FOLDER / str(os.getpid()))
        for told in (os.environ["PENTAD_TWIN_USES"], os.environ["PENTAD_TWIN_LINES"]):
            shutil.rmtree(told, ignore_errors=True)  # an earlier run's, whose process had the same number


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Search for no garbage while tests are collected: what that makes is none."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """Take what was imported and collected out of all later searches for garbage: a full one took seconds."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write the report of grants, and say in a line what it and the check of log lines say."""
    found = grants.merge(grants.FOLDER / str(os.getpid()))
    if found:
        grants.remove_old_runs()
        grants.REPORT.write_text(grants.describe(found, grants.read_reasons()), encoding="utf-8")
        terminalreporter.write_line(grants.summarize(found, grants.read_reasons()))
    checked = log_lines.check_folder(log_lines.FOLDER / str(os.getpid()))
    if checked.lines:
        terminalreporter.write_line(log_lines.summarize(checked))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order tests, and group them by their mark ``xdist_group``, as ``--dist loadgroup`` promises.

    pytest-xdist 3.8 hands the group over by writing an attribute that pytest 9.2 no longer reads, and says nothing
    (pytest-xdist's issue 1386). Where it works again, this does nothing.
    """
    if not getattr(config.option, "loadgroup", False):
        return
    scheduling.order(items)
    for item in items:
        groups = sorted({str(mark.args[0]) for mark in item.iter_markers("xdist_group")})
        suffix = f"@{'_'.join(groups)}"
        if groups and not item.nodeid.endswith(suffix):
            item._id = item.id.parse(f"{item.nodeid}{suffix}")


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> scheduling.FileScheduling | None:
    """Hand out files and groups."""
    return scheduling.FileScheduling(config, log) if config.getvalue("dist") == "loadgroup" else None


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


@pytest.fixture(autouse=True)
def _options() -> Iterator[None]:
    """Forget ``--json`` and ``--debug`` of a command that a test has run in this process."""
    yield
    console = sys.modules.get("pentad.cli.console")
    if console is not None:
        console.OPTIONS.json = console.OPTIONS.debug = False


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def pentad_project(root: Path) -> Path:
    """The project whose twin the tests share: this one."""
    enable_socket()
    return root


@pytest.fixture(scope="session")
def assembly_dir(pentad_assembly: Path) -> Path:
    """The synthesized assembly, made once for all workers."""
    return pentad_assembly


@pytest.fixture(autouse=True, scope="session")
def _no_credentials() -> None:
    """A laptop's own credentials and keys must not reach a test."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "ANTHROPIC_API_KEY", "OPENAI_API_KEY", "PENTAD_URL", "PENTAD_KEY"):
        os.environ.pop(name, None)
