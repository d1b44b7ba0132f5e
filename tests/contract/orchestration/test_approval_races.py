"""Humans, edits and the expiry at the same instant: one of them decides, on exactly what it was shown."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from pentad.domain.canonical import arguments_hash
from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.errors import InvalidInput, InvalidTransition, PentadError
from pentad.domain.runs import Approval, ApprovalCall, ApprovalStatus
from pentad.orchestration.approvals.decision_rules import RACES, Say, apply_say, apply_timeout, shown_hash

from .stores import Stores
from .test_approvals import TENANT, make

THREADS = 8
TOOLS = {"notes": ToolSpec(name="notes", description="n", input_schema={"type": "object"}, effects="external")}


def _make(stores: Stores, **values: Any) -> Approval:
    given = {"x": 1}
    call = ApprovalCall(index=0, tool="notes", arguments=given, arguments_hash=arguments_hash(given))
    return stores.approvals.create(make(stores, calls=(call,), **values), "token")


def _race(*work: Callable[[], Approval]) -> list[Approval | PentadError]:
    barrier = threading.Barrier(len(work))

    def one(do: Callable[[], Approval]) -> Approval | PentadError:
        barrier.wait(timeout=30)
        try:
            return do()
        except PentadError as error:
            return error

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(one, work))


def _changing(stores: Stores, name: str, change: Callable[[Approval], Approval]) -> Approval:
    for _ in range(RACES):
        before = stores.approvals.get(TENANT, name)
        after = change(before)
        if after == before or stores.approvals.replace(after):
            return after
    raise AssertionError("it never got its turn")


def _saying(stores: Stores, approval: Approval, verb: Any, by: str, **values: Any) -> Callable[[], Approval]:
    say = Say(verb, by, stores.clock(), **values)
    return lambda: _changing(stores, approval.approval_id, lambda stored: apply_say(stored, say, TOOLS))


def _lapsing(stores: Stores, approval: Approval) -> Callable[[], Approval]:
    now = approval.expires_at - timedelta(seconds=1)
    return lambda: _changing(stores, approval.approval_id, lambda stored: apply_timeout(stored, now))


def test_of_opposite_decisions_one_stands_and_the_others_are_conflicts(stores: Stores) -> None:
    approval = _make(stores)
    verbs = ["approve", "reject"] * (THREADS // 2)
    results = _race(*(_saying(stores, approval, verb, f"h{n}") for n, verb in enumerate(verbs)))
    stored = stores.approvals.get(TENANT, approval.approval_id)
    assert stored.version == 1
    won = [result for result in results if isinstance(result, Approval)]
    assert {result.status for result in won} == {stored.status}
    assert len(won) == THREADS // 2
    assert all(isinstance(result, InvalidTransition) for result in results if not isinstance(result, Approval))


def test_every_vote_of_a_quorum_counts_once(stores: Stores) -> None:
    approval = _make(stores, quorum=THREADS)
    shown = shown_hash(approval)
    _race(*(_saying(stores, approval, "approve", f"h{n}", shown=shown) for n in range(THREADS)))
    stored = stores.approvals.get(TENANT, approval.approval_id)
    assert (stored.status, stored.version) == (ApprovalStatus.APPROVED, THREADS)
    assert {vote.by for vote in stored.votes} == {f"h{n}" for n in range(THREADS)}


def test_a_decision_and_the_expiry_are_one_of_both(stores: Stores) -> None:
    approval = _make(stores)
    results = _race(_saying(stores, approval, "approve", "ann"), _lapsing(stores, approval))
    stored = stores.approvals.get(TENANT, approval.approval_id)
    assert stored.version == 1
    if stored.status is ApprovalStatus.EXPIRED:
        assert isinstance(results[0], InvalidTransition)
    else:
        assert results == [stored, stored]


def test_nobody_approves_an_edit_that_they_were_not_shown(stores: Stores) -> None:
    approval = _make(stores, quorum=2)
    shown = shown_hash(approval)
    results = _race(
        _saying(stores, approval, "edit", "ann", shown=shown, arguments={0: {"x": 2}}),
        *(_saying(stores, approval, "approve", f"h{n}", shown=shown) for n in range(2)),
    )
    stored = stores.approvals.get(TENANT, approval.approval_id)
    if stored.status is ApprovalStatus.APPROVED:
        assert stored.calls == approval.calls
        assert isinstance(results[0], InvalidTransition)
    else:
        assert [vote.by for vote in stored.votes] == ["ann"]
        assert any(isinstance(result, InvalidInput) for result in results[1:])
    assert {vote.shown_hash for vote in stored.votes} == {shown_hash(stored)}


def test_of_two_edits_at_once_the_second_is_told_that_it_is_late(stores: Stores) -> None:
    approval = _make(stores, quorum=2)
    shown = shown_hash(approval)
    edits = (_saying(stores, approval, "edit", f"h{n}", shown=shown, arguments={0: {"x": n + 2}}) for n in range(2))
    results = _race(*edits)
    stored = stores.approvals.get(TENANT, approval.approval_id)
    assert (stored.version, len(stored.changes)) == (1, 1)
    assert sum(isinstance(result, InvalidInput) for result in results) == 1
