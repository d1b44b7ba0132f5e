"""The built-in tool that searches the documents again."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pentad.domain.declarations.agents import KnowledgeSpec
from pentad.domain.errors import InvalidInput, ModelUnavailable
from pentad.domain.messages import CitableText, Message, TextBlock, ToolCallBlock, ToolResultBlock
from pentad.domain.models import CallContext
from pentad.memory.retrieval.citations import resolve_citations
from pentad.memory.retrieval.knowledge import SPEC, KnowledgeQuery, KnowledgeSearch, with_citable_results
from pentad.memory.retrieval.search import WORDS_ONLY, DocumentSearch
from pentad.memory.sessions.ports import StoredMessage
from tests.unit.memory.fakes import START, Clock, Counts, WordEmbedder
from tests.unit.memory.retrieval.test_search import Counted
from tests.unit.memory.retrieval.test_search import vectors as vectors  # a fixture

CONTEXT = CallContext(tenant_id="acme", user_id="ada", purpose="embed_query")


def run(store: Counted, embedder: WordEmbedder | None = None, **arguments: Any) -> dict[str, Any]:
    documents = DocumentSearch(vectors=store, telemetry=Counts(), clock=Clock())
    search = KnowledgeSearch(documents, embedder or WordEmbedder())
    return search.run(arguments, KnowledgeSpec(minimum_score=0.2), CONTEXT, deadline=START.timestamp() + 600)


def said(*messages: Message) -> list[StoredMessage]:
    return [StoredMessage(seq=seq, message=message) for seq, message in enumerate(messages)]


def exchange(content: str, tool: str = "search_knowledge", *, is_error: bool = False) -> list[StoredMessage]:
    call = ToolCallBlock(call_id="c1", tool=tool, arguments={"query": "fees"})
    result = ToolResultBlock(call_id="c1", content=content, is_error=is_error, untrusted=True)
    return said(
        Message(message_id="q", role="user", blocks=(TextBlock(text="Which fees?"),), created_at=START),
        Message(message_id="a", role="assistant", blocks=(call,), created_at=START),
        Message(message_id="r", role="user", blocks=(result,), created_at=START),
    )


def test_a_call_returns_passages_with_markers_and_their_place(vectors: Counted) -> None:
    [passage] = run(vectors, query="Why are overdraft fees charged?", limit=1)["passages"]
    assert next(iter(passage)) == "cite"
    assert passage["document"] == "fees.md"
    assert {"passage_id", "version", "title", "start", "end", "text"} <= passage.keys()
    assert "score" not in passage


def test_an_answer_may_cite_what_the_tool_returned(vectors: Counted) -> None:
    result = run(vectors, query="Why are overdraft fees charged?")
    marker = result["passages"][0]["cite"]
    stored = exchange(json.dumps(result) + "\n2 values were masked.")
    [citation], unknown = resolve_citations(f"Once a day {marker}. More [cite:aaaaaa].", stored)
    assert (citation.marker, citation.document, citation.quote) == (
        marker,
        "fees.md",
        "Overdraft fees are charged once a day.",
    )
    assert unknown == ("[cite:aaaaaa]",)


@pytest.mark.parametrize("broken", ["", "no JSON", "[]", '{"passages": "x"}', '{"passages": [1, {"cite": "x"}]}'])
def test_a_result_that_can_not_be_read_is_cited_by_nothing(broken: str) -> None:
    assert resolve_citations("So [cite:abcdef].", exchange(broken)) == ((), ("[cite:abcdef]",))


def test_no_other_tool_can_give_passages(vectors: Counted) -> None:
    result = run(vectors, query="Why are overdraft fees charged?")
    marker = result["passages"][0]["cite"]
    assert resolve_citations(marker, exchange(json.dumps(result), "web_page"))[0] == ()
    assert resolve_citations(marker, exchange(json.dumps(result), is_error=True))[0] == ()


def take_apart(content: str, tool: str = "search_knowledge", *, is_error: bool = False) -> CitableText | None:
    _, asking, answer = (one.message for one in exchange(content, tool, is_error=is_error))
    [block] = with_citable_results(answer, asking).blocks
    assert isinstance(block, ToolResultBlock)
    assert block.content == content
    return block.citable


def test_a_result_is_sent_also_with_its_passages_apart(vectors: Counted) -> None:
    result = run(vectors, query="Why are overdraft fees charged?", limit=1) | {"notices": ["Words alone."]}
    citable = take_apart(json.dumps(result) + "\n2 values were masked.")
    assert citable is not None
    [passage] = citable.passages
    assert (passage.marker, passage.source) == (result["passages"][0]["cite"], "fees.md")
    assert passage.text == "Overdraft fees are charged once a day."
    assert citable.after == '{"notices": ["Words alone."]}\n2 values were masked.'


def test_what_can_not_be_taken_apart_whole_is_sent_as_text_only(vectors: Counted) -> None:
    result = run(vectors, query="Why are overdraft fees charged?")
    assert take_apart(json.dumps(result), "web_page") is None
    assert take_apart(json.dumps(result), is_error=True) is None
    assert take_apart(json.dumps({"passages": [*result["passages"], {"text": "no passage"}]})) is None
    assert take_apart(json.dumps(result)[:-30]) is None
    assert take_apart(json.dumps({"passages": [], "note": "nothing"})) is None
    last = exchange(json.dumps(result))[2]
    assert with_citable_results(last.message, None) is last.message


def test_documents_can_be_named_and_readers_can_not(vectors: Counted) -> None:
    run(vectors, query="fees", filter={"documents": ["cards.md", "geb\u0075\u0308hren.md"]})
    where = vectors.requests[-1].where
    assert where == {"document": ("cards.md", "geb\u00fchren.md"), "kind": "document", "readers": ("*", "user:ada")}


def test_nothing_found_says_what_to_do(vectors: Counted) -> None:
    result = run(vectors, query="zebra crossing")
    assert result["passages"] == []
    assert "other words" in result["note"]


def test_words_alone_are_told(vectors: Counted) -> None:
    result = run(vectors, WordEmbedder(failures=[ModelUnavailable("down")]), query="overdraft fees charged")
    assert result["notices"] == [WORDS_ONLY]
    assert [passage["document"] for passage in result["passages"]] == ["fees.md"]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"query": ""},
        {"query": "x" * 2001},
        {"query": "x", "limit": 0},
        {"query": "x", "limit": 21},
        {"query": "x", "tenant": "other"},
        {"query": "x", "filter": {"readers": ["user:bob"]}},
        {"query": "x", "filter": {"documents": ["d"] * 21}},
    ],
)
def test_wrong_arguments_are_refused_by_the_schema_and_by_the_tool(vectors: Counted, arguments: dict[str, Any]) -> None:
    assert list(Draft202012Validator(SPEC.input_schema).iter_errors(arguments))
    with pytest.raises(InvalidInput):
        run(vectors, **arguments)


def test_what_the_model_is_told_of_the_arguments_is_what_is_taken() -> None:
    assert set(SPEC.input_schema["properties"]) == set(KnowledgeQuery.model_fields)
    assert not SPEC.trusted_output
