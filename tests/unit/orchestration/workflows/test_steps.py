"""Each step of a workflow: done once however often its state is tried, bounded, recorded."""

import pytest

from pentad.domain.errors import (
    BudgetExceeded,
    InvalidTransition,
    LimitReached,
    MalformedReply,
    ModelUnavailable,
    NotFound,
    StepFailed,
    StepRejected,
)
from pentad.domain.ids import approval_id
from pentad.domain.knowledge import Citation
from pentad.domain.models import CallContext, ChatRequest
from pentad.domain.runs import Approval, ApprovalStatus, CallStatus, RunStatus
from pentad.orchestration.switches.ports import Switch
from pentad.orchestration.workflows.run_ends import FINISH, Finished, Stopped
from tests.unit.orchestration.workflows.conftest import Bench
from tests.unit.orchestration.world import TENANT


def test_a_run_of_a_workflow_begins_once(bench: Bench) -> None:
    assert bench.ends.begin(bench.entered) == {}
    assert bench.fresh().status is RunStatus.RUNNING


def test_a_models_step_exports_its_small_fields_and_keeps_its_words(bench: Bench) -> None:
    bench.world.model.script = ['{"n": 3}']
    told = bench.task(bench.at("facts"), deadline=0)
    assert told == {"facts": {"n": 3, "status": "succeeded", "at": 1}}
    [request] = bench.world.model.requests
    assert request.messages[0].text == "Read the document"
    assert (request.context.run_id, request.context.step, request.context.agent) == (bench.run.run_id, 1, "flow")


def test_a_retried_models_step_asks_and_bills_once(bench: Bench) -> None:
    bench.facts()
    again = bench.task(bench.at("facts", retry=1), deadline=0)
    assert again == {"facts": {"n": 3, "status": "succeeded", "at": 1}}
    spent = bench.fresh().spent
    assert (spent.steps, spent.cost_nanousd, len(bench.world.model.requests)) == (1, 1000, 1)


def test_a_try_that_was_cut_off_after_its_answer_is_billed_too(bench: Bench) -> None:
    bench.world.model.script = ['{"n": 1}', '{"n": 2}']
    context = CallContext(tenant_id=TENANT, run_id=bench.run.run_id, step=1)
    bench.world.model.complete(ChatRequest(context=context, messages=()), deadline=0)
    bench.task(bench.at("facts", retry=1), deadline=0)
    assert bench.fresh().spent.cost_nanousd == 2000


def test_a_workflow_that_is_switched_off_spends_nothing_more(bench: Bench) -> None:
    switch = Switch(scope="agent", subject="flow", reason="too dear", by="ann", at=bench.world.clock())
    bench.world.switches.store.put(switch)
    with pytest.raises(LimitReached, match="switched off by an operator: too dear"):
        bench.task(bench.at("facts"), deadline=0)
    assert bench.world.model.requests == []


def test_the_next_round_of_a_loop_asks_anew(bench: Bench) -> None:
    bench.facts()
    bench.world.model.script = ['{"n": 4}']
    assert bench.task(bench.at("facts", round_=1), deadline=0) == {"facts": {"n": 4, "status": "succeeded", "at": 101}}


def test_no_model_is_no_result(bench: Bench) -> None:
    bench.world.model.script = ["sorry"]
    bench.world.model.degraded = True
    with pytest.raises(ModelUnavailable):
        bench.task(bench.at("facts"), deadline=0)


def test_words_in_the_place_of_fields_are_no_result(bench: Bench) -> None:
    bench.world.model.script = ["three"]
    with pytest.raises(MalformedReply):
        bench.task(bench.at("facts"), deadline=0)


def test_a_workflow_that_has_used_its_steps_may_spend_no_more(bench: Bench) -> None:
    bench.world.model.script = ['{"n": 1}'] * 3
    for round_ in range(3):
        bench.task(bench.at("facts", round_=round_), deadline=0)
    with pytest.raises(LimitReached):
        bench.task(bench.at("facts", round_=3), deadline=0)


def test_a_workflow_that_has_used_its_time_may_begin_no_agent(bench: Bench) -> None:
    bench.world.clock.advance(601)
    with pytest.raises(LimitReached):
        bench.children.begin(bench.at("helper"))


def test_nothing_is_done_in_a_run_that_has_ended(bench: Bench) -> None:
    bench.world.runs.finish(TENANT, bench.run.run_id, RunStatus.CANCELLED, at=bench.world.clock(), answer=None)
    with pytest.raises(InvalidTransition):
        bench.task(bench.at("facts"), deadline=0)


