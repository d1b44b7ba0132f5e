"""Undo: once, for what succeeded and can be undone."""

import pytest

from pentad.domain.errors import EffectUncertain, InvalidTransition, ToolFailed
from pentad.domain.ids import parse_undo_token
from pentad.domain.runs import CallStatus
from tests.unit.tools import sample_tools
from tests.unit.tools.worlds import RUN, Crash, Crashing, World


def done(tool: str = "send") -> World:
    world = World(getattr(sample_tools, tool))
    world.add_call({"to": "bob"})
    world.execute()
    sample_tools.ran.clear()
    return world


def test_a_reversible_call_has_a_token_that_names_it() -> None:
    assert parse_undo_token(done().call.undo_token or "") == (RUN, 1, 0)


def test_undo_runs_the_undo_function_with_its_data_and_marks_the_call() -> None:
    world = done()
    assert world.undo() == {"index": 0, "status": "undone"}
    assert sample_tools.ran == ["unsend bob"]
    assert world.call.status is CallStatus.UNDONE
    assert world.audited[-1] == ("undone", "ok", None)


def test_undo_again_changes_nothing() -> None:
    world = done()
    world.undo()
    assert world.undo() == {"index": 0, "status": "undone"}
    assert sample_tools.ran == ["unsend bob"]


@pytest.mark.parametrize("status", [CallStatus.PENDING, CallStatus.FAILED, CallStatus.REJECTED])
def test_a_call_that_did_not_succeed_can_not_be_undone(status: CallStatus) -> None:
    world = World(sample_tools.send)
    world.add_call({"to": "bob"}, status=status)
    with pytest.raises(InvalidTransition):
        world.undo()


def test_a_tool_without_undo_can_not_be_undone() -> None:
    world = World(sample_tools.echo)
    world.add_call({"text": "hi"})
    world.execute()
    with pytest.raises(InvalidTransition):
        world.undo()


@pytest.mark.parametrize(
    ("store", "method", "before"),
    [
        ("effects", "finish", False),
        ("audit", "append", True),
        ("audit", "append", False),
        ("calls", "save_call", True),
        ("calls", "save_call", False),
    ],
)
def test_a_crash_once_the_undo_is_done_does_not_repeat_it(store: str, method: str, before: bool) -> None:
    world = done()
    skip = 1 if store == "audit" else 0  # the entry that says what is about to be done
    setattr(world, store, Crashing(getattr(world, store), method, before=before, skip=skip))
    with pytest.raises(Crash):
        world.undo()
    assert world.undo()["status"] == "undone"
    assert sample_tools.ran == ["unsend bob"]


def test_a_crash_in_the_middle_is_uncertain_where_the_tool_is_not_idempotent() -> None:
    world = done("send")
    world.effects = Crashing(world.effects, "begin")
    with pytest.raises(Crash):
        world.undo()
    with pytest.raises(EffectUncertain):
        world.undo()
    assert sample_tools.ran == []


def test_a_crash_in_the_middle_is_repeated_where_the_tool_is_idempotent() -> None:
    world = done("store")
    world.effects = Crashing(world.effects, "finish", before=True)
    with pytest.raises(Crash):
        world.undo()
    assert world.undo()["status"] == "undone"


def test_an_undo_that_says_it_did_nothing_can_be_tried_again() -> None:
    world = done()
    sample_tools.failures.append(sample_tools.FAILED)
    with pytest.raises(ToolFailed):
        world.undo()
    assert world.call.status is CallStatus.SUCCEEDED
    assert world.audited[-1] == ("undone", "error", "ToolFailed")
    assert world.undo()["status"] == "undone"


def test_an_undo_that_breaks_is_uncertain_afterwards() -> None:
    world = done()
    sample_tools.failures.append(RuntimeError("boom"))
    with pytest.raises(ToolFailed, match="RuntimeError: boom"):
        world.undo()
    with pytest.raises(EffectUncertain):
        world.undo()
