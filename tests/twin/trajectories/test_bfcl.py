"""Conversations of a public benchmark leave, through the deployed loop, what the benchmark's own executor leaves."""

import pytest

from tests.twin.conftest import OwnProject
from tests.twin.trajectories.bfcl.chosen import NAMES, benchmark, chosen
from tests.twin.trajectories.bfcl.replay import replay

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("stack-own")]


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmarks_conversation_leaves_what_its_calls_leave(own: OwnProject, name: str) -> None:
    found = replay(own.stack, benchmark().conversation(chosen()[name]))
    assert found.differences == []
