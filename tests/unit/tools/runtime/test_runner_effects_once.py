"""Effects happen once: the process dies after (or before) each write, and the state tries again."""

from collections.abc import Callable

import pytest

from pentad.domain.canonical import call_key
from pentad.domain.declarations.policy import PolicySpec
from pentad.domain.errors import (
    ConfigurationError,
    InvalidTransition,
    PolicyDenied,
    StoreUnavailable,
    ToolThrottled,
    ToolUnavailable,
)
from pentad.domain.runs import CallStatus
from pentad.tools.runtime.handed import ToolAnswer
from pentad.tools.runtime.ports import AuditEntry, Effect
from tests.unit.tools import sample_tools
from tests.unit.tools.worlds import RUN, Crash, Crashing, World


def crash(world: World, store: str, method: str, *, before: bool = False, skip: int = 0) -> None:
    setattr(world, store, Crashing(getattr(world, store), method, before=before, skip=skip))
    with pytest.raises(Crash):
        world.execute()


@pytest.fixture(params=["send", "store"])
def world(request: pytest.FixtureRequest) -> World:
    world = World(getattr(sample_tools, request.param))
    world.add_call({"to": "bob"})
    return world


def test_a_crash_before_anything_is_written_starts_afresh(world: World) -> None:
    crash(world, "effects", "begin", before=True)
    assert world.execute()["status"] == "succeeded"
    assert len(sample_tools.ran) == 1


def test_a_crash_after_begin_runs_an_idempotent_tool_again() -> None:
    world = World(sample_tools.store)
    world.add_call({"to": "bob"})
    crash(world, "effects", "begin")
    assert world.execute()["status"] == "succeeded"
    assert sample_tools.ran == ["store"]


def test_a_crash_after_begin_does_not_repeat_a_tool_that_is_not_idempotent() -> None:
    world = World(sample_tools.send)
    world.add_call({"to": "bob"})
    crash(world, "effects", "begin")
    assert world.execute()["status"] == "failed"
    assert sample_tools.ran == []
    assert world.call.error_type == "EffectUncertain"
    assert "may or may not have happened" in (world.call.result or "")
    assert world.audited == [("denied", "refused", "EffectUncertain")]


def test_a_crash_inside_the_function_does_not_repeat_a_tool_that_is_not_idempotent() -> None:
    world = World(sample_tools.send)
    world.add_call({"to": "bob"})
    sample_tools.failures.append(Crash())
    with pytest.raises(Crash):
        world.execute()
    assert world.execute()["status"] == "failed"
    assert sample_tools.ran == ["send"]


def test_a_crash_after_the_function_and_before_done_is_uncertain() -> None:
    world = World(sample_tools.send)
    world.add_call({"to": "bob"})
    crash(world, "effects", "finish", before=True)
    world.execute()
    assert sample_tools.ran == ["send"]
    assert world.call.error_type == "EffectUncertain"


def remove_tool(world: World) -> None:
    world.tool = sample_tools.echo


def take_tool_from_agent(world: World) -> None:
    world.agent_tools = ()


def deny_tool(world: World) -> None:
    rule = {"tools": [world.tool.name], "sources": ["documents"], "decide": "deny"}
    world.policy = PolicySpec.model_validate({"rules": [rule]})
    call = world.call.model_copy(update={"taint": ("documents",)})
    world.calls.stored["acme", RUN, 1, 0] = call


DEPLOYMENTS = [remove_tool, take_tool_from_agent, deny_tool]


@pytest.mark.parametrize("deploy", DEPLOYMENTS)
def test_what_was_begun_is_told_though_a_deployment_no_longer_lets_it_run(
    world: World, deploy: Callable[[World], None]
) -> None:
    crash(world, "effects", "begin")
    name = world.tool.name
    deploy(world)
    assert world.execute()["status"] == "failed"
    assert (world.call.tool, world.call.error_type) == (name, "EffectUncertain")
    assert "may or may not have happened" in (world.call.result or "")
    assert sample_tools.ran == []
    assert world.audited == [("denied", "refused", "EffectUncertain")]
    assert world.execute()["status"] == "failed"


@pytest.mark.parametrize("deploy", DEPLOYMENTS)
def test_what_was_done_stands_and_can_be_undone_once_its_tool_is_there(
    world: World, deploy: Callable[[World], None]
) -> None:
    tool = world.tool
    crash(world, "effects", "finish")
    deploy(world)
    assert world.execute()["status"] == "succeeded"
    assert len(sample_tools.ran) == 1
    assert world.call.undo == {"to": "bob"} and world.call.undo_token is not None
    if deploy is remove_tool:
        assert world.call.untrusted  # nobody knows any more what it brought
        with pytest.raises(InvalidTransition, match="no longer has the tool") as caught:
            world.undo()
        assert "deploy it again" in str(caught.value.fix)
    world.tool = tool
    assert world.undo()["status"] == "undone"


@pytest.mark.parametrize("deploy", DEPLOYMENTS)
def test_what_was_never_begun_is_refused(world: World, deploy: Callable[[World], None]) -> None:
    deploy(world)
    with pytest.raises(PolicyDenied):
        world.execute()
    assert sample_tools.ran == []


