"""An erased user is nowhere in the tables any more, and what the function may do is enough for it."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.twin.graphs.span_lines import list_log_groups
from tests.twin.stack.world import Stack, Tenant, until, word

pytestmark = pytest.mark.twin
OWN_SCOPES = ("runs:write", "runs:read", "documents:write", "documents:read", "memory:read", "approvals:write")


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


def find_canary(stack: Stack, canary: str) -> set[str]:
    """Return the places in tables, buckets, logs and queues of the whole deployment that hold a text as it is."""
    forms = re.compile("|".join(re.escape(form) for form in {canary, quote(canary, safe=""), quote(canary)}))
    return {place for place, text in _iter_all(stack) if forms.search(text)}


def _iter_all(stack: Stack) -> Iterator[tuple[str, str]]:
    """Yield all that is kept anywhere, with the place."""
    for table in stack.tables:
        for page in stack.aws("dynamodb").get_paginator("scan").paginate(TableName=table):
            yield from ((f"table {table}: {item.get('type', {}).get('S')}", repr(item)) for item in page["Items"])
    s3 = stack.aws("s3")
    for bucket in (one["Name"] for one in s3.list_buckets()["Buckets"]):
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            yield from ((f"bucket {bucket}", one["Key"]) for one in page.get("DeleteMarkers", ()))
            for one in page.get("Versions", ()):
                read = s3.get_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
                yield f"bucket {bucket}", f"{one['Key']} {read['Metadata']} {read['Body'].read()!r}"
    logs = stack.aws("logs")
    for group in list_log_groups(logs):
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
            yield from ((f"log {group}", f"{one['logStreamName']} {one['message']}") for one in page["events"])


def test_where_an_erased_users_id_stays(stack: Stack) -> None:
    tenant, user = stack.tenant(), f"{word('canary')}+x@example.com"
    own = stack.tenant(tenant.name, user_id=user, scopes=OWN_SCOPES, groups=("*",))
    others = tenant.ask('Save a note titled "Oil" with the text "Order oil."')
    assert own.decide(others["pending_approval"], "approve").status_code == 200
    assert tenant.settle(others["run_id"], after=others["pending_approval"])["status"] == "succeeded"
    run = own.ask("My name is Kay.")
    own.ingest(f"users/{user}/plan.md", "# Plan\n\nThe plan is kept.")
    assert own.post(f"/v1/runs/{run['run_id']}/feedback", {"score": 1}).status_code in (200, 201, 202)
    until(lambda: own.get(f"/v1/memory/{quote(user, safe='')}")["items"] or None, "that a fact was learned")
    path = f"/v1/users/{quote(user, safe='')}"
    asked = tenant.send("DELETE", path).json()
    until(
        lambda: tenant.get(f"{path}/erasures/{asked['erasure']}")["status"] not in ("asked", "running") or None,
        "that the user was erased",
    )
    # Who had a key, who acted and who decided must stay known; docs/erasure.md and the receipt say so.
    assert {place.rpartition(": ")[2] for place in find_canary(stack, user)} == {"api_key", "act", "approval"}
