"""Conformance of approval stores."""

import json
from datetime import timedelta
from typing import Any

import pytest

from pentad.domain.errors import ConfigurationError, InvalidTransition, NotFound, PolicyDenied
from pentad.domain.ids import approval_id, make_id
from pentad.domain.runs import Approval, ApprovalCall, ApprovalStatus
from pentad.orchestration.approvals.adapters.approvals_dynamodb import DynamoApprovals
from pentad.orchestration.runs.spill import Spill

from .stores import START, Stores

TENANT = "acme"


def make(stores: Stores, **values: Any) -> Approval:
    run = values.pop("run", make_id("run", stores.clock()))
    fields: dict[str, Any] = {
        "tenant": TENANT,
        "approval": approval_id(run, 1),
        "run": run,
        "step": 1,
        "agent": "assistant",
        "session": "s1",
        "status": ApprovalStatus.PENDING,
        "calls": (ApprovalCall(index=0, tool="notes", arguments={"x": 1.5}, arguments_hash="h"),),
        "created_at": stores.clock(),
        "expires_at": stores.clock() + timedelta(hours=1),
    }
    return Approval.model_validate(fields | values)


def decide(stores: Stores, approval: Approval, status: ApprovalStatus = ApprovalStatus.APPROVED) -> Approval:
    return stores.approvals.decide(TENANT, approval.approval_id, status, by="ann", reason="because", at=stores.clock())


def test_an_approval_and_its_token_are_stored(stores: Stores) -> None:
    approval = make(stores)
    assert stores.approvals.create(approval, "token") == approval
    assert stores.approvals.get(TENANT, approval.approval_id) == approval
    assert stores.approvals.get_token(TENANT, approval.approval_id) == "token"


def test_a_repeat_replaces_the_token_only(stores: Stores) -> None:
    approval = make(stores)
    stores.approvals.create(approval, "token")
    later = approval.model_copy(update={"expires_at": START + timedelta(days=9)})
    assert stores.approvals.create(later, "token-2") == approval
    assert stores.approvals.get_token(TENANT, approval.approval_id) == "token-2"


def test_a_repeat_after_the_decision_changes_nothing(stores: Stores) -> None:
    approval = make(stores)
    stores.approvals.create(approval, "token")
    decided = decide(stores, approval)
    assert stores.approvals.create(approval, "token-2") == decided
    assert stores.approvals.get_token(TENANT, approval.approval_id) == "token"


@pytest.mark.parametrize("status", [ApprovalStatus.APPROVED, ApprovalStatus.REJECTED, ApprovalStatus.EXPIRED])
def test_a_decision_is_stored(stores: Stores, status: ApprovalStatus) -> None:
    approval = make(stores)
    stores.approvals.create(approval, "token")
    decided = decide(stores, approval, status)
    assert decided == stores.approvals.get(TENANT, approval.approval_id)
    assert (decided.status, decided.decided_by, decided.reason, decided.decided_at) == (
        status,
        "ann",
        "because",
        stores.clock(),
    )


def test_the_same_decision_returns_the_first(stores: Stores) -> None:
    approval = make(stores)
    stores.approvals.create(approval, "token")
    first = decide(stores, approval)
    stores.clock.advance(9)
    assert decide(stores, approval) == first


def test_another_decision_is_refused(stores: Stores) -> None:
    approval = make(stores)
    stores.approvals.create(approval, "token")
    decide(stores, approval)
    with pytest.raises(InvalidTransition):
        decide(stores, approval, ApprovalStatus.REJECTED)


def test_after_its_time_an_approval_can_only_expire(stores: Stores) -> None:
    approval = make(stores)
    stores.approvals.create(approval, "token")
    stores.clock.advance(3600)
    with pytest.raises(InvalidTransition):
        decide(stores, approval)
    assert decide(stores, approval, ApprovalStatus.EXPIRED).status is ApprovalStatus.EXPIRED


@pytest.mark.parametrize("name", ["nonsense", approval_id("run_" + "0" * 26, 1)])
def test_an_unknown_approval_is_not_found(stores: Stores, name: str) -> None:
    with pytest.raises(NotFound):
        stores.approvals.get(TENANT, name)
    with pytest.raises(NotFound):
        stores.approvals.get_token(TENANT, name)
    with pytest.raises(NotFound):
        stores.approvals.decide(TENANT, name, ApprovalStatus.APPROVED, by="a", reason=None, at=START)


def test_another_tenants_approval_is_not_found(stores: Stores) -> None:
    approval = make(stores)
    stores.approvals.create(approval, "token")
    with pytest.raises(NotFound):
        stores.approvals.get("other", approval.approval_id)


def test_a_change_replaces_the_version_before_it(stores: Stores) -> None:
    approval = make(stores)
    stores.approvals.create(approval, "token")
    changed = approval.model_copy(update={"group": "leads", "version": 1})
    assert stores.approvals.replace(changed)
    assert stores.approvals.get(TENANT, approval.approval_id) == changed
    assert stores.approvals.get_token(TENANT, approval.approval_id) == "token"
    assert stores.approvals.list_pending(TENANT).items == (changed,)


