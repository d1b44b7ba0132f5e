"""The local index through the real pinecone client."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pinecone import Pinecone
from pinecone.errors.exceptions import ApiError, NotFoundError, UnauthorizedError

from twin.vectors import IndexUnusable, LocalIndex

pytestmark = pytest.mark.twin

DIMENSION = 4


def connect(url: str, key: str = "local") -> Any:
    return Pinecone(api_key=key).Index(host=url)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalIndex]:
    with LocalIndex(tmp_path / "index.sqlite", DIMENSION) as index:
        yield index


@pytest.fixture
def index(server: LocalIndex) -> Iterator[Any]:
    with connect(server.url) as client:
        yield client


def films() -> list[dict[str, Any]]:
    return [
        {
            "id": "a",
            "values": [1, 0, 0, 0],
            "metadata": {"genre": "drama", "year": 2019, "tags": ["slow", "long"], "seen": True},
        },
        {"id": "b", "values": [0.9, 0.1, 0, 0], "metadata": {"genre": "comedy", "year": 2021, "seen": False}},
        {"id": "c", "values": [0, 1, 0, 0], "metadata": {"genre": "drama", "year": 2023, "rating": 4.5}},
        {"id": "d", "values": [0, 0, 0, 2]},
    ]


def ids(response: Any) -> list[str]:
    return [match.id for match in response.matches]


def test_the_nearest_vectors_come_first_with_cosine_scores(index: Any) -> None:
    assert index.upsert(vectors=films(), namespace="films").upserted_count == 4
    found = index.query(vector=[2, 0, 0, 0], top_k=3, namespace="films")
    assert ids(found) == ["a", "b", "c"]
    assert [match.score for match in found.matches] == pytest.approx([1.0, 0.99388, 0.0], abs=1e-4)
    assert found.namespace == "films"


def test_values_and_metadata_come_only_when_asked_for(index: Any) -> None:
    index.upsert(vectors=films())
    bare = index.query(vector=[1, 0, 0, 0], top_k=1).matches[0]
    full = index.query(vector=[1, 0, 0, 0], top_k=1, include_values=True, include_metadata=True).matches[0]
    assert (bare.values, bare.metadata) == ([], None)
    assert full.values == [1, 0, 0, 0]
    assert full.metadata["tags"] == ["slow", "long"]


def test_a_query_by_id_uses_the_stored_vector(index: Any) -> None:
    index.upsert(vectors=films())
    assert ids(index.query(id="c", top_k=2)) == ["c", "b"]
    assert ids(index.query(id="nowhere", top_k=2)) == []


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ({"genre": "drama"}, "ac"),
        ({"genre": {"$eq": "drama"}, "year": {"$gt": 2020}}, "c"),
        ({"genre": {"$ne": "drama"}}, "bd"),
        ({"year": {"$gte": 2019, "$lt": 2023}}, "ab"),
        ({"year": {"$lte": 2019}}, "a"),
        ({"genre": {"$in": ["comedy", "horror"]}}, "b"),
        ({"genre": {"$nin": ["comedy"]}}, "acd"),
        ({"tags": "slow"}, "a"),
        ({"tags": {"$in": ["long", "short"]}}, "a"),
        ({"rating": {"$exists": True}}, "c"),
        ({"rating": {"$exists": False}}, "abd"),
        ({"$or": [{"genre": "comedy"}, {"rating": {"$gt": 4}}]}, "bc"),
        ({"$and": [{"genre": "drama"}, {"$or": [{"year": 2019}, {"year": 2020}]}]}, "a"),
        ({"seen": True}, "a"),
        ({"seen": {"$eq": 1}}, ""),
    ],
)
def test_filters_choose_the_records(index: Any, filter_: dict[str, Any], expected: str) -> None:
    index.upsert(vectors=films())
    assert "".join(sorted(ids(index.query(vector=[1, 1, 1, 1], top_k=10, filter=filter_)))) == expected


@pytest.mark.parametrize(
    "filter_",
    [{"year": {"$gt": "2020"}}, {"year": {"$about": 1}}, {"$and": {}}, {"genre": {"$in": "drama"}}, {"$not": []}],
)
def test_a_malformed_filter_is_refused(index: Any, filter_: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as error:
        index.query(vector=[1, 1, 1, 1], top_k=1, filter=filter_)
    assert error.value.status_code == 400
    assert error.value.body is not None
    assert error.value.body["code"] == 3


def test_fetch_returns_what_exists(index: Any) -> None:
    index.upsert(vectors=films())
    found = index.fetch(ids=["a", "missing", "d"]).vectors
    assert set(found) == {"a", "d"}
    assert found["a"].metadata["year"] == 2019
    assert found["d"].metadata is None


def test_fetch_by_metadata_goes_through_pages(index: Any) -> None:
    index.upsert(vectors=films())
    first = index.fetch_by_metadata(filter={"genre": "drama"}, limit=1)
    second = index.fetch_by_metadata(filter={"genre": "drama"}, limit=1, pagination_token=first.pagination.next)
    assert (list(first.vectors), list(second.vectors), second.pagination) == (["a"], ["c"], None)


def test_update_merges_metadata_and_replaces_values(index: Any) -> None:
    index.upsert(vectors=films())
    index.update(id="a", set_metadata={"year": 2020, "new": "yes"})
    index.update(id="a", values=[0, 0, 1, 0])
    vector = index.fetch(ids=["a"]).vectors["a"]
    assert vector.values == [0, 0, 1, 0]
    assert (vector.metadata["year"], vector.metadata["genre"], vector.metadata["new"]) == (2020, "drama", "yes")
    assert ids(index.query(vector=[0, 0, 1, 0], top_k=1)) == ["a"]


def test_update_by_filter_reports_its_matches_and_a_dry_run_changes_nothing(index: Any) -> None:
    index.upsert(vectors=films())
    change = {"filter": {"genre": "drama"}, "set_metadata": {"seen": True}}
    assert index.update(**change, dry_run=True).matched_records == 2
    assert "seen" not in index.fetch(ids=["c"]).vectors["c"].metadata
    assert index.update(**change).matched_records == 2
    assert index.fetch(ids=["c"]).vectors["c"].metadata["seen"] is True


def test_deletes_by_id_by_filter_and_of_everything(index: Any) -> None:
    index.upsert(vectors=films(), namespace="films")
    index.delete(ids=["a", "unknown"], namespace="films")
    assert sorted(ids(index.query(vector=[1, 1, 1, 1], top_k=9, namespace="films"))) == ["b", "c", "d"]
    index.delete(filter={"genre": "comedy"}, namespace="films")
    assert sorted(ids(index.query(vector=[1, 1, 1, 1], top_k=9, namespace="films"))) == ["c", "d"]
    index.delete(delete_all=True, namespace="films")
    assert index.describe_index_stats().total_vector_count == 0


def test_deleting_from_an_unknown_namespace_is_not_found(index: Any) -> None:
    with pytest.raises(NotFoundError):
        index.delete(ids=["a"], namespace="nowhere")


def test_list_goes_through_pages_by_prefix(index: Any) -> None:
    index.upsert(vectors=[{"id": f"doc1#{n:03}", "values": [1, 2, 3, n + 1]} for n in range(7)])
    index.upsert(vectors=[{"id": "doc2#000", "values": [1, 0, 0, 0]}])
    pages = [[item.id for item in page.vectors] for page in index.list(prefix="doc1#", limit=3)]
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [id_ for page in pages for id_ in page] == [f"doc1#{n:03}" for n in range(7)]


def test_stats_count_by_namespace(index: Any) -> None:
    index.upsert(vectors=films())
    index.upsert(vectors=films()[:2], namespace="tenant-2")
    stats = index.describe_index_stats()
    assert (stats.dimension, stats.total_vector_count, stats.metric) == (DIMENSION, 6, "cosine")
    assert {name: one.vector_count for name, one in stats.namespaces.items()} == {"__default__": 4, "tenant-2": 2}


def test_namespaces_are_apart_and_can_be_listed_and_deleted(index: Any) -> None:
    for name in ("one", "two", "three"):
        index.upsert(vectors=[{"id": name, "values": [1, 0, 0, 0]}], namespace=name)
    assert ids(index.query(vector=[1, 0, 0, 0], top_k=9, namespace="two")) == ["two"]
    first = index.list_namespaces_paginated(limit=2)
    assert [one.name for one in first.namespaces] == ["one", "three"]
    assert index.describe_namespace(name="two").record_count == 1
    index.delete_namespace(name="two")
    assert [one.name for page in index.list_namespaces() for one in page.namespaces] == ["one", "three"]
    with pytest.raises(NotFoundError):
        index.describe_namespace(name="two")


def test_create_namespace_makes_an_empty_one_once(index: Any) -> None:
    assert index.create_namespace(name="fresh").record_count == 0
    with pytest.raises(ApiError) as error:
        index.create_namespace(name="fresh")
    assert error.value.status_code == 409


def test_a_wrong_dimension_is_refused_and_nothing_of_the_batch_is_stored(index: Any) -> None:
    with pytest.raises(ApiError, match="dimension 3 does not match the dimension of the index 4"):
        index.upsert(vectors=[films()[0], {"id": "bad", "values": [1, 2, 3]}])
    assert index.describe_index_stats().total_vector_count == 0
    with pytest.raises(ApiError, match="dimension"):
        index.query(vector=[1, 2, 3], top_k=1)


@pytest.mark.parametrize(
    ("vector", "message"),
    [
        ({"id": "z", "values": [0, 0, 0, 0]}, "non-zero"),
        ({"id": "m", "values": [1, 0, 0, 0], "metadata": {"text": "x" * 41_000}}, "40960 bytes"),
    ],
)
def test_limits_on_a_vector_are_enforced(index: Any, vector: dict[str, Any], message: str) -> None:
    with pytest.raises(ApiError, match=message) as error:
        index.upsert(vectors=[vector])
    assert error.value.status_code == 400


def test_more_than_1000_vectors_in_one_request_are_refused(index: Any) -> None:
    with pytest.raises(ApiError, match="1000"):
        index.upsert(vectors=[{"id": str(n), "values": [1, 0, 0, n]} for n in range(1001)])


def test_a_missing_or_invalid_key_is_unauthorized(server: LocalIndex) -> None:
    with connect(server.url, "invalid") as client, pytest.raises(UnauthorizedError) as error:
        client.describe_index_stats()
    assert error.value.body == {"code": 16, "message": "Invalid API Key", "details": []}


def test_vectors_survive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "state" / "index.sqlite"
    with LocalIndex(path, DIMENSION) as server, connect(server.url) as client:
        client.upsert(vectors=films(), namespace="kept")
        client.delete(ids=["b"], namespace="kept")
    with LocalIndex(path, DIMENSION) as server, connect(server.url) as client:
        assert ids(client.query(vector=[1, 0, 0, 0], top_k=9, namespace="kept"))[0] == "a"
        assert client.describe_index_stats().total_vector_count == 3
        assert client.fetch(ids=["a"], namespace="kept").vectors["a"].metadata["tags"] == ["slow", "long"]


def test_what_was_deleted_is_in_no_file_of_the_index(index: Any, tmp_path: Path) -> None:
    for number in range(300):
        vector = {"id": f"v{number}", "values": [1, 0, 0, number + 1], "metadata": {"text": f"canary-{number} " * 40}}
        index.upsert(vectors=[vector], namespace="one" if number % 2 else "two")
    assert any(b"canary-" in path.read_bytes() for path in tmp_path.iterdir())
    index.delete(ids=[f"v{number}" for number in range(299)], namespace="one")
    index.delete(delete_all=True, namespace="two")
    left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"canary-299" in left and left.replace(b"canary-299", b"").count(b"canary-") == 0
    index.delete_namespace(name="one")
    assert not any(b"canary-" in path.read_bytes() for path in tmp_path.iterdir())


def test_a_file_of_another_dimension_is_refused(tmp_path: Path) -> None:
    LocalIndex(tmp_path / "index.sqlite", DIMENSION).stop()
    with pytest.raises(IndexUnusable, match="dimension 4"):
        LocalIndex(tmp_path / "index.sqlite", 8)


def test_a_file_that_is_open_already_is_refused(server: LocalIndex, tmp_path: Path) -> None:
    with pytest.raises(IndexUnusable, match="in use"):
        LocalIndex(tmp_path / "index.sqlite", DIMENSION)


def test_concurrent_writers_lose_nothing(index: Any) -> None:
    def write(worker: int) -> None:
        for n in range(10):
            index.upsert(vectors=[{"id": f"{worker}-{n}", "values": [worker + 1, n, 1, 0]}], namespace="busy")
            index.query(vector=[1, 1, 1, 1], top_k=5, namespace="busy")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert index.describe_index_stats().namespaces["busy"].vector_count == 80
    assert len(ids(index.query(vector=[1, 1, 1, 1], top_k=100, namespace="busy"))) == 80


def test_brute_force_agrees_with_numpy_after_many_changes(index: Any) -> None:
    random = np.random.default_rng(7)
    vectors = {f"v{n}": random.normal(size=DIMENSION) for n in range(300)}
    index.upsert(vectors=[{"id": name, "values": values.tolist()} for name, values in vectors.items()])
    gone = [f"v{n}" for n in range(0, 300, 3)]
    index.delete(ids=gone)
    query = random.normal(size=DIMENSION)
    left = {name: values for name, values in vectors.items() if name not in gone}
    expected = sorted(left, key=lambda name: -float(left[name] @ query / np.linalg.norm(left[name])))
    assert ids(index.query(vector=query.tolist(), top_k=20)) == expected[:20]


def test_hybrid_scores_add_sparse_and_dense_on_a_dotproduct_index(tmp_path: Path) -> None:
    with LocalIndex(tmp_path / "x", 2, metric="dotproduct") as server, connect(server.url) as client:
        client.upsert(
            vectors=[
                {"id": "dense", "values": [2, 0]},
                {"id": "both", "values": [1, 0], "sparse_values": {"indices": [5], "values": [3.0]}},
            ]
        )
        found = client.query(vector=[1, 0], sparse_vector={"indices": [5], "values": [1.0]}, top_k=2)
        assert [(match.id, match.score) for match in found.matches] == [("both", 4.0), ("dense", 2.0)]


def test_sparse_queries_on_a_cosine_index_are_refused(index: Any) -> None:
    with pytest.raises(ApiError, match="sparse"):
        index.query(vector=[1, 0, 0, 0], sparse_vector={"indices": [5], "values": [1.0]}, top_k=2)
