"""Ingest: bring the index to what the documents bucket holds now.

An event only says that something happened to a document; what is done about it depends on the object and on the
registry as they are. So events may come late, twice or in any order. One writer a document holds a claim. What it is
about to write is noted in the registry first, and the entry comes last, so a crash at any point is put right by the
next event (the queue delivers the same one again): no vector is left that nobody knows of, and chunks already embedded
are found again and not paid for twice.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from pydantic import Field

from pentad.domain.errors import InvalidInput, NotFound, PentadError, StoreUnavailable
from pentad.domain.ids import check_id, make_id
from pentad.domain.knowledge import MAX_DOCUMENT_BYTES, Document, find_collection
from pentad.domain.models import CallContext
from pentad.domain.values import FrozenValue
from pentad.memory.documents.chunk import Chunk
from pentad.memory.documents.contents import RECIPE, ReadDocument
from pentad.memory.documents.ports import DocumentReader, DocumentRegistry, UploadKeys
from pentad.memory.objects.ports import ObjectHead, ObjectStore
from pentad.memory.retrieval.ports import Vector, VectorStore
from pentad.memory.retrieval.readers import COLLECTION, DOCUMENT_KIND, READERS, label_document
from pentad.models.ports import Embedder
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry

EMBED_BATCH = 64
"""Texts a call: the gateway answers with 64 vectors of 3,072 numbers in 1 MB, and Lambda's limit is 6 MB."""
EMBED_SECONDS = 60.0
CLAIM_SECONDS = 900.0
"""How long a crashed writer keeps others out at most: the longest that a Lambda function runs."""
INGEST_SECONDS = 300
"""How long the function may take for one document."""
RECEIVES = 3
"""How often the queue delivers a message before it puts it aside."""
_SPARE_SECONDS = 30.0
_ROUNDS = 3


class IngestEvent(FrozenValue):
    """Something happened to a document."""

    tenant_id: str
    name: str
    bucket: str
    version: str | None = Field(default=None, description="as the event says; what counts is what stands there now")
    bytes: int | None = None
    again: bool = Field(default=False, description="read and cut it anew, though nothing of it has changed")


