"""What was said in runs, in a log of its own: written after the run, redacted, and gone with its user."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.twin.stack.world import Json, Stack, Tenant, until, word

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("stack-own")]
GROUP = "/pentad/pentad-dev/contents"


def read_contents(stack: Stack, tenant: Tenant) -> list[Json]:
    """Return the lines of a tenant's runs; only the tenant's streams begin with its name."""
    logs: Any = stack.aws("logs")
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP, logStreamNamePrefix=f"{tenant.name}/")
    return [json.loads(event["message"]) for page in pages for event in page["events"]]


def test_what_was_said_is_logged_by_agent_and_goes_with_its_user(scripted: Stack) -> None:
    tenant, user, other, secret = scripted.tenant(), f"{word('u')}@example.com", word("o"), word("Canary").capitalize()
    said = f"My name is {secret}, my card 4111 1111 1111 1111."
    own = tenant.ask(said, agent="librarian", user=user)
    others = tenant.ask("My name is Bob.", agent="librarian", user=other)
    unlogged = tenant.ask(said, agent="porter", user=user)

    def find_both() -> list[Json] | None:
        lines = read_contents(scripted, tenant)
        ended = {one["run"] for one in lines if one["role"] == "assistant"}
        return lines if ended == {own["run_id"], others["run_id"]} else None

    lines = until(find_both, "what was said")
    [first] = [one for one in lines if (one["run"], one["role"]) == (own["run_id"], "user")]
    assert (first["agent"], first["text"]) == ("librarian", said.replace("4111 1111 1111 1111", "[card]"))
    assert unlogged["run_id"] not in json.dumps(lines)

    path = f"/v1/users/{quote(user, safe='')}"
    asked = tenant.send("DELETE", path)
    assert asked.status_code == 202, asked.text

    def find_end() -> Json | None:
        receipt: Json = tenant.get(f"{path}/erasures/{asked.json()['erasure']}")
        return receipt if receipt["status"] not in ("asked", "running") else None

    receipt = until(find_end, "that the user was erased")
    assert (receipt["status"], receipt["left"], receipt["removed"]["content_streams"]) == ("done", {}, 1)
    assert {one["run"] for one in read_contents(scripted, tenant)} == {others["run_id"]}
    assert secret not in repr(scripted.items(tenant.name))
