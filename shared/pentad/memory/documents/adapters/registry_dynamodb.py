"""The document registry in DynamoDB: one entry a document, its chunk list in parts, and a claim while one writes."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from pentad.aws.pages import decode_cursor, encode_cursor
from pentad.aws.readable import from_stored
from pentad.aws.table import ConditionFailed, Item, Table
from pentad.domain import keys
from pentad.domain.errors import StoreUnavailable
from pentad.domain.knowledge import Document
from pentad.domain.values import Page
from pentad.memory.clock import utc_now

CHUNKS_PER_PART = 2000
"""An id and a SHA-256 are 122 bytes of JSON, so a part has 244 KB; DynamoDB's limit is 400 KB an item."""
_IS_OWNER = "#owner = :owner"
_TAKEN_OVER = "another writer has taken the document over"


class DynamoRegistry:
    """The registry of the deployment.

    Args:
        table: the state table.
        clock: tells the time, in UTC.
    """

    def __init__(self, table: Table, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._table = table
        self._clock = clock

    def acquire(self, tenant_id: str, name: str, *, owner: str, seconds: float) -> None:
        """Keep other writers off the document until `release`, for ``seconds`` at most.

        Raises:
            StoreUnavailable: another owner holds it.
        """
        now = self._clock().timestamp()
        until = int((now + seconds) * 1000)
        item = {
            "pk": keys.document_pk(tenant_id, name),
            "sk": keys.LEASE,
            "type": "claim",
            "owner": owner,
            "expires_at_ms": until,
            "ttl": until // 1000 + 1,
        }
        try:
            self._table.put(
                item,
                condition="attribute_not_exists(pk) OR expires_at_ms < :now OR #owner = :owner",
                names={"#owner": "owner"},
                values={":now": int(now * 1000), ":owner": owner},
            )
        except ConditionFailed as failed:
            left = float(failed.item["expires_at_ms"]) / 1000 - now if failed.item else seconds
            raise StoreUnavailable("the document is being indexed already", retry_after=max(0.0, left)) from failed

    def renew(self, tenant_id: str, name: str, *, owner: str, seconds: float) -> None:
        """Let a claim last for ``seconds`` from now.

        Raises:
            StoreUnavailable: it is not held any more.
        """
        until = int((self._clock().timestamp() + seconds) * 1000)
        try:
            self._table.update(
                keys.document_pk(tenant_id, name),
                keys.LEASE,
                "SET expires_at_ms = :until, #ttl = :ttl",
                condition=_IS_OWNER,
                names={"#owner": "owner", "#ttl": "ttl"},
                values={":owner": owner, ":until": until, ":ttl": until // 1000 + 1},
            )
        except ConditionFailed as failed:
            raise StoreUnavailable(_TAKEN_OVER) from failed

    def release(self, tenant_id: str, name: str, *, owner: str) -> None:
        """Let other writers in; a claim that is not held (any more) is left alone."""
        try:
            self._table.delete(
                keys.document_pk(tenant_id, name),
                keys.LEASE,
                condition=_IS_OWNER,
                names={"#owner": "owner"},
                values={":owner": owner},
            )
        except ConditionFailed:
            return

    def get(self, tenant_id: str, name: str) -> Document | None:
        """Return a document's entry, or None."""
        item = self._table.get(keys.collection_pk(tenant_id, "DOCS"), name)
        return from_stored(Document, item["body"]) if item is not None else None

    def get_chunks(self, tenant_id: str, name: str) -> dict[str, str]:
        """Return the document's chunks as indexed: chunk id to SHA-256 of its text; empty where it is not certain."""
        chunks: dict[str, str] = {}
        for item in self._query_parts(tenant_id, name):
            chunks.update(json.loads(item["body"]))
        return chunks

    def record_intent(self, tenant_id: str, name: str, chunks: Mapping[str, str], *, owner: str) -> None:
        """Replace the chunk list before the vectors change; see the port.

        Raises:
            StoreUnavailable: the claim is another's by now.
        """
        if not chunks:
            return
        pk = keys.document_pk(tenant_id, name)
        try:
            # No part is left over: nothing that was listed leaves the list here.
            self._table.transact([*self._build_parts(pk, chunks), self._build_fence(pk, owner, ends=False)])
        except ConditionFailed as failed:
            raise StoreUnavailable(_TAKEN_OVER) from failed

    def put(
        self, document: Document, chunks: Mapping[str, str], *, owner: str | None = None, ends: bool = False
    ) -> None:
        """Store the entry and its chunks; see the port.

        Raises:
            StoreUnavailable: the claim is another's by now.
        """
        at = document.indexed_at.astimezone(UTC).isoformat(timespec="microseconds")
        # Whoever holds the claim is fenced by it. Were the time a condition too, a clock that is behind would have the
        # whole transaction refused: the claim would stay, and the chunk list as it was noted before.
        unclaimed: dict[str, Any] = {
            "condition": "attribute_not_exists(pk) OR indexed_at <= :at",
            "values": {":at": at},
        }
        entry = self._table.build_put(
            {
                "pk": keys.collection_pk(document.tenant_id, "DOCS"),
                "sk": document.name,
                "type": "document",
                "indexed_at": at,
                "body": document.model_dump_json(),
            },
            **(unclaimed if owner is None else {}),
        )
        pk = keys.document_pk(document.tenant_id, document.name)
        parts = self._build_parts(pk, chunks)
        kept = {keys.chunks_sk(number) for number in range(len(parts))}
        listed = self._query_parts(document.tenant_id, document.name)
        left = [self._table.build_delete(pk, item["sk"]) for item in listed if item["sk"] not in kept]
        fence = [self._build_fence(pk, owner, ends=ends)] if owner is not None else []
        try:
            self._table.transact([entry, *fence, *parts, *left])
        except ConditionFailed as failed:
            if fence:
                raise StoreUnavailable(_TAKEN_OVER) from failed

    def list_page(self, tenant_id: str, *, limit: int = 100, cursor: str | None = None) -> Page[Document]:
        """Return the tenant's documents by name.

        Raises:
            InvalidInput: the cursor is not valid.
        """
        pk = keys.collection_pk(tenant_id, "DOCS")
        found, end = self._table.query(pk, limit=limit, start=decode_cursor(cursor, pk))
        documents = tuple(from_stored(Document, item["body"]) for item in found)
        return Page[Document](items=documents, cursor=encode_cursor(end))

    def _query_parts(self, tenant_id: str, name: str) -> list[Item]:
        return self._table.query(keys.document_pk(tenant_id, name), begins=keys.CHUNKS)[0]

    def _build_parts(self, pk: str, chunks: Mapping[str, str]) -> list[Item]:
        """Return the entries of a transaction that write the chunk list."""
        ordered = sorted(chunks.items())
        parts = [ordered[start : start + CHUNKS_PER_PART] for start in range(0, len(ordered), CHUNKS_PER_PART)]
        return [
            self._table.build_put(
                {
                    "pk": pk,
                    "sk": keys.chunks_sk(number),
                    "type": "chunks",
                    "body": json.dumps(dict(part), separators=(",", ":")),
                }
            )
            for number, part in enumerate(parts)
        ]

    def _build_fence(self, pk: str, owner: str, *, ends: bool) -> Item:
        """Return the entry of a transaction that refuses it where another has claimed the document."""
        expression: dict[str, Any] = {"names": {"#owner": "owner"}, "values": {":owner": owner}}
        if ends:
            return self._table.build_delete(pk, keys.LEASE, condition=_IS_OWNER, **expression)
        return self._table.build_check(pk, keys.LEASE, condition=_IS_OWNER, **expression)
