"""What every vector store does."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pentad.domain.errors import ConfigurationError, StoreUnavailable
from pentad.memory.retrieval.adapters.vectors_memory import MemoryVectors
from pentad.memory.retrieval.adapters.vectors_pinecone import PineconeVectors
from pentad.memory.retrieval.ports import Vector, VectorStore
from twin.vectors import LocalIndex


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalIndex]:
    with LocalIndex(tmp_path / "index.sqlite", 3) as index:
        yield index


@pytest.fixture(params=["memory", "pinecone"])
def store(request: pytest.FixtureRequest) -> Iterator[VectorStore]:
    if request.param == "memory":
        yield MemoryVectors()
        return
    index = request.getfixturevalue("server")
    pinecone = PineconeVectors(lambda: {"api_key": "local", "index_host": index.url})
    yield pinecone
    pinecone.close()


def vector(name: str, *values: float, **metadata: Any) -> Vector:
    return Vector(vector_id=name, values=values or (1, 0, 0), metadata=metadata or {"document": "a"})


def test_the_nearest_come_first_with_cosine_scores_and_metadata(store: VectorStore) -> None:
    store.upsert(
        "acme", [vector("x", 2, 0, 0), vector("y", 1, 1, 0, start=7, text="é", tags=["a"]), vector("z", 0, 0, 1)]
    )
    found = store.query("acme", [1, 0, 0], top_k=2)
    assert [match.vector_id for match in found] == ["x", "y"]
    assert [match.score for match in found] == pytest.approx([1, 0.7071], abs=1e-4)
    assert found[1].metadata == {"start": 7, "text": "é", "tags": ["a"]}


def test_a_vector_of_the_same_id_is_replaced(store: VectorStore) -> None:
    store.upsert("acme", [vector("x", 1, 0, 0, version="1", old=True)])
    store.upsert("acme", [vector("x", 0, 1, 0, version="2")])
    [match] = store.query("acme", [0, 1, 0], top_k=5)
    assert match.metadata == {"version": "2"}
    assert match.score == pytest.approx(1)


def test_a_condition_matches_metadata_exactly(store: VectorStore) -> None:
    store.upsert(
        "acme", [vector("x", document="a", kind="t"), vector("y", document="b", kind="t"), vector("z", kind="t")]
    )
    found = store.query("acme", [1, 0, 0], top_k=5, where={"document": "b", "kind": "t"})
    assert [match.vector_id for match in found] == ["y"]


def test_tenants_are_apart(store: VectorStore) -> None:
    store.upsert("acme", [vector("x")])
    store.upsert("other", [vector("y")])
    store.delete("other", ["x"])
    assert [match.vector_id for match in store.query("acme", [1, 0, 0], top_k=5)] == ["x"]
    assert store.fetch("other", ["x"]) == {}


def test_a_tenant_without_vectors_finds_none(store: VectorStore) -> None:
    assert store.query("nobody", [1, 0, 0], top_k=5) == []
    assert store.fetch("nobody", ["x"]) == {}
    store.delete("nobody", ["x"])


def test_fetch_returns_what_is_there(store: VectorStore) -> None:
    store.upsert("acme", [vector("a#1", 0.25, 0.5, 0.125, text="a"), vector("b#1")])
    assert store.fetch("acme", ["a#1", "missing"]) == {"a#1": vector("a#1", 0.25, 0.5, 0.125, text="a")}
    assert store.fetch("acme", []) == {}


def test_deleted_vectors_are_gone_and_a_repeat_is_no_error(store: VectorStore) -> None:
    store.upsert("acme", [vector("x"), vector("y")])
    for _ in range(2):
        store.delete("acme", ["x", "never"])
    store.delete("acme", [])
    assert [match.vector_id for match in store.query("acme", [1, 0, 0], top_k=5)] == ["y"]


def test_thousands_of_vectors_and_megabytes_of_metadata_go_through(store: VectorStore) -> None:
    many = [vector(f"v{n:04d}", 1, n, 1, text="x" * 30_000 if n < 100 else "x") for n in range(1200)]
    store.upsert("acme", many)
    assert len(store.fetch("acme", [one.vector_id for one in many])) == 1200
    store.delete("acme", [one.vector_id for one in many])
    assert store.query("acme", [1, 0, 0], top_k=5) == []


def test_pinecone_reads_its_secret_with_the_first_call_only(server: LocalIndex) -> None:
    reads: list[int] = []

    def secret() -> dict[str, str]:
        reads.append(1)
        return {"api_key": "local", "index_host": server.url}

    store = PineconeVectors(secret)
    assert reads == []
    store.query("acme", [1, 0, 0], top_k=1)
    store.query("acme", [1, 0, 0], top_k=1)
    store.close()
    assert reads == [1]


def test_pinecone_reads_its_secret_again_after_the_key_was_refused(server: LocalIndex) -> None:
    keys = iter(["invalid", "rotated"])
    store = PineconeVectors(lambda: {"api_key": next(keys), "index_host": server.url})
    with pytest.raises(ConfigurationError, match="credential"):
        store.query("acme", [1, 0, 0], top_k=1)
    assert store.query("acme", [1, 0, 0], top_k=1) == []
    store.close()


def test_pinecone_of_another_dimension_is_a_configuration_error(server: LocalIndex) -> None:
    store = PineconeVectors(lambda: {"api_key": "local", "index_host": server.url})
    with pytest.raises(ConfigurationError, match="400"):
        store.upsert("acme", [vector("x", 1, 2)])
    store.close()


def test_pinecone_that_can_not_be_reached_is_transient(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("pinecone._internal.http_client._retry_sleep", lambda seconds: None)
    with LocalIndex(tmp_path / "gone.sqlite", 3) as index:
        url = index.url
    store = PineconeVectors(lambda: {"api_key": "local", "index_host": url})
    with pytest.raises(StoreUnavailable):
        store.query("acme", [1, 0, 0], top_k=1)
    store.close()