def test_a_step_of_another_kind_is_not_found(bench: Bench) -> None:
    with pytest.raises(NotFound):
        bench.task(bench.at("words"), deadline=0)


def test_an_agents_step_makes_one_run_however_often_it_is_tried(bench: Bench) -> None:
    bench.facts()
    first, again = bench.children.begin(bench.at("helper")), bench.children.begin(bench.at("helper"))
    assert first == again
    child = bench.world.runs.get(TENANT, first["run"])
    assert (child.parent_run_id, child.trigger, child.agent) == (bench.run.run_id, "workflow", "plain")
    assert bench.world.words(child.session_id) == ['Look at {"n": 3}']
    assert child.execution_arn == f"arn:aws:states:eu-west-1:1:execution:pentad-dev-agent-plain:{child.run_id}"
    assert bench.children.begin(bench.at("helper", round_=1))["run"] != child.run_id


def finish_child(bench: Bench, status: RunStatus, answer: str | None, **values: object) -> None:
    run = bench.children.begin(bench.at("helper"))["run"]
    bench.world.runs.finish(TENANT, run, status, at=bench.world.clock(), answer=answer, **values)  # type: ignore[arg-type]


def test_a_recorded_step_has_its_name_and_the_run_of_its_agent(bench: Bench) -> None:
    bench.facts()
    finish_child(bench, RunStatus.SUCCEEDED, "It is so.")
    bench.children.collect(bench.at("helper"))
    bench.calls.plan(bench.at("sum"))
    child = bench.children.begin(bench.at("helper"))["run"]
    recorded = [
        (step.step, step.name, step.child_run_id) for step in bench.world.runs.list_steps(TENANT, bench.run.run_id)
    ]
    assert recorded == [(1, "facts", None), (2, "helper", child), (3, "sum", None)]


def test_an_agents_answer_becomes_the_result_with_its_sources_by_name(bench: Bench) -> None:
    cited = Citation(
        marker="[cite:k7f2qa]", passage_id="p", document="a.md", version="1", title="A", start=0, end=1, quote="quote"
    )
    finish_child(bench, RunStatus.SUCCEEDED, "It is so [cite:k7f2qa]. It may be [cite:zz], x[1].", citations=(cited,))
    assert bench.children.collect(bench.at("helper")) == {"helper": {"status": "succeeded", "at": 2}}
    result = bench.stores.results.get(TENANT, bench.run.run_id, 2)
    assert result is not None
    assert result.text == "It is so (a.md). It may be [cite:zz], x[1]."


@pytest.mark.parametrize("status", [RunStatus.FAILED, RunStatus.STOPPED, RunStatus.DEGRADED, RunStatus.CANCELLED])
def test_an_agent_that_did_not_answer_fails_its_step_each_time(bench: Bench, status: RunStatus) -> None:
    finish_child(bench, status, "a notice")
    for _ in range(2):
        with pytest.raises(StepFailed):
            bench.children.collect(bench.at("helper"))


def test_an_agents_run_whose_execution_died_is_ended_and_its_session_free(bench: Bench) -> None:
    run = bench.children.begin(bench.at("helper"))["run"]
    with pytest.raises(StepFailed, match="died"):
        bench.children.collect(bench.at("helper"))
    child = bench.world.runs.get(TENANT, run)
    assert child.status is RunStatus.FAILED
    assert bench.world.runs.find_lease_holder(TENANT, child.session_id) is None


def test_the_time_that_an_agent_waited_for_humans_is_not_the_workflows(bench: Bench) -> None:
    run = bench.children.begin(bench.at("helper"))["run"]
    bench.world.runs.set_status(TENANT, run, RunStatus.RUNNING)
    bench.world.runs.set_status(TENANT, run, RunStatus.AWAITING_HUMAN)
    bench.world.runs.set_status(TENANT, run, RunStatus.RUNNING, waited_seconds=5000)
    bench.world.clock.advance(5000)
    bench.world.runs.finish(TENANT, run, RunStatus.SUCCEEDED, at=bench.world.clock(), answer="yes")
    bench.children.collect(bench.at("helper"))
    bench.facts()
    assert bench.fresh().waited_seconds == 5000


def test_a_tools_step_plans_one_call_with_rendered_arguments(bench: Bench) -> None:
    bench.facts()
    assert bench.calls.plan(bench.at("sum")) == bench.calls.plan(bench.at("sum"))
    [call] = bench.world.runs.list_calls(TENANT, bench.run.run_id, 3)
    assert (call.tool, call.arguments, call.status) == ("calculator", {"expression": 3}, CallStatus.PENDING)


