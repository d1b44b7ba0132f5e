"""Sessions in DynamoDB, with content past the item limit in S3."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from pentad.aws.pages import decode_cursor, encode_cursor
from pentad.aws.table import ConditionFailed, Item, Table
from pentad.domain import keys
from pentad.domain.errors import NotFound, SessionBusy
from pentad.domain.knowledge import Passage, Utterance
from pentad.domain.memories.front import Remembered
from pentad.domain.messages import Message
from pentad.domain.usage import estimate_tokens
from pentad.domain.values import Page
from pentad.memory.clock import utc_now
from pentad.memory.objects.ports import ObjectStore
from pentad.memory.retrieval.passages import estimate_given
from pentad.memory.retrieval.remembered import estimate_remembered
from pentad.memory.sessions import items
from pentad.memory.sessions.ports import Session, StoredMessage
from pentad.memory.tokens import Counter


class DynamoSessions:
    """The session store of the deployment.

    Args:
        table: the state table.
        objects: the payload bucket.
        clock: tells the time, in UTC.
        count: estimates the tokens of a text.
    """

    def __init__(
        self,
        table: Table,
        objects: ObjectStore,
        *,
        clock: Callable[[], datetime] = utc_now,
        count: Counter = estimate_tokens,
    ) -> None:
        self._table = table
        self._objects = objects
        self._clock = clock
        self._count = count

    def get(self, tenant_id: str, session_id: str) -> Session | None:
        """Return the session's head, or None."""
        item = self._table.get(keys.session_pk(tenant_id, session_id), keys.META)
        return items.parse_session(item) if item is not None else None

    def create(self, session: Session) -> None:
        """Make a session without messages; one that is there is left as it is."""
        try:
            self._table.put(items.make_head_item(session), condition="attribute_not_exists(pk)")
        except ConditionFailed:
            return

    def append(
        self,
        tenant_id: str,
        session_id: str,
        messages: Sequence[Message],
        *,
        expected_version: int,
        fence: int | None = None,
        head: Session | None = None,
    ) -> Session:
        """Append messages in order and return the new head; see the port.

        Raises:
            NotFound: no such session.
            InvalidTransition: a newer run has taken the session over.
            SessionBusy: the version is not the expected one.
            InvalidInput: none, or more than 99 messages.
            StoreUnavailable: the table or the bucket did not answer.
        """
        head = head or self._get_head(tenant_id, session_id)
        if head.version != expected_version:
            return self._resolve_conflict(head, messages, fence)
        items.check_fence(head, fence)
        after, stored = items.compute_append(head, messages, self._clock(), self._count)
        items.spill_messages(self._objects, tenant_id, session_id, messages)
        try:
            self._table.transact(items.append_entries(self._table, head, after, stored))
        except ConditionFailed:
            return self._resolve_conflict(self._get_head(tenant_id, session_id), messages, fence)
        return after

    def read(self, tenant_id: str, session_id: str, first: int, last: int) -> list[StoredMessage]:
        """Return the messages with ``first <= seq <= last`` in order; spilled ones are fetched."""
        return [
            items.load_message(item, self._objects.get)
            for item in self._query_messages(tenant_id, session_id, first, last)
        ]

    def attach_passages(self, tenant_id: str, session_id: str, seq: int, passages: Sequence[Passage]) -> int:
        """Keep the passages that were given with a user's message; see the port.

        Raises:
            NotFound: no such session or message.
            StoreUnavailable: the table or the bucket did not answer.
        """
        if not passages:
            return 0
        found = self._query_messages(tenant_id, session_id, seq, seq)
        if not found:
            raise NotFound("no such message")
        [stored] = [items.load_message(item, self._objects.get) for item in found]
        spill = items.passages_spill(tenant_id, session_id, stored.message.message_id, passages)
        if spill is not None:
            self._objects.put(spill.key, spill.data, media_type="application/json")
        [(name, value)] = items.make_passages_attributes(
            tenant_id, session_id, stored.message.message_id, passages
        ).items()
        free = "attribute_not_exists(passages) AND attribute_not_exists(passages_spill)"
        return self._attach(tenant_id, session_id, stored, {"passages": tuple(passages)}, {name: value}, free)

    def attach_recalled(self, tenant_id: str, session_id: str, seq: int, recalled: Sequence[Utterance]) -> int:
        """Keep what of earlier conversations was given with a user's message; see the port.

        Raises:
            NotFound: no such session or message.
            StoreUnavailable: the table did not answer.
        """
        if not recalled:
            return 0
        found = self._query_messages(tenant_id, session_id, seq, seq)
        if not found:
            raise NotFound("no such message")
        [stored] = [items.load_message(item, self._objects.get) for item in found]
        held = {"recalled": items.dump_recalled(recalled)}
        free = "attribute_not_exists(recalled)"
        return self._attach(tenant_id, session_id, stored, {"recalled": tuple(recalled)}, held, free)

    def attach_remembered(self, tenant_id: str, session_id: str, seq: int, remembered: Remembered) -> int:
        """Keep what stands in front of the epoch that begins at a message; see the port.

        Raises:
            NotFound: no such session or message.
            StoreUnavailable: the table did not answer.
        """
        held = {"remembered": remembered.model_dump_json()}
        more = estimate_remembered(remembered, self._count)
        return self._hold(tenant_id, session_id, seq, held, "attribute_not_exists(remembered)", more)

    def _attach(
        self,
        tenant_id: str,
        session_id: str,
        stored: StoredMessage,
        update: dict[str, Any],
        attributes: dict[str, str],
        free: str,
    ) -> int:
        """Keep what is given with a message, if nothing of its kind is; return how many tokens more it has."""
        given = stored.model_copy(update=update)
        more = estimate_given(given, self._count) - estimate_given(stored, self._count)
        return self._hold(tenant_id, session_id, stored.seq, attributes, free, more)

    def _hold(self, tenant_id: str, session_id: str, seq: int, attributes: dict[str, str], free: str, more: int) -> int:
        """Keep an attribute of a message where it is free, and raise the head's tokens; return by how many.

        Raises:
            NotFound: no such session or message.
        """
        pk = keys.session_pk(tenant_id, session_id)
        [(name, value)] = attributes.items()
        kept = self._table.build_update(
            pk,
            keys.message_sk(seq),
            "SET #name = :value",
            condition=f"attribute_exists(pk) AND {free}",
            names={"#name": name},
            values={":value": value},
        )
        raised = self._table.build_update(
            pk, keys.META, "ADD estimated_tokens :more", condition="attribute_exists(pk)", values={":more": more}
        )
        try:
            self._table.transact([kept, raised])
        except ConditionFailed as failed:
            if any(item is None and code != "None" for item, code in zip(failed.items, failed.reasons, strict=True)):
                raise NotFound("no such session or message") from failed
            return 0
        return more

    def begin_epoch(
        self, tenant_id: str, session_id: str, first_seq: int, estimated_tokens: int, *, bare_before_seq: int = 0
    ) -> Session:
        """Let the context begin at ``first_seq`` from now on; an epoch never goes back.

        Raises:
            NotFound: no such session.
        """
        update = "SET epoch_first_seq = :first, estimated_tokens = :tokens"
        condition = "attribute_exists(pk) AND epoch_first_seq <= :first"
        values = {":first": first_seq, ":tokens": estimated_tokens}
        if bare_before_seq:
            update += ", bare_before_seq = :bare"
            condition += " AND (attribute_not_exists(bare_before_seq) OR bare_before_seq <= :bare)"
            values[":bare"] = bare_before_seq
        try:
            item = self._table.update(
                keys.session_pk(tenant_id, session_id), keys.META, update, condition=condition, values=values
            )
        except ConditionFailed:
            return self._get_head(tenant_id, session_id)
        return items.parse_session(item)

    def list_page(self, tenant_id: str, *, limit: int = 50, cursor: str | None = None) -> Page[Session]:
        """Return the tenant's sessions, the last used first.

        Raises:
            InvalidInput: the cursor is not valid.
        """
        pk = keys.collection_pk(tenant_id, "SESSIONS")
        start = decode_cursor(cursor, pk, attribute="gsi1pk")
        found, end = self._table.query(pk, index="gsi1", limit=limit, descending=True, start=start)
        return Page[Session](items=tuple(items.parse_session(item) for item in found), cursor=encode_cursor(end))

    def _get_head(self, tenant_id: str, session_id: str) -> Session:
        head = self.get(tenant_id, session_id)
        if head is None:
            raise NotFound("no such session")
        return head

    def _query_messages(self, tenant_id: str, session_id: str, first: int, last: int) -> list[Item]:
        if last < first:
            return []
        between = (keys.message_sk(first), keys.message_sk(last))
        return self._table.query(keys.session_pk(tenant_id, session_id), between=between)[0]

    def _resolve_conflict(self, head: Session, messages: Sequence[Message], fence: int | None) -> Session:
        """Return the head where an earlier try wrote these messages.

        Raises:
            InvalidTransition: it did not, and a newer run holds the session.
            SessionBusy: it did not.
        """
        tail = self._query_messages(
            head.tenant_id, head.session_id, max(0, head.length - len(messages)), head.length - 1
        )
        if messages and [item["message_id"] for item in tail] == [message.message_id for message in messages]:
            return head
        items.check_fence(head, fence)
        raise SessionBusy("another writer changed the session first")
