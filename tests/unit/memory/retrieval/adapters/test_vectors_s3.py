"""S3 Vectors: pages of results are read to their end, and to the end of an index that goes meanwhile."""

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pentad.domain.errors import StoreUnavailable
from pentad.memory.retrieval.adapters.vectors_s3 import MOST_PAGES, S3Vectors
from pentad.memory.retrieval.ports import SearchRequest


class Pages:
    """A client that knows pages: three of two vectors each, or none from ``gone`` on, or pages without end."""

    def __init__(self, *, gone: int = 10_000, endless: bool = False) -> None:
        self.asked: list[str | None] = []
        self._gone, self._endless = gone, endless
        shape = SimpleNamespace(members={"nextToken": None, "topK": None})
        model = SimpleNamespace(operation_model=lambda name: SimpleNamespace(input_shape=shape))
        self.meta = SimpleNamespace(service_model=model)

    def query_vectors(self, *, nextToken: str | None = None, **asked: Any) -> dict[str, Any]:
        self.asked.append(nextToken)
        page = len(self.asked)
        if page >= self._gone:
            raise ClientError(
                {"Error": {"Code": "NotFoundException", "Message": "The index is not there"}}, "QueryVectors"
            )
        if self._endless:
            return {"vectors": [], "nextToken": f"p{page + 1}"}
        made = [{"key": f"v{page}{place}", "distance": 0.1 * page, "metadata": {"payload": "{}"}} for place in range(2)]
        return {"vectors": made} | ({"nextToken": f"p{page + 1}"} if page < 3 else {})


def find(client: Pages, k: int = 50) -> list[str]:
    store = S3Vectors(lambda: client, "vectors")
    return [one.vector_id for one in store.search("acme", SearchRequest(dense=(1.0, 0.0), k=k))]


def test_all_pages_are_read_and_no_more_than_is_asked_for() -> None:
    client = Pages()
    assert find(client) == ["v10", "v11", "v20", "v21", "v30", "v31"]
    assert client.asked == [None, "p2", "p3"]
    few = Pages()
    assert find(few, k=3) == ["v10", "v11", "v20"]
    assert few.asked == [None, "p2"]


@pytest.mark.parametrize(("gone", "found"), [(1, []), (2, ["v10", "v11"])])
def test_an_index_that_is_deleted_between_two_pages_has_no_more_of_them(gone: int, found: list[str]) -> None:
    client = Pages(gone=gone)
    assert find(client) == found
    assert len(client.asked) == gone


def test_pages_without_end_are_told_after_so_many() -> None:
    client = Pages(endless=True)
    with pytest.raises(StoreUnavailable, match="still has more"):
        find(client)
    assert len(client.asked) == MOST_PAGES
