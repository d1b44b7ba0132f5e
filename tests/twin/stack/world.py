"""The stack as a test sees it: the kit that users test their agents with (`pentad.testing`), by the names used here."""

import json

from pentad.aws.table import from_dynamodb
from pentad.domain import keys
from pentad.testing.stack.world import ENDED as ENDED
from pentad.testing.stack.world import Json as Json
from pentad.testing.stack.world import Stack as Stack
from pentad.testing.stack.world import Tenant as Tenant
from pentad.testing.stack.world import until as until
from pentad.testing.stack.world import word as word

plain = from_dynamodb


def await_memories(tenant: Tenant, *session_ids: str) -> None:
    """Return once the pipeline after a run has worked through sessions: what it makes is stored, and is billed."""
    for session_id in session_ids:
        pk = keys.session_pk(tenant.name, session_id)

        def is_through(pk: str = pk) -> bool:
            items = {item["sk"]: item for item in tenant.stack.partition(pk)}
            done = items.get(keys.REMEMBERED)
            if done is None or "owner" in done:
                return False
            covered = [int(value) for name, value in done.items() if name.startswith("done_turns@")]
            return covered == [int(items[keys.META]["length"])]

        until(is_through, f"the memories of {session_id}")


def ledger_of(stack: Stack, tenant_id: str, *, begun: bool = False) -> list[Json]:
    """Return a tenant's attempts with an outcome, from the ledger's table itself.

    Args:
        stack: the stack.
        tenant_id: the tenant.
        begun: with those that have no outcome since their gateway was killed.
    """
    pages = stack.aws("dynamodb").get_paginator("scan").paginate(TableName=stack.outputs["LedgerTable"])
    items = [plain(item) for page in pages for item in page["Items"]]
    mine = [item for item in items if item["pk"].startswith(f"T#{tenant_id}#")]
    found: dict[str, Json] = {}
    for kind in ("attempt_begun", "attempt") if begun else ("attempt",):
        found |= {one["attempt_id"]: one for one in (json.loads(item["body"]) for item in mine if item["type"] == kind)}
    void = {json.loads(item["body"])["attempt_id"] for item in mine if item["type"] == "attempt_void"}
    return [one for name, one in found.items() if name not in void]
