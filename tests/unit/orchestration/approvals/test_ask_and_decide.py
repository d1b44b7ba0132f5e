"""Questions, drafts, escalations, reminders and workflows' approvals, from the request to what the run goes on with."""

import json
from datetime import timedelta
from typing import Any

import pytest

from pentad.domain.declarations.agents import AgentSpec, Catalog, HumansSpec
from pentad.domain.errors import InvalidTransition, PolicyDenied, StoreUnavailable
from pentad.domain.ids import approval_id
from pentad.domain.messages import ToolResultBlock
from pentad.domain.runs import (
    Approval,
    ApprovalStatus,
    Assessment,
    Band,
    CallStatus,
    Decision,
    Run,
    RunStatus,
)
from pentad.domain.usage import Limits
from tests.unit.orchestration.world import CATALOG, TENANT, World

HUMANS = HumansSpec(group="clerks", on_expiry="escalate", escalate_to=("leads",), remind_seconds=600, may_ask=True)
AGENT = AgentSpec(
    name="clerk",
    description="asks",
    prompt="You ask.",
    tools=("calculator", "notes"),
    limits=Limits(steps=9, seconds=600),
    approval_seconds=3600,
    humans=HUMANS,
)
AGENTS = {
    "clerk": AGENT,
    "intake": AGENT.model_copy(update={"name": "intake", "requires": {"order": "Which order?", "city": "Which city?"}}),
    "strict": AGENT.model_copy(update={"name": "strict", "humans": HumansSpec(may_ask=True)}),
}
Say = list[tuple[str, dict[str, Any]]]
ASK: Say = [("ask_human", {"question": "How many?"})]
ESCALATE: Say = [("escalate", {"reason": "The user wants a person."})]
NOTE: Say = [("notes", {"title": "a"})]


def _world() -> World:
    return World(Catalog(agents=dict(CATALOG.agents) | AGENTS, tools=CATALOG.tools))


def _asked(*script: Any, agent: str = "clerk") -> tuple[World, Run, Approval]:
    """A run whose first turn waits for a human."""
    world = _world()
    world.model.script = list(script)
    run = world.begin(agent=agent)
    world.turn(run)
    return world, run, world.asking.ask_for_step(TENANT, run.run_id, 1, "token-1")


def _drafted(band: Band = Band.DRAFT) -> tuple[World, Run, Approval]:
    """A run whose answer is drafted: too unsure to be given."""
    world = _world()
    world.model.script = ["The draft."]
    run = world.begin(agent="strict")
    world.turn(run)
    stored = world.runs.find_step(TENANT, run.run_id, 1)
    assert stored is not None
    kind = "escalate" if band is Band.ESCALATE else "approve"
    step = stored.model_copy(
        update={
            "decision": Decision(kind=kind, step=1),
            "assessment": Assessment(confidence=0.6, band=band, signals=()),
        }
    )
    world.runs._steps[TENANT, run.run_id, 1] = step
    return world, run, world.asking.ask_for_step(TENANT, run.run_id, 1, "token-1")


def _woken(world: World) -> dict[str, Any]:
    [output] = world.engine.woken.values()
    return output


def _decide(world: World, approval: Approval, decision: Any, **values: Any) -> Approval:
    return world.decide(TENANT, approval.approval_id, decision, by=values.pop("by", "ann"), **values)


def test_a_question_shows_the_question_and_whom_it_is_for() -> None:
    _, _, approval = _asked(ASK)
    assert (approval.kind, approval.text, approval.group, approval.calls) == ("question", "How many?", "clerks", ())


def test_the_answer_to_a_question_is_the_calls_result() -> None:
    world, run, approval = _asked(ASK)
    _decide(world, approval, "answer", text="Two.")
    call = world.runs.get_call(TENANT, run.run_id, 1, 0)
    assert (call.status, call.result, call.is_error, call.untrusted) == (CallStatus.SUCCEEDED, "Two.", False, False)
    assert _woken(world) == {"kind": "tools", "step": 1, "calls": []}
    assert world.runs.get(TENANT, run.run_id).status is RunStatus.RUNNING


def test_a_declined_question_is_an_error_result_with_the_reason() -> None:
    world, run, approval = _asked(ASK)
    _decide(world, approval, "reject", reason="Look it up.")
    call = world.runs.get_call(TENANT, run.run_id, 1, 0)
    assert (call.is_error, "Look it up." in (call.result or "")) == (True, True)
    assert _woken(world)["kind"] == "tools"


def test_what_the_run_lacks_is_asked_for_one_by_one_and_noted() -> None:
    world, run, approval = _asked(agent="intake")
    assert (approval.kind, approval.text, approval.asks_for) == ("question", "Which order?", "order")
    _decide(world, approval, "answer", text="7")
    assert world.runs.get(TENANT, run.run_id).metadata == {"order": "7"}
    world.turn(run, 2)
    second = world.asking.ask_for_step(TENANT, run.run_id, 2, "token-2")
    assert second.asks_for == "city"
    assert world.words(run.session_id)[-1] == "order: 7"