def test_a_change_of_another_version_is_not_stored(stores: Stores) -> None:
    approval = make(stores)
    stores.approvals.create(approval, "token")
    for version in (0, 2):
        assert not stores.approvals.replace(approval.model_copy(update={"group": "leads", "version": version}))
    assert stores.approvals.get(TENANT, approval.approval_id) == approval


def test_a_change_of_nothing_is_not_found(stores: Stores) -> None:
    with pytest.raises(NotFound):
        stores.approvals.replace(make(stores, version=1))


def test_a_change_that_decides_is_pending_no_more(stores: Stores) -> None:
    approval = make(stores)
    stores.approvals.create(approval, "token")
    assert stores.approvals.replace(approval.model_copy(update={"status": ApprovalStatus.ANSWERED, "version": 1}))
    assert stores.approvals.list_pending(TENANT).items == ()
    assert stores.approvals.create(approval, "token-2").status is ApprovalStatus.ANSWERED


def test_a_change_may_grow_past_what_an_item_holds_and_shrink_again(stores: Stores) -> None:
    approval = make(stores)
    stores.approvals.create(approval, "token")
    large = approval.model_copy(update={"text": "x" * 500_000, "version": 1})
    small = approval.model_copy(update={"text": "y", "version": 2})
    for changed in (large, small):
        assert stores.approvals.replace(changed)
        assert stores.approvals.get(TENANT, approval.approval_id) == changed


def test_a_runs_approvals_are_listed_the_highest_step_first(stores: Stores) -> None:
    run = make_id("run", stores.clock())
    made = [make(stores, run=run, step=step, approval=approval_id(run, step)) for step in (1, 2, 10)]
    for approval in (*made, make(stores)):
        stores.approvals.create(approval, "token")
    decide(stores, made[1])
    listed = stores.approvals.list_for_run(TENANT, run)
    assert [(one.step, one.status.value) for one in listed] == [(10, "pending"), (2, "approved"), (1, "pending")]
    assert [one.step for one in stores.approvals.list_for_run(TENANT, run, limit=1)] == [10]
    assert stores.approvals.list_for_run("other", run) == []


def test_pending_approvals_are_paged_oldest_first(stores: Stores) -> None:
    made = []
    for _ in range(4):
        stores.clock.advance(1)
        made.append(stores.approvals.create(make(stores), "token"))
    decide(stores, made[1])
    first = stores.approvals.list_pending(TENANT, limit=2)
    second = stores.approvals.list_pending(TENANT, limit=2, cursor=first.cursor)
    assert list(first.items + second.items) == [made[0], made[2], made[3]]
    assert stores.approvals.list_pending("other").items == ()


def test_large_arguments_are_stored_whole(stores: Stores) -> None:
    call = ApprovalCall(index=0, tool="notes", arguments={"text": "x" * 500_000}, arguments_hash="h")
    approval = make(stores, calls=(call,))
    stores.approvals.create(approval, "token")
    assert stores.approvals.get(TENANT, approval.approval_id) == approval


def test_the_token_is_not_readable_in_the_table(dynamodb: Stores) -> None:
    approval = make(dynamodb)
    dynamodb.approvals.create(approval, "token-in-clear")
    assert dynamodb.state is not None
    items = list(dynamodb.state.iter_items(f"T#{TENANT}#R#{approval.run_id}"))
    assert len(items) == 1
    assert "token-in-clear" not in json.dumps(items, default=str)


def test_a_token_moved_to_another_approval_is_refused(dynamodb: Stores) -> None:
    first, second = (dynamodb.approvals.create(make(dynamodb), f"token-{number}") for number in range(2))
    assert dynamodb.state is not None
    stolen = dynamodb.state.get(f"T#{TENANT}#R#{first.run_id}", "APPROVAL#00001")
    assert stolen is not None
    dynamodb.state.update(
        f"T#{TENANT}#R#{second.run_id}",
        "APPROVAL#00001",
        "SET #t = :t",
        names={"#t": "token"},
        values={":t": stolen["token"]},
    )
    with pytest.raises(PolicyDenied):
        dynamodb.approvals.get_token(TENANT, second.approval_id)


def test_without_a_key_tokens_are_neither_written_nor_read(dynamodb: Stores) -> None:
    from pentad.memory.objects.adapters.objects_memory import MemoryObjects

    assert dynamodb.state is not None
    approval = dynamodb.approvals.create(make(dynamodb), "token")
    keyless = DynamoApprovals(dynamodb.state, Spill(MemoryObjects()))
    with pytest.raises(ConfigurationError):
        keyless.get_token(TENANT, approval.approval_id)
    with pytest.raises(ConfigurationError):
        keyless.create(make(dynamodb), "token")
    decided = keyless.decide(TENANT, approval.approval_id, ApprovalStatus.EXPIRED, by="s", reason=None, at=START)
    assert decided.status is ApprovalStatus.EXPIRED
