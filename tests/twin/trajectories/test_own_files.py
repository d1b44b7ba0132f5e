"""Trajectories of a user's own: the environment names files, domain and agent (docs/orchestration/trajectories.md)."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.twin.trajectories.apply import applied
from tests.twin.trajectories.conftest import Domain, running
from tests.twin.trajectories.loader import Trajectory, load
from tests.twin.trajectories.play import play

_FILES = [Path(name) for name in os.environ.get("PENTAD_TRAJECTORIES", "").split(os.pathsep) if name]
_DOMAIN = os.environ.get("PENTAD_TRAJECTORY_DOMAIN")
_AGENT = os.environ.get("PENTAD_TRAJECTORY_AGENT", "desk")

pytestmark = [
    pytest.mark.twin,
    pytest.mark.xdist_group("trajectories-own"),
    pytest.mark.skipif(not _FILES or not _DOMAIN, reason="PENTAD_TRAJECTORIES and PENTAD_TRAJECTORY_DOMAIN name none"),
]


@pytest.fixture(scope="session")
def domain(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Domain]:
    """The user's domain on a twin of its own."""
    yield from running(root, Path(_DOMAIN or ""), tmp_path_factory.mktemp("domain"))


@pytest.mark.parametrize("trajectory", [one for path in _FILES for one in load(path)], ids=lambda one: one.name)
def test_own_trajectory_leaves_what_its_calls_leave(domain: Domain, trajectory: Trajectory) -> None:
    played = play(domain.stack, _AGENT, trajectory)
    outcomes, state = applied(trajectory, domain.tools)
    assert [run["status"] for run in played.runs] == ["succeeded"] * len(trajectory.turns), played.runs[-1]
    assert [(call["tool"], call["arguments"]) for call in played.calls] == [
        (call.tool, call.arguments) for call in trajectory.calls
    ]
    assert [call["result"] for call in played.calls] == [outcome.text for outcome in outcomes]
    assert played.state == state
    assert set(played.executions.values()) <= {1}
