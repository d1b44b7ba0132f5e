"""What stands on a document's entry, and with each of its vectors."""

from datetime import datetime
from typing import Any

from pentad.domain.knowledge import Document, find_collection
from pentad.memory.documents.chunk import Chunk
from pentad.memory.documents.contents import RECIPE, ReadDocument
from pentad.memory.objects.ports import ObjectHead
from pentad.memory.retrieval.readers import COLLECTION, DOCUMENT_KIND, READERS, label_document

_MANY_CHUNKS, _SHRUNKEN = 10, 10
"""A version is doubtful where one of so many chunks has become one of a tenth of them."""
CUT_OFF = "each attempt to index it was cut off"


def is_current(entry: Document, head: ObjectHead) -> bool:
    """Tell whether the index holds what the bucket does, cut as it is cut today."""
    return entry.status == "indexed" and entry.version == head.version and entry.recipe == RECIPE


def begin_entry(tenant_id: str, name: str, head: ObjectHead, now: datetime) -> Document:
    """Return the entry of a version as it is before it is read."""
    return Document(
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


def describe(found: ReadDocument, sha256: str, before: Document | None = None) -> dict[str, Any]:
    """Return what the entry says of a document that was read.

    Args:
        found: what was read.
        sha256: of its bytes.
        before: the entry so far: a version that has little of the text of the one before may be cut off.
    """
    notes = tuple(found.notes)
    had = before.chunks if before is not None and before.status in ("indexed", "stale") else 0
    if had >= _MANY_CHUNKS and len(found.chunks) * _SHRUNKEN <= had:
        notes = (f"it has {len(found.chunks):,} chunks, and the version before had {had:,}: is it whole?", *notes)
    return {
        "media_type": found.media_type,
        "notes": notes,
        "parser": found.parser,
        "language": found.language,
        "recipe": RECIPE,
        "sha256": sha256,
    }


def mark_failed(document: Document, entry: Document | None, reason: str) -> Document:
    """Return the entry of a version that could not be indexed: of the version before, where that is in the index."""
    error = reason[:500]
    if entry is None or entry.status not in ("indexed", "stale"):
        return document.model_copy(update={"status": "failed", "error": error})
    changes = {"status": "stale", "error": error, "failed_version": document.version, "indexed_at": document.indexed_at}
    return entry.model_copy(update=changes)


def mark_ended(document: Document, entry: Document | None, reason: str) -> Document:
    """Return the entry of a version that nobody tries again; its document's next event starts anew."""
    return mark_failed(document, entry, f"not indexed: {reason}; upload the document again")


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
