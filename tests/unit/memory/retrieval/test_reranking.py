"""A reranker behind the search."""

from collections.abc import Sequence
from typing import Any

import pytest

from pentad.domain.errors import ConfigurationError, PentadError, StoreUnavailable
from pentad.domain.models import CallContext
from pentad.memory.retrieval.search import DocumentSearch, Wanted
from tests.unit.memory.fakes import Clock, Counts, WordEmbedder
from tests.unit.memory.retrieval.test_search import LONG, Counted
from tests.unit.memory.retrieval.test_search import vectors as vectors  # a fixture


class Opinion:
    """Prefers texts with a word."""

    def __init__(self, word: str = "", error: PentadError | None = None) -> None:
        self.word = word
        self.error = error
        self.questions: list[str] = []

    def rerank(self, question: str, texts: Sequence[str]) -> list[float] | None:
        self.questions.append(question)
        if self.error is not None:
            raise self.error
        return [0.8 if self.word in text else 0.1 for text in texts] if self.word else None


def find(store: Counted, text: str, reranker: Opinion) -> list[Any]:
    search = DocumentSearch(vectors=store, telemetry=Counts(), clock=Clock(), reranker=reranker)
    context = CallContext(tenant_id="acme", user_id="ada", purpose="embed_query")
    wanted = Wanted(text=text, context=context, top_k=4, minimum_score=-1, tokens=1000)
    return [(one.document, round(one.score, 3)) for one in search.find(wanted, WordEmbedder()).passages]


QUESTION = "Why are overdraft fees charged?"


def test_the_rerankers_order_counts(vectors: Counted) -> None:
    found = find(vectors, QUESTION, Opinion("mortgage"))
    assert found[0] == ("loans.md", 1.0)
    assert found[1] == ("fees.md", 0.125), "among equals ours decides"


@pytest.mark.parametrize("error", [StoreUnavailable("down"), ConfigurationError("no such model"), None])
def test_without_its_word_ours_stands(vectors: Counted, error: PentadError | None) -> None:
    assert find(vectors, QUESTION, Opinion(error=error))[0] == ("fees.md", 1.0)


def test_a_question_of_several_parts_is_not_reranked(vectors: Counted) -> None:
    opinion = Opinion("mortgage")
    assert {document for document, score in find(vectors, LONG, opinion) if score == 1} >= {"cards.md", "fees.md"}
    assert opinion.questions == []
