"""The local document index through the real pinecone client."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pinecone import Pinecone
from pinecone.errors.exceptions import ApiError, NotFoundError

from twin.vectors import IndexUnusable, LocalIndex, Schema

pytestmark = pytest.mark.twin

SCHEMA = Schema("embedding", ("title", "body"))


def connect(url: str) -> Any:
    return Pinecone(api_key="local").Index(host=url)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Any]:
    with (
        LocalIndex(tmp_path / "index.sqlite", 2, schema=SCHEMA) as server,
        connect(server.url) as client,
    ):
        client.documents.upsert(namespace="films", documents=films())
        yield client


def films() -> list[dict[str, Any]]:
    return [
        {"_id": "a", "embedding": [1, 0], "title": "Slow drama", "body": "A slow, long drama.", "year": 2019},
        {"_id": "b", "embedding": [1, 1], "title": "Comedy", "body": "Short and slow-moving.", "tags": ["x", "y"]},
        {"_id": "c", "embedding": [0, 1], "title": "Drama"},
    ]


def search(index: Any, *clauses: dict[str, Any], **options: Any) -> list[str]:
    found = index.documents.search(namespace="films", score_by=list(clauses), top_k=10, **options)
    return [one.id for one in found.matches]


def text(query: str, *fields: str) -> dict[str, Any]:
    return {"type": "text", "query": query, "fields": list(fields)}


DENSE = {"type": "dense_vector", "field": "embedding", "values": [1, 0]}


def test_meaning_and_words_rank_documents(index: Any) -> None:
    assert search(index, DENSE) == ["a", "b", "c"]
    assert search(index, text("SLOW", "body")) == ["a", "b"]
    assert search(index, text("drama", "title", "body")) == ["a", "c"]
    assert search(index, text("drama", "title"), text("short", "body")) == ["b", "c", "a"]
    assert search(index, text("dramas", "title")) == []


def test_fields_come_when_they_are_asked_for(index: Any) -> None:
    [first, *_] = index.documents.search(
        namespace="films", score_by=[DENSE], top_k=1, include_fields=["title", "nothing"]
    ).matches
    assert first.to_dict() == {"_id": "a", "_score": 1.0, "title": "Slow drama"}
    fetched = index.documents.fetch(namespace="films", ids=["a", "missing"]).documents
    assert fetched["a"].to_dict() == films()[0]
    assert list(fetched) == ["a"]


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ({"year": {"$gt": 2000}}, ["a"]),
        ({"tags": {"$in": ["y"]}}, ["b"]),
        ({"title": {"$match_all": "drama slow"}}, ["a"]),
        ({"title": {"$match_any": "comedy drama"}}, ["a", "b", "c"]),
        ({"body": {"$match_phrase": "slow, long"}}, ["a"]),
        ({"$and": [{"title": {"$match_any": "drama"}}, {"year": {"$exists": False}}]}, ["c"]),
    ],
)
def test_filters_choose_documents(index: Any, filter_: dict[str, Any], expected: list[str]) -> None:
    assert search(index, DENSE, filter=filter_) == expected


@pytest.mark.parametrize(
    "filter_", [{"title": {"$eq": "Comedy"}}, {"year": {"$match_any": "2019"}}, {"embedding": {"$match_any": "x"}}]
)
def test_operators_of_the_other_kind_of_field_are_refused(index: Any, filter_: dict[str, Any]) -> None:
    if "embedding" in filter_:
        assert search(index, DENSE, filter=filter_) == []
        return
    with pytest.raises(ApiError) as error:
        search(index, DENSE, filter=filter_)
    assert error.value.status_code == 400


@pytest.mark.parametrize(
    ("clauses", "message"),
    [
        ([{"type": "dense_vector", "field": "title", "values": [1, 0]}], "not a dense_vector field"),
        ([text("x", "year")], "not a full-text search field"),
        ([{"type": "dense_vector", "field": "embedding", "values": [1, 0, 0]}], "dimension 3"),
        ([{"type": "query_string", "query": "title:x"}], "not served"),
    ],
)
def test_clauses_that_the_schema_has_no_field_for_are_refused(index: Any, clauses: Any, message: str) -> None:
    with pytest.raises(ApiError, match=message):
        search(index, *clauses)


def test_a_vector_clause_stands_alone(index: Any) -> None:
    # The client refuses it before it is sent, so the server is asked directly.
    with pytest.raises(ApiError, match="must appear alone"):
        index._http.post(
            "/namespaces/films/documents/search", json={"score_by": [DENSE, text("x", "title")], "top_k": 1}
        )


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"_id": "x", "title": "no vector"}, "missing the required field 'embedding'"),
        ({"_id": "x", "embedding": [1, 0, 0]}, "dimension 3"),
        ({"_id": "x", "embedding": [0, 0]}, "non-zero"),
        ({"_id": "x", "embedding": [1, 0], "title": 3}, "must be a string"),
        ({"_id": "x", "embedding": [1, 0], "note": None}, "Metadata value"),
        ({"_id": "x", "embedding": [1, 0], "note": "x" * 41_000}, "40960 bytes"),
        ({"_id": "x", "embedding": [1, 0], "_score": 1}, "reserved name"),
    ],
)
def test_documents_that_break_the_schema_are_refused_whole(index: Any, document: dict[str, Any], message: str) -> None:
    with pytest.raises(ApiError, match=message) as error:
        index.documents.upsert(namespace="films", documents=[{"_id": "fine", "embedding": [1, 0]}, document])
    assert error.value.status_code == 400
    assert index.documents.fetch(namespace="films", ids=["fine"]).documents == {}


def test_text_that_is_searched_does_not_count_as_metadata(index: Any) -> None:
    long = {"_id": "x", "embedding": [1, 0], "body": "word " * 20_000}
    index.documents.upsert(namespace="films", documents=[long])
    assert search(index, text("word", "body")) == ["x"]


def test_an_unknown_namespace_is_not_found(index: Any) -> None:
    with pytest.raises(NotFoundError, match="Namespace"):
        index.documents.search(namespace="nobody", score_by=[DENSE], top_k=1)
    with pytest.raises(NotFoundError, match="Namespace"):
        index.documents.delete(namespace="nobody", ids=["a"])


def test_deletes_and_updates_change_what_they_name(index: Any) -> None:
    index.documents.update(namespace="films", documents=[{"_id": "c", "title": "Slow", "_remove_fields": ["year"]}])
    assert search(index, text("slow", "title")) == ["c", "a"]
    assert index.documents.delete(namespace="films", filter={"year": {"$eq": 2019}}).matched_records == 1
    index.documents.delete(namespace="films", ids=["b", "unknown"])
    assert [one.id for one in index.documents.list(namespace="films")] == ["c"]
    with pytest.raises(ApiError, match="not supported"):
        index.documents.delete(namespace="films", filter={"title": {"$match_any": "slow"}})
    index.documents.delete(namespace="films", delete_all=True)
    assert index.describe_index_stats().total_vector_count == 0


def test_fetch_by_filter_and_list_go_through_pages(index: Any) -> None:
    first = index.documents.fetch(namespace="films", filter={"year": {"$exists": False}}, limit=1)
    token = first.pagination.next
    second = index.documents.fetch(
        namespace="films", filter={"year": {"$exists": False}}, limit=1, pagination_token=token
    )
    assert (list(first.documents), list(second.documents), second.pagination) == (["b"], ["c"], None)
    pages = index.documents.list(namespace="films", limit=2).pages()
    assert [[one.id for one in page.items] for page in pages] == [["a", "b"], ["c"]]


def test_the_apis_of_vectors_and_documents_do_not_mix(index: Any, tmp_path: Path) -> None:
    with pytest.raises(ApiError, match="documents API"):
        index.query(vector=[1, 0], top_k=1)
    with (
        LocalIndex(tmp_path / "vectors.sqlite", 2) as server,
        connect(server.url) as client,
        pytest.raises(NotFoundError, match="vectors API"),
    ):
        client.documents.upsert(namespace="films", documents=films())


def test_documents_survive_a_restart_and_only_with_their_schema(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    with (
        LocalIndex(path, 2, schema=SCHEMA) as server,
        connect(server.url) as client,
    ):
        client.documents.upsert(namespace="films", documents=films())
    with (
        LocalIndex(path, 2, schema=SCHEMA) as server,
        connect(server.url) as client,
    ):
        assert search(client, text("drama", "title")) == ["c", "a"]
    with pytest.raises(IndexUnusable, match="another schema"):
        LocalIndex(path, 2)
