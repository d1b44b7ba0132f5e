"""What every audit log does."""

from datetime import UTC, datetime, timedelta
from typing import Any

from pentad.tools.runtime.ports import AuditEntry
from tests.contract.tools.conftest import Stores

AT = datetime(2026, 3, 1, tzinfo=UTC)


def entry(**values: Any) -> AuditEntry:
    return AuditEntry(
        **{
            "tenant": "acme",
            "run": "r",
            "step": 1,
            "index": 0,
            "agent": "helper",
            "tool": "notes",
            "action": "executed",
            "arguments_hash": "h",
            "outcome": "ok",
            "at": AT,
            "duration_ms": 3,
            "request_id": "q",
            **values,
        }
    )


def test_a_runs_entries_come_in_order_of_time(stores: Stores) -> None:
    # Whole seconds first: text order is time order only with the microseconds written out.
    times = [AT, AT + timedelta(microseconds=1), AT + timedelta(seconds=1), AT + timedelta(hours=1)]
    for at in reversed(times):
        stores.audit.append(entry(at=at))
    assert [found.at for found in stores.audit.list_for_run("acme", "r")] == times


def test_the_same_entry_again_changes_nothing(stores: Stores) -> None:
    stores.audit.append(entry())
    stores.audit.append(entry(outcome="error"))
    assert stores.audit.list_for_run("acme", "r") == [entry()]


def test_entries_of_one_moment_are_kept_apart_by_call_and_request(stores: Stores) -> None:
    for values in ({}, {"index": 1}, {"step": 2}, {"request_id": "z"}):
        stores.audit.append(entry(**values))
    assert len(stores.audit.list_for_run("acme", "r")) == 4


def test_another_tenants_and_another_runs_entries_are_not_seen(stores: Stores) -> None:
    stores.audit.append(entry())
    assert stores.audit.list_for_run("other", "r") == []
    assert stores.audit.list_for_run("acme", "another") == []
