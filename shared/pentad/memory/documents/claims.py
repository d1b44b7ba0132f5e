"""A writer's claim on a document, renewed while the writer works: one that is killed keeps others out for 30 s."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime

from pentad.aws.heartbeat import Heartbeat
from pentad.domain.errors import PentadError
from pentad.domain.ids import make_id
from pentad.domain.knowledge import Document
from pentad.memory.documents.ports import DocumentRegistry

CLAIM_SECONDS = 30.0
_SPARE_SECONDS = 10.0
"""What is written into the vector store after a check of the claim takes less."""


class Claim:
    """The right to write of one document. What its writer writes is refused where another has it by now.

    Args:
        registry: what is indexed.
        tenant_id: the tenant.
        name: of the document.
        owner: names the writer.
        held: renews the claim.

    Attributes:
        ended: the claim was given up with what was written last.
    """

    def __init__(self, registry: DocumentRegistry, tenant_id: str, name: str, owner: str, held: Heartbeat) -> None:
        self._registry = registry
        self._tenant_id = tenant_id
        self._name = name
        self._owner = owner
        self._held = held
        self.ended = False

    def check(self) -> None:
        """Go on only while no other writer can have taken the document over.

        Raises:
            StoreUnavailable: one may have.
        """
        self._held.check()

    def record_intent(self, chunks: Mapping[str, str]) -> None:
        """Note which chunks may be in the vector store from now on; see `DocumentRegistry`."""
        self._registry.record_intent(self._tenant_id, self._name, chunks, owner=self._owner)

    def write(self, document: Document, chunks: Mapping[str, str]) -> None:
        """Store the entry and its chunks, and keep the claim."""
        self._registry.put(document, chunks, owner=self._owner)

    def end(self, document: Document, chunks: Mapping[str, str]) -> None:
        """Store the entry and its chunks, and let other writers in."""
        self._registry.put(document, chunks, owner=self._owner, ends=True)
        self.ended = True


@contextmanager
def hold_claim(
    registry: DocumentRegistry, tenant_id: str, name: str, *, now: datetime, seconds: float = CLAIM_SECONDS
) -> Iterator[Claim]:
    """Keep other writers off a document for as long as the block runs, and ``seconds`` longer where it is killed.

    Raises:
        StoreUnavailable: another writer holds it.
    """
    owner = make_id("ing", now)

    def renew() -> None:
        registry.renew(tenant_id, name, owner=owner, seconds=seconds)

    held = Heartbeat(renew, seconds=seconds, spare_seconds=_SPARE_SECONDS)
    registry.acquire(tenant_id, name, owner=owner, seconds=seconds)
    claim = Claim(registry, tenant_id, name, owner, held)
    try:
        with held:  # it ends before the claim does, or would renew it after its end
            yield claim
    finally:
        if not claim.ended:
            # It ends by itself too. What became of the document counts, and the error of the block.
            with suppress(PentadError):
                registry.release(tenant_id, name, owner=owner)
