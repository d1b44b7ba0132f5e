"""An erased user is nowhere in the tables any more, and what the function may do is enough for it."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.twin.stack.world import Stack, Tenant, until, word

pytestmark = pytest.mark.twin


def test_a_user_is_erased_and_another_stays(stack: Stack, tenant: Tenant) -> None:
    user, other, secret = f"{word('u')}+x@example.com", word("o"), word("Canary").capitalize()
    path = f"/v1/users/{quote(user, safe='')}"
    tenant.ask(f"My name is {secret}.", user=user)
    tenant.ask("My name is Bob.", user=other)
    for owner in (user, other):
        tenant.ingest(
            f"users/{owner}/plan.md", f"# Plan\n\nThe plan of {owner} is {secret if owner == user else 'none'}."
        )
    until(lambda: tenant.get(f"/v1/memory/{quote(user, safe='')}")["items"] or None, "that a fact was learned")
    assert secret in repr(stack.items(tenant.name))
    asked = tenant.send("DELETE", path)
    assert asked.status_code == 202, asked.text

    def find_end() -> dict[str, Any] | None:
        receipt: dict[str, Any] = tenant.get(f"{path}/erasures/{asked.json()['erasure']}")
        return receipt if receipt["status"] not in ("asked", "running") else None

    receipt = until(find_end, "that the user was erased")
    assert (receipt["status"], receipt["left"]) == ("done", {})
    assert receipt["removed"]["runs"] >= 1
    assert receipt["removed"]["documents"] == 1
    assert tenant.document(f"users/{user}/plan.md") is None
    kept = tenant.document(f"users/{other}/plan.md")
    assert kept is not None
    assert kept["status"] == "indexed"
    left = repr(stack.items(tenant.name))
    assert secret not in left
    assert other in left
