"""Trajectories through the deployed loop leave what their calls leave when they are applied directly."""

from pathlib import Path
from typing import Any

import pytest

from pentad.orchestration import decide, turn
from tests.twin.trajectories.apply import applied
from tests.twin.trajectories.conftest import Domain
from tests.twin.trajectories.loader import Trajectory, load
from tests.twin.trajectories.play import play

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("trajectories")]

FILES = sorted((Path(__file__).parents[2] / "data" / "trajectories").glob("*.json"))
# Equal calls that are meant: `pentad.orchestration.repeats` tells them from a loop, the count of equal calls does not.
MEANT = ("equal_changes", "status_between_changes")
COUNTS_ONLY = pytest.mark.xfail(
    vars(turn)["repeated"] is decide.repeated, reason="the loop's detection counts equal calls only", strict=True
)


def _marked(trajectory: Trajectory) -> Any:
    return pytest.param(trajectory, marks=[COUNTS_ONLY] if trajectory.name in MEANT else [], id=trajectory.name)


@pytest.mark.parametrize("trajectory", [_marked(one) for path in FILES for one in load(path)])
def test_a_trajectory_leaves_what_its_calls_leave(desk: Domain, trajectory: Trajectory) -> None:
    played = play(desk.stack, "desk", trajectory)
    outcomes, state = applied(trajectory, desk.tools)
    assert [run["status"] for run in played.runs] == ["succeeded"] * len(trajectory.turns), played.runs[-1]
    assert [run["answer"] for run in played.runs] == [said.replies[-1].text for said in trajectory.turns]
    assert [(call["tool"], call["arguments"]) for call in played.calls] == [
        (call.tool, call.arguments) for call in trajectory.calls
    ]
    assert [call["result"] for call in played.calls] == [outcome.text for outcome in outcomes]
    assert [call["result"] for call in played.calls] == [call.result for call in trajectory.calls]
    assert played.state == state
    assert set(played.executions.values()) == {1}
    assert (played.script["unconsumed"], played.script["unexpected"]) == ([], [])
