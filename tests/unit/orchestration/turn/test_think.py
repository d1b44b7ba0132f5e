"""Think: one model turn, on every path and on every retry."""

import json
from typing import Any

import pytest

from pentad.domain.declarations.words import NO_MODEL, UserWords
from pentad.domain.errors import BudgetExceeded, ModelThrottled, ModelUnavailable, NotFound, Refused, StoreUnavailable
from pentad.domain.messages import ToolResultBlock
from pentad.domain.models import Attempt, CallContext, Outcome
from pentad.domain.runs import CallStatus, RunStatus
from pentad.domain.tracing import find_run_place
from pentad.domain.usage import Usage
from pentad.models.ledger.attempt_spans import find_attempt_place
from pentad.orchestration.turn.think import THROTTLED_TRIES, TurnInput
from tests.unit.orchestration.world import CATALOG, TENANT, World


def fails_once(world: World, name: str, owner: Any) -> None:
    """Let a store's method raise the first time, after which it works again: a crash at that point."""
    original = getattr(owner, name)
    state = {"left": 1}

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if state["left"]:
            state["left"] -= 1
            raise ModelUnavailable("crashed here")
        return original(*args, **kwargs)

    setattr(owner, name, wrapped)


def test_a_plain_reply_is_an_answer() -> None:
    world = World()
    world.model.script = ["4"]
    run = world.begin()
    assert world.turn(run).kind == "answer"
    assert world.words(run.session_id) == ["What is 2 + 2?", "4"]


def test_messages_have_ids_of_run_and_step() -> None:
    world = World()
    world.model.script = [[("calculator", {"x": 1})], "done"]
    run = world.begin()
    world.act(run, world.turn(run))
    world.turn(run, 2)
    assert world.message_ids(run.session_id) == ["00000_u", "00001_a", "00001_r", "00002_a"]


def test_the_turn_is_added_to_what_the_run_has_spent() -> None:
    world = World()
    world.model.script = ["4"]
    run = world.begin()
    world.turn(run)
    spent = world.runs.get(TENANT, run.run_id).spent
    assert (spent.steps, spent.cost_nanousd, spent.usage.total_tokens) == (1, 1000, 120)


def test_a_retry_returns_the_stored_decision_without_the_model() -> None:
    world = World()
    world.model.script = [[("calculator", {"x": 1})]]
    run = world.begin()
    first = world.turn(run)
    assert world.turn(run) == first
    assert len(world.model.requests) == 1


def test_a_reply_that_is_in_the_session_is_not_asked_for_again() -> None:
    world = World()
    world.model.script = [[("calculator", {"x": 1})]]
    run = world.begin()
    fails_once(world, "record_step", world.runs)
    with pytest.raises(ModelUnavailable):
        world.turn(run)
    decision = world.turn(run)
    assert (decision.kind, len(world.model.requests)) == ("tools", 1)


def test_after_a_crash_the_usage_comes_from_the_ledger() -> None:
    world = World()
    world.model.script = ["4"]
    run = world.begin()
    fails_once(world, "record_step", world.runs)
    with pytest.raises(ModelUnavailable):
        world.turn(run)
    world.turn(run)
    step = world.runs.find_step(TENANT, run.run_id, 1)
    assert step is not None
    assert (step.provider, step.cost_nanousd, step.usage.total_tokens, step.degraded) == ("scripted", 1000, 120, False)


def test_a_crash_before_the_append_asks_the_model_again_and_stores_once() -> None:
    world = World()
    world.model.script = ["4", "four"]
    run = world.begin()
    fails_once(world, "append", world.sessions)
    with pytest.raises(ModelUnavailable):
        world.turn(run)
    world.turn(run)
    assert world.words(run.session_id) == ["What is 2 + 2?", "four"]


def test_the_results_of_the_last_step_are_sent_and_stored_with_the_reply() -> None:
    world = World()
    world.model.script = [[("calculator", {"x": 1}), ("calculator", {"x": 2})], "done"]
    run = world.begin()
    world.act(run, world.turn(run), lambda name, arguments: str(arguments["x"] * 10))
    world.turn(run, 2)
    sent = world.model.requests[1].messages[-1].blocks
    assert [block.content for block in sent if isinstance(block, ToolResultBlock)] == ["10", "20"]


def test_a_call_without_a_result_has_an_error_result() -> None:
    world = World()
    world.model.script = [[("calculator", {"x": 1})], "done"]
    run = world.begin()
    world.turn(run)
    world.turn(run, 2)
    [block] = world.model.requests[1].messages[-1].blocks
    assert isinstance(block, ToolResultBlock)
    assert block.is_error
    assert "not run" in block.content