def test_a_run_that_is_not_given_what_it_lacks_stops() -> None:
    world, run, approval = _asked(agent="intake")
    _decide(world, approval, "reject", reason="There is none.")
    output = _woken(world)
    assert (output["kind"], "There is none." in output["reason"]) == ("stop", True)
    ended = world.deliver.deliver(TENANT, run.run_id, 1, "stop", output["reason"])
    assert (ended.status, ended.stop_reason) == (RunStatus.STOPPED, output["reason"])


def test_an_approved_draft_is_the_answer() -> None:
    world, run, approval = _drafted()
    assert (approval.kind, approval.text, approval.confidence) == ("answer", "The draft.", 0.6)
    _decide(world, approval, "approve")
    assert _woken(world) == {"kind": "answer", "step": 1, "calls": []}
    assert world.deliver.deliver(TENANT, run.run_id, 1, "answer").answer == "The draft."


def test_an_edited_draft_is_the_answer_and_the_conversation_knows() -> None:
    world, run, approval = _drafted()
    _decide(world, approval, "edit", text="Better.")
    assert world.deliver.deliver(TENANT, run.run_id, 1, "answer").answer == "Better."
    assert "Better." in world.words(run.session_id)[-1]


def test_a_rejected_draft_goes_back_to_the_model_with_the_reason_once() -> None:
    world, run, approval = _drafted()
    for _ in range(2):
        _decide(world, approval, "reject", reason="Too long.")
    assert _woken(world) == {"kind": "tools", "step": 1, "calls": []}
    assert world.message_ids(run.session_id)[-1] == "00001_h"
    assert sum("Too long." in words for words in world.words(run.session_id)) == 1


def test_a_draft_that_nobody_approves_stops_the_run() -> None:
    world, run, _ = _drafted()
    world.clock.advance(86_400)
    assert world.asking.expire(TENANT, run.run_id, 1)["kind"] == "stop"


def test_an_unsure_answer_that_was_escalated_is_delivered_once_approved() -> None:
    world, run, approval = _drafted(Band.ESCALATE)
    assert (approval.kind, approval.text, approval.drafts) == ("escalation", "The draft.", True)
    _decide(world, approval, "approve")
    assert world.deliver.deliver(TENANT, run.run_id, 1, "answer").answer == "The draft."


def test_an_escalation_is_answered_in_the_agents_place() -> None:
    world, run, approval = _asked(ESCALATE)
    assert (approval.kind, approval.text) == ("escalation", "The user wants a person.")
    _decide(world, approval, "answer", text="I call you.")
    assert _woken(world)["kind"] == "answer"
    assert world.deliver.deliver(TENANT, run.run_id, 1, "answer").answer == "I call you."
    assert "I call you." in world.words(run.session_id)[-1]


@pytest.mark.parametrize(("decision", "words", "error"), [("approve", "go on", False), ("reject", "not my job", True)])
def test_an_escalation_that_is_not_taken_over_goes_back_to_the_model(decision: str, words: str, error: bool) -> None:
    world, run, approval = _asked(ESCALATE)
    _decide(world, approval, decision, reason="not my job")
    call = world.runs.get_call(TENANT, run.run_id, 1, 0)
    assert (call.is_error, words in (call.result or "")) == (error, True)
    assert _woken(world)["kind"] == "tools"


def test_an_edited_call_is_stored_with_the_arguments_that_were_shown_last() -> None:
    world, run, approval = _asked(NOTE)
    decided = _decide(world, approval, "edit", arguments={0: {"title": "b"}})
    call = world.runs.get_call(TENANT, run.run_id, 1, 0)
    assert (call.status, call.arguments) == (CallStatus.APPROVED, {"title": "b"})
    assert call.arguments_hash == decided.calls[0].arguments_hash


def test_the_model_is_told_which_arguments_a_human_gave_its_call() -> None:
    world, run, approval = _asked(NOTE, "Done.")
    _decide(world, approval, "edit", arguments={0: {"title": "b"}})
    world.act(run, Decision.model_validate(_woken(world)))
    world.turn(run, 2)
    [result] = world.model.requests[-1].messages[-1].blocks
    assert isinstance(result, ToolResultBlock)
    assert result.content == '(A human changed the arguments to {"title":"b"}.)\n4'


def test_a_call_whose_stored_arguments_are_not_those_shown_does_not_run() -> None:
    world, run, approval = _asked(NOTE)
    call = world.runs.get_call(TENANT, run.run_id, 1, 0)
    world.runs.save_call(call.model_copy(update={"arguments": {"title": "z"}, "arguments_hash": "z"}))
    _decide(world, approval, "approve")
    assert world.runs.get_call(TENANT, run.run_id, 1, 0).status is CallStatus.REJECTED
    assert _woken(world)["calls"] == []


