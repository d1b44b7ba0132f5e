"""The stack as a test sees it: the kit that users test their agents with (`pentad.testing`), by the names used here."""

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
