"""What is Qdrant's alone."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from pentad.domain.errors import ConfigurationError, StoreUnavailable
from pentad.memory.retrieval.adapters.vectors_qdrant import QdrantVectors
from pentad.memory.retrieval.ports import Vector
from tests.contract.memory.qdrant_server import KEY, serve_qdrant

ONE = Vector(vector_id="x", values=(1, 0, 0), text="an account", metadata={"document": "a"})


def test_functions_that_start_at_once_make_the_collection_once() -> None:
    with serve_qdrant() as url:

        def write(number: int) -> None:
            own = QdrantVectors(lambda: {"url": url, "api_key": KEY})
            own.upsert("acme", [ONE.model_copy(update={"vector_id": f"v{number}"})])
            own.close()

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(write, range(6)))
        store = QdrantVectors(lambda: {"url": url, "api_key": KEY})
        assert len(store.list_ids("acme").items) == 6
        assert store.capabilities.dimension == 3
        store.close()


def test_the_key_is_read_again_after_it_was_refused() -> None:
    with serve_qdrant() as url:
        keys = iter(["old", KEY])
        store = QdrantVectors(lambda: {"url": url, "api_key": next(keys)})
        with pytest.raises(ConfigurationError, match="credential"):
            store.upsert("acme", [ONE])
        store.upsert("acme", [ONE])
        assert store.list_ids("acme").items == ("x",)
        store.close()


@pytest.mark.parametrize(
    ("secret", "error"),
    [({}, ConfigurationError), ({"url": "http://127.0.0.1:1"}, StoreUnavailable)],
)
def test_a_server_that_can_not_be_used_is_told_apart(secret: dict[str, str], error: type[Exception]) -> None:
    store = QdrantVectors(lambda: secret)
    with pytest.raises(error):
        store.list_ids("acme")
    store.close()
