"""Where else a user's things are: replies that are kept for repeats, tools' records and files, the vector store."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from pentad.aws.pages import decode_cursor, encode_cursor
from pentad.aws.table import Item, Table
from pentad.domain import keys
from pentad.domain.ids import hash_user
from pentad.domain.knowledge import own_documents
from pentad.memory.retrieval.ports import VectorStore
from pentad.memory.retrieval.readers import READERS, label_user
from pentad.orchestration.erasure.adapters.wiping import VersionedObjects
from pentad.orchestration.erasure.ports import ErasureStage, Visit

_PAGE: Final = 100
_VECTOR_PAGES: Final = 10
"""Pages of ids that one visit looks through; the receipt is written after each visit."""


class RepliesPlace:
    """The replies that are kept for exact repeats of what the user's runs asked.

    A reply that another user's run asked for too goes as well: it answers the same words.

    Args:
        transient: the table of kept replies.
    """

    def __init__(self, transient: Table) -> None:
        self._transient = transient

    def visit(self, tenant_id: str, user_id: str, cursor: str | None, *, stage: ErasureStage) -> Visit:
        """See `Place`."""
        pk = keys.cached_replies_pk(tenant_id, hash_user(user_id))
        items, end = self._transient.query(pk, limit=_PAGE, start=decode_cursor(cursor, pk))
        if stage == "remove":
            for item in items:
                # The note of it goes last: it says where the reply is.
                for sk in (keys.META, keys.LEASE):  # the reply, and one that was handed over a moment ago
                    self._transient.delete(keys.cached_reply_pk(tenant_id, str(item["sk"])), sk)
                self._transient.delete(pk, str(item["sk"]))
        return Visit(found=+Counter(cached_replies=len(items)), cursor=encode_cursor(end))


class RecordsPlace:
    """The records of tools that are the user's own: those whose keys begin with ``users/{user}/``.

    Args:
        records: the table of tools.
        kinds: the kinds of records that tools have.
    """

    def __init__(self, records: Table, kinds: Sequence[str]) -> None:
        self._records = records
        self._kinds = kinds

    def visit(self, tenant_id: str, user_id: str, cursor: str | None, *, stage: ErasureStage) -> Visit:
        """See `Place`."""
        number, _, inner = (cursor or "0:").partition(":")
        if int(number) >= len(self._kinds):
            return Visit()  # no tool has records, or fewer do since the page before
        kind = self._kinds[int(number)]
        pk = keys.collection_pk(tenant_id, kind)
        start = decode_cursor(inner or None, pk)
        items, end = self._records.query(pk, begins=own_documents(user_id), limit=_PAGE, start=start)
        if stage == "remove":
            for item in items:
                self._records.delete(pk, str(item["sk"]))
        return Visit(found=+Counter(tool_records=len(items)), cursor=self._find_next(int(number), end))

    def _find_next(self, number: int, end: Item | None) -> str | None:
        """Return where the next page begins: in this kind of records, in the next one, or nowhere."""
        if end is not None:
            return f"{number}:{encode_cursor(end)}"
        return f"{number + 1}:" if number + 1 < len(self._kinds) else None


class FilesPlace:
    """The files of tools that are the user's own: those below ``users/{user}/``, with all versions.

    Args:
        payloads: the bucket of files.
        root: what is in front of a tenant's files.
    """

    def __init__(self, payloads: VersionedObjects, root: str) -> None:
        self._payloads = payloads
        self._root = root

    def visit(self, tenant_id: str, user_id: str, cursor: str | None, *, stage: ErasureStage) -> Visit:
        """See `Place`."""
        act = self._payloads.wipe if stage == "remove" else self._payloads.count
        return Visit(found=+Counter(tool_files=act(f"{self._root}/{tenant_id}/{own_documents(user_id)}")))


class VectorsPlace:
    """The vectors that only the user may be shown, whatever their document's entry says.

    To find them surely, all of the tenant's are looked through: a search by likeness returns the nearest, not all.

    Args:
        vectors: the store.
    """

    def __init__(self, vectors: VectorStore) -> None:
        self._vectors = vectors

    def visit(self, tenant_id: str, user_id: str, cursor: str | None, *, stage: ErasureStage) -> Visit:
        """See `Place`."""
        found = 0
        for _ in range(_VECTOR_PAGES):
            page = self._vectors.list_ids(tenant_id, cursor=cursor, limit=_PAGE)
            held = self._vectors.fetch(tenant_id, page.items) if page.items else {}
            own = [name for name, one in held.items() if _is_own(one.metadata, user_id)]
            found += len(own)
            if stage == "remove" and own:
                self._vectors.delete(tenant_id, own)
            cursor = page.cursor
            if cursor is None:
                break
        return Visit(found=+Counter(vectors=found), cursor=cursor)


def _is_own(metadata: object, user_id: str) -> bool:
    """Tell whether a vector is the user's, by who may read it or by its document's name."""
    if not isinstance(metadata, dict):
        return False
    readers, document = metadata.get(READERS), metadata.get("document")
    labels = readers if isinstance(readers, list) else [readers]
    return label_user(user_id) in labels or str(document or "").startswith(own_documents(user_id))
