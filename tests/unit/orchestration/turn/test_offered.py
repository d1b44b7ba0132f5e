"""Which tools a turn offers its model."""

from pentad.domain.runs import CallStatus, Run
from pentad.tools.results.handles import make_handle
from pentad.tools.results.read import READ_RESULT
from tests.unit.orchestration.world import CATALOG, TENANT, World

OTHER = "run_" + "9" * 26


def _cut(run: Run | None) -> str:
    handle = make_handle(TENANT, OTHER if run is None else run.run_id, 1, 0)
    return f'head\n[cut: ... kept: read them with read_result, handle "{handle}"]\ntail'


def _offered(world: World) -> list[list[str]]:
    return [[tool.name for tool in request.tools] for request in world.model.requests]


def test_read_result_comes_with_a_cut_result_of_the_run_and_stays() -> None:
    world = World()
    world.model.script = [[("calculator", {"x": 1})], [("calculator", {"x": 2})], "done"]
    run = world.begin()
    world.act(run, world.turn(run, 1), lambda name, arguments: _cut(run))
    world.act(run, world.turn(run, 2), lambda name, arguments: "4")
    world.turn(run, 3)
    first, *later = _offered(world)
    assert READ_RESULT not in first
    assert all(tools == sorted([*first, READ_RESULT]) for tools in later) and len(later) == 2


def test_a_handle_of_another_run_brings_no_tool() -> None:
    world = World()
    world.model.script = [[("calculator", {"x": 1})], "done"]
    run = world.begin(f"Read on: {_cut(None)}")
    world.act(run, world.turn(run, 1), lambda name, arguments: _cut(None))
    world.turn(run, 2)
    assert all(READ_RESULT not in tools for tools in _offered(world))


def test_a_call_of_read_result_is_planned_as_any_other() -> None:
    world = World()
    world.model.script = [[("calculator", {"x": 1})], [(READ_RESULT, {"handle": "res"})], "done"]
    run = world.begin()
    world.act(run, world.turn(run, 1), lambda name, arguments: _cut(run))
    decision = world.turn(run, 2)
    assert decision.kind == "tools" and [call.tool for call in decision.calls] == [READ_RESULT]


def _deferring() -> World:
    return World(CATALOG.model_copy(update={"tool_room": {"assistant": 10}}))


def test_an_agent_with_too_many_tools_is_sent_two_and_the_same_in_every_turn() -> None:
    world = _deferring()
    world.model.script = [[("calculator", {"x": 1})], [("notes", {"title": "a"})], "done"]
    run = world.begin()
    world.act(run, world.turn(run, 1), lambda name, arguments: _cut(run))
    world.turn(run, 2)
    tools = [request.tools for request in world.model.requests]
    assert [tool.name for tool in tools[0]] == ["find_tools", "use_tool"] and tools[0] == tools[1]
    assert {tool.name for tool in world.model.requests[0].deferred} == {"calculator", "notes", READ_RESULT}


def test_a_call_of_a_tool_that_is_not_sent_needs_its_approval_all_the_same() -> None:
    world = _deferring()
    world.model.script = [[("notes", {"title": "a"})], [("use_tool", {"name": "notes"})]]
    run = world.begin()
    assert world.turn(run, 1).kind == "approve"
    [call] = world.runs.list_calls(TENANT, run.run_id, 1)
    assert (call.tool, call.status) == ("notes", CallStatus.AWAITING)


def test_a_call_of_use_tool_that_was_not_opened_is_not_run() -> None:
    world = _deferring()
    world.model.script = [[("use_tool", {"name": "notes", "arguments": {}})]]
    run = world.begin()
    world.turn(run, 1)
    [call] = world.runs.list_calls(TENANT, run.run_id, 1)
    assert (call.status, call.error_type) == (CallStatus.FAILED, "PolicyDenied")
