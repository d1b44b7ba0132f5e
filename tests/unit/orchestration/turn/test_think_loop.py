"""The whole loop in memory: start, think, act, ask a human, deliver; a small interpreter stands in for the machine."""

from itertools import pairwise
from typing import Any

from pentad.domain.ids import approval_id
from pentad.domain.messages import ToolResultBlock
from pentad.domain.runs import Decision, Run, RunStatus
from tests.unit.orchestration.world import TENANT, World

_WAITS = {"approve", "ask", "escalate"}


def _drive(world: World, run: Run, *, human: str = "approve") -> Run:
    """Follow the machine's states until the end."""
    for step in range(1, 20):
        decision = world.turn(run, step)
        if decision.kind in _WAITS:
            decision = _ask(world, run, step, human)
        if decision.kind in {"answer", "stop"}:
            return world.deliver.deliver(TENANT, run.run_id, step, decision.kind, decision.reason)
        world.act(run, decision, lambda name, arguments: f"{name} {arguments}")
        world.clock.advance(1)
    raise AssertionError("the run did not end")


def _ask(world: World, run: Run, step: int, human: str) -> Decision:
    token = f"token-{step}"
    world.asking.ask_for_step(TENANT, run.run_id, step, token)
    if human == "nobody":
        world.clock.advance(3600)
        return Decision.model_validate(world.asking.expire(TENANT, run.run_id, step))
    world.decide(TENANT, approval_id(run.run_id, step), human, by="ann", reason="no")  # type: ignore[arg-type]
    return Decision.model_validate(world.engine.woken[token])


def _results(world: World) -> list[tuple[str, bool]]:
    blocks = world.model.requests[-1].messages[-1].blocks
    return [(block.content, block.is_error) for block in blocks if isinstance(block, ToolResultBlock)]


TOOLS: list[Any] = [[("calculator", {"x": 1}), ("notes", {"title": "a"})], "done"]


def test_a_question_is_answered() -> None:
    world = World()
    world.model.script = ["4"]
    ended = _drive(world, world.begin())
    assert (ended.status, ended.answer, ended.spent.steps) == (RunStatus.SUCCEEDED, "4", 1)


def test_tools_run_after_the_approval_and_the_model_sees_their_results() -> None:
    world = World()
    world.model.script = list(TOOLS)
    ended = _drive(world, world.begin())
    assert (ended.status, ended.answer, ended.spent.steps) == (RunStatus.SUCCEEDED, "done", 2)
    assert _results(world) == [("calculator {'x': 1}", False), ("notes {'title': 'a'}", False)]


def test_the_runs_user_is_told_what_was_masked_of_a_result() -> None:
    world = World()
    world.model.script = [[("calculator", {"x": 1}), ("calculator", {"x": 2})], "done"]
    run = world.begin()
    world.act(run, world.turn(run, 1), lambda name, arguments: "[masked]")
    for call in world.runs.list_calls(TENANT, run.run_id, 1):
        world.runs._calls[TENANT, run.run_id, 1, call.index] = call.model_copy(update={"masked": call.index + 1})
    world.turn(run, 2)
    ended = world.deliver.deliver(TENANT, run.run_id, 2)
    [notice] = ended.notices
    assert notice == "Of what the tool 'calculator' returned, 3 values were masked: they look like secrets."


def test_a_rejected_call_is_told_and_the_run_goes_on() -> None:
    world = World()
    world.model.script = list(TOOLS)
    ended = _drive(world, world.begin(), human="reject")
    assert ended.answer == "done"
    assert [is_error for _, is_error in _results(world)] == [False, True]
    assert "Reason: no" in _results(world)[1][0]


def test_nobody_deciding_ends_the_wait_and_the_run_goes_on() -> None:
    world = World()
    world.model.script = list(TOOLS)
    ended = _drive(world, world.begin(), human="nobody")
    assert (ended.status, ended.waited_seconds) == (RunStatus.SUCCEEDED, 3600)


def test_a_follow_up_sees_the_session() -> None:
    world = World()
    world.model.script = ["4", "8"]
    _drive(world, world.begin(session="s1"))
    _drive(world, world.begin("And twice that?", session="s1"))
    texts = [message.text for message in world.model.requests[1].messages]
    assert texts == ["What is 2 + 2?", "4", "And twice that?"]


def test_the_prefix_of_the_context_never_changes() -> None:
    world = World()
    world.model.script = [[("calculator", {"x": step})] for step in range(3)] + ["done"]
    _drive(world, world.begin())
    sent = [request.messages for request in world.model.requests]
    assert all(after[: len(before)] == before for before, after in pairwise(sent))


def test_a_run_that_never_ends_by_itself_is_stopped_at_its_limit() -> None:
    world = World()
    world.model.script = [[("calculator", {"x": step})] for step in range(5)]
    ended = _drive(world, world.begin())
    assert (ended.status, ended.spent.steps) == (RunStatus.STOPPED, 5)
    assert "5 steps" in (ended.stop_reason or "")


def test_a_session_that_stopped_goes_on_with_the_next_question() -> None:
    world = World()
    world.model.script = [[("calculator", {"x": step})] for step in range(5)] + ["4"]
    _drive(world, world.begin(session="s1"))
    assert _drive(world, world.begin("Again?", session="s1")).answer == "4"


def test_every_state_repeated_gives_the_same_run() -> None:
    world = World()
    world.model.script = list(TOOLS)
    run = world.begin(idempotency_key="k")
    decisions: list[Decision] = [world.turn(run, 1) for _ in range(2)]
    assert decisions[0] == decisions[1]
    for _ in range(2):
        world.asking.ask_for_step(TENANT, run.run_id, 1, "token-1")
    for _ in range(2):
        world.decide(TENANT, approval_id(run.run_id, 1), "approve", by="ann")
    for _ in range(2):
        world.act(run, decisions[0])
    for _ in range(2):
        world.turn(run, 2)
    ends = [world.deliver.deliver(TENANT, run.run_id, 2) for _ in range(2)]
    assert ends[0] == ends[1]
    assert world.message_ids(run.session_id) == ["00000_u", "00001_a", "00001_r", "00002_a"]
    assert len(world.model.requests) == 2
