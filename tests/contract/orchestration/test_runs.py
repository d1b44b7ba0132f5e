"""Conformance of run stores."""

from typing import Any

import pytest

from pentad.domain.errors import IdempotencyConflict, InvalidInput, InvalidTransition, NotFound, SessionBusy
from pentad.domain.ids import make_id
from pentad.domain.knowledge import Citation
from pentad.domain.messages import Message, TextBlock
from pentad.domain.runs import Actor, CallStatus, Decision, Manifest, Run, RunStatus, Step, ToolCall, UndoFailure
from pentad.domain.usage import Spent, Usage
from pentad.orchestration.runs.adapters.run_items import TAKEN_OVER

from .stores import START, Stores

TENANT = "acme"
MANIFEST = Manifest(epoch_first_seq=0, request_seq=0, passages=1, estimated_tokens=10)


def make_run(stores: Stores, **values: Any) -> Run:
    now = stores.clock()
    fields: dict[str, Any] = {
        "tenant": TENANT,
        "run": make_id("run", now),
        "agent": "assistant",
        "session": "s1",
        "status": RunStatus.QUEUED,
        "trigger": "api",
        "created_at": now,
        "updated_at": now,
        "request_seq": 0,
        "request_hash": "h1",
        "metadata": {"a": "b"},
    }
    return Run.model_validate(fields | values)


def start(stores: Stores, run: Run, text: str = "Hello", *, lease_seconds: int = 100) -> Run:
    message = Message(
        message_id=f"msg_{run.run_id}_00000_u",
        role="user",
        blocks=(TextBlock(text=text),),
        created_at=run.created_at,
        run_id=run.run_id,
        step=0,
    )
    return stores.runs.start(run, message, session_days=30, lease_seconds=lease_seconds)


def started(stores: Stores, **values: Any) -> Run:
    return start(stores, make_run(stores, **values))


def end(stores: Stores, run: Run, status: RunStatus = RunStatus.SUCCEEDED, **values: Any) -> Run:
    return stores.runs.finish(
        TENANT, run.run_id, status, at=stores.clock(), answer=values.pop("answer", "Hi"), **values
    )


def make_step(run: Run, step: int = 1, **values: Any) -> Step:
    fields: dict[str, Any] = {
        "tenant": TENANT,
        "run": run.run_id,
        "step": step,
        "decision": Decision(kind="answer", step=step),
        "message_seq": step,
        "provider": "p",
        "model": "m",
        "usage": Usage(input_tokens=10, output_tokens=5, cache_read_tokens=3),
        "cost_nanousd": 7,
        "started_at": START,
        "duration_ms": 12,
    }
    return Step.model_validate(fields | values)


def make_call(run: Run, index: int = 0, step: int = 1, **values: Any) -> ToolCall:
    fields: dict[str, Any] = {
        "tenant": TENANT,
        "run": run.run_id,
        "step": step,
        "index": index,
        "call_id": f"c{index}",
        "tool": "calculator",
        "arguments": {"x": 1.5, "nested": {"list": [1, None, "é"]}},
        "arguments_hash": "h",
        "status": CallStatus.PENDING,
    }
    return ToolCall.model_validate(fields | values)


def with_call(stores: Stores, **values: Any) -> ToolCall:
    run = started(stores)
    call = make_call(run, **values)
    stores.runs.record_step(make_step(run), [call])
    return call


def test_start_makes_run_session_and_message(stores: Stores) -> None:
    run = make_run(stores, user="ann", idempotency_key="k")
    stored = start(stores, run)
    head = stores.sessions.get(TENANT, "s1")
    assert head is not None
    assert (head.agent, head.user_id, head.length, head.version) == ("assistant", "ann", 1, 1)
    assert [one.message.text for one in stores.sessions.read(TENANT, "s1", 0, 0)] == ["Hello"]
    assert stores.runs.get(TENANT, run.run_id) == stored == run.model_copy(update={"fence": 1})