def test_a_tools_result_is_the_steps(bench: Bench) -> None:
    bench.facts()
    bench.calls.plan(bench.at("sum"))
    call = bench.world.runs.get_call(TENANT, bench.run.run_id, 3, 0)
    bench.world.runs.save_call(call.model_copy(update={"status": CallStatus.SUCCEEDED, "result": "4"}))
    assert bench.calls.collect(bench.at("sum")) == {"sum": {"status": "succeeded", "at": 3}}


def test_a_tool_whose_function_died_leaves_a_failed_call_and_a_failed_step(bench: Bench) -> None:
    bench.calls.plan(bench.at("sum"))
    with pytest.raises(StepFailed):
        bench.calls.collect(bench.at("sum"), "States.Timeout", "")
    call = bench.world.runs.get_call(TENANT, bench.run.run_id, 3, 0)
    assert (call.status, call.error_type) == (CallStatus.FAILED, "States.Timeout")


def test_a_graph_that_met_the_runs_limit_stops_the_run_and_is_no_mere_failure(bench: Bench) -> None:
    bench.calls.plan(bench.at("sum"))
    call = bench.world.runs.get_call(TENANT, bench.run.run_id, 3, 0)
    failed = {"status": CallStatus.FAILED, "is_error": True, "result": "LimitReached: used up"}
    bench.world.runs.save_call(call.model_copy(update=failed | {"error_type": "LimitReached"}))
    bench.world.clock.advance(10_000)
    with pytest.raises(LimitReached, match="seconds"):
        bench.calls.collect(bench.at("sum"))


def test_a_graph_that_met_a_budget_stops_the_run_with_its_words(bench: Bench) -> None:
    bench.calls.plan(bench.at("sum"))
    call = bench.world.runs.get_call(TENANT, bench.run.run_id, 3, 0)
    failed = {"status": CallStatus.FAILED, "is_error": True, "result": "BudgetExceeded: acme, day: used up"}
    bench.world.runs.save_call(call.model_copy(update=failed | {"error_type": "BudgetExceeded"}))
    with pytest.raises(BudgetExceeded, match=r"^acme, day: used up$"):
        bench.calls.collect(bench.at("sum"))


def test_words_are_put_together_once(bench: Bench) -> None:
    bench.facts()
    assert bench.ends.build_text(bench.at("words")) == bench.ends.build_text(bench.at("words"))
    result = bench.stores.results.get(TENANT, bench.run.run_id, 5)
    assert result is not None
    assert result.text == "n=3"


def test_a_human_is_asked_what_the_template_says(bench: Bench) -> None:
    bench.facts()
    name = bench.humans.ask(bench.at("sign"), "token")["approval"]
    approval = bench.world.approvals.get(TENANT, name)
    assert (approval.text, approval.group, approval.kind) == ("Sign 3", "bosses", "answer")
    assert bench.fresh().status is RunStatus.AWAITING_HUMAN


def test_an_edited_text_is_the_humans_result(bench: Bench) -> None:
    bench.facts()
    name = bench.humans.ask(bench.at("sign"), "token")["approval"]
    bench.world.decide(TENANT, name, "edit", by="ann", text="Signed")
    assert bench.world.engine.woken["token"] == {"status": "approved", "approval": name}
    told = bench.humans.collect(bench.at("sign"), strict=True)
    result = bench.stores.results.get(TENANT, bench.run.run_id, 4)
    assert result is not None
    assert (told["sign"]["status"], result.text) == ("approved", "Signed")


def test_a_rejection_stops_a_workflow_that_has_no_way_on(bench: Bench) -> None:
    name = bench.humans.ask(bench.at("sign"), "token")["approval"]
    bench.world.decide(TENANT, name, "reject", by="ann", reason="too vague")
    with pytest.raises(StepRejected, match="too vague"):
        bench.humans.collect(bench.at("sign"), strict=True)
    assert bench.humans.collect(bench.at("sign"), strict=False)["sign"]["status"] == "rejected"


def test_a_wait_that_is_over_reminds_and_then_expires(bench: Bench) -> None:
    bench.humans.ask(bench.at("sign"), "token")
    bench.world.clock.advance(600)
    assert bench.humans.expire(bench.at("sign"))["status"] == "pending"
    bench.world.clock.advance(86_400)
    assert bench.humans.expire(bench.at("sign"))["status"] == "expired"
    assert bench.humans.collect(bench.at("sign"), strict=False)["sign"]["status"] == "expired"


def test_a_decision_that_is_not_made_is_not_collected(bench: Bench) -> None:
    bench.humans.ask(bench.at("sign"), "token")
    with pytest.raises(InvalidTransition):
        bench.humans.collect(bench.at("sign"), strict=False)


