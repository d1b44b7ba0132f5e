"""What is kept of a run and of a session, by its id, in DynamoDB and S3: count it, or remove it."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pentad.aws.table import ConditionFailed, Item, Table
from pentad.domain import keys
from pentad.orchestration.erasure.adapters.wiping import VersionedObjects, count_items, wipe_partition

CLAIM_SECONDS: Final = 300
"""For which no memories are made of a session that is removed; longer than an invocation."""


@dataclass(frozen=True)
class ToolMarks:
    """The marks of calls whose writes to tools' records are done, each with the call's answer.

    Attributes:
        records: the table of tools.
        kinds: the kinds of records that tools have.
    """

    records: Table
    kinds: Sequence[str]

    def find(self, tenant_id: str, effect_keys: Sequence[str]) -> list[tuple[str, str]]:
        """Return the keys of the marks of effects."""
        places = [(keys.done_pk(tenant_id, kind), key) for kind in self.kinds for key in effect_keys]
        return [place for place in places if self.records.get(*place) is not None]


class RunThings:
    """Counts and removes.

    Args:
        state: the table of sessions and runs.
        transient: the table of leases.
        payloads: contents too large for an item.
        marks: what tools' calls left beside their records.
        now: the clock, UTC.
    """

    def __init__(
        self,
        state: Table,
        transient: Table,
        payloads: VersionedObjects,
        marks: ToolMarks,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._state = state
        self._transient = transient
        self._payloads = payloads
        self._marks = marks
        self._now = now

    def count_run(self, tenant_id: str, run_id: str) -> Counter[str]:
        """Return what there is of a run."""
        found = Counter({"runs": 1, "run_items": count_items(self._state, keys.run_pk(tenant_id, run_id))})
        for prefix in _list_run_prefixes(tenant_id, run_id):
            found["payload_objects"] += self._payloads.count(prefix)
        for pk in self._list_graphs(tenant_id, run_id):
            found["graph_items"] += count_items(self._state, pk)
        found["tool_marks"] += len(self._find_marks(tenant_id, run_id))
        return +found

    def wipe_run(self, tenant_id: str, run_id: str) -> Counter[str]:
        """Remove a run and return what went: objects, graphs, items, its head last."""
        found = Counter({"runs": 1})
        for prefix in _list_run_prefixes(tenant_id, run_id):
            found["payload_objects"] += self._payloads.wipe(prefix)
        for pk in self._list_graphs(tenant_id, run_id):
            found["graph_items"] += wipe_partition(self._state, pk)
        for place in self._find_marks(tenant_id, run_id):
            self._marks.records.delete(*place)
            found["tool_marks"] += 1
        # The calls say which graphs there are, the effects which marks, and the head that there is a run.
        found["run_items"] += wipe_partition(self._state, keys.run_pk(tenant_id, run_id), last=[keys.META])
        return +found

    def count_session(self, tenant_id: str, session_id: str) -> Counter[str]:
        """Return what there is of a session; what is left of one that was deleted, too."""
        pk = keys.session_pk(tenant_id, session_id)
        found = Counter(
            sessions=int(self._state.get(pk, keys.META) is not None),
            session_items=count_items(self._state, pk, besides=[keys.META]),
            payload_objects=self._payloads.count(_build_spill_prefix(tenant_id, session_id)),
            leases=int(self._transient.get(pk, keys.LEASE) is not None),
        )
        return +found

    def wipe_session(self, tenant_id: str, session_id: str) -> Counter[str]:
        """Remove a session and return what went; one that a run holds, or that is remembered now, is let be."""
        found = self.count_session(tenant_id, session_id)
        pk = keys.session_pk(tenant_id, session_id)
        if not found or not self._claim(pk) or not self._release(pk):
            return Counter()
        self._payloads.wipe(_build_spill_prefix(tenant_id, session_id))
        if not found["sessions"]:
            self._wipe_rest(pk)
            return found
        # Until there is nothing left to remember, nobody begins to.
        wipe_partition(self._state, pk, last=[keys.REMEMBERED, keys.META])
        return found

    def _wipe_rest(self, pk: str) -> None:
        """Remove what is left of a session that was deleted, unless somebody has begun one under the same id."""
        items = list(self._state.iter_items(pk))
        for item in sorted(items, key=lambda one: one["sk"] == keys.REMEMBERED):
            if self._state.get(pk, keys.META) is not None:
                return
            self._state.delete(pk, str(item["sk"]))

    def _claim(self, pk: str) -> bool:
        """Keep workers that make memories off a session, as they keep each other off; tell whether none is at it."""
        now = self._now().timestamp()
        try:
            self._state.update(
                pk,
                keys.REMEMBERED,
                "SET #type = :type, #owner = :owner, expires_at_ms = :until, #ttl = :ttl",
                condition="attribute_not_exists(expires_at_ms) OR expires_at_ms < :now OR #owner = :owner",
                names={"#type": "type", "#owner": "owner", "#ttl": "ttl"},
                values={
                    ":type": "remembered",
                    ":owner": "erasure",
                    ":until": int((now + CLAIM_SECONDS) * 1000),
                    ":now": int(now * 1000),
                    ":ttl": int(now) + CLAIM_SECONDS,
                },
            )
        except ConditionFailed:
            return False
        return True

    def _release(self, pk: str) -> bool:
        """Remove a session's lease; tell whether no run holds the session or waits for it."""
        try:
            self._transient.delete(
                pk,
                keys.LEASE,
                # A lease that has expired is of a run that lost its session.
                condition="attribute_not_exists(#queue) AND (attribute_not_exists(#run) OR expires_at <= :now)",
                names={"#run": "run", "#queue": "queue"},
                values={":now": int(self._now().timestamp())},
            )
        except ConditionFailed:
            return False
        return True

    def _find_marks(self, tenant_id: str, run_id: str) -> list[tuple[str, str]]:
        begins = keys.EFFECT
        effects = self._state.iter_items(keys.run_pk(tenant_id, run_id), begins=begins)
        return self._marks.find(tenant_id, [str(item["sk"]).removeprefix(begins) for item in effects])

    def _list_graphs(self, tenant_id: str, run_id: str) -> list[str]:
        """Return the partitions of the graphs that a run's calls may have run."""
        threads = [run_id]
        for item in self._state.iter_items(keys.run_pk(tenant_id, run_id), begins=keys.CALL):
            step, index = str(item["sk"]).split("#")[1:3]
            threads.append(f"{run_id}.{step}.{index}")
        return [keys.graph_pk(tenant_id, thread) for thread in threads]


def read_owner(head: Item | None) -> str | None:
    """Return the user of a session's head; None where there is none of either."""
    user = (head or {}).get("user")
    return None if user is None else str(user)


def _list_run_prefixes(tenant_id: str, run_id: str) -> list[str]:
    return [f"{tenant_id}/runs/{run_id}/", f"graphs/{tenant_id}/{run_id}/"]


def _build_spill_prefix(tenant_id: str, session_id: str) -> str:
    return f"spill/{tenant_id}/{session_id}/"
