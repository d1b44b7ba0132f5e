"""Where a user's things are in DynamoDB and S3: runs, sessions, what is remembered, feedback, documents, spend.

Runs, sessions and feedback are found by a walk of the tenant's lists, the index `gsi1`, which holds those of any age;
all else by key.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from pentad.aws.pages import decode_cursor, encode_cursor
from pentad.aws.table import ConditionFailed, Item, Table
from pentad.domain import keys
from pentad.domain.ids import hash_user
from pentad.domain.knowledge import own_documents
from pentad.domain.runs import RunStatus
from pentad.orchestration.erasure.adapters.run_things import RunThings, read_owner
from pentad.orchestration.erasure.adapters.wiping import VersionedObjects, count_items, wipe_partition
from pentad.orchestration.erasure.ports import ErasureStage, Visit

_LISTED: Final = 25
"""Runs or sessions of a page."""
_DOCUMENTS: Final = 50
_COUNTERS: Final = 200


class RunsPlace:
    """The user's runs, with their steps, calls, results, approvals and reviews, and what is left of their sessions.

    Args:
        state: the table of runs.
        things: removes them.
    """

    def __init__(self, state: Table, things: RunThings) -> None:
        self._state = state
        self._things = things

    def visit(self, tenant_id: str, user_id: str, cursor: str | None, *, stage: ErasureStage) -> Visit:
        """See `Place`."""
        items, end = _query_list(self._state, tenant_id, "RUNS", cursor)
        found, open_run_id = Counter[str](), None
        for listed in items:
            if json.loads(listed["body"]).get("user") != user_id:
                continue
            # The index may be behind the table.
            item = self._state.get(str(listed["pk"]), keys.META)
            if item is None:
                continue
            run_id = str(item["pk"]).partition("#R#")[2]
            if not RunStatus(item["status"]).ended:
                open_run_id = run_id
                found["runs"] += stage == "check"
            elif stage != "survey":
                session_id = str(json.loads(item["body"])["session"])
                found += self._visit_run(tenant_id, user_id, run_id, session_id, stage)
        return Visit(found=+found, cursor=end, open_run_id=open_run_id)

    def _visit_run(
        self, tenant_id: str, user_id: str, run_id: str, session_id: str, stage: ErasureStage
    ) -> Counter[str]:
        """Count or remove a run; it goes after its session, to which it is the only way where that has no head."""
        found, things = Counter[str](), self._things
        head = self._state.get(keys.session_pk(tenant_id, session_id), keys.META)
        if stage == "check":
            found += things.count_session(tenant_id, session_id) if head is None else Counter()
            return found + things.count_run(tenant_id, run_id)
        if head is None or read_owner(head) == user_id:
            found += things.wipe_session(tenant_id, session_id)
            if things.count_session(tenant_id, session_id):
                return found  # It is held. The next round comes to it by this run.
        return found + things.wipe_run(tenant_id, run_id)


class SessionsPlace:
    """The user's sessions, with their messages and all that was made of them.

    Args:
        state: the table of sessions.
        things: removes them.
    """

    def __init__(self, state: Table, things: RunThings) -> None:
        self._state = state
        self._things = things

    def visit(self, tenant_id: str, user_id: str, cursor: str | None, *, stage: ErasureStage) -> Visit:
        """See `Place`."""
        items, end = _query_list(self._state, tenant_id, "SESSIONS", cursor)
        found, act = Counter[str](), self._things.wipe_session if stage == "remove" else self._things.count_session
        for listed in items:
            if read_owner(listed) == user_id and read_owner(self._state.get(str(listed["pk"]), keys.META)) == user_id:
                found += act(tenant_id, str(listed["pk"]).partition("#S#")[2])
        return Visit(found=+found, cursor=end)


class MemoryPlace:
    """What is remembered of the user: facts, forgotten ones, decisions, what was said.

    Args:
        state: the table.
    """

    def __init__(self, state: Table) -> None:
        self._state = state

    def visit(self, tenant_id: str, user_id: str, cursor: str | None, *, stage: ErasureStage) -> Visit:
        """See `Place`."""
        pk = keys.user_pk(tenant_id, user_id)
        count = count_items(self._state, pk)
        if stage == "remove" and count:
            # The head of the facts first: a writer that has read them before can't put anything back.
            self._state.delete(pk, keys.FACTS)
            wipe_partition(self._state, pk)
        return Visit(found=+Counter(memory_items=count))


class FeedbackPlace:
    """What the user said of answers, also of runs that are another's, or nobody's; that of the user's own went before.

    Args:
        state: the table.
    """

    def __init__(self, state: Table) -> None:
        self._state = state

    def visit(self, tenant_id: str, user_id: str, cursor: str | None, *, stage: ErasureStage) -> Visit:
        """See `Place`."""
        items, end = _query_list(self._state, tenant_id, keys.FEEDBACK_LIST, cursor)
        found = Counter[str]()
        for listed in items:
            said = json.loads(listed["body"])
            if user_id not in (said.get("user"), said.get("run_user_id")):
                continue
            pk, sk = str(listed["pk"]), str(listed["sk"])
            # The index may be behind the table.
            if self._state.get(pk, sk) is None:
                continue
            found["feedback_items"] += 1
            if stage == "remove":
                self._state.delete(pk, sk)
        return Visit(found=+found, cursor=end)


class DocumentsPlace:
    """The user's own documents.

    Ingest removes vectors and chunks when a document is hidden, and says so in its entry. Only then its versions and
    the entry go; until then the check finds them, and the erasure comes again.

    Args:
        state: the table of the registry.
        documents: the documents bucket.
        now: the clock, UTC.
    """

    def __init__(self, state: Table, documents: VersionedObjects, *, now: Callable[[], datetime]) -> None:
        self._state = state
        self._documents = documents
        self._now = now

    def visit(self, tenant_id: str, user_id: str, cursor: str | None, *, stage: ErasureStage) -> Visit:
        """See `Place`."""
        begins = own_documents(user_id)
        entries, _ = self._state.query(keys.collection_pk(tenant_id, "DOCS"), begins=begins)
        known = {str(item["sk"]): item for item in entries}
        stored = {
            key.partition("/")[2]: is_there
            for key, is_there in self._documents.list_names(f"{tenant_id}/{begins}").items()
        }
        names = sorted(name for name in {*known, *stored} if cursor is None or name > cursor)
        found = Counter[str]()
        for name in names[:_DOCUMENTS]:
            if stage == "check":
                found += {"documents": 1}
            elif not stored.get(name) and self._is_gone(tenant_id, name, known.get(name)):
                found += self._remove(tenant_id, name)
            else:
                self._documents.hide(f"{tenant_id}/{name}")
        return Visit(found=+found, cursor=names[_DOCUMENTS - 1] if len(names) > _DOCUMENTS else None)

    def _is_gone(self, tenant_id: str, name: str, entry: Item | None) -> bool:
        """Tell whether ingest has taken a document out of the index, and is not at work on it."""
        pk = keys.document_pk(tenant_id, name)
        chunks, _ = self._state.query(pk, begins=keys.CHUNKS, limit=1)
        claim: Mapping[str, object] = self._state.get(pk, keys.LEASE) or {}
        is_held = int(str(claim.get("expires_at_ms", 0))) > self._now().timestamp() * 1000
        is_deleted = entry is None or json.loads(entry["body"]).get("status") == "deleted"
        return is_deleted and not chunks and not is_held

    def _remove(self, tenant_id: str, name: str) -> Counter[str]:
        key = f"{tenant_id}/{name}"
        wipe_partition(self._state, keys.document_pk(tenant_id, name))
        objects = self._documents.wipe(key, key=key)
        self._state.delete(keys.collection_pk(tenant_id, "DOCS"), name)
        return Counter(documents=1, document_objects=objects)


_AMOUNTS = ("attempts", "tokens", "cost_nanousd", "estimated_nanousd")


class SpendPlace:
    """The counters of what the user's calls have cost: the amounts stay, under the hash of the user's id.

    Args:
        state: the table of the counters.
    """

    def __init__(self, state: Table) -> None:
        self._state = state

    def visit(self, tenant_id: str, user_id: str, cursor: str | None, *, stage: ErasureStage) -> Visit:
        """See `Place`."""
        pk = keys.spend_pk(tenant_id, "USER")
        items, end = self._state.query(pk, limit=_COUNTERS, start=decode_cursor(cursor, pk))
        found = Counter[str]()
        for item in items:
            day, _, rest = str(item["sk"]).partition("#")
            value, _, part = rest.rpartition("#")
            if value == user_id and (
                stage == "check" or self._move(item, keys.spend_sk(day, hash_user(value), int(part)))
            ):
                found["spend_counters"] += 1
        return Visit(found=found, cursor=encode_cursor(end))

    def _move(self, item: Item, sk: str) -> bool:
        """Add a counter to that of another key, and remove it; tell whether it had not been raised meanwhile."""
        pk = str(item["pk"])
        # Counters of before there were estimates have none.
        amounts = {name: item[name] for name in _AMOUNTS if name in item}
        added = ", ".join(f"{name} :{name}" for name in amounts)
        moved = self._state.build_update(
            pk,
            sk,
            f"ADD {added} SET #type = :type, #ttl = :ttl",
            names={"#type": "type", "#ttl": "ttl"},
            values={f":{name}": value for name, value in amounts.items()} | {":type": "spend", ":ttl": item["ttl"]},
        )
        removed = self._state.build_delete(
            pk,
            str(item["sk"]),
            condition=" AND ".join(f"{name} = :{name}" for name in amounts),
            values={f":{name}": value for name, value in amounts.items()},
        )
        try:
            self._state.transact([moved, removed])
        except ConditionFailed:
            return False
        return True


def _query_list(state: Table, tenant_id: str, kind: str, cursor: str | None) -> tuple[list[Item], str | None]:
    """Return a page of a list of the tenant, the oldest first: what is removed does not move what comes."""
    pk = keys.collection_pk(tenant_id, kind)
    start = decode_cursor(cursor, pk, attribute="gsi1pk")
    items, end = state.query(pk, index="gsi1", limit=_LISTED, start=start, consistent=False)
    return items, encode_cursor(end)