def test_a_tool_allowed_for_the_run_waits_no_more_in_it() -> None:
    world, run, approval = _asked(NOTE, [("notes", {"title": "b"})])
    _decide(world, approval, "approve", allow_tool_for_run=True)
    assert world.runs.get(TENANT, run.run_id).allowed_tools == ("notes",)
    world.act(run, Decision.model_validate(_woken(world)))
    assert world.turn(run, 2).kind == "tools"


def test_only_a_human_of_the_group_that_is_asked_decides() -> None:
    world, _, approval = _asked(NOTE)
    with pytest.raises(PolicyDenied):
        _decide(world, approval, "approve", groups={"leads"})
    _decide(world, approval, "escalate", groups={"clerks"})
    with pytest.raises(PolicyDenied):
        _decide(world, approval, "approve", groups={"clerks"})
    assert _decide(world, approval, "approve", groups={"leads"}).status is ApprovalStatus.APPROVED


def test_reminders_and_the_next_group_lead_back_to_waiting_and_then_it_is_over() -> None:
    world, run, approval = _asked(NOTE)
    outputs: list[dict[str, Any]] = []
    for number in range(20):
        wait = outputs[-1]["wait"] if outputs else 600
        world.clock.advance(wait)
        outputs.append(world.asking.expire(TENANT, run.run_id, 1))
        if "wait" not in outputs[-1]:
            break
        world.asking.ask_for_step(TENANT, run.run_id, 1, f"token-{number + 2}")
    assert [output.get("wait") for output in outputs] == [600] * 11 + [None]
    assert outputs[-1] == {"kind": "tools", "step": 1, "calls": []}
    closed = world.approvals.get(TENANT, approval.approval_id)
    assert (closed.status, closed.group, closed.reminded) == (ApprovalStatus.EXPIRED, "leads", 5)
    kinds = [kind.rsplit(".", 1)[-1] for kind, _ in world.events.published]
    assert {kind: kinds.count(kind) > 0 for kind in ("requested", "reminded", "escalated", "decided")} == dict.fromkeys(
        ("requested", "reminded", "escalated", "decided"), True
    )


def test_all_waits_together_are_added_to_the_run_once() -> None:
    world, run, approval = _asked(NOTE)
    world.clock.advance(1000)
    _decide(world, approval, "escalate")
    world.asking.ask_for_step(TENANT, run.run_id, 1, "token-2")
    world.clock.advance(500)
    for _ in range(2):
        _decide(world, approval, "approve")
    assert world.runs.get(TENANT, run.run_id).waited_seconds == 1500


def test_an_escalation_wakes_the_task_to_wait_anew_and_the_decision_wakes_the_new_one() -> None:
    world, run, approval = _asked(NOTE)
    _decide(world, approval, "escalate")
    assert world.engine.woken["token-1"]["kind"] == "approve"
    assert world.engine.woken["token-1"]["wait"] == 600
    assert world.runs.get(TENANT, run.run_id).status is RunStatus.AWAITING_HUMAN
    world.asking.ask_for_step(TENANT, run.run_id, 1, "token-2")
    _decide(world, approval, "approve")
    assert world.engine.woken["token-2"]["kind"] == "tools"


def test_a_decision_between_two_tasks_is_found_by_the_next() -> None:
    world, run, approval = _asked(NOTE)
    _decide(world, approval, "escalate")
    _decide(world, approval, "reject")
    world.asking.ask_for_step(TENANT, run.run_id, 1, "token-2")
    assert world.engine.woken["token-2"] == {"kind": "tools", "step": 1, "calls": []}


@pytest.mark.parametrize("point", ["wake", "publish", "note"])
def test_a_decision_that_a_crash_cut_off_is_finished_by_the_same_decision(point: str) -> None:
    world, run, approval = _asked(NOTE)
    owner, name = {"wake": (world.engine, "complete_task"), "publish": (world.events, "publish")}.get(
        point, (world.runs, "note")
    )
    original = getattr(owner, name)

    def crash(*args: Any, **values: Any) -> Any:
        setattr(owner, name, original)
        raise StoreUnavailable("crashed here")

    setattr(owner, name, crash)
    with pytest.raises(StoreUnavailable):
        _decide(world, approval, "approve", allow_tool_for_run=True)
    _decide(world, approval, "approve", allow_tool_for_run=True)
    assert _woken(world)["calls"] == [{"tool": "notes", "index": 0}]
    assert world.runs.get(TENANT, run.run_id).allowed_tools == ("notes",)
    assert world.events.published[-1][0] == "pentad.approval.decided"


