"""The document registry in DynamoDB: one entry a document, its chunk list in parts, and a claim while one writes."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

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

    def release(self, tenant_id: str, name: str, *, owner: str) -> None:
        """Let other writers in; a claim that is not held (any more) is left alone."""
        try:
            self._table.delete(
                keys.document_pk(tenant_id, name),
                keys.LEASE,
                condition="#owner = :owner",
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

    def record_intent(self, tenant_id: str, name: str, chunks: Mapping[str, str]) -> None:
        """Replace the chunk list before the vectors change; the entry stays as it is."""
        entries = self._build_chunk_entries(tenant_id, name, chunks)
        if entries:
            self._table.transact(entries)

    def put(self, document: Document, chunks: Mapping[str, str]) -> None:
        """Store the entry and its chunks; an older one (by ``indexed_at``) never replaces a newer one."""
        at = document.indexed_at.astimezone(UTC).isoformat(timespec="microseconds")
        entry = self._table.build_put(
            {
                "pk": keys.collection_pk(document.tenant_id, "DOCS"),
                "sk": document.name,
                "type": "document",
                "indexed_at": at,
                "body": document.model_dump_json(),
            },
            condition="attribute_not_exists(pk) OR indexed_at <= :at",
            values={":at": at},
        )
        try:
            self._table.transact([entry, *self._build_chunk_entries(document.tenant_id, document.name, chunks)])
        except ConditionFailed:
            return

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
        return self._table.query(keys.document_pk(tenant_id, name), begins="CHUNKS#")[0]

    def _build_chunk_entries(self, tenant_id: str, name: str, chunks: Mapping[str, str]) -> list[Item]:
        """Return the entries of a transaction that replaces the chunk list, parts that are left over included."""
        pk = keys.document_pk(tenant_id, name)
        ordered = sorted(chunks.items())
        parts = [ordered[start : start + CHUNKS_PER_PART] for start in range(0, len(ordered), CHUNKS_PER_PART)]
        puts = [
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
        kept = {keys.chunks_sk(number) for number in range(len(parts))}
        left = [item["sk"] for item in self._query_parts(tenant_id, name) if item["sk"] not in kept]
        return puts + [self._table.build_delete(pk, sk) for sk in left]
