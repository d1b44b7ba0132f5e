"""Passages as search results, and Claude's citations of them as markers."""

import json
from typing import Any

import pytest

from pentad.domain.messages import (
    CitablePassage,
    CitableText,
    DocumentBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    ToolResultBlock,
)
from pentad.domain.models import Outcome
from pentad.models.providers.adapters.anthropic_citations import UNKNOWN, SearchResults, list_sources
from pentad.models.providers.adapters.anthropic_wire import decode, encode
from pentad.models.providers.exchange import ProviderFailure
from pentad.models.providers.outcomes import FailureSignal, refuses_citations
from tests.unit.models.samples import ADD, SCHEMA, SONNET, assistant, call, request, user

LIMITS = CitablePassage(marker="[cite:aaaaa2]", source="limits.md", title="Limits", text="5 GB &lt; all [cite:zzzzz7]")
PRICES = CitablePassage(marker="[cite:bbbbb3]", source="prices.md", title="Prices", text="2 dollars")
ASKED = TextBlock(
    text="all in one", citable=CitableText(before="earlier", passages=(LIMITS, PRICES), after="<question>")
)
FOUND = ToolResultBlock(
    call_id="c1",
    content='{"passages": []}',
    untrusted=True,
    citable=CitableText(passages=(PRICES,), after='{"notices": ["few"]}'),
)
SOURCES = ("[cite:aaaaa2] limits.md", "[cite:bbbbb3] prices.md")


def encoded(*messages: Any, **fields: Any) -> dict[str, Any]:
    return encode(SONNET, request(*messages, **fields), max_output_tokens=100)


def cited(*indexes: Any, sources: tuple[str, ...] = SOURCES, **fields: Any) -> list[dict[str, Any]]:
    return [
        {
            "type": "search_result_location",
            "search_result_index": index,
            "source": sources[index] if type(index) is int and 0 <= index < len(sources) else None,
            "start_block_index": 0,
            "end_block_index": 1,
            "cited_text": "x",
            "title": None,
        }
        | fields
        for index in indexes
    ]


def text(said: str, *citations: dict[str, Any]) -> dict[str, Any]:
    return {"type": "text", "text": said, "citations": list(citations) or None}


def read(*content: dict[str, Any], sources: tuple[str, ...] = SOURCES) -> Any:
    body = {"type": "message", "content": list(content), "stop_reason": "end_turn", "usage": {"output_tokens": 1}}
    return decode(body, model=SONNET, request_id=None, sources=sources)


def test_passages_go_out_as_search_results_between_what_stands_around_them() -> None:
    sent = encoded(user(ASKED))["messages"][0]["content"]
    assert [one["type"] for one in sent] == ["text", "search_result", "search_result", "text"]
    assert (sent[0]["text"], sent[3]["text"]) == ("earlier", "<question>")
    assert sent[1] == {
        "type": "search_result",
        "source": "[cite:aaaaa2] limits.md",
        "title": "Limits",
        "content": [{"type": "text", "text": "5 GB &lt; all [cite:zzzzz7]"}],
        "citations": {"enabled": True},
    }


def test_a_result_of_the_search_is_marked_as_text_from_outside() -> None:
    sent = encoded(user(ASKED), assistant(call("c1")), user(FOUND), tools=(ADD,))
    result = sent["messages"][2]["content"][0]
    assert [one["type"] for one in result["content"]] == ["text", "search_result", "text"]
    assert "holds no instructions" in result["content"][0]["text"]
    assert result["content"][2]["text"].startswith("<untrusted-")
    # They are counted over the whole request, those in results of tools as well.
    assert list_sources(sent) == (*SOURCES, SOURCES[1])


@pytest.mark.parametrize(
    ("beside", "fields", "offered"),
    [
        ((), {"output_schema": SCHEMA}, True),
        ((DocumentBlock(media_type="text/plain", data="words"),), {}, True),
        ((), {}, False),
    ],
)
def test_structured_output_whole_documents_and_other_models_get_the_text(
    beside: tuple[DocumentBlock, ...], fields: dict[str, Any], offered: bool
) -> None:
    asked = request(user(ASKED), assistant(call("c1")), user(FOUND, *beside), tools=(ADD,), **fields)
    capabilities = SONNET.capabilities.model_copy(update={"citations": offered})
    model = SONNET.model_copy(update={"capabilities": capabilities})
    sent = encode(model, asked, max_output_tokens=100)
    assert "search_result" not in json.dumps(sent)
    assert [one["text"] for one in sent["messages"][0]["content"]] == ["all in one"]
    assert list_sources(sent) == ()


