"""Ingest: bring the index to what the documents bucket holds now.

An event only says that something happened to a document; what is done about it depends on the object and on the
registry as they are. So events may come late, twice or in any order. One writer a document holds a claim. What it is
about to write is noted in the registry first, and the entry comes last, so a crash at any point is put right by the
next event (the queue delivers the same one again): no vector is left that nobody knows of, and chunks whose vectors
are stored are found again and not paid for twice. Documents of a batch share the calls to the embedder.
"""

import hashlib
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import Field

from pentad.domain.errors import InvalidInput, NotFound, PentadError, StoreUnavailable
from pentad.domain.ids import check_id
from pentad.domain.knowledge import MAX_DOCUMENT_BYTES, Document
from pentad.domain.values import FrozenValue
from pentad.memory.documents.claims import Claim, hold_claim
from pentad.memory.documents.contents import ReadDocument, check_text
from pentad.memory.documents.entries import CUT_OFF, begin_entry, describe, is_current, mark_ended, mark_failed
from pentad.memory.documents.indexing import EMBED_BATCH, Indexer, ReadyDocument
from pentad.memory.documents.ports import DocumentReader, DocumentRegistry, UploadKeys
from pentad.memory.objects.ports import ObjectHead, ObjectStore
from pentad.memory.retrieval.ports import VectorStore
from pentad.models.ports import Embedder
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry

INGEST_SECONDS = 300
"""How long the function may take for its documents."""
RECEIVES = 3
"""How often the queue delivers a message before it puts it aside."""
_ROUNDS = 3

Outcome = Document | None | Exception
"""What became of a document of a batch: its entry, None where there is nothing of it, or why it failed for now."""


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


@dataclass(frozen=True)
class IngestOptions:
    """How documents are brought up to date.

    Attributes:
        deadline: ``time.time()`` by which to have embedded; without one, each call to the embedder has a minute.
        last: nobody tries again after this attempt, so its failure is written into the entry, whatever it is.
        again: read and cut it anew, though nothing of it has changed.
    """

    deadline: float | None = None
    last: bool = False
    again: bool = False


ONCE = IngestOptions()