def test_a_decision_that_others_change_meanwhile_is_made_on_what_was_read_or_not_at_all() -> None:
    world, _, approval = _asked(NOTE)
    original = world.approvals.replace

    def overtaken(approval: Approval) -> bool:
        changed = approval
        world.approvals.replace = original  # type: ignore[method-assign]
        _decide(world, approval, "escalate", by="bob")
        stored = world.approvals.get(TENANT, approval.approval_id)
        call = stored.calls[0].model_copy(update={"arguments": {"title": "c"}, "arguments_hash": "c", "edited": True})
        original(stored.model_copy(update={"calls": (call,), "version": stored.version + 1}))
        return original(changed)

    world.approvals.replace = overtaken  # type: ignore[method-assign]
    with pytest.raises(InvalidTransition, match="has just changed"):
        _decide(world, approval, "approve")
    assert world.approvals.get(TENANT, approval.approval_id).status is ApprovalStatus.PENDING


def test_a_decision_that_others_change_each_time_is_to_be_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world, _, approval = _asked(ASK)
    tries: list[Approval] = []

    def lose(changed: Approval) -> bool:
        tries.append(changed)
        return False

    monkeypatch.setattr(world.approvals, "replace", lose)
    with pytest.raises(StoreUnavailable):
        _decide(world, approval, "answer", text="Three.")
    assert 1 < len(tries) < 50
    assert world.approvals.get(TENANT, approval.approval_id) == approval


def test_votes_are_counted_and_lead_to_nothing_before_the_last() -> None:
    world = World(
        Catalog(
            agents={"clerk": AGENT.model_copy(update={"humans": HumansSpec(quorum=2)})},
            tools=CATALOG.tools,
        )
    )
    world.model.script = [NOTE]
    run = world.begin(agent="clerk")
    world.turn(run)
    approval = world.asking.ask_for_step(TENANT, run.run_id, 1, "token-1")
    shown = {"arguments_hash": approval.calls[0].arguments_hash}
    assert _decide(world, approval, "approve", **shown).status is ApprovalStatus.PENDING
    assert world.engine.woken == {}
    _decide(world, approval, "approve", by="bob", **shown)
    assert len(world.engine.woken) == 1


def _workflow(world: World, **values: Any) -> tuple[Run, Approval]:
    run = world.begin(agent="assistant")
    world.runs._runs[TENANT, run.run_id] = run.model_copy(update={"kind": "workflow"})
    now = world.clock()
    fields: dict[str, Any] = {
        "tenant": TENANT,
        "approval": approval_id(run.run_id, 3),
        "run": run.run_id,
        "step": 3,
        "agent": "assistant",
        "session": run.session_id,
        "kind": "answer",
        "status": "pending",
        "calls": (),
        "text": "The report.",
        "created_at": now,
        "expires_at": now + timedelta(hours=1),
    }
    return run, world.asking.ask(Approval.model_validate(fields | values), "token-1")


def test_a_workflows_human_step_is_woken_with_the_status_and_no_session_is_touched() -> None:
    world = _world()
    run, approval = _workflow(world)
    before = world.words(run.session_id)
    _decide(world, approval, "edit", text="A better report.")
    assert _woken(world) == {"status": "approved", "approval": approval.approval_id}
    assert world.approvals.get(TENANT, approval.approval_id).reply == "A better report."
    assert world.words(run.session_id) == before


def test_a_workflows_human_step_waits_on_after_an_escalation() -> None:
    world = _world()
    run, approval = _workflow(world, on_expiry="escalate", escalate_to=("leads",))
    world.clock.advance(3600)
    again = world.asking.expire(TENANT, run.run_id, 3)
    assert again == {"status": "pending", "approval": approval.approval_id, "wait": 3600}
    world.clock.advance(3600)
    assert world.asking.expire(TENANT, run.run_id, 3) == {"status": "expired", "approval": approval.approval_id}


def test_nothing_that_is_published_holds_content_or_the_token() -> None:
    world, _, approval = _asked([("notes", {"title": "the secret recipe"})])
    _decide(world, approval, "escalate", reason="the secret reason")
    _decide(world, approval, "reject", reason="the secret reason")
    text = json.dumps(world.events.published)
    assert approval.approval_id in text
    assert "secret" not in text
    assert "token" not in text


def test_decisions_and_how_long_they_took_are_counted() -> None:
    world, _, approval = _asked(NOTE)
    world.clock.advance(90)
    _decide(world, approval, "approve")
    counted = {one.name: (one.value, one.dimensions) for one in world.telemetry.counts}
    assert counted["ApprovalsRequested"] == (1, {"agent": "clerk", "kind": "calls"})
    assert counted["ApprovalsDecided"] == (1, {"outcome": "approved", "kind": "calls"})
    assert counted["ApprovalDuration"] == (90_000, {"kind": "calls"})
