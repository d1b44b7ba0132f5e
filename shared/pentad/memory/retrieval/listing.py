"""Go through all ids of a tenant's vectors."""

from collections.abc import Iterator

from pentad.memory.retrieval.ports import VectorStore


def iterate_ids(store: VectorStore, tenant_id: str, *, prefix: str = "") -> Iterator[str]:
    """Yield the ids that begin with ``prefix``, in order, page by page.

    Raises:
        StoreUnavailable: the store did not answer.
    """
    cursor: str | None = None
    while True:
        page = store.list_ids(tenant_id, prefix=prefix, cursor=cursor)
        yield from page.items
        if (cursor := page.cursor) is None:
            return
