"""Index documents that were read: into the vector store, then into the registry.

Several documents share calls to the embedder and to the vector store; each has its own claim, chunk list and entry.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from pentad.domain.knowledge import Document
from pentad.domain.models import CallContext
from pentad.memory.documents.chunk import Chunk
from pentad.memory.documents.claims import Claim
from pentad.memory.documents.entries import build_embed_text, build_metadata
from pentad.memory.retrieval.ports import Vector, VectorStore
from pentad.models.ports import Embedder

EMBED_BATCH = 64
"""Texts a call: the gateway answers with 64 vectors of 3,072 numbers in 1 MB, and Lambda's limit is 6 MB."""
EMBED_SECONDS = 60.0


@dataclass(frozen=True)
class ReadyDocument:
    """A document that was read, and is to be indexed.

    Attributes:
        document: what its entry will say.
        chunks: in order.
        known: chunks that may be in the vector store: chunk id to SHA-256, empty where it is not certain.
        claim: of who writes.
    """

    document: Document
    chunks: Sequence[Chunk]
    known: Mapping[str, str]
    claim: Claim


Part = tuple[ReadyDocument, Chunk]


class Indexer:
    """Writes what was read into the vector store and, by its claim, the registry.

    Args:
        vectors: where the chunks go.
        embedder: turns chunks into vectors.
        clock: tells the time, in UTC.
    """

    def __init__(self, *, vectors: VectorStore, embedder: Embedder, clock: Callable[[], datetime]) -> None:
        self._vectors = vectors
        self._embedder = embedder
        self._clock = clock

    def index(self, readings: Sequence[ReadyDocument], deadline: float | None) -> dict[str, Document | Exception]:
        """Index documents of one tenant and return the entry of each, or why it has none.

        What befalls one of them is no other's: another writer's claim, a store that did not answer for it. What befalls
        a call that they share is told of those that were not yet wholly written: the embedder refused a text
        (`InvalidInput`; which one's, each tells by itself) or did not answer, the vector store did not.

        Args:
            readings: the documents; all are noted in the registry before the first vector is written.
            deadline: ``time.time()`` by which to have embedded; a minute from each batch where none is given.
        """
        outcomes: dict[str, Document | Exception] = {}
        for one in readings:
            wanted = dict.fromkeys([*one.known, *(chunk.chunk_id for chunk in one.chunks)], "")
            with _keep_error(one, outcomes):
                one.claim.record_intent(wanted)
        left = Counter({one.document.name: len(one.chunks) for one in readings})
        embedded, broken = Counter[str](), None
        remaining = iter(_iterate_parts(readings))
        while batch := list(islice(remaining, EMBED_BATCH)):
            try:
                missing = self._write(batch, deadline, outcomes)
            except Exception as error:
                broken = error
                break
            left.subtract(one.document.name for one, _ in batch)
            embedded.update(one.document.name for one, _ in missing)
        for one in readings:
            name = one.document.name
            if broken is not None and left[name]:
                outcomes.setdefault(name, broken)
            elif name not in outcomes:
                with _keep_error(one, outcomes):
                    outcomes[name] = self._finish(one, embedded[name])
        return outcomes

    def _finish(self, one: ReadyDocument, embedded: int) -> Document:
        wanted = {chunk.chunk_id: chunk.sha256 for chunk in one.chunks}
        gone = [chunk_id for chunk_id in one.known if chunk_id not in wanted]
        if gone:
            one.claim.check()
            self._vectors.delete(one.document.tenant_id, gone)
        done = one.document.model_copy(update={"chunks": len(one.chunks), "embedded": embedded})
        one.claim.end(done, wanted)
        return done

    def _write(
        self, batch: Sequence[Part], deadline: float | None, outcomes: dict[str, Document | Exception]
    ) -> list[Part]:
        """Store the vectors of some chunks and return those that had to be embedded.

        A document that has an outcome has failed, and nothing more of it is written.
        """
        batch = _leave_out(batch, outcomes)
        if not batch:
            return []
        tenant_id = batch[0][0].document.tenant_id
        known = [chunk.chunk_id for one, chunk in batch if chunk.chunk_id in one.known]
        held = self._vectors.fetch(tenant_id, known) if known else {}
        values = {
            chunk.chunk_id: held[chunk.chunk_id].values
            for _, chunk in batch
            if chunk.chunk_id in held and held[chunk.chunk_id].metadata.get("chunk_hash") == chunk.sha256
        }
        missing = [part for part in batch if part[1].chunk_id not in values]
        if missing:
            until = self._clock().timestamp() + EMBED_SECONDS if deadline is None else deadline
            context = CallContext(tenant_id=tenant_id, purpose="embed_document")
            texts = [build_embed_text(chunk) for _, chunk in missing]
            reply = self._embedder.embed(texts, context, deadline=until)
            values.update(zip((chunk.chunk_id for _, chunk in missing), reply.vectors, strict=True))
        for one in {one.document.name: one for one, _ in batch}.values():
            with _keep_error(one, outcomes):
                one.claim.check()
        # All are written: an unchanged chunk may stand elsewhere, and is of another version, which its metadata tells.
        self._vectors.upsert(
            tenant_id,
            [
                Vector(
                    vector_id=chunk.chunk_id,
                    values=values[chunk.chunk_id],
                    text=build_embed_text(chunk),
                    metadata=build_metadata(one.document, chunk),
                )
                for one, chunk in _leave_out(batch, outcomes)
            ],
        )
        return missing


@contextmanager
def _keep_error(one: ReadyDocument, outcomes: dict[str, Document | Exception]) -> Iterator[None]:
    """Make the error of the block what became of a document; the others go on."""
    try:
        yield
    except Exception as error:
        outcomes[one.document.name] = error


def _leave_out(batch: Sequence[Part], outcomes: Mapping[str, Document | Exception]) -> list[Part]:
    return [part for part in batch if part[0].document.name not in outcomes]


def _iterate_parts(readings: Sequence[ReadyDocument]) -> Iterator[Part]:
    for one in readings:
        for chunk in one.chunks:
            yield one, chunk
