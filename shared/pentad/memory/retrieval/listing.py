"""Go through all ids of a tenant's vectors."""

from collections.abc import Iterator

from pentad.memory.retrieval.ports import VectorStore


def iterate_ids(store: VectorStore, tenant_id: str) -> Iterator[str]:
    """Yield the ids in order, page by page.

    Raises:
        StoreUnavailable: the store did not answer.
    """
    cursor: str | None = None
    while True:
        page = store.list_ids(tenant_id, cursor=cursor)
        yield from page.items
        if (cursor := page.cursor) is None:
            return