def test_start_takes_the_lease(stores: Stores) -> None:
    run = started(stores)
    assert stores.runs.find_lease_holder(TENANT, "s1") == run.run_id
    stores.clock.advance(101)
    assert stores.runs.find_lease_holder(TENANT, "s1") is None


def test_a_run_keeps_the_span_that_caused_it(stores: Stores) -> None:
    header = f"00-{'a' * 32}-{'b' * 16}-01"
    run = start(stores, make_run(stores, traceparent=header))
    assert stores.runs.get(run.tenant_id, run.run_id).traceparent == header


def test_there_is_no_lease_on_an_unknown_session(stores: Stores) -> None:
    assert stores.runs.find_lease_holder(TENANT, "nothing") is None


def test_a_repeated_start_returns_the_stored_run_and_changes_nothing(stores: Stores) -> None:
    run = make_run(stores)
    first = start(stores, run)
    stores.clock.advance(5)
    again = start(stores, run.model_copy(update={"created_at": stores.clock()}))
    head = stores.sessions.get(TENANT, "s1")
    assert again == first
    assert head is not None
    assert head.length == 1


def test_a_start_repeated_after_the_end_returns_the_end(stores: Stores) -> None:
    run = make_run(stores)
    start(stores, run)
    end(stores, run)
    assert start(stores, run).status is RunStatus.SUCCEEDED


def test_the_same_run_with_another_request_is_a_conflict(stores: Stores) -> None:
    run = started(stores)
    with pytest.raises(IdempotencyConflict):
        start(stores, run.model_copy(update={"request_hash": "h2"}))


def test_a_second_run_of_the_session_is_busy_and_leaves_nothing(stores: Stores) -> None:
    started(stores)
    second = make_run(stores)
    with pytest.raises(SessionBusy) as caught:
        start(stores, second)
    assert caught.value.retry_after == 100
    with pytest.raises(NotFound):
        stores.runs.get(TENANT, second.run_id)
    head = stores.sessions.get(TENANT, "s1")
    assert head is not None
    assert head.length == 1


def test_the_session_goes_on_after_the_end(stores: Stores) -> None:
    end(stores, started(stores))
    second = started(stores)
    assert second.request_seq == 1


def test_an_expired_lease_is_taken_over(stores: Stores) -> None:
    started(stores)
    stores.clock.advance(101)
    second = started(stores)
    assert stores.runs.find_lease_holder(TENANT, "s1") == second.run_id


@pytest.mark.parametrize("values", [{"agent": "other"}, {"user": "bob"}])
def test_a_session_of_another_agent_or_user_is_refused(stores: Stores, values: dict[str, Any]) -> None:
    end(stores, started(stores, user="ann"))
    with pytest.raises(InvalidInput) as caught:
        started(stores, **({"user": "ann"} | values))
    assert caught.value.field == "session"


def test_tenants_share_nothing(stores: Stores) -> None:
    run = started(stores)
    other = make_run(stores, tenant="other", run=run.run_id)
    start(stores, other, "Other")
    assert stores.runs.get("other", run.run_id).tenant_id == "other"
    assert [one.message.text for one in stores.sessions.read(TENANT, "s1", 0, 9)] == ["Hello"]


def test_a_long_message_is_stored_whole(stores: Stores) -> None:
    start(stores, make_run(stores), "é" * 300_000)
    [stored] = stores.sessions.read(TENANT, "s1", 0, 0)
    assert stored.message.text == "é" * 300_000


def test_an_unknown_run_is_not_found(stores: Stores) -> None:
    run = started(stores)
    for tenant, name in ((TENANT, make_id("run", START)), ("other", run.run_id)):
        with pytest.raises(NotFound):
            stores.runs.get(tenant, name)
        with pytest.raises(NotFound):
            stores.runs.set_execution(tenant, name, "arn")
        with pytest.raises(NotFound):
            stores.runs.set_manifest(tenant, name, MANIFEST)
        with pytest.raises(NotFound):
            stores.runs.set_status(tenant, name, RunStatus.RUNNING)
        with pytest.raises(NotFound):
            stores.runs.finish(tenant, name, RunStatus.FAILED, at=START, answer=None)


