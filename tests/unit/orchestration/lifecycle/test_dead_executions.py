"""Replies whose Express execution is gone."""

import pytest

from pentad.domain.runs import Run, RunStatus
from pentad.orchestration.lifecycle.dead_executions import BEGINNING_SECONDS, end_overdue, is_start_overdue
from pentad.orchestration.lifecycle.start import EXPRESS_MARGIN_SECONDS, EXPRESS_SECONDS, RunRequest
from tests.unit.orchestration.world import CATALOG, TENANT, World

EXPRESS = "arn:aws:states:us-east-1:123456789012:express:pentad-dev-agent-plain:run:1"
LIFE = EXPRESS_SECONDS + EXPRESS_MARGIN_SECONDS


@pytest.fixture
def world() -> World:
    reply = CATALOG.agents["plain"].model_copy(update={"pattern": "reply"})
    return World(CATALOG.model_copy(update={"agents": {**CATALOG.agents, "plain": reply}}))


def started(world: World, execution: str = EXPRESS) -> Run:
    run = world.start(TENANT, RunRequest(agent="plain", message="Hello", session_id="s1"), trigger="api")
    world.runs.set_execution(TENANT, run.run_id, execution)
    return world.runs.get(TENANT, run.run_id)


def test_a_reply_within_its_time_stays_as_it_is(world: World) -> None:
    run = started(world)
    world.clock.advance(LIFE - 1)
    assert end_overdue(run, world.runs, world.clock()) == run


def test_a_reply_past_its_time_has_failed_and_its_session_is_free(world: World) -> None:
    run = started(world)
    world.clock.advance(LIFE + 1)
    ended = end_overdue(run, world.runs, world.clock())
    assert (ended.status, ended.error) == (RunStatus.FAILED, "the execution died")
    assert world.runs.find_lease_holder(TENANT, "s1") is None


def test_a_run_of_a_standard_machine_may_take_longer(world: World) -> None:
    run = started(world, EXPRESS.replace(":express:", ":execution:"))
    world.clock.advance(LIFE + 1)
    assert end_overdue(run, world.runs, world.clock()) == run


def test_a_reply_that_has_ended_stays_as_it_ended(world: World) -> None:
    run = started(world)
    ended = world.runs.finish(TENANT, run.run_id, RunStatus.SUCCEEDED, at=world.clock(), answer="Hello")
    world.clock.advance(LIFE + 1)
    assert end_overdue(ended, world.runs, world.clock()) == ended


def test_a_run_that_was_stored_and_never_started_is_started_by_who_looks_at_it_late(world: World) -> None:
    run = world.start(TENANT, RunRequest(agent="plain", message="Hello", session_id="s1"), trigger="api")
    world.engine.started.clear()
    assert not is_start_overdue(run, world.clock())
    world.clock.advance(BEGINNING_SECONDS + 1)
    assert is_start_overdue(run, world.clock())
    world.start.advance.revive(run)
    assert list(world.engine.started) == [run.run_id]


def test_a_run_that_was_never_started_and_has_lost_its_session_has_failed(world: World) -> None:
    run = world.start(TENANT, RunRequest(agent="plain", message="Hello", session_id="s1"), trigger="api")
    world.clock.advance(10 * 86_400)
    world.start.advance.revive(run)
    ended = world.runs.get(TENANT, run.run_id)
    assert (ended.status, ended.error) == (RunStatus.FAILED, "the run was never started")