def test_a_tool_that_needs_an_approval_runs_what_was_shown(bench: Bench) -> None:
    bench.facts()
    bench.calls.plan(bench.at("keep"))
    name = bench.humans.ask(bench.at("keep"), "token")["approval"]
    shown = bench.world.approvals.get(TENANT, name)
    assert [call.arguments for call in shown.calls] == [{"text": 3}]
    bench.world.decide(TENANT, name, "approve", by="ann")
    assert bench.humans.settle(bench.at("keep")) == {"index": 0, "status": "approved"}
    assert bench.world.runs.get_call(TENANT, bench.run.run_id, 6, 0).status is CallStatus.APPROVED


def test_a_rejected_tool_does_not_run(bench: Bench) -> None:
    bench.calls.plan(bench.at("keep"))
    name = bench.humans.ask(bench.at("keep"), "token")["approval"]
    bench.world.decide(TENANT, name, "reject", by="ann", reason="no")
    with pytest.raises(StepRejected):
        bench.humans.settle(bench.at("keep"))
    assert bench.world.runs.get_call(TENANT, bench.run.run_id, 6, 0).status is CallStatus.REJECTED
    assert bench.world.approvals.get(TENANT, approval_id(bench.run.run_id, 6)).status is ApprovalStatus.REJECTED


def test_the_end_says_the_answer_once_and_deliver_ends_the_run(bench: Bench) -> None:
    bench.facts()
    bench.ends.build_text(bench.at("words"))
    end = Finished(**bench.entered.model_dump(), refs={"words": 5}, failed=("web",), capped=("loop",))
    assert bench.ends.finish(end) == bench.ends.finish(end) == {"kind": "answer", "step": FINISH, "calls": []}
    run = bench.world.deliver.deliver(TENANT, bench.run.run_id, FINISH)
    assert (run.status, run.answer, len(run.notices)) == (RunStatus.DEGRADED, "n=3", 2)
    assert bench.world.words("s1") == ["the document", "n=3"]
    assert bench.world.runs.find_lease_holder(TENANT, "s1") is None


def test_a_stop_tells_the_reason_even_of_a_cause_that_was_cut(bench: Bench) -> None:
    cause = '{"errorMessage": "the run has used its 3 steps", "errorType": "LimitReached", "stackTr'
    stop = Stopped(**bench.entered.model_dump(), error="LimitReached", cause=cause)
    assert bench.ends.stop(stop)["kind"] == "stop"
    run = bench.world.deliver.deliver(TENANT, bench.run.run_id, FINISH)
    assert (run.status, run.stop_reason) == (
        RunStatus.STOPPED,
        "The run was stopped: the run has used its 3 steps.",
    )


def ask_twice(bench: Bench) -> tuple[str, str]:
    """Ask for a signature in two rounds at once, as two branches would, an hour apart."""
    bench.facts()
    first = bench.humans.ask(bench.at("sign"), "token 1")["approval"]
    bench.world.clock.advance(3600)
    return first, bench.humans.ask(bench.at("sign", round_=1), "token 2")["approval"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_run_waits_until_none_of_its_approvals_is_open(bench: Bench, order: tuple[int, int]) -> None:
    asked = ask_twice(bench)
    statuses = []
    for place in order:
        bench.world.clock.advance(600)
        bench.world.decide(TENANT, asked[place], "approve", by="ann")
        statuses.append(bench.fresh().status)
    assert statuses == [RunStatus.AWAITING_HUMAN, RunStatus.RUNNING]
    assert bench.fresh().waited_seconds == 4800, "the time that both waited counts once"


def test_an_expiry_leaves_a_run_waiting_for_another_human_as_well(bench: Bench) -> None:
    _, second = ask_twice(bench)
    bench.world.clock.advance(86_400 - 3600)
    bench.humans.expire(bench.at("sign"))
    assert bench.fresh().status is RunStatus.AWAITING_HUMAN
    bench.world.decide(TENANT, second, "approve", by="ann")
    assert bench.fresh().status is RunStatus.RUNNING


def test_a_question_that_is_stored_as_another_is_decided_is_waited_for(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.facts()
    first = bench.humans.ask(bench.at("sign"), "token 1")["approval"]
    create = bench.world.approvals.create

    def late(approval: Approval, token: str) -> Approval:
        bench.world.decide(TENANT, first, "approve", by="ann")
        assert bench.fresh().status is RunStatus.RUNNING
        return create(approval, token)

    monkeypatch.setattr(bench.world.approvals, "create", late)
    bench.humans.ask(bench.at("sign", round_=1), "token 2")
    assert bench.fresh().status is RunStatus.AWAITING_HUMAN