class Gone:
    """In the place of the tools' functions, one of which is not there."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def call(self, tool: str, handed: object, *, function: str | None) -> ToolAnswer:
        raise self._error


def execute_without(world: World, error: Exception) -> Effect | None:
    """Let a try find no function, and return what the ledger has then."""
    runner = world.runtime()
    runner._functions = Gone(error)
    with pytest.raises(type(error)):
        runner.execute("acme", RUN, "helper", 1, 0, invocation=world.invocation())
    found: Effect | None = world.effects.find("acme", RUN, call_key(world.call))
    return found


@pytest.mark.parametrize("error", [ConfigurationError("the function is gone"), PolicyDenied("no such version")])
def test_a_function_that_is_not_there_has_begun_nothing(world: World, error: Exception) -> None:
    assert execute_without(world, error) is None
    assert world.execute()["status"] == "succeeded"
    assert len(sample_tools.ran) == 1


def test_a_function_that_is_gone_meanwhile_says_nothing_of_what_was_begun() -> None:
    world = World(sample_tools.store)
    world.add_call({"to": "bob"})
    crash(world, "effects", "begin")
    found = execute_without(world, ConfigurationError("the function is gone"))
    assert found is not None and found.status == "begun"


def test_nobody_elses_agent_is_told_of_what_was_begun(world: World) -> None:
    crash(world, "effects", "begin")
    with pytest.raises(PolicyDenied, match="belongs to the agent"):
        world.runtime().execute("acme", RUN, "another", 1, 0, invocation=world.invocation())


@pytest.mark.parametrize(
    ("store", "method", "before", "lines"),
    [
        ("effects", "finish", False, [("replayed", "ok", None)]),
        ("audit", "append", True, [("replayed", "ok", None)]),
        ("audit", "append", False, [("executed", "ok", None), ("replayed", "ok", None)]),
        ("calls", "save_call", True, [("executed", "ok", None), ("replayed", "ok", None)]),
        ("calls", "save_call", False, [("executed", "ok", None)]),
    ],
)
def test_a_crash_once_the_effect_is_done_replays_it(
    world: World, store: str, method: str, before: bool, lines: list[tuple[str, str, str | None]]
) -> None:
    # The first entry is the one that says what is about to be done.
    crash(world, store, method, before=before, skip=1 if store == "audit" else 0)
    assert world.execute()["status"] == "succeeded"
    assert len(sample_tools.ran) == 1
    assert world.call.undo == {"to": "bob"} and world.call.undo_token is not None
    assert world.audited == lines


@pytest.mark.parametrize("before", [True, False])
def test_a_crash_around_the_entry_that_asks_has_begun_nothing(world: World, before: bool) -> None:
    crash(world, "audit", "append", before=before)
    assert sample_tools.ran == []
    assert world.execute()["status"] == "succeeded"
    assert len(sample_tools.ran) == 1
    assert world.actions == ["asked"] * (1 if before else 2) + ["executed"]


class Unwritable:
    """An audit that takes no entry."""

    def append(self, *entries: AuditEntry) -> None:
        raise StoreUnavailable("the audit does not answer")


def test_an_effect_that_can_not_be_recorded_does_not_happen(world: World) -> None:
    audit, world.audit = world.audit, Unwritable()
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            world.execute()
    assert sample_tools.ran == []
    assert world.call.status in (CallStatus.PENDING, CallStatus.APPROVED), "the state tries again"
    world.audit = audit
    assert world.execute()["status"] == "succeeded"
    assert len(sample_tools.ran) == 1
    assert world.actions == ["asked", "executed"]


def test_an_undo_that_can_not_be_recorded_does_not_happen(world: World) -> None:
    world.execute()
    audit, world.audit = world.audit, Unwritable()
    sample_tools.ran.clear()
    with pytest.raises(StoreUnavailable):
        world.undo()
    assert sample_tools.ran == []
    world.audit = audit
    assert world.undo()["status"] == "undone"
    assert world.actions == ["asked", "executed", "undo_asked", "undone"]


def test_what_has_no_effect_is_recorded_once_it_has_run() -> None:
    world = World(sample_tools.echo)
    world.add_call({"text": "hi"})
    world.execute()
    assert world.actions == ["executed"]


def test_a_tool_without_effects_may_run_again_after_a_crash() -> None:
    world = World(sample_tools.echo)
    world.add_call({"text": "hi"})
    crash(world, "audit", "append")
    assert world.execute()["status"] == "succeeded"
    assert sample_tools.ran == ["echo", "echo"]


def test_an_error_of_a_tool_with_effects_is_replayed_too() -> None:
    world = World(sample_tools.send)
    world.add_call({"to": "bob"})
    sample_tools.failures.append(sample_tools.FAILED)
    crash(world, "calls", "save_call", before=True)
    assert world.execute()["status"] == "failed"
    assert sample_tools.ran == ["send"]
    assert world.call.error_type == "ToolFailed"


def test_a_backend_that_throttles_did_nothing_so_the_retry_runs() -> None:
    world = World(sample_tools.send)
    world.add_call({"to": "bob"})
    sample_tools.failures.append(sample_tools.THROTTLED)
    with pytest.raises(ToolThrottled):
        world.execute()
    assert world.execute()["status"] == "succeeded"
    assert sample_tools.ran == ["send", "send"]


def test_a_backend_that_did_not_answer_may_have_acted_so_nothing_is_repeated() -> None:
    world = World(sample_tools.send)
    world.add_call({"to": "bob"})
    sample_tools.failures.append(sample_tools.UNAVAILABLE)
    with pytest.raises(ToolUnavailable):
        world.execute()
    assert world.execute()["status"] == "failed"
    assert sample_tools.ran == ["send"]
    assert world.call.error_type == "EffectUncertain"


def test_the_same_arguments_in_another_call_are_another_effect() -> None:
    world = World(sample_tools.send)
    world.add_call({"to": "bob"})
    world.add_call({"to": "bob"}, index=1)
    world.execute()
    world.execute(index=1)
    assert sample_tools.ran == ["send", "send"]
    assert world.calls.get_call("acme", RUN, 1, 1).status is CallStatus.SUCCEEDED
