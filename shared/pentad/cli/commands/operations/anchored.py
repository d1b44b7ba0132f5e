"""Hold the audit against its anchors: which chains there are, and whether each is as it was anchored."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pentad.cli import operator
from pentad.cli.commands.operations.acts import open_audit, open_key
from pentad.cli.console import CommandError

if TYPE_CHECKING:
    from pentad.aws.sealed import SealCheck, SealedLog
    from pentad.aws.table import Table
    from pentad.observability.anchors.anchor import AuditAnchor

LATE = timedelta(hours=3)
"""What is older has to be anchored: a stage's schedule is once an hour unless somebody changes it."""
_MOST = 20_000
"""Anchors of one look: more than two years of a tenant that is never silent."""


class Anchored:
    """The anchors of a stage.

    Args:
        stage: a deployed stage; None for the twin.
        now: the time by which something is late.

    Raises:
        CommandError: the stage is not deployed where the credentials point, or no twin runs.
    """

    def __init__(self, stage: str | None, *, now: datetime | None = None) -> None:
        from pentad.observability.anchors.adapters.anchors_s3 import S3Anchors

        self.chain: SealedLog = open_audit(stage)
        self.ledger: Table = operator.open_table(stage, "LedgerTable")
        self._store: S3Anchors = S3Anchors(
            operator.create_client("s3", stage), operator.get_output(stage, "AnchorBucket")
        )
        self._key = open_key(stage)
        self._now = now or datetime.now(UTC)

    def list_anchors(self, tenant_id: str, since: datetime | None) -> list["AuditAnchor"]:
        """Return a tenant's anchors by number, with all versions of each.

        Args:
            tenant_id: whose; `NOBODY` for the deployment's.
            since: leave out what was written before.

        Raises:
            CommandError: they are more than can be looked at.
            StoreUnavailable, Unreadable: the bucket did not answer, or holds what is no anchor.
        """
        found: list[AuditAnchor] = []
        for one in self._store.iter_versions(tenant_id, since=since):
            found.append(one)
            if len(found) > _MOST:
                raise CommandError(f"'{tenant_id}' has more than {_MOST:,} anchors; give a later --since")
        return found[::-1]

    def find_chain_faults(self, tenant_id: str, chains: Mapping[str, "SealCheck"]) -> list[str]:
        """Return where chains are not as they were anchored, or were not anchored in time.

        Args:
            tenant_id: whose.
            chains: what a look at each found, by its partition.
        """
        from pentad.observability.anchors.anchor import find_misfits
        from pentad.observability.anchors.write import find_tenant

        faults: list[str] = []
        for pk, found in chains.items():
            # Of a chain that is gone nobody knows when it began.
            since = _find_first(found.entries)
            anchors = self.list_anchors(find_tenant(pk), since)
            entries = [(int(one["number"]), str(one["hash"])) for one in found.entries if "number" in one]
            faults += find_misfits(pk, entries, anchors)
            faults += self._find_late(pk, anchors)
        return faults

    def _find_late(self, pk: str, anchors: Sequence["AuditAnchor"]) -> list[str]:
        from pentad.aws.sealed import HEAD

        head = self.ledger.get(pk, HEAD)
        if head is None or "at" not in head or datetime.fromisoformat(str(head["at"])) > self._now - LATE:
            return []
        anchored = max((one.number for anchor in anchors for one in anchor.heads if one.pk == pk), default=0)
        if anchored >= int(head["number"]):
            return []
        return [f"{pk}: entries from {anchored + 1} to {head['number']} were not anchored within {LATE}"]

    def find_tenant_faults(self, tenant_id: str, since: datetime) -> tuple[int, int, list[str]]:
        """Look at all anchors of a tenant, and at all chains that they name.

        Returns:
            How many anchors and chains there are, and what is wrong.
        """
        from pentad.observability.anchors.anchor import NOBODY, find_faults

        key, faults = self._key, list[str]()
        alive = self.list_anchors(NOBODY, since)
        faults += find_faults(alive, key, longest=LATE)
        if not alive or alive[-1].at < self._now - LATE:
            faults.append(f"nothing was anchored within {LATE}: the function that anchors the audit does not run")
        anchors = self.list_anchors(tenant_id, since)
        faults += find_faults(anchors, key)
        for hidden in self._store.list_hidden(tenant_id):
            faults.append(f"somebody has put a delete marker on '{hidden}'; the anchor below it is there")
        pks = self.list_chains(tenant_id, anchors, since)
        for pk in pks:
            found = self.chain.check(pk)
            faults += [f"{pk}: {fault}" for fault in found.faults]
            faults += self.find_chain_faults(tenant_id, {pk: found})
        return len(anchors), len(pks), faults

    def list_chains(self, tenant_id: str, anchors: Sequence["AuditAnchor"], since: datetime) -> list[str]:
        """Return the partitions of a tenant's chains that grew since a time: by its anchors, and by the index."""
        from pentad.observability.anchors.adapters.heads_dynamodb import DynamoHeads
        from pentad.observability.anchors.write import BEGAN, find_tenant

        named = {head.pk for anchor in anchors for head in anchor.heads}
        recent = DynamoHeads(self.ledger).iter_heads(max(since, BEGAN), self._now)
        return sorted(named | {head.pk for head in recent if find_tenant(head.pk) == tenant_id})


def iter_entry_times(entries: Sequence[Mapping[str, Any]]) -> Iterator[datetime]:
    """Yield the times that entries of the audit tell."""
    import json

    for one in entries:
        body = json.loads(str(one.get("body") or "{}"))
        actor = body.get("actor")
        at = body.get("at") or (actor.get("at") if isinstance(actor, dict) else None)
        if at:
            yield datetime.fromisoformat(str(at).replace("Z", "+00:00"))


def _find_first(entries: Sequence[Mapping[str, Any]]) -> datetime | None:
    """Return a time from which a chain may have been anchored; None where it has no entry that tells one."""
    try:
        # The clocks of who writes an entry and of who takes in an anchor may differ a little.
        return min(iter_entry_times(entries)) - timedelta(minutes=5)
    except ValueError:
        return None
