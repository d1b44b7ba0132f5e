"""Finding passages for a question."""

from typing import Any

import pytest

from pentad.domain.errors import ModelThrottled, StoreUnavailable
from pentad.domain.knowledge import Passage
from pentad.domain.models import CallContext, EmbedReply
from pentad.memory.retrieval.adapters.vectors_memory import MemoryVectors
from pentad.memory.retrieval.ports import Match, SearchRequest, Vector
from pentad.memory.retrieval.rank import rank
from pentad.memory.retrieval.scores.scales import SCALES
from pentad.memory.retrieval.search import (
    WORDS_ONLY,
    DocumentSearch,
    Found,
    Wanted,
    choose_passages,
    limit_tokens,
    read_signals,
    to_passage,
)
from tests.unit.memory.context.test_recall import metadata
from tests.unit.memory.fakes import Clock, Counts, WordEmbedder, embed

TEXTS = {
    "cards": "A lost debit card is replaced within five days.",
    "fees": "Overdraft fees are charged once a day.",
    "hours": "Branches open at nine in the morning.",
    "loans": "A mortgage needs two payslips.",
}
LONG = (
    "Good morning, I hope that all of you are well today and had a nice weekend with your families. "
    "My debit card was lost on the train. "
    "And I wonder why overdraft fees are charged."
)