def test_runs_are_paged_newest_first(stores: Stores) -> None:
    made = []
    for number in range(5):
        stores.clock.advance(1)
        made.append(started(stores, session=f"s{number}").run_id)
    seen, cursor = [], None
    for _ in range(3):
        page = stores.runs.list_page(TENANT, limit=2, cursor=cursor)
        seen += [run.run_id for run in page.items]
        cursor = page.cursor
    assert (seen, cursor) == (made[::-1], None)


def test_runs_of_a_session_are_paged_newest_first(stores: Stores) -> None:
    started(stores, session="other")
    made = []
    for _ in range(3):
        stores.clock.advance(1)
        run = started(stores)
        end(stores, run)
        made.append(run.run_id)
    first = stores.runs.list_page(TENANT, session_id="s1", limit=2)
    second = stores.runs.list_page(TENANT, session_id="s1", limit=2, cursor=first.cursor)
    assert [run.run_id for run in (*first.items, *second.items)] == made[::-1]


def test_a_cursor_of_another_tenant_is_refused(stores: Stores) -> None:
    for number in range(3):
        stores.clock.advance(1)
        started(stores, session=f"s{number}")
    cursor = stores.runs.list_page(TENANT, limit=1).cursor
    with pytest.raises(NotFound):
        stores.runs.list_page("other", limit=1, cursor=cursor)


def test_the_execution_is_noted(stores: Stores) -> None:
    run = started(stores)
    stores.runs.set_execution(TENANT, run.run_id, "arn:1")
    assert stores.runs.get(TENANT, run.run_id).execution_arn == "arn:1"


def test_a_manifest_is_kept_once_and_the_run_runs(stores: Stores) -> None:
    run = started(stores)
    first = stores.runs.set_manifest(TENANT, run.run_id, MANIFEST)
    again = stores.runs.set_manifest(TENANT, run.run_id, MANIFEST.model_copy(update={"passages": 9}))
    assert (first.status, first.manifest) == (RunStatus.RUNNING, MANIFEST)
    assert again == first == stores.runs.get(TENANT, run.run_id)


def test_an_ended_run_takes_no_manifest(stores: Stores) -> None:
    run = started(stores)
    end(stores, run)
    with pytest.raises(InvalidTransition):
        stores.runs.set_manifest(TENANT, run.run_id, MANIFEST)


def test_the_wait_for_a_human_is_added_once_and_prolongs_the_lease(stores: Stores) -> None:
    run = started(stores)
    stores.runs.set_manifest(TENANT, run.run_id, MANIFEST)
    stores.runs.set_status(TENANT, run.run_id, RunStatus.AWAITING_HUMAN)
    for _ in range(2):
        stores.runs.set_status(TENANT, run.run_id, RunStatus.RUNNING, waited_seconds=50.25)
    assert stores.runs.get(TENANT, run.run_id).waited_seconds == 50.25
    stores.clock.advance(149)
    assert stores.runs.find_lease_holder(TENANT, "s1") == run.run_id
    stores.clock.advance(4)
    assert stores.runs.find_lease_holder(TENANT, "s1") is None


def test_a_status_that_the_run_may_not_take_is_refused(stores: Stores) -> None:
    run = started(stores)
    with pytest.raises(InvalidTransition):
        stores.runs.set_status(TENANT, run.run_id, RunStatus.AWAITING_HUMAN)
    end(stores, run)
    with pytest.raises(InvalidTransition):
        stores.runs.set_status(TENANT, run.run_id, RunStatus.RUNNING)


def test_a_step_is_stored_with_its_calls_and_added_to_the_run(stores: Stores) -> None:
    run = started(stores)
    step, calls = make_step(run), [make_call(run, 0), make_call(run, 1)]
    stores.runs.record_step(step, calls)
    assert stores.runs.find_step(TENANT, run.run_id, 1) == step
    assert stores.runs.list_calls(TENANT, run.run_id, 1) == calls
    spent = stores.runs.get(TENANT, run.run_id).spent
    assert (spent.steps, spent.cost_nanousd, spent.usage) == (1, 7, step.usage)