def parse_s3_event(detail: Mapping[str, Any]) -> IngestEvent:
    """Return what an event of EventBridge is about.

    Args:
        detail: the ``detail`` of S3's ``Object Created`` or ``Object Deleted``, or of our own
            ``pentad.document.requested``, or the whole event. Its key is as it
            is, not URL-encoded as in S3's own notifications (Amazon S3 User Guide, "EventBridge event message
            structure").

    Raises:
        InvalidInput: it is not such an event, or the key is not ``{tenant}/{name}``.
    """
    inner = detail.get("detail", detail)
    try:
        bucket, entry = inner["bucket"]["name"], inner["object"]
        tenant, _, name = entry["key"].partition("/")
        version, size = entry.get("version-id") or entry.get("etag"), entry.get("size")
    except (KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(
            "the event is not an S3 event", field="detail", fix="send S3 events by EventBridge"
        ) from error
    check_id("tenant", tenant)
    if not name or name.endswith("/"):
        raise InvalidInput("the key names no document", field="key", fix="use {tenant}/{name}")
    again = inner.get("again") is True
    return IngestEvent(tenant_id=tenant, name=name, bucket=bucket, version=version, bytes=size, again=again)


class Ingest:
    """Keeps the vector store and the registry as the documents bucket is.

    Args:
        objects: the documents bucket.
        registry: what is indexed.
        reader: turns documents into chunks.
        keys: which uploads' keys were revoked.
        vectors: where the chunks go.
        embedder: turns chunks into vectors.
        telemetry: counts documents and chunks.
        clock: tells the time, in UTC.
        claim_seconds: how long a writer keeps others off a document at most.
    """

    def __init__(
        self,
        *,
        objects: ObjectStore,
        registry: DocumentRegistry,
        reader: DocumentReader,
        keys: UploadKeys,
        vectors: VectorStore,
        embedder: Embedder,
        telemetry: Telemetry,
        clock: Callable[[], datetime],
        claim_seconds: float = CLAIM_SECONDS,
    ) -> None:
        self._objects = objects
        self._registry = registry
        self._reader = reader
        self._keys = keys
        self._vectors = vectors
        self._embedder = embedder
        self._telemetry = telemetry
        self._clock = clock
        self._claim_seconds = claim_seconds

    def handle(self, event: IngestEvent, *, deadline: float | None = None, last: bool = False) -> Document | None:
        """Bring the index to what the bucket holds of the document now; see `reconcile`."""
        return self.reconcile(event.tenant_id, event.name, deadline=deadline, last=last, again=event.again)

    def reconcile(
        self, tenant_id: str, name: str, *, deadline: float | None = None, last: bool = False, again: bool = False
    ) -> Document | None:
        """Return the document's entry, made now or before; None where there is neither document nor entry.

        A document that can't be read is an entry with the status ``failed`` and the reason; where an earlier version
        of it could be read, that one stays in the index, and the status is ``stale``.

        Args:
            tenant_id: the tenant.
            name: the document's name.
            deadline: ``time.time()`` by which to have embedded; a minute from each batch where none is given.
            last: nobody tries again after this attempt, so its failure is written into the entry, whatever it is.
            again: read and cut it anew, though nothing of it has changed.

        Raises:
            StoreUnavailable: a store did not answer, another writer is at it, or the document changed meanwhile.
            ModelUnavailable: the embedder did not answer.
            ModelThrottled: the embedder's provider said 429.
        """
        for _ in range(_ROUNDS):
            entry = self._run_claimed(tenant_id, name, deadline, last, again)
            # An event that came while the claim was held was sent back to the queue, which hides it for long. What it
            # told of was there before the claim ended, so one look after that is enough to see it.
            head = self._objects.get_head(f"{tenant_id}/{name}")
            standing = entry.latest_version if entry is not None and entry.status != "deleted" else None
            if standing == (head.version if head is not None else None):
                break
        return entry

    def _run_claimed(
        self, tenant_id: str, name: str, deadline: float | None, last: bool, again: bool
    ) -> Document | None:
        now = self._clock()
        owner = make_id("ing", now)
        # A writer that is killed at its deadline shall not keep others out for longer than that.
        left = self._claim_seconds if deadline is None else max(0.0, deadline - now.timestamp()) + _SPARE_SECONDS
        self._registry.acquire(tenant_id, name, owner=owner, seconds=min(self._claim_seconds, left))
        try:
            return self._reconcile(tenant_id, name, now, deadline, last, again)
        finally:
            self._registry.release(tenant_id, name, owner=owner)

    def _reconcile(
        self, tenant_id: str, name: str, now: datetime, deadline: float | None, last: bool, again: bool
    ) -> Document | None:
        head = self._objects.get_head(f"{tenant_id}/{name}")
        entry = self._registry.get(tenant_id, name)
        known = self._registry.get_chunks(tenant_id, name)
        if head is None:
            return self._forget(tenant_id, name, entry, known, now)
        settled = all(known.values())  # an empty hash: a writer did not come to its end
        if entry is not None and settled and not again and _is_current(entry, head):
            self._telemetry.count(names.DOCUMENTS_INGESTED, status="unchanged")
            return entry
        document = Document(
            tenant_id=tenant_id,
            name=name,
            version=head.version,
            status="indexed",
            media_type=head.media_type[:200],
            bytes=head.bytes,
            chunks=0,
            embedded=0,
            indexed_at=now,
        )
        if head.key_id is not None and self._keys.is_revoked(tenant_id, head.key_id):
            return self._record_end(document, entry, "it was uploaded with a key that is revoked")
        if last:  # first: an attempt that ends this process has no other chance to say so
            self._record_end(document, entry, "each attempt to index it was cut off")
        try:
            found, sha256 = self._read_document(head, name, deadline)
            indexed = document.model_copy(update=_describe(found, sha256))
            return self._index(indexed, found.chunks, known, deadline)
        except InvalidInput as error:
            return self._record_failure(document, entry, known, error)
        except PentadError as error:
            if last:
                self._record_end(document, entry, error.message)
            raise

    def _read_document(self, head: ObjectHead, name: str, deadline: float | None) -> tuple[ReadDocument, str]:
        if head.bytes > MAX_DOCUMENT_BYTES:
            raise InvalidInput(
                f"the document has {head.bytes:,} bytes, and {MAX_DOCUMENT_BYTES:,} are the limit",
                field="document",
                fix="split the document",
            )
        try:
            data = self._objects.get(head.key, version=head.version)
        except NotFound as error:
            raise StoreUnavailable("the document changed while it was read") from error
        found = self._reader.read(data, name=name, media_type=head.media_type, deadline=deadline)
        for note in found.notes:
            self._telemetry.log_event("ingest.note", level="WARNING", note=note)
        return found, hashlib.sha256(data).hexdigest()

    def _index(
        self, document: Document, chunks: Sequence[Chunk], known: Mapping[str, str], deadline: float | None
    ) -> Document:
        tenant_id, name = document.tenant_id, document.name
        with self._telemetry.span("memory.ingest", {"pentad.chunks": len(chunks)}) as span:
            wanted = {one.chunk_id: one.sha256 for one in chunks}
            self._registry.record_intent(tenant_id, name, dict.fromkeys([*known, *wanted], ""))
            embedded, remaining = 0, iter(chunks)
            while batch := list(islice(remaining, EMBED_BATCH)):
                embedded += self._write(document, batch, known, deadline)
            self._vectors.delete(tenant_id, [chunk_id for chunk_id in known if chunk_id not in wanted])
            done = document.model_copy(update={"chunks": len(chunks), "embedded": embedded})
            self._registry.put(done, wanted)
            span.set("pentad.embedded", embedded)
        self._telemetry.count(names.DOCUMENTS_INGESTED, status="indexed")
        self._telemetry.count(names.CHUNKS_EMBEDDED, embedded)
        return done

    def _write(
        self, document: Document, batch: Sequence[Chunk], known: Mapping[str, str], deadline: float | None
    ) -> int:
        """Store the vectors of some chunks and return how many had to be embedded."""
        held = self._vectors.fetch(document.tenant_id, [one.chunk_id for one in batch if one.chunk_id in known])
        values = {
            one.chunk_id: held[one.chunk_id].values
            for one in batch
            if one.chunk_id in held and held[one.chunk_id].metadata.get("chunk_hash") == one.sha256
        }
        missing = [one for one in batch if one.chunk_id not in values]
        if missing:
            until = self._clock().timestamp() + EMBED_SECONDS if deadline is None else deadline
            context = CallContext(tenant_id=document.tenant_id, purpose="embed_document")
            reply = self._embedder.embed([build_embed_text(one) for one in missing], context, deadline=until)
            values.update(zip((one.chunk_id for one in missing), reply.vectors, strict=True))
        # All are written: an unchanged chunk may stand elsewhere, and is of another version, which its metadata tells.
        self._vectors.upsert(
            document.tenant_id,
            [
                Vector(
                    vector_id=one.chunk_id,
                    values=values[one.chunk_id],
                    text=build_embed_text(one),
                    metadata=build_metadata(document, one),
                )
                for one in batch
            ],
        )
        return len(missing)

    def _forget(
        self, tenant_id: str, name: str, entry: Document | None, known: Mapping[str, str], now: datetime
    ) -> Document | None:
        if not known and (entry is None or entry.status == "deleted"):
            return entry
        self._vectors.delete(tenant_id, list(known))
        gone = {"status": "deleted", "chunks": 0, "embedded": 0, "bytes": 0, "indexed_at": now}
        gone |= {"error": None, "failed_version": None, "notes": (), "sha256": None}
        if entry is None:  # the writer that knew more did not come to its end
            fields = {"tenant": tenant_id, "name": name, "version": "", "media_type": ""}
            entry = Document.model_validate(fields | gone)
        else:
            entry = entry.model_copy(update=gone)
        self._registry.put(entry, {})
        self._telemetry.count(names.DOCUMENTS_INGESTED, status="deleted")
        return entry

    def _record_failure(
        self, document: Document, entry: Document | None, known: Mapping[str, str], error: InvalidInput
    ) -> Document:
        # What was known may have grown since: the embedder can be the one that refused.
        now_known = self._registry.get_chunks(document.tenant_id, document.name)
        reason = f"{error.message}; {error.fix}" if error.fix else error.message
        failed = _mark_failed(document, entry, reason)
        kept = known if failed.status == "stale" else {}
        self._vectors.delete(document.tenant_id, [chunk_id for chunk_id in now_known if chunk_id not in kept])
        self._registry.put(failed, kept)
        self._telemetry.count(names.DOCUMENTS_INGESTED, status=failed.status)
        return failed

    def _record_end(self, document: Document, entry: Document | None, reason: str) -> Document:
        """Note that nobody tries again; what was indexed before stays, and the document's next event starts anew."""
        failed = _mark_failed(document, entry, f"not indexed: {reason}; upload the document again")
        self._registry.put(failed, self._registry.get_chunks(document.tenant_id, document.name))
        return failed


def _is_current(entry: Document, head: ObjectHead) -> bool:
    """Tell whether the index holds what the bucket does, cut as it is cut today."""
    return entry.status == "indexed" and entry.version == head.version and entry.recipe == RECIPE


def _describe(found: ReadDocument, sha256: str) -> dict[str, Any]:
    """Return what the entry says of a document that was read."""
    return {
        "media_type": found.media_type,
        "notes": tuple(found.notes),
        "parser": found.parser,
        "language": found.language,
        "recipe": RECIPE,
        "sha256": sha256,
    }


def _mark_failed(document: Document, entry: Document | None, reason: str) -> Document:
    """Return the entry of a version that could not be indexed: of the version before, where that is in the index."""
    error = reason[:500]
    if entry is None or entry.status not in ("indexed", "stale"):
        return document.model_copy(update={"status": "failed", "error": error})
    changes = {"status": "stale", "error": error, "failed_version": document.version, "indexed_at": document.indexed_at}
    return entry.model_copy(update=changes)


def build_embed_text(one: Chunk) -> str:
    """Return what of a chunk is embedded and indexed for words."""
    return one.indexed


def build_metadata(document: Document, one: Chunk) -> dict[str, str | int | float | bool | list[str]]:
    """Return what a chunk's vector says of it, so that a passage can be made of it."""
    metadata: dict[str, str | int | float | bool | list[str]] = {
        "kind": DOCUMENT_KIND,
        READERS: label_document(document.name),
        COLLECTION: find_collection(document.name),
        "document": document.name,
        "version": document.version,
        "title": one.title,
        "start": one.start,
        "end": one.end,
        "text": one.text,
        "chunk_hash": one.sha256,
    }
    if one.header:
        metadata["header"] = one.header
    if one.page is not None:
        metadata["page"] = one.page
    return metadata