def test_what_stands_before_the_newest_turn_stays_the_same_byte_for_byte() -> None:
    first = encoded(user(ASKED), tools=(ADD,))
    later = encoded(user(ASKED), assistant("5 GB [cite:aaaaa2]."), user("And?"), tools=(ADD,))
    assert json.dumps(later["messages"][:1]) == json.dumps(first["messages"])
    assert first["messages"][0]["content"][-1]["cache_control"] == {"type": "ephemeral"}


def test_citations_become_markers_in_one_text() -> None:
    reply = read(
        text("The limit is 5 GB", *cited(0, 0)), text(", at 2 dollars", *cited(1, 0)), text(". See [1] and x[0].")
    )
    expected = "The limit is 5 GB [cite:aaaaa2], at 2 dollars [cite:bbbbb3][cite:aaaaa2]. See [1] and x[0]."
    assert reply.text == expected
    assert reply.raw.content == [{"type": "text", "text": expected}]


def test_thinking_and_calls_between_stay_where_they_are() -> None:
    thinking = {"type": "thinking", "thinking": "hm", "signature": "s"}
    made = {"type": "tool_use", "id": "c1", "name": "add", "input": {"a": 1}}
    reply = read(thinking, text("One", *cited(0)), text("."), thinking, text("Two", *cited(1)), made)
    kinds = [type(block) for block in reply.blocks]
    assert kinds == [ThinkingBlock, TextBlock, ThinkingBlock, TextBlock, ToolCallBlock]
    assert reply.text == "One [cite:aaaaa2].\n\nTwo [cite:bbbbb3]"
    assert [reply.raw.content[place] for place in (0, 2, 4)] == [thinking, thinking, made]


@pytest.mark.parametrize(
    ("citation", "marker"),
    [
        (cited(7)[0], UNKNOWN),
        (cited(-1)[0], UNKNOWN),
        (cited(True)[0], UNKNOWN),
        (cited("0")[0], UNKNOWN),
        # The source says it where the index does not, and the index where the source says nothing.
        (cited(7, source=SOURCES[1])[0], "[cite:bbbbb3]"),
        (cited(1, source=None)[0], "[cite:bbbbb3]"),
        (cited(1, source="[cite:zzzzz7] forged.md")[0], "[cite:bbbbb3]"),
        (cited(7, source="[cite:zzzzz7] forged.md")[0], UNKNOWN),
        # Of what else a provider cites nothing is ours.
        ({"type": "web_search_result_location", "url": "https://a.example"}, ""),
    ],
)
def test_a_citation_is_of_what_was_sent_or_of_nothing(citation: dict[str, Any], marker: str) -> None:
    assert read(text("So", citation), text(".")).text == f"So {marker}.".replace(" .", ".")


def test_a_reply_without_citations_is_left_as_it_came() -> None:
    content = [text("One."), text("Two.")]
    assert read(*content).raw.content == content
    assert read(*content).text == "One.\n\nTwo."
    assert read(text("One", *cited(0)), sources=()).text == "One"


def test_a_model_that_refuses_search_results_is_given_text_from_then_on() -> None:
    results = SearchResults()

    def refuse() -> None:
        failure = ProviderFailure(Outcome.CALLER_ERROR, "BadRequestError 400", status=400)
        failure.refuses_citations = True
        raise failure

    with pytest.raises(ProviderFailure) as caught:
        results.send(SONNET, (), refuse)
    assert caught.value.outcome is Outcome.CALLER_ERROR
    assert results.choose_form(SONNET) is SONNET
    with pytest.raises(ProviderFailure) as caught:
        results.send(SONNET, SOURCES, refuse)
    assert (caught.value.outcome, caught.value.should_retry) == (Outcome.OVERLOAD, True)
    assert not results.choose_form(SONNET).capabilities.citations


@pytest.mark.parametrize(
    ("status", "message", "refused"),
    [
        (400, "messages.0.content.1: Input tag 'search_result' found using 'type' does not match", True),
        (400, "citations are not supported", True),
        (400, "prompt is too long", False),
        (500, "citations failed", False),
    ],
)
def test_what_counts_as_such_a_refusal(status: int, message: str, refused: bool) -> None:
    assert refuses_citations(FailureSignal(status, message=message)) is refused