def test_a_repeated_step_changes_nothing(stores: Stores) -> None:
    run = started(stores)
    step = make_step(run)
    stores.runs.record_step(step, [make_call(run)])
    stores.runs.record_step(make_step(run, cost_nanousd=99), [make_call(run, tool="other")])
    assert stores.runs.find_step(TENANT, run.run_id, 1) == step
    assert stores.runs.get(TENANT, run.run_id).spent.cost_nanousd == 7
    assert stores.runs.get_call(TENANT, run.run_id, 1, 0).tool == "calculator"


def test_a_step_without_a_model_is_no_turn(stores: Stores) -> None:
    run = started(stores)
    stores.runs.record_step(make_step(run, provider=None, usage=Usage(), cost_nanousd=0), [])
    assert stores.runs.get(TENANT, run.run_id).spent.steps == 0


def test_a_step_of_an_unknown_run_is_not_found(stores: Stores) -> None:
    run = make_run(stores)
    with pytest.raises(NotFound):
        stores.runs.record_step(make_step(run), [])


def test_steps_and_calls_come_in_order(stores: Stores) -> None:
    run = started(stores)
    for step in (2, 10, 1):
        stores.runs.record_step(make_step(run, step), [make_call(run, index, step) for index in (1, 0)])
    assert [one.step for one in stores.runs.list_steps(TENANT, run.run_id)] == [1, 2, 10]
    places = [(call.step, call.index) for call in stores.runs.list_calls(TENANT, run.run_id)]
    assert places == [(1, 0), (1, 1), (2, 0), (2, 1), (10, 0), (10, 1)]
    assert [call.index for call in stores.runs.list_calls(TENANT, run.run_id, 1)] == [0, 1]


def test_what_is_not_there_is_none_or_not_found(stores: Stores) -> None:
    run = started(stores)
    assert stores.runs.find_step(TENANT, run.run_id, 1) is None
    assert stores.runs.list_calls(TENANT, run.run_id) == []
    with pytest.raises(NotFound):
        stores.runs.get_call(TENANT, run.run_id, 1, 0)


def test_sixteen_calls_with_large_arguments_are_stored_in_one_write(stores: Stores) -> None:
    run = started(stores)
    calls = [make_call(run, index, arguments={"text": "x" * 500_000}) for index in range(16)]
    stores.runs.record_step(make_step(run), calls)
    assert stores.runs.list_calls(TENANT, run.run_id, 1) == calls


@pytest.mark.parametrize("status", [CallStatus.APPROVED, CallStatus.SUCCEEDED, CallStatus.FAILED, CallStatus.REJECTED])
def test_an_open_call_takes_a_new_state(stores: Stores, status: CallStatus) -> None:
    call = with_call(stores, status=CallStatus.AWAITING)
    changed = call.model_copy(update={"status": status, "result": "r"})
    stores.runs.save_call(changed)
    assert stores.runs.get_call(TENANT, call.run_id, 1, 0) == changed


def test_an_ended_call_keeps_its_first_end(stores: Stores) -> None:
    call = with_call(stores)
    done = call.model_copy(update={"status": CallStatus.SUCCEEDED, "result": "first"})
    stores.runs.save_call(done)
    stores.runs.save_call(done.model_copy(update={"result": "second"}))
    for status in (CallStatus.FAILED, CallStatus.PENDING, CallStatus.REJECTED):
        with pytest.raises(InvalidTransition):
            stores.runs.save_call(call.model_copy(update={"status": status}))
    assert stores.runs.get_call(TENANT, call.run_id, 1, 0) == done


def test_only_a_succeeded_call_can_be_undone(stores: Stores) -> None:
    call = with_call(stores)
    stores.runs.save_call(call.model_copy(update={"status": CallStatus.SUCCEEDED}))
    undone = call.model_copy(update={"status": CallStatus.UNDONE})
    for _ in range(2):
        stores.runs.save_call(undone)
    assert stores.runs.get_call(TENANT, call.run_id, 1, 0) == undone