def test_a_tool_that_needs_approval_awaits_it_and_the_others_are_pending() -> None:
    world = World()
    world.model.script = [[("calculator", {"x": 1}), ("notes", {"title": "a"})]]
    run = world.begin()
    decision = world.turn(run)
    assert decision.kind == "approve"
    assert [call.status for call in world.runs.list_calls(TENANT, run.run_id, 1)] == [
        CallStatus.PENDING,
        CallStatus.AWAITING,
    ]


def test_a_tool_of_another_agent_is_not_run() -> None:
    world = World()
    world.model.script = [[("calculator", {"x": 1})]]
    run = world.begin(agent="plain")
    decision = world.turn(run)
    [call] = world.runs.list_calls(TENANT, run.run_id, 1)
    assert (decision.kind, decision.calls, call.status, call.is_error) == ("tools", (), CallStatus.FAILED, True)


def test_sixteen_calls_are_run_and_the_rest_have_error_results() -> None:
    world = World()
    world.model.script = [[("calculator", {"x": index}) for index in range(20)], "done"]
    run = world.begin()
    decision = world.turn(run)
    assert len(decision.calls) == 16
    world.act(run, decision)
    world.turn(run, 2)
    blocks = world.model.requests[1].messages[-1].blocks
    assert [block.is_error for block in blocks if isinstance(block, ToolResultBlock)] == [False] * 16 + [True] * 4


def test_the_largest_decision_is_under_2_kb() -> None:
    world = World()
    name = "calculator"
    world.model.script = [[(name, {"x": "y" * 5000, "index": index}) for index in range(40)]]
    run = world.begin()
    text = world.turn(run).model_dump_json().replace(name, "t" * 40)
    assert len(text.encode()) < 2048


def test_a_long_reason_stays_within_the_decision() -> None:
    world = World()
    world.model.script = [Refused("é" * 5000)]
    run = world.begin()
    decision = world.turn(run)
    assert len(json.dumps(decision.model_dump(mode="json")).encode()) < 2048
    assert world.turn(run) == decision


@pytest.mark.parametrize(
    ("step", "seconds", "limit"), [(6, 0, "5 steps"), (2, 601, "600 seconds")], ids=["steps", "seconds"]
)
def test_a_limit_stops_the_run_and_is_told(step: int, seconds: float, limit: str) -> None:
    world = World()
    world.model.script = [[("calculator", {"x": turn})] for turn in range(step - 1)]
    run = world.begin()
    for turn in range(1, step):
        world.act(run, world.turn(run, turn))
    world.clock.advance(seconds)
    decision = world.turn(run, step)
    assert decision.kind == "stop"
    assert limit in (decision.reason or "")
    # The reason is the operators': the user reads the agent's words, here and in the answer.
    assert world.words(run.session_id)[-1] == UserWords().stopped
    assert world.turn(run, step, retry=1) == decision


def test_a_stop_that_was_not_recorded_keeps_its_reason_and_the_users_words() -> None:
    words = UserWords(stopped="Das geht gerade nicht.", unavailable="Später bitte.")
    agent = CATALOG.agents["assistant"].model_copy(update={"words": words})
    world = World(CATALOG.model_copy(update={"agents": CATALOG.agents | {"assistant": agent}}))
    world.model.script = [BudgetExceeded("the budget of the run is used up: $0.05 of $0.05")]
    run = world.begin()
    crash = world.runs.record_step
    world.runs.record_step = lambda step, calls: (_ for _ in ()).throw(StoreUnavailable("gone"))  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        world.turn(run)
    world.runs.record_step = crash  # type: ignore[method-assign]
    decision = world.turn(run, retry=1)
    ended = world.deliver.deliver(TENANT, run.run_id, 1)
    assert (ended.answer, ended.stop_reason) == ("Das geht gerade nicht.", decision.reason)
    assert "$0.05" in str(ended.stop_reason)
    assert world.words(run.session_id)[1:] == ["Das geht gerade nicht."]
    world.model.script, world.model.degraded = ["x"], True
    later = world.begin()
    world.turn(later)
    assert world.deliver.deliver(TENANT, later.run_id, 1).answer == "Später bitte."


def test_a_stop_leaves_no_tool_call_without_a_result() -> None:
    world = World()
    world.model.script = [[("calculator", {"x": 1})]]
    run = world.begin()
    world.act(run, world.turn(run))
    world.clock.advance(700)
    world.turn(run, 2)
    assert world.message_ids(run.session_id)[-2:] == ["00001_r", "00002_s"]