class Counted(MemoryVectors):
    """Keeps what was asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[SearchRequest] = []

    def search(self, tenant_id: str, request: SearchRequest) -> list[Match]:
        self.requests.append(request)
        return super().search(tenant_id, request)


@pytest.fixture
def vectors() -> Counted:
    store = Counted()
    store.upsert(
        "acme",
        [
            Vector(vector_id=name, values=embed(text), text=text, metadata=metadata(text, document=f"{name}.md"))
            for name, text in TEXTS.items()
        ],
    )
    return store


def find(vectors: Any, text: str, embedder: WordEmbedder | None = None, **options: Any) -> Found:
    search = DocumentSearch(vectors=vectors, telemetry=Counts(), clock=Clock())
    options = {"top_k": 2, "minimum_score": 0.1, "tokens": 1000} | options
    context = CallContext(tenant_id="acme", user_id="ada", purpose="embed_query")
    return search.find(Wanted(text=text, context=context, **options), embedder or WordEmbedder())


def documents(found: Found) -> list[str]:
    return [passage.document for passage in found.passages]


def test_each_sentence_of_a_long_question_finds_its_own_passage(vectors: Counted) -> None:
    embedder = WordEmbedder()
    assert set(documents(find(vectors, LONG, embedder))) == {"cards.md", "fees.md"}
    assert len(embedder.contexts) == 1, "all parts are embedded in one call"
    assert len(vectors.requests) == 4


def test_a_short_question_is_one_search_and_one_for_what_is_like_the_best(vectors: Counted) -> None:
    assert documents(find(vectors, "Why are overdraft fees charged?", top_k=1)) == ["fees.md"]
    first, second = vectors.requests
    assert (first.text, second.text) == ("Why are overdraft fees charged?", None)
    assert first.where == second.where


def test_what_is_like_the_best_is_given_before_what_is_not() -> None:
    store = Counted()
    best = "The overdraft fee is charged at night."
    texts = {
        "a": best,
        "b": best + " Always.",
        "c": best + " Truly.",
        "x": "Bread and butter.",
        "y": "It is charged at night.",
    }
    store.upsert(
        "acme",
        [
            Vector(vector_id=name, values=embed(text), text=text, metadata=metadata(text, document=name))
            for name, text in texts.items()
        ],
    )
    assert documents(find(store, "overdraft fee", top_k=5, minimum_score=-1))[3:] == ["y", "x"]


def test_a_further_condition_is_added_and_never_takes_the_place_of_the_built_in_ones(vectors: Counted) -> None:
    assert documents(find(vectors, "overdraft fees", where={"document": "cards.md"}, minimum_score=0.5)) == []
    find(vectors, "overdraft fees", where={"kind": "turn", "readers": "user:bob"})
    assert vectors.requests[-1].where == {"kind": "document", "readers": ("*", "user:ada")}


def test_words_alone_find_where_the_embedder_does_not_answer(vectors: Counted) -> None:
    found = find(vectors, "Why are overdraft fees charged?", WordEmbedder(failures=[ModelThrottled("429")]))
    assert documents(found) == ["fees.md"]
    assert found.notices == (WORDS_ONLY,)
    assert all(request.dense is None for request in vectors.requests)


def test_without_an_embedder_fewer_of_the_words_will_do(vectors: Counted) -> None:
    question = "How may somebody prevent overdraft fees"
    down = WordEmbedder(failures=[ModelThrottled("429")])
    assert documents(find(vectors, question, down)) == ["fees.md"]
    assert documents(find(vectors, question, minimum_score=0.9)) == []


class _Named(WordEmbedder):
    """An embedder whose model is one of the table."""

    def embed(self, *given: Any, **options: Any) -> EmbedReply:
        return super().embed(*given, **options).model_copy(update={"model": "all-MiniLM-L6-v2"})


def test_a_relevance_is_a_cosine_by_the_scale_of_the_model_that_answered(vectors: Counted) -> None:
    question = "How may somebody prevent fees"
    scale = SCALES["all-MiniLM-L6-v2"]
    [near] = [one.dense for one in vectors.search("acme", SearchRequest(k=1, dense=embed(question)))]
    assert near is not None
    for minimum, given in ((scale.rate(near) - 0.001, True), (scale.rate(near) + 0.001, False)):
        options = {"minimum_score": None, "minimum_relevance": minimum, "top_k": 1}
        assert bool(documents(find(vectors, question, _Named(), **options))) is given
    # A minimum of one's own, as a cosine, counts in its place.
    assert documents(find(vectors, question, _Named(), minimum_score=near - 0.01, minimum_relevance=1.0, top_k=1))


def test_nothing_is_too_far_for_a_model_without_a_scale_which_is_logged(vectors: Counted) -> None:
    telemetry = Counts()
    search = DocumentSearch(vectors=vectors, telemetry=telemetry, clock=Clock())
    context = CallContext(tenant_id="acme", user_id="ada", purpose="embed_query")
    wanted = Wanted("bread", context, top_k=5, minimum_score=None, tokens=1000, minimum_relevance=0.9)
    assert len(search.find(wanted, WordEmbedder()).passages) > 1
    assert "recall.scale_unknown" in telemetry.events
    # Without an embedder words decide, as before.
    down = WordEmbedder(failures=[ModelThrottled("429")])
    assert documents(find(vectors, "bread", down, minimum_score=None, minimum_relevance=0.02)) == []


def test_a_passage_with_the_questions_words_is_given_whatever_its_cosine() -> None:
    far = [
        match("said", 0.05, text="The overdraft fee is two dollars", document="a"),
        match("not", 0.05, text="Something else", document="b"),
    ]
    given = choose_passages(["overdraft fee"], [far], rank([read_signals(far)]), top_k=5, minimum_score=0.2)
    assert [passage.passage_id for passage in given] == ["said"]


def test_a_passage_that_is_too_large_leaves_its_room_to_the_next_and_headers_count() -> None:
    def make(name: str, text: str, header: str = "") -> Passage:
        fields = {"document": "a", "version": "1", "title": "", "start": 0, "end": len(text), "score": 1.0}
        return Passage.model_validate(fields | {"passage_id": name, "text": text, "header": header})

    passages = [make("a", "one two"), make("b", "x " * 50), make("c", "three", "w " * 20), make("d", "four")]
    kept = limit_tokens(passages, 4, lambda text: len(text.split()))
    assert [one.passage_id for one in kept] == ["a", "d"]


def test_passages_stop_where_the_room_ends(vectors: Counted) -> None:
    assert len(find(vectors, LONG, tokens=14).passages) == 1
    assert find(vectors, LONG, tokens=3).passages == ()


def test_nothing_is_searched_for_nothing(vectors: Counted) -> None:
    assert find(vectors, "  \n ") == Found()
    assert vectors.requests == []


def test_a_page_and_a_header_come_along() -> None:
    passage = to_passage(match("a", 1, page=3.0, header="name | fee"), 0.5)
    assert passage is not None
    assert (passage.page, passage.header, passage.score) == (3, "name | fee", 0.5)


def test_one_part_that_can_not_be_searched_for_fails_the_search(vectors: Counted) -> None:
    class Broken(Counted):
        def search(self, tenant_id: str, request: SearchRequest) -> list[Match]:
            raise StoreUnavailable("down")

    with pytest.raises(StoreUnavailable):
        find(Broken(), LONG)


def match(name: str, score: float, **changes: Any) -> Match:
    return Match(vector_id=name, dense=score, metadata=metadata(f"text of {name}") | changes)


def chosen(matches: list[Match], top_k: int = 9) -> list[str]:
    found = choose_passages(["what is asked"], [matches], rank([read_signals(matches)]), top_k=top_k, minimum_score=0.2)
    return [passage.passage_id for passage in found]


def test_the_best_are_chosen_above_the_minimum_score() -> None:
    matches = [
        match("c", 0.3, document="c"),
        match("a", 0.9, document="a"),
        match("d", 0.1),
        match("b", 0.5, document="b"),
    ]
    assert chosen(matches) == ["a", "b", "c"]
    assert chosen(matches, top_k=2) == ["a", "b"]


def test_passages_that_overlap_by_half_are_given_once() -> None:
    matches = [
        match("a", 0.9, start=0, end=100),
        match("b", 0.8, start=40, end=140),
        match("c", 0.7, start=90, end=190),
        match("d", 0.6, start=0, end=100, document="other"),
    ]
    assert chosen(matches) == ["a", "c", "d"]


def test_the_same_words_of_two_documents_are_given_once() -> None:
    matches = [match("a", 0.9, text="same"), match("b", 0.8, text="same", document="copy")]
    assert chosen(matches) == ["a"]


@pytest.mark.parametrize("changes", [{"text": 5}, {"start": "0"}, {"end": None}, {"version": None}, {"start": -1}])
def test_a_vector_that_ingest_did_not_write_is_no_passage(changes: dict[str, Any]) -> None:
    fields = {name: value for name, value in (metadata("x") | changes).items() if value is not None}
    assert to_passage(Match(vector_id="v", dense=1, metadata=fields), 1) is None
