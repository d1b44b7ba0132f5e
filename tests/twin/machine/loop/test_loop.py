"""The loop's definition with the real services: turns, humans, and runs of any length."""

import json

import pytest

from pentad.domain.declarations.agents import ContextSpec
from pentad.domain.runs import RunStatus
from pentad.domain.usage import Limits
from pentad.orchestration.runs.adapters.engine_stepfunctions import StepFunctions
from pentad.orchestration.trace.run_spans import build_spans, count_transitions, read_history
from tests.twin.machine.loop.deployment import Deployment, booked, check_end
from tests.twin.machine.stage import Stage, until
from tests.unit.orchestration.world import TENANT

pytestmark = pytest.mark.twin


def test_a_run_calls_tools_asks_a_human_and_answers(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = Deployment(stage, monkeypatch)
    deployment.world.model.script = [
        [("look_up", {"word": "seat"}), ("book", {"seat": "1a"})],
        [("keep", {"title": "receipt"})],
        "Booked.",
    ]
    run = deployment.start()
    deployment.decide(run, 2)
    ended = deployment.ended(run)
    assert (ended.status, ended.answer, ended.spent.steps) == (RunStatus.SUCCEEDED, "Booked.", 3)
    assert booked == ["1a"]
    check_end(deployment, run)
    types = deployment.stage.types(deployment.execution(run))
    # Recall, three turns of Think and Decide, two Maps with three calls, one wait with another Decide, Deliver.
    assert sum(1 for one in types if one.endswith("StateEntered")) == 1 + 3 * 2 + 2 + 3 + 2 + 1


def test_a_run_of_many_turns_goes_on_in_other_executions(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = Deployment(stage, monkeypatch, event_limit=60, limits=Limits(steps=30))
    world = deployment.world
    deployment.world.model.script = [[("look_up", {"word": f"w{turn}"})] for turn in range(12)] + ["Done."]
    run = deployment.start()
    ended = deployment.ended(run)
    assert (ended.status, ended.answer, ended.spent.steps) == (RunStatus.SUCCEEDED, "Done.", 13)
    check_end(deployment, run)
    names = [
        one["name"]
        for one in stage.client("stepfunctions").list_executions(stateMachineArn=deployment.machine)["executions"]
    ]
    assert len(names) > 3
    assert set(names) == {run.run_id} | {f"{run.run_id}-{part}" for part in range(2, len(names) + 1)}
    # The waterfall is that of one run: each turn with its model, once.
    history = read_history(ended, StepFunctions(stage.client("stepfunctions")).get_history)
    assert count_transitions(history) == sum(count_transitions(events) for events in deployment.histories())
    attempts = world.ledger.list_for_run(TENANT, run.run_id)
    spans = build_spans(ended, history, world.runs.list_steps(TENANT, run.run_id), attempts, [], now=world.clock())
    assert len([span for span in spans if span.kind == "model"]) == 13
    assert {span.attributes["step"] for span in spans if span.name == "Think"} == set(range(1, 14))
    # What the first execution answers is what the last one answers: nobody who waits for it sees the others.
    described = stage.wait(deployment.execution(run))
    assert json.loads(described["output"]) == {"tenant": TENANT, "run": run.run_id, "status": "succeeded"}


@pytest.mark.timeout(900)
def test_a_run_of_hundreds_of_turns_has_constant_payloads_and_stays_inside_every_history(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = 300
    context = ContextSpec(high_water_tokens=4000, low_water_tokens=2000)
    deployment = Deployment(
        stage, monkeypatch, limits=Limits(steps=turns + 1, seconds=86_400, tokens=10**9), context=context
    )
    world = deployment.world
    world.model.script = [[("look_up", {"word": f"word {turn} " + "x" * 100})] for turn in range(turns)] + ["Done."]
    run = deployment.start()
    ended = deployment.ended(run, seconds=600)
    assert (ended.status, ended.answer, ended.spent.steps) == (RunStatus.SUCCEEDED, "Done.", turns + 1)
    check_end(deployment, run)
    assert [one.step for one in world.runs.list_steps(TENANT, run.run_id)] == list(range(1, turns + 2))
    histories = deployment.histories()
    assert len(histories) > 1
    assert all(len(events) < 25_000 for events in histories)
    assert max(len(json.dumps(event, default=str)) for events in histories for event in events) < 4096
    # Nor does a request to the model grow: the context is cut inside the run.
    sizes = [len(request.messages) for request in world.model.requests]
    assert max(sizes[len(sizes) // 2 :]) <= max(sizes[: len(sizes) // 2])
    assert all(request.messages[0].text.startswith("Book a seat.") for request in world.model.requests)


def test_a_human_is_asked_once_where_the_wait_is_the_next_executions(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = Deployment(stage, monkeypatch, event_limit=20)
    deployment.world.model.script = [[("look_up", {"word": "seat"})], [("keep", {"title": "receipt"})], "Kept."]
    run = deployment.start()
    deployment.decide(run, 2)
    ended = deployment.ended(run)
    assert (ended.status, ended.answer) == (RunStatus.SUCCEEDED, "Kept.")
    check_end(deployment, run)
    assert len(deployment.histories()) > 1
    [kept] = [call for call in deployment.world.runs.list_calls(TENANT, run.run_id) if call.tool == "keep"]
    assert kept.result is not None
    assert "kept receipt" in kept.result


def test_stopping_the_first_execution_stops_them_all(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = Deployment(stage, monkeypatch, event_limit=20)
    deployment.world.model.script = [[("look_up", {"word": "seat"})], [("keep", {"title": "receipt"})]]
    run = deployment.start()
    until(lambda: deployment.world.approvals.list_pending(TENANT).items)
    client = stage.client("stepfunctions")
    client.stop_execution(executionArn=deployment.execution(run))

    def none_runs() -> bool:
        found = client.list_executions(stateMachineArn=deployment.machine)["executions"]
        return len(found) > 1 and all(one["status"] == "ABORTED" for one in found)

    until(none_runs)


def test_stopping_a_later_execution_ends_the_run(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = Deployment(stage, monkeypatch, event_limit=20)
    deployment.world.model.script = [[("look_up", {"word": "seat"})], [("keep", {"title": "receipt"})]]
    run = deployment.start()
    until(lambda: deployment.world.approvals.list_pending(TENANT).items)
    client = stage.client("stepfunctions")
    client.stop_execution(executionArn=f"{deployment.execution(run)}-2")
    assert deployment.ended(run).status is RunStatus.FAILED
    check_end(deployment, run)