def test_a_stop_that_was_stored_before_a_crash_is_the_same_on_retry() -> None:
    world = World()
    run = world.begin()
    world.clock.advance(700)
    fails_once(world, "record_step", world.runs)
    with pytest.raises(ModelUnavailable):
        world.turn(run)
    before = world.words(run.session_id)
    assert world.turn(run).kind == "stop"
    assert world.words(run.session_id) == before


def test_time_spent_waiting_for_a_human_does_not_count() -> None:
    world = World()
    world.model.script = ["4"]
    run = world.begin()
    world.runs.set_status(TENANT, run.run_id, RunStatus.AWAITING_HUMAN)
    world.clock.advance(3000)
    world.runs.set_status(TENANT, run.run_id, RunStatus.RUNNING, waited_seconds=3000)
    assert world.turn(run).kind == "answer"


@pytest.mark.parametrize("error", [Refused("the model declined"), BudgetExceeded("the budget is used up")])
def test_a_refusal_or_a_budget_stops_the_run(error: Any) -> None:
    world = World()
    world.model.script = [error]
    run = world.begin()
    decision = world.turn(run)
    assert decision.kind == "stop"
    assert error.message in (decision.reason or "")


def test_a_ledger_that_does_not_answer_the_gateway_is_raised_for_the_state_to_retry() -> None:
    world = World()
    world.model.script = [StoreUnavailable("down"), "4"]
    run = world.begin()
    with pytest.raises(StoreUnavailable):
        world.turn(run)
    assert world.turn(run).kind == "answer"


def test_an_outage_of_all_models_is_answered_at_once_by_the_notice_and_is_billed() -> None:
    world = World()
    world.model.script = ["never said"]
    world.model.degraded = True
    run = world.begin()
    assert world.turn(run).kind == "answer"
    assert world.words(run.session_id) == ["What is 2 + 2?", NO_MODEL]
    assert world.message_ids(run.session_id) == ["00000_u", "00001_a"]
    step = world.runs.find_step(TENANT, run.run_id, 1)
    assert step is not None
    assert (step.degraded, step.notices, step.provider, step.model) == (True, (NO_MODEL,), "none", "none")
    assert (step.cost_nanousd, step.usage.total_tokens) == (1000, 120)


def test_an_outage_on_a_retry_is_billed_with_what_the_first_try_cost() -> None:
    world = World()
    world.model.script = ["lost", "never said"]
    run = world.begin()
    fails_once(world, "append", world.sessions)
    with pytest.raises(ModelUnavailable):
        world.turn(run)
    world.model.degraded = True
    assert world.turn(run, retry=1).kind == "answer"
    step = world.runs.find_step(TENANT, run.run_id, 1)
    assert step is not None
    assert (step.degraded, step.cost_nanousd) == (True, 2000)


def test_a_rate_limit_of_all_providers_is_waited_out_by_the_state_before_the_notice_is_the_answer() -> None:
    world = World()
    world.model.script = [ModelThrottled("every model says 429") for _ in range(THROTTLED_TRIES + 1)]
    run = world.begin()
    for retry in range(THROTTLED_TRIES):
        with pytest.raises(ModelThrottled):
            world.turn(run, retry=retry)
    assert world.turn(run, retry=THROTTLED_TRIES).kind == "answer"
    assert world.words(run.session_id) == ["What is 2 + 2?", NO_MODEL]


def test_what_was_done_before_an_outage_is_told_before_its_notice() -> None:
    world = World()
    outage = ModelUnavailable("no model could be reached")
    outage.notices = ("A smaller model was asked.",)
    world.model.script = [outage]
    run = world.begin()
    world.turn(run)
    step = world.runs.find_step(TENANT, run.run_id, 1)
    assert step is not None
    assert step.notices == ("A smaller model was asked.", NO_MODEL)


def test_an_outage_is_known_as_such_after_a_crash() -> None:
    world = World()
    world.model.script = ["never said"]
    world.model.degraded = True
    run = world.begin()
    fails_once(world, "record_step", world.runs)
    with pytest.raises(ModelUnavailable):
        world.turn(run)
    world.turn(run)
    step = world.runs.find_step(TENANT, run.run_id, 1)
    assert step is not None
    assert step.degraded


