"""Conformance of run stores: who holds a session, who waits for it, and what a stale writer may still do."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from pentad.domain.errors import InvalidTransition, NotFound, SessionBusy
from pentad.domain.ids import approval_id, make_id
from pentad.domain.messages import Message, TextBlock
from pentad.domain.runs import Approval, ApprovalStatus, CallStatus, Run, RunStatus
from pentad.orchestration.runs.ports import QUEUE_LENGTH

from .stores import START, Stores
from .test_runs import MANIFEST, TENANT, end, make_call, make_run, make_step, start, started


def waits(stores: Stores, text: str = "Next", **values: Any) -> Run:
    return start(stores, make_run(stores, if_busy="enqueue", **values), text)


def words(stores: Stores) -> list[str]:
    return [one.message.text for one in stores.sessions.read(TENANT, "s1", 0, 99)]


def append(stores: Stores, run: Run) -> None:
    head = stores.sessions.get(TENANT, "s1")
    assert head is not None
    message = Message(
        message_id=f"msg_{run.run_id}_00001_a", role="assistant", blocks=(TextBlock(text="Late"),), created_at=START
    )
    stores.sessions.append(TENANT, "s1", [message], expected_version=head.version, fence=run.fence)


def test_a_run_that_may_wait_starts_at_once_in_a_free_session(stores: Stores) -> None:
    run = waits(stores)
    assert (run.waiting, stores.runs.find_lease_holder(TENANT, "s1")) == (False, run.run_id)


def test_a_run_that_may_wait_is_kept_with_its_place_and_out_of_the_session(stores: Stores) -> None:
    started(stores)
    first, second = waits(stores), waits(stores)
    assert first.waiting
    assert [stores.runs.find_queue_position(TENANT, run.run_id) for run in (first, second)] == [1, 2]
    assert stores.runs.get(TENANT, second.run_id) == second
    assert words(stores) == ["Hello"]
    assert {run.run_id for run in stores.runs.list_page(TENANT, session_id="s1").items} >= {first.run_id, second.run_id}


def test_a_repeated_request_keeps_its_place(stores: Stores) -> None:
    started(stores)
    run = make_run(stores, if_busy="enqueue")
    assert start(stores, run) == start(stores, run)
    assert stores.runs.find_queue_position(TENANT, run.run_id) == 1
    assert waits(stores).waiting


def test_the_queue_is_bounded_and_says_so(stores: Stores) -> None:
    started(stores)
    for _ in range(QUEUE_LENGTH):
        waits(stores)
    with pytest.raises(SessionBusy, match="queue is full: 20"):
        waits(stores)


def test_the_end_hands_over_to_the_next_in_order(stores: Stores) -> None:
    holder = started(stores)
    first, second = waits(stores, "First"), waits(stores, "Second")
    ended = end(stores, holder)
    assert ended.hands_over
    assert stores.runs.get(TENANT, holder.run_id) == ended
    promoted = stores.runs.promote(TENANT, "s1")
    assert promoted is not None
    assert (promoted.run_id, promoted.waiting, promoted.request_seq) == (first.run_id, False, 1)
    assert promoted.fence > holder.fence
    assert stores.runs.find_lease_holder(TENANT, "s1") == first.run_id
    assert words(stores) == ["Hello", "First"]
    assert stores.runs.find_queue_position(TENANT, second.run_id) == 1


def test_nobody_is_promoted_twice_nor_over_a_holder(stores: Stores) -> None:
    holder = started(stores)
    waits(stores)
    assert stores.runs.promote(TENANT, "s1") is None
    end(stores, holder)
    assert stores.runs.promote(TENANT, "s1") is not None
    assert stores.runs.promote(TENANT, "s1") is None
    assert stores.runs.promote(TENANT, "nothing") is None


def test_the_last_of_the_queue_leaves_a_free_session(stores: Stores) -> None:
    end(stores, started(stores))
    holder = started(stores)
    waits(stores)
    end(stores, holder)
    promoted = stores.runs.promote(TENANT, "s1")
    assert promoted is not None
    assert not end(stores, promoted).hands_over
    assert stores.runs.find_lease_holder(TENANT, "s1") is None
    assert not started(stores).waiting


def test_nobody_goes_before_those_who_wait(stores: Stores) -> None:
    holder = started(stores)
    first = waits(stores)
    end(stores, holder)
    with pytest.raises(SessionBusy, match="wait"):
        started(stores)
    assert waits(stores).waiting
    promoted = stores.runs.promote(TENANT, "s1")
    assert promoted is not None
    assert promoted.run_id == first.run_id


def test_a_run_that_interrupts_goes_before_those_who_wait_and_keeps_them(stores: Stores) -> None:
    holder = started(stores)
    waiting = waits(stores)
    end(stores, holder, RunStatus.CANCELLED)
    urgent = started(stores, if_busy="interrupt")
    assert stores.runs.find_lease_holder(TENANT, "s1") == urgent.run_id
    assert end(stores, urgent).hands_over
    promoted = stores.runs.promote(TENANT, "s1")
    assert promoted is not None
    assert promoted.run_id == waiting.run_id


def test_a_cancelled_run_leaves_the_queue(stores: Stores) -> None:
    holder = started(stores)
    first, second = waits(stores), waits(stores)
    end(stores, first, RunStatus.CANCELLED)
    assert stores.runs.find_queue_position(TENANT, first.run_id) is None
    assert stores.runs.find_queue_position(TENANT, second.run_id) == 1
    end(stores, second, RunStatus.CANCELLED)
    assert not end(stores, holder).hands_over
    assert words(stores) == ["Hello"]


def test_those_who_wait_outlast_a_lease_that_runs_out(stores: Stores) -> None:
    holder = started(stores)
    waiting = waits(stores)
    stores.clock.advance(101)
    promoted = stores.runs.promote(TENANT, "s1")
    assert promoted is not None
    assert promoted.run_id == waiting.run_id
    assert stores.runs.get(TENANT, holder.run_id).status is RunStatus.FAILED


def test_a_waiting_run_with_a_long_message_is_stored_whole(stores: Stores) -> None:
    holder = started(stores)
    waits(stores, "é" * 300_000)
    end(stores, holder)
    stores.runs.promote(TENANT, "s1")
    assert words(stores)[1] == "é" * 300_000


def test_a_waiting_run_has_no_place_once_it_is_unknown(stores: Stores) -> None:
    with pytest.raises(NotFound):
        stores.runs.find_queue_position(TENANT, make_id("run", START))


def test_fences_grow_with_each_holder(stores: Stores) -> None:
    fences = []
    for _ in range(3):
        run = started(stores)
        fences.append(run.fence)
        end(stores, run)
    assert fences == sorted(set(fences))
    assert fences[0] > 0


def _newer_holder(stores: Stores, how: str) -> Run:
    """Return a run in the middle of its work after a newer one has taken its session over."""
    stale = started(stores)
    stores.runs.set_manifest(TENANT, stale.run_id, MANIFEST)
    stores.runs.record_step(make_step(stale), [make_call(stale, status=CallStatus.AWAITING)])
    if how == "expired":
        stores.clock.advance(101)
    else:
        end(stores, stale, RunStatus.CANCELLED)
    newer = started(stores, if_busy="interrupt")
    assert newer.fence > stale.fence
    return stale


@pytest.mark.parametrize("how", ["expired", "interrupted"])
def test_a_stale_writer_changes_nothing_any_more(stores: Stores, how: str) -> None:
    stale = _newer_holder(stores, how)
    before, call = stores.runs.get(TENANT, stale.run_id), stores.runs.get_call(TENANT, stale.run_id, 1, 0)
    writes: list[Callable[[], object]] = [
        lambda: append(stores, stale),
        lambda: stores.runs.record_step(make_step(stale, 2), [make_call(stale, step=2)]),
        lambda: stores.runs.set_status(TENANT, stale.run_id, RunStatus.AWAITING_HUMAN),
        lambda: stores.runs.note(TENANT, stale.run_id, metadata={"x": "y"}),
        lambda: stores.runs.save_call(call.model_copy(update={"status": CallStatus.APPROVED})),
        lambda: stores.runs.save_call(call.model_copy(update={"status": CallStatus.REJECTED})),
    ]
    for write in writes:
        with pytest.raises(InvalidTransition):
            write()
    assert end(stores, stale) == before == stores.runs.get(TENANT, stale.run_id)
    assert words(stores) == ["Hello", "Hello"]
    assert stores.runs.list_steps(TENANT, stale.run_id) == [make_step(stale)]
    assert stores.runs.get_call(TENANT, stale.run_id, 1, 0) == call


def test_a_stale_writers_effect_is_still_written_down(stores: Stores) -> None:
    stale = _newer_holder(stores, "interrupted")
    call = stores.runs.get_call(TENANT, stale.run_id, 1, 0)
    done = call.model_copy(update={"status": CallStatus.SUCCEEDED, "result": "sent"})
    stores.runs.save_call(done)
    assert stores.runs.get_call(TENANT, stale.run_id, 1, 0) == done


def test_the_newer_holder_writes_on(stores: Stores) -> None:
    _newer_holder(stores, "expired")
    holder = stores.runs.find_lease_holder(TENANT, "s1")
    assert holder is not None
    append(stores, stores.runs.get(TENANT, holder))
    assert words(stores) == ["Hello", "Hello", "Late"]


def test_children_are_listed_under_their_parent(stores: Stores) -> None:
    parent = started(stores)
    made = [started(stores, session=f"c{number}", parent=parent.run_id).run_id for number in range(2)]
    assert sorted(stores.runs.list_children(TENANT, parent.run_id)) == sorted(made)
    assert stores.runs.list_children(TENANT, made[0]) == []


def test_nobody_is_asked_on_behalf_of_a_stale_writer(dynamodb: Stores) -> None:
    stale = _newer_holder(dynamodb, "interrupted")
    approval = Approval(
        tenant_id=TENANT,
        approval_id=approval_id(stale.run_id, 1),
        run_id=stale.run_id,
        step=1,
        agent=stale.agent,
        session_id=stale.session_id,
        status=ApprovalStatus.PENDING,
        calls=(),
        created_at=START,
        expires_at=START + timedelta(hours=1),
    )
    with pytest.raises(InvalidTransition):
        dynamodb.approvals.create(approval, "token")
    assert dynamodb.approvals.list_pending(TENANT).items == ()