def test_who_undoes_a_call_and_why_it_failed_stand_on_it(stores: Stores) -> None:
    call = with_call(stores).model_copy(update={"status": CallStatus.SUCCEEDED})
    stores.runs.save_call(call)
    assert (call.undone_by, call.undo_failure) == (None, None)
    actor = Actor(key_id="abc", person="ann", at=START)
    failure = UndoFailure(at=START, error="ToolFailed", detail="the note is locked")
    for noted in (actor, failure):
        stores.runs.note_undo(TENANT, call.run_id, 1, 0, noted)
    expected = call.model_copy(update={"undone_by": actor, "undo_failure": failure})
    assert stores.runs.get_call(TENANT, call.run_id, 1, 0) == expected
    assert stores.runs.list_calls(TENANT, call.run_id) == [expected]
    with pytest.raises(NotFound):
        stores.runs.note_undo(TENANT, call.run_id, 2, 0, failure)


def test_a_failed_call_can_not_be_undone(stores: Stores) -> None:
    call = with_call(stores)
    stores.runs.save_call(call.model_copy(update={"status": CallStatus.FAILED}))
    with pytest.raises(InvalidTransition):
        stores.runs.save_call(call.model_copy(update={"status": CallStatus.UNDONE}))


def test_finish_stores_the_end_and_frees_the_session(stores: Stores) -> None:
    run = started(stores)
    citation = Citation(
        marker="[cite:k7f2qa]", passage_id="p", document="d", version="1", title="t", start=0, end=1, quote="q"
    )
    stores.clock.advance(3)
    ended = end(stores, run, citations=(citation,), notices=("n",), stop_reason="s", error="e")
    stored = stores.runs.get(TENANT, run.run_id)
    assert stored == ended
    assert (stored.ended_at, stored.answer, stored.citations, stored.notices) == (
        stores.clock(),
        "Hi",
        (citation,),
        ("n",),
    )
    assert stores.runs.find_lease_holder(TENANT, "s1") is None


def test_finish_adds_what_the_steps_have_not_counted_and_nothing_twice(stores: Stores) -> None:
    run = started(stores)
    stores.runs.record_step(make_step(run), [])
    counted = stores.runs.get(TENANT, run.run_id).spent
    used = Spent(usage=Usage(input_tokens=25, output_tokens=5), cost_nanousd=20)
    ended = end(stores, run, RunStatus.FAILED, used=used)
    assert stores.runs.get(TENANT, run.run_id).spent == ended.spent
    assert (ended.spent.cost_nanousd, ended.spent.steps) == (20, counted.steps)
    # The ledger is not below what the steps have counted: what is, is left as it is.
    assert (ended.spent.usage.input_tokens, ended.spent.usage.cache_read_tokens) == (25, 3)
    assert end(stores, run, RunStatus.FAILED, used=Spent(cost_nanousd=99)).spent == ended.spent


def test_a_waiting_run_that_ends_has_used_what_the_ledger_says_too(stores: Stores) -> None:
    started(stores)
    stores.clock.advance(1)
    waiting = started(stores, if_busy="enqueue")
    ended = end(stores, waiting, RunStatus.FAILED, used=Spent(cost_nanousd=5))
    assert stores.runs.get(TENANT, waiting.run_id).spent == ended.spent == Spent(cost_nanousd=5)


def test_a_repeated_finish_returns_the_first(stores: Stores) -> None:
    run = started(stores)
    first = end(stores, run)
    assert end(stores, run, RunStatus.FAILED, answer="other") == first


def test_finish_leaves_another_runs_lease(stores: Stores) -> None:
    first = started(stores)
    stores.clock.advance(101)
    second = started(stores)
    ended = end(stores, first)
    assert (ended.status, ended.error) == (RunStatus.FAILED, TAKEN_OVER)
    assert stores.runs.find_lease_holder(TENANT, "s1") == second.run_id


