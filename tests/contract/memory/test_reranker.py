"""Reranking through the real pinecone client."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pinecone import Pinecone

from pentad.domain.errors import ConfigurationError, StoreUnavailable
from pentad.memory.retrieval.adapters.reranker_pinecone import PineconeReranker
from twin.vectors import LocalIndex

TEXTS = ["Branches open at nine.", "The overdraft fee is two dollars.", "A fee."]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalIndex]:
    with LocalIndex(tmp_path / "index.sqlite", 3) as index:
        yield index


def make(server: LocalIndex, **changes: str) -> PineconeReranker:
    secret = {"api_key": "local", "rerank_model": "bge-reranker-v2-m3", "inference_host": server.url} | changes
    return PineconeReranker(lambda: secret)


def test_each_text_has_a_score_in_its_own_place(server: LocalIndex) -> None:
    reranker = make(server)
    scores = reranker.rerank("What is the overdraft fee?", TEXTS)
    assert scores is not None
    assert scores[1] > scores[2] > scores[0] == 0
    assert reranker.rerank("overdraft", []) is None
    reranker.close()


def test_texts_beyond_a_requests_limit_come_last(server: LocalIndex) -> None:
    reranker = make(server)
    scores = reranker.rerank("overdraft", ["overdraft", *["nothing"] * 100, "overdraft"])
    assert scores is not None
    assert (len(scores), scores[-1]) == (102, 0.0)
    assert scores[0] > 0
    reranker.close()


def test_without_a_model_in_the_secret_nothing_is_asked(server: LocalIndex) -> None:
    assert make(server, rerank_model="").rerank("overdraft", TEXTS) is None


def test_a_refused_key_is_a_configuration_error_and_the_next_call_reads_the_secret_again(server: LocalIndex) -> None:
    keys = iter(["invalid", "rotated"])
    reranker = PineconeReranker(
        lambda: {"api_key": next(keys), "rerank_model": "bge-reranker-v2-m3", "inference_host": server.url}
    )
    with pytest.raises(ConfigurationError):
        reranker.rerank("overdraft", TEXTS)
    assert reranker.rerank("overdraft", TEXTS) is not None
    reranker.close()


def test_a_server_that_can_not_be_reached_is_transient(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("pinecone._internal.http_client._retry_sleep", lambda seconds: None)
    with LocalIndex(tmp_path / "gone.sqlite", 3) as index:
        gone = make(index)
    with pytest.raises(StoreUnavailable):
        gone.rerank("overdraft", TEXTS)
    gone.close()


def test_the_local_server_embeds_too(server: LocalIndex) -> None:
    with Pinecone(api_key="local", host=server.url) as client:
        found = client.inference.embed(model="multilingual-e5-large", inputs=["a fee", "a fee"])
    assert (found.vector_type, len(found.data)) == ("dense", 2)
    assert found.data[0].values == found.data[1].values