def test_the_third_equal_call_stops_the_run_and_closes_its_calls() -> None:
    world = World()
    world.model.script = [[("calculator", {"x": 1})] for _ in range(3)]
    run = world.begin()
    for step in (1, 2):
        world.act(run, world.turn(run, step))
    decision = world.turn(run, 3)
    assert decision.kind == "stop"
    assert "calculator" in (decision.reason or "")
    assert world.message_ids(run.session_id)[-3:] == ["00003_a", "00003_r", "00003_s"]


def test_an_ended_run_stops_without_a_call() -> None:
    world = World()
    run = world.begin()
    world.runs.finish(TENANT, run.run_id, RunStatus.CANCELLED, at=world.clock(), answer=None)
    assert world.turn(run).kind == "stop"
    assert world.model.requests == []


def test_a_session_that_another_run_has_taken_over_is_left_alone() -> None:
    world = World()
    run = world.begin(session="s1")
    world.clock.advance(10_000)
    world.begin(session="s1")
    before = world.words("s1")
    assert world.turn(run).kind == "stop"
    assert (world.words("s1"), world.model.requests) == (before, [])


def test_a_run_of_another_session_is_not_found() -> None:
    world = World()
    run, other = world.begin(), world.begin()
    with pytest.raises(NotFound):
        world.think(
            TurnInput(tenant_id=TENANT, run_id=run.run_id, session_id=other.session_id, agent=run.agent, step=1),
            deadline=world.clock().timestamp() + 60,
        )


def test_the_request_names_the_run_and_has_the_agents_tools_and_prompt() -> None:
    world = World()
    world.model.script = ["4"]
    run = world.begin(user="ann")
    world.turn(run)
    [request] = world.model.requests
    assert (request.system, [one.name for one in request.tools]) == ("You help.", ["calculator", "notes"])
    assert (request.context.tenant_id, request.context.user_id, request.context.step) == (TENANT, "ann", 1)


def _attempt(world: World, run_id: str, step: int | None, outcome: Outcome = Outcome.OK) -> Attempt:
    return Attempt(
        attempt_id=f"att_{step}",
        context=CallContext(
            tenant_id=TENANT, run_id=run_id, step=step, purpose="embed_query" if step is None else "turn"
        ),
        provider="p",
        model="m",
        tier="t",
        link=0,
        number=1,
        outcome=outcome,
        started_at=world.clock(),
        duration_ms=1,
        usage=Usage(input_tokens=7),
        cost_nanousd=5,
    )


def test_the_embedding_of_the_question_is_part_of_the_runs_cost() -> None:
    world = World()
    world.model.script = [[("calculator", {"x": 1})], "4"]
    run = world.begin()
    world.ledger.record(_attempt(world, run.run_id, None))
    for step in (1, 2):
        world.act(run, world.turn(run, step))
    spent = world.runs.get(TENANT, run.run_id).spent
    attempts = world.ledger.list_for_run(TENANT, run.run_id)
    assert spent.cost_nanousd == sum(one.cost_nanousd for one in attempts) == 2005
    assert spent.usage.total_tokens == sum(one.usage.total_tokens for one in attempts)


def test_a_refusal_is_billed_as_the_ledger_has_it() -> None:
    world = World()
    world.model.script = [Refused("the model declined")]
    run = world.begin()
    world.ledger.record(_attempt(world, run.run_id, 1, Outcome.REFUSAL))
    world.turn(run)
    assert world.runs.get(TENANT, run.run_id).spent.cost_nanousd == 5


def test_a_retried_turn_has_the_span_of_the_attempt_that_was_killed_and_no_other() -> None:
    world = World()
    world.model.script = ["4"]
    run = world.begin()
    world.ledger.begin(_attempt(world, run.run_id, 1, Outcome.BEGUN))
    world.clock.advance(60)
    killed = find_attempt_place(world.ledger.list_for_run(TENANT, run.run_id)[0])
    world.turn(run, retry=1)
    [span] = [one for one in world.telemetry.ended if one.error == "cut_off"]
    assert span.place.span_id == killed.span_id and span.parent_id == find_run_place(run).span_id
    assert span.name.startswith("chat ") and "gen_ai.usage.input_tokens" not in span.attributes


def test_a_retried_turn_bills_what_a_killed_try_before_it_cost() -> None:
    world = World()
    world.model.script = ["4"]
    run = world.begin()
    world.ledger.record(_attempt(world, run.run_id, 1))  # its process was killed before the reply was stored
    world.turn(run, retry=1)
    spent = world.runs.get(TENANT, run.run_id).spent
    assert spent.cost_nanousd == sum(one.cost_nanousd for one in world.ledger.list_for_run(TENANT, run.run_id))
