"""Trajectories through the deployed loop leave what their calls leave when they are applied directly."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.twin.trajectories.apply import applied
from tests.twin.trajectories.conftest import Domain
from tests.twin.trajectories.loader import Trajectory, load
from tests.twin.trajectories.play import play

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("stack-own")]

FILES = sorted((Path(__file__).parents[2] / "data" / "trajectories").glob("*.json"))


@pytest.mark.parametrize("trajectory", [pytest.param(one, id=one.name) for path in FILES for one in load(path)])
def test_a_trajectory_leaves_what_its_calls_leave(desk: Domain, trajectory: Trajectory) -> None:
    played = play(desk.stack, "desk", trajectory)
    outcomes, state = applied(trajectory, desk.tools)
    assert [run["status"] for run in played.runs] == ["succeeded"] * len(trajectory.turns), played.runs[-1]
    assert [run["answer"] for run in played.runs] == [said.replies[-1].text for said in trajectory.turns]
    assert [(call["tool"], call["arguments"]) for call in played.calls] == [
        (call.tool, call.arguments) for call in trajectory.calls
    ]
    results = [_read(call["result"]) for call in played.calls]
    assert results == [_read(outcome.text) for outcome in outcomes]
    assert results == [_read(call.result) for call in trajectory.calls]
    assert played.state == state
    assert set(played.executions.values()) == {1}
    assert (played.script["unconsumed"], played.script["unexpected"]) == ([], [])


def _read(result: str | None) -> Any:
    """Return what a result says: a record's keys come in the order in which a tool wrote them."""
    try:
        return json.loads(result or "null")
    except ValueError:
        return result