@dataclass(frozen=True)
class _Begun:
    """A document that was read, and the entry that stood there before."""

    ready: ReadyDocument
    entry: Document | None


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
    ) -> None:
        self._objects = objects
        self._registry = registry
        self._reader = reader
        self._keys = keys
        self._vectors = vectors
        self._indexer = Indexer(vectors=vectors, embedder=embedder, clock=clock)
        self._telemetry = telemetry
        self._clock = clock

    def handle(self, event: IngestEvent, *, deadline: float | None = None, last: bool = False) -> Document | None:
        """Bring the index to what the bucket holds of the document now; see `reconcile`."""
        return self.reconcile(event.tenant_id, event.name, IngestOptions(deadline, last, event.again))

    def reconcile(self, tenant_id: str, name: str, attempt: IngestOptions = ONCE) -> Document | None:
        """Return the document's entry, made now or before; None where there is neither document nor entry.

        A document that can't be read is an entry with the status ``failed`` and the reason; where an earlier version
        of it could be read, that one stays in the index, and the status is ``stale``.

        Raises:
            StoreUnavailable: a store did not answer, another writer is at it, or the document changed meanwhile.
            ModelUnavailable: the embedder did not answer.
            ModelThrottled: the embedder's provider said 429.
        """
        [outcome] = self.reconcile_many(tenant_id, [name], attempt).values()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def reconcile_many(
        self,
        tenant_id: str,
        batch: Sequence[str],
        attempt: IngestOptions = ONCE,
        *,
        until: float | None = None,
        alone: bool = False,
    ) -> dict[str, Outcome]:
        """Return what became of each document of a batch; see `reconcile`. What fails keeps no other from its turn.

        Args:
            tenant_id: the tenant.
            batch: names of documents.
            attempt: how.
            until: ``time.time()`` after which no further document is begun; such documents have no outcome. The first
                one is begun in any case.
            alone: each is indexed by itself, and what has ended this process before comes last.
        """
        waiting = list(dict.fromkeys(batch))
        if alone and len(waiting) > 1:
            waiting.sort(key=lambda name: self._was_cut_off(tenant_id, name))
        remaining, outcomes, rounds = deque(waiting), dict[str, Outcome](), Counter[str]()
        most = 1 if alone else EMBED_BATCH
        while remaining and not (outcomes and self._is_over(until)):
            done, written = self._run_group(tenant_id, remaining, attempt, most, until)
            outcomes |= done
            rounds.update(written)
            # An event that came while the claim was held was sent back to the queue, which hides it for long. What it
            # told of was there before the claim ended, so one look after that is enough to see it.
            for name in written:
                try:
                    if rounds[name] < _ROUNDS and self._has_moved(tenant_id, name, outcomes[name]):
                        remaining.appendleft(name)
                except Exception as error:  # nobody has looked: its next turn does
                    outcomes[name] = self._note_error(error)
        return outcomes

    def _is_over(self, until: float | None) -> bool:
        return until is not None and self._clock().timestamp() > until

    def _was_cut_off(self, tenant_id: str, name: str) -> bool:
        try:
            entry = self._registry.get(tenant_id, name)
        except PentadError:
            return False  # it decides on the order alone
        return entry is not None and CUT_OFF in (entry.error or "")

    def _has_moved(self, tenant_id: str, name: str, outcome: Outcome) -> bool:
        if isinstance(outcome, Exception):
            return False
        head = self._objects.get_head(f"{tenant_id}/{name}")
        standing = outcome.latest_version if outcome is not None and outcome.status != "deleted" else None
        return standing != (head.version if head is not None else None)

    def _run_group(
        self, tenant_id: str, remaining: deque[str], attempt: IngestOptions, most: int, until: float | None
    ) -> tuple[dict[str, Outcome], list[str]]:
        """Take documents off the batch until they have ``most`` chunks together, or it is late, and index those.

        Returns:
            What became of them, and which of them were claimed.
        """
        outcomes, written, group = dict[str, Outcome](), list[str](), list[_Begun]()
        with ExitStack() as claims:
            while remaining and sum(max(1, len(one.ready.chunks)) for one in group) < most:
                if (written or outcomes) and self._is_over(until):
                    break
                name = remaining.popleft()
                try:
                    current = None if attempt.again else self._look(tenant_id, name)
                    if current is not None:
                        outcomes[name] = current
                        continue
                    written.append(name)
                    opened = self._open(tenant_id, name, attempt, claims)
                except Exception as error:  # of this document: the others have their turn
                    outcomes[name] = self._note_error(error)
                    continue
                if isinstance(opened, _Begun):
                    group.append(opened)
                else:
                    outcomes[name] = opened
            return outcomes | self._index_group(group, attempt), written

    def _open(self, tenant_id: str, name: str, attempt: IngestOptions, claims: ExitStack) -> _Begun | Document | None:
        """Claim a document and return what is to be indexed, or its entry where there is nothing to index."""
        now = self._clock()
        claim = claims.enter_context(hold_claim(self._registry, tenant_id, name, now=now))
        head = self._objects.get_head(f"{tenant_id}/{name}")
        entry = self._registry.get(tenant_id, name)
        known = self._registry.get_chunks(tenant_id, name)
        if head is None:
            return self._forget(tenant_id, name, entry, known, claim, now)
        document = begin_entry(tenant_id, name, head, now)
        if head.key_id is not None and self._keys.is_revoked(tenant_id, head.key_id):
            return self._record_end(document, entry, "it was uploaded with a key that is revoked", claim)
        if attempt.last:  # first: an attempt that ends this process has no other chance to say so
            self._record_end(document, entry, CUT_OFF, claim)
        try:
            found, sha256 = self._read_document(head, name, attempt.deadline)
            check_text(found, entry)
        except InvalidInput as error:
            return self._record_failure(document, entry, known, claim, error)
        except PentadError as error:
            if attempt.last:
                self._record_end(document, entry, error.message, claim)
            raise
        return _Begun(
            ReadyDocument(document.model_copy(update=describe(found, sha256, entry)), found.chunks, known, claim), entry
        )

    def _look(self, tenant_id: str, name: str) -> Document | None:
        """Return the entry of a document that is in the index as it is; nothing is claimed or written for it."""
        entry = self._registry.get(tenant_id, name)
        if entry is None or entry.status != "indexed":
            return None
        head = self._objects.get_head(f"{tenant_id}/{name}")
        if head is None or not is_current(entry, head):
            return None
        if not all(self._registry.get_chunks(tenant_id, name).values()):  # a writer did not come to its end
            return None
        self._telemetry.count(names.DOCUMENTS_INGESTED, status="unchanged")
        return entry

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

    def _index_group(self, group: Sequence[_Begun], attempt: IngestOptions) -> dict[str, Outcome]:
        if not group:
            return {}
        chunks = sum(len(one.ready.chunks) for one in group)
        with self._telemetry.span("memory.ingest", {"pentad.chunks": chunks}) as span:
            ended = self._indexer.index([one.ready for one in group], attempt.deadline)
            done = [one for one in ended.values() if isinstance(one, Document)]
            span.set("pentad.embedded", sum(one.embedded for one in done))
        self._telemetry.count(names.DOCUMENTS_INGESTED, len(done), status="indexed")
        self._telemetry.count(names.CHUNKS_EMBEDDED, sum(one.embedded for one in done))
        outcomes: dict[str, Outcome] = {one.name: one for one in done}
        for one in group:
            error = ended[one.ready.document.name]
            if isinstance(error, InvalidInput):
                # Of several the text of one is refused: which one, each tells by itself.
                outcomes |= self._index_group([one], attempt) if len(group) > 1 else self._refuse(one, error)
            elif isinstance(error, Exception):
                outcomes |= self._put_off(one, self._note_error(error), attempt)
        return outcomes

    def _note_error(self, error: Exception) -> Exception:
        detail = error.message if isinstance(error, PentadError) else None
        self._telemetry.log_event("ingest.failed", level="WARNING", error=type(error).__name__, detail=detail)
        return error

    def _refuse(self, one: _Begun, error: InvalidInput) -> dict[str, Outcome]:
        """Return the entry of a document that the embedder refused; what was written of it leaves the index."""
        ready = one.ready
        try:
            return {
                ready.document.name: self._record_failure(ready.document, one.entry, ready.known, ready.claim, error)
            }
        except Exception as failed:
            return {ready.document.name: self._note_error(failed)}

    def _put_off(self, one: _Begun, error: Exception, attempt: IngestOptions) -> dict[str, Outcome]:
        """Return why a document is to be tried again; where nobody does, its entry says so too."""
        document, claim = one.ready.document, one.ready.claim
        if attempt.last and isinstance(error, PentadError) and not claim.ended:
            try:
                self._record_end(document, one.entry, error.message, claim)
            except Exception as failed:
                self._note_error(failed)
        return {document.name: error}

    def _forget(
        self,
        tenant_id: str,
        name: str,
        entry: Document | None,
        known: Mapping[str, str],
        claim: Claim,
        now: datetime,
    ) -> Document | None:
        if not known and (entry is None or entry.status == "deleted"):
            return entry
        claim.check()
        self._vectors.delete(tenant_id, list(known))
        gone = {"status": "deleted", "chunks": 0, "embedded": 0, "bytes": 0, "indexed_at": now}
        gone |= {"error": None, "failed_version": None, "notes": (), "sha256": None}
        if entry is None:  # the writer that knew more did not come to its end
            fields = {"tenant": tenant_id, "name": name, "version": "", "media_type": ""}
            entry = Document.model_validate(fields | gone)
        else:
            entry = entry.model_copy(update=gone)
        claim.end(entry, {})
        self._telemetry.count(names.DOCUMENTS_INGESTED, status="deleted")
        return entry

    def _record_failure(
        self, document: Document, entry: Document | None, known: Mapping[str, str], claim: Claim, error: InvalidInput
    ) -> Document:
        # What was known may have grown since: the embedder can be the one that refused.
        now_known = self._registry.get_chunks(document.tenant_id, document.name)
        reason = f"{error.message}; {error.fix}" if error.fix else error.message
        failed = mark_failed(document, entry, reason)
        kept = known if failed.status == "stale" else {}
        gone = [chunk_id for chunk_id in now_known if chunk_id not in kept]
        if gone:
            claim.check()
            self._vectors.delete(document.tenant_id, gone)
        claim.end(failed, kept)
        self._telemetry.count(names.DOCUMENTS_INGESTED, status=failed.status)
        return failed

    def _record_end(self, document: Document, entry: Document | None, reason: str, claim: Claim) -> Document:
        """Note that nobody tries again; what was indexed before stays, and the document's next event starts anew."""
        failed = mark_ended(document, entry, reason)
        claim.write(failed, self._registry.get_chunks(document.tenant_id, document.name))
        return failed