def test_an_end_that_is_none_is_refused(stores: Stores) -> None:
    run = started(stores)
    with pytest.raises(InvalidTransition):
        end(stores, run, RunStatus.RUNNING)


def test_a_large_answer_is_stored_whole(stores: Stores) -> None:
    run = started(stores)
    end(stores, run, answer="é" * 400_000)
    assert stores.runs.get(TENANT, run.run_id).answer == "é" * 400_000
    assert stores.runs.list_page(TENANT).items[0].answer == "é" * 400_000


def test_what_is_noted_is_added_and_a_repeat_changes_nothing(stores: Stores) -> None:
    run = started(stores)
    for _ in range(2):
        stores.runs.note(TENANT, run.run_id, metadata={"a": "c", "order id": "7"}, allowed_tools=["notes"])
    noted = stores.runs.note(TENANT, run.run_id, allowed_tools=["calculator"])
    assert noted.metadata == {"a": "c", "order id": "7"}
    assert noted.allowed_tools == ("calculator", "notes")
    assert stores.runs.get(TENANT, run.run_id) == noted


def test_a_run_keeps_where_text_from_outside_came_from(stores: Stores) -> None:
    run = started(stores, taint=("trigger",))
    assert run.taint == ("trigger",)
    stores.runs.record_step(make_step(run, taint=("documents", "trigger")), [])
    for _ in range(2):
        noted = stores.runs.note(TENANT, run.run_id, taint=("tool:web",), allowed_taint=("send|tool:web",))
    assert noted.taint == ("documents", "tool:web", "trigger")
    assert noted.allowed_taint == ("send|tool:web",)
    assert end(stores, run).taint == noted.taint
    assert stores.runs.get(TENANT, run.run_id).taint == noted.taint
    step = stores.runs.find_step(TENANT, run.run_id, 1)
    assert step is not None
    assert step.taint == ("documents", "trigger")


def test_a_run_keeps_the_lowest_confidence(stores: Stores) -> None:
    run = started(stores)
    seen = [stores.runs.note(TENANT, run.run_id, confidence=value).confidence for value in (0.8, 0.65, 0.9)]
    assert seen == [0.8, 0.65, 0.65]
    assert stores.runs.note(TENANT, run.run_id, confidence=0.7, metadata={"x": "y"}).metadata["x"] == "y"
    assert stores.runs.get(TENANT, run.run_id).confidence == 0.65


def test_nothing_is_noted_on_an_ended_or_unknown_run(stores: Stores) -> None:
    run = started(stores)
    with pytest.raises(NotFound):
        stores.runs.note(TENANT, make_id("run", START), metadata={"a": "b"})
    end(stores, run)
    with pytest.raises(InvalidTransition):
        stores.runs.note(TENANT, run.run_id, metadata={"a": "c"}, confidence=0.5)
    assert stores.runs.get(TENANT, run.run_id).metadata == {"a": "b"}


def test_a_step_or_its_run_and_a_call_with_its_run_are_read_at_once(stores: Stores) -> None:
    run, other = started(stores), started(stores, session="s2")
    assert stores.runs.find_step_or_run(TENANT, run.run_id, 1) == stores.runs.get(TENANT, run.run_id)
    step, call = make_step(run), make_call(run)
    stores.runs.record_step(step, [call])
    assert stores.runs.find_step_or_run(TENANT, run.run_id, 1) == step
    stored = stores.runs.get(TENANT, run.run_id)
    assert stores.runs.find_step_or_run(TENANT, run.run_id, 2) == stored
    assert stores.runs.get_call_and_run(TENANT, run.run_id, 1, 0) == (call, stored)
    for tenant, run_id, index in (("rival", run.run_id, 0), (TENANT, other.run_id, 0), (TENANT, run.run_id, 1)):
        with pytest.raises(NotFound):
            stores.runs.get_call_and_run(tenant, run_id, 1, index)
    with pytest.raises(NotFound):
        stores.runs.find_step_or_run("rival", run.run_id, 1)
