"""Tools that read a record and write it again, several times in one reply: each call counts, and none twice."""

import json
from typing import Any

import pytest

from tests.twin.stack.world import Stack, Tenant

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("stack-own")]

TICKETS = ["t1", "t2", "t3"]


def ask_for(stack: Stack, tenant: Tenant, tool: str) -> list[dict[str, Any]]:
    """Let the model call a tool three times in one reply, and return the calls."""
    calls = [{"name": tool, "arguments": {"ticket": ticket, "order": "o1"}} for ticket in TICKETS]
    stack.simulator.load_script({"reply": {"tool_calls": calls}}, {"reply": {"text": "Done."}})
    view = tenant.ask("Three tickets.", agent="greeter")
    assert view["status"] == "succeeded", view
    return tenant.events(view["run_id"], "tool_call")


def read(tenant: Tenant, kind: str) -> list[str]:
    """Return the tickets of the order."""
    [item] = tenant.stack.partition(f"T#{tenant.name}#{kind}")
    found: list[str] = json.loads(item["body"])["tickets"]
    return found


def test_calls_at_once_that_change_one_record_all_count(scripted: Stack) -> None:
    tenant = scripted.tenant()
    calls = ask_for(scripted, tenant, "book_ticket")
    assert [call["status"] for call in calls] == ["succeeded"] * 3
    assert sorted(read(tenant, "BOOKING")) == TICKETS
    # Each is told what stood there when its own writing was done.
    assert sorted(len(json.loads(call["result"])) for call in calls) == [1, 2, 3]
    assert len(scripted.partition(f"T#{tenant.name}#BOOKING#DONE")) == 3


def test_calls_of_a_tool_that_keeps_its_order_run_one_after_the_other(scripted: Stack) -> None:
    tenant = scripted.tenant()
    calls = ask_for(scripted, tenant, "post_ticket")
    assert [call["status"] for call in calls] == ["succeeded"] * 3
    assert read(tenant, "POSTING") == TICKETS
    assert scripted.partition(f"T#{tenant.name}#CALLORDER") == []
