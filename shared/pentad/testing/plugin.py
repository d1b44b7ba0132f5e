"""The pytest plugin: a twin for the session, and a tenant of its own for each test (docs/test-your-agent.md).

Everything heavy is imported by the fixtures: a session without a test of an agent pays nothing for the plugin.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pentad.testing.approvals import KitApprovals
    from pentad.testing.clock import KitClock
    from pentad.testing.documents import KitDocuments
    from pentad.testing.faults import KitFaults
    from pentad.testing.kit import Kit
    from pentad.testing.model import ScriptedModel
    from pentad.testing.offline import OfflineReplay
    from pentad.testing.records import KitRecords
    from pentad.testing.stack.world import Stack

_CUT_SHORT = pytest.StashKey[bool]()
_SYNTH_LOCK_SECONDS = 900


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Note whether a test went to its end: else what its script still expected is no news."""
    item.stash[_CUT_SHORT] = item.stash.get(_CUT_SHORT, False) or call.excinfo is not None


@pytest.fixture(scope="session")
def pentad_project(pytestconfig: pytest.Config) -> Path:
    """The project whose agents are tested: the nearest folder upwards from pytest's root that has a cdk.json.

    Override it in a conftest.py to test another one.
    """
    from pentad.cli.console import CommandError
    from pentad.cli.synth import find_project_root

    try:
        return find_project_root(pytestconfig.rootpath)
    except CommandError as error:
        pytest.fail(
            f"{pytestconfig.rootpath} is in no Pentad project: run pytest in the folder that holds cdk.json, or "
            f"override the fixture 'pentad_project' ({error})",
            pytrace=False,
        )


@pytest.fixture(scope="session")
def pentad_assembly(
    pentad_project: Path, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The project's assembly, synthesized once for all workers, and reused while its sources stay the same."""
    from filelock import FileLock

    from pentad.cli.console import CommandError
    from pentad.cli.synth import ensure_assembly

    with FileLock(_find_base(pytestconfig, tmp_path_factory) / "synth.lock", timeout=_SYNTH_LOCK_SECONDS):
        try:
            return ensure_assembly(pentad_project)[0]
        except CommandError as error:
            pytest.fail(f"{pentad_project} can't be synthesized: {error}", pytrace=False)


@pytest.fixture(scope="session")
def pentad_replay(pentad_assembly: Path) -> "OfflineReplay":
    """Replays a recording from a file by the project's agents and code; no twin is started."""
    from pentad.testing.offline import OfflineReplay

    return OfflineReplay(pentad_assembly)


@pytest.fixture(scope="session")
def pentad_twin(
    pentad_assembly: Path, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator["Stack"]:
    """The session's twin: one for all workers of pytest-xdist, without a network, a key or an account."""
    from pentad.testing.stack.joining import join_twin
    from pentad.testing.stack.keeper import TwinNotStarted
    from pentad.testing.stack.world import Stack

    base = _find_base(pytestconfig, tmp_path_factory)
    joined = join_twin(pentad_assembly, base, _name_worker(pytestconfig))
    try:
        facts = joined.__enter__()
    except TwinNotStarted as error:
        pytest.fail(f"the twin of the tests did not start: {error}", pytrace=False)
    try:
        with Stack(facts) as stack:
            yield stack
    finally:
        joined.__exit__(None, None, None)


@pytest.fixture
def kit(request: pytest.FixtureRequest, pentad_twin: "Stack") -> Iterator["Kit"]:
    """A tenant of the test's own on the session's twin. After the test, each scripted line must have been said."""
    from pentad.testing.kit import Kit

    made = Kit(pentad_twin, pentad_twin.tenant())
    try:
        yield made
        if not request.node.stash.get(_CUT_SHORT, False):
            made.check_used()
    finally:
        made.close()


@pytest.fixture
def kit_model(kit: "Kit") -> "ScriptedModel":
    """The scripted model of the test's tenant."""
    return kit.model


@pytest.fixture
def kit_records(kit: "Kit") -> "KitRecords":
    """Records that tools keep."""
    return kit.records


@pytest.fixture
def kit_documents(kit: "Kit") -> "KitDocuments":
    """Documents that agents recall."""
    return kit.documents


@pytest.fixture
def kit_faults(kit: "Kit") -> "KitFaults":
    """Models and functions that go wrong."""
    return kit.faults


@pytest.fixture
def kit_approvals(kit: "Kit") -> "KitApprovals":
    """What humans decide."""
    return kit.approvals


@pytest.fixture
def kit_clock(kit: "Kit") -> "KitClock":
    """What would happen later."""
    return kit.clock


def _name_worker(config: pytest.Config) -> str | None:
    """Return this process's name among pytest-xdist's, or None where it is alone."""
    return getattr(config, "workerinput", {}).get("workerid")


def _find_base(config: pytest.Config, factory: pytest.TempPathFactory) -> Path:
    """Return the folder that all workers of the session share."""
    base = factory.getbasetemp()
    return base if _name_worker(config) is None else base.parent
