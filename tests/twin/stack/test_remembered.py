"""What a user says in one session is known in the next one, is shown, corrected and forgotten."""

import json
from urllib.parse import quote

import pytest

from tests.twin.stack.world import Json, Stack, Tenant, until, word

pytestmark = pytest.mark.twin


def list_facts(tenant: Tenant, user: str) -> list[Json]:
    return list(tenant.get(f"/v1/memory/{quote(user, safe='')}")["items"])


def test_a_fact_is_learned_used_in_the_next_session_corrected_and_forgotten(stack: Stack, tenant: Tenant) -> None:
    user, name = f"{word('u')}+x@example.com", word("Name").capitalize()
    first = tenant.ask(f"My name is {name}.", user=user)
    [fact] = until(lambda: list_facts(tenant, user) or None, "that a fact was learned")
    assert (fact["text"], fact["current"]) == (f"The user's name is {name}.", True)
    [said] = fact["evidence"]
    assert (said["session"], said["seq"], said["quote"]) == (first["session"], 0, f"My name is {name}.")

    again = tenant.ask("What is my name?", user=user)
    assert again["session"] != first["session"]
    assert name in again["answer"]
    other = tenant.ask("What is my name?", user=word("u"))
    assert name not in other["answer"]

    newer = word("Newer").capitalize()
    edited = tenant.send("PATCH", f"/v1/memory/{quote(user, safe='')}/facts/{fact['fact']}",
                         json={"text": f"The user's name is {newer}."})  # fmt: skip
    assert edited.status_code == 200, edited.text
    assert newer in tenant.ask("What is my name?", user=user)["answer"]
    gone = tenant.send("DELETE", f"/v1/memory/{quote(user, safe='')}/facts/{edited.json()['fact']}")
    assert sorted(gone.json()["facts"]) == sorted({fact["fact"], edited.json()["fact"]})
    assert list_facts(tenant, user) == []
    kept = [item for item in stack.items(tenant.name) if str(item["sk"]).startswith(("FACT#", "FORGOTTEN#"))]
    assert len(kept) == 2
    assert name not in json.dumps(kept, default=repr)
