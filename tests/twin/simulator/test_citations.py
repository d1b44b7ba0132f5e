"""The simulator's search results and citations, through the real anthropic SDK."""

from typing import Any

import anthropic
import pytest
from anthropic import Anthropic

from tests.twin.simulator.conftest import CLAUDE, SEARCH

pytestmark = pytest.mark.twin

STORED = "Sessions are stored in DynamoDB with one item per message. A message past 300 KB spills to S3."
FALLBACK = "When the primary provider is overloaded, the chain falls back to the other provider."
QUESTION = {"type": "text", "text": "<question>Where are sessions stored?</question>"}
FORMAT = {
    "format": {"type": "json_schema", "schema": {"type": "object", "properties": {}, "additionalProperties": False}}
}


def result(text: str, source: str = "docs/a.md", *, enabled: bool | None = True, **fields: Any) -> dict[str, Any]:
    switched = {} if enabled is None else {"citations": {"enabled": enabled}}
    content = [{"type": "text", "text": text}]
    return {"type": "search_result", "source": source, "title": "A", "content": content, **switched, **fields}


def ask(client: Anthropic, *content: dict[str, Any], **options: Any) -> Any:
    messages = options.pop("messages", [{"role": "user", "content": list(content)}])
    return client.messages.create(**{"model": CLAUDE, "max_tokens": 2000, "messages": messages, **options})


def test_an_answer_is_cut_where_its_citations_end(claude: Anthropic) -> None:
    reply = ask(claude, result(FALLBACK, "docs/b.md"), result(STORED), QUESTION)
    first, last = reply.content[0], reply.content[-1]
    assert first.text == "Sessions are stored in DynamoDB with one item per message"
    [citation] = first.citations
    assert citation.model_dump() == {
        "type": "search_result_location",
        "cited_text": STORED,
        "source": "docs/a.md",
        "title": "A",
        "search_result_index": 1,
        "start_block_index": 0,
        "end_block_index": 1,
    }
    assert (last.text, last.citations) == (".", None)


@pytest.mark.parametrize("enabled", [False, None])
def test_nothing_is_cited_where_citations_are_off(claude: Anthropic, enabled: bool | None) -> None:
    reply = ask(claude, result(STORED, enabled=enabled), QUESTION)
    assert [(one.text, one.citations) for one in reply.content] == [
        ("Sessions are stored in DynamoDB with one item per message.", None)
    ]


def test_results_of_a_tool_are_counted_with_the_others(claude: Anthropic) -> None:
    call = {"type": "tool_use", "id": "t1", "name": SEARCH["name"], "input": {"query": "sessions"}}
    found = {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "Data."}, result(STORED)]}
    messages = [
        {"role": "user", "content": [result(FALLBACK, "docs/b.md"), QUESTION]},
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [found]},
    ]
    reply = ask(claude, messages=messages, tools=[SEARCH])
    assert [one.search_result_index for one in reply.content[0].citations] == [1]


def test_citations_are_streamed(claude: Anthropic) -> None:
    messages: Any = [{"role": "user", "content": [result(STORED), QUESTION]}]
    with claude.messages.stream(model=CLAUDE, max_tokens=2000, messages=messages) as stream:
        whole = stream.get_final_message()
    first: Any = whole.content[0]
    assert first.text == "Sessions are stored in DynamoDB with one item per message"
    assert [one.source for one in first.citations] == ["docs/a.md"]


@pytest.mark.parametrize(
    ("content", "options", "told"),
    [
        ([result(STORED), result(FALLBACK, enabled=False)], {}, "for all search_result blocks"),
        ([result(STORED), result(FALLBACK, enabled=None)], {}, "for all search_result blocks"),
        ([result(STORED)], {"output_config": FORMAT}, "structured outputs"),
        ([result(" ")], {}, "non-empty"),
        ([result(STORED, content=[])], {}, "at least 1 item"),
        ([result(STORED, content=[{"type": "image"}])], {}, "text block"),
        ([result(STORED, title=None)], {}, "search_result.title"),
    ],
)
def test_what_anthropic_refuses_is_refused(
    claude: Anthropic, content: list[dict[str, Any]], options: dict[str, Any], told: str
) -> None:
    with pytest.raises(anthropic.BadRequestError, match=told):
        ask(claude, *content, QUESTION, **options)


def test_search_results_without_citations_go_with_structured_output(claude: Anthropic) -> None:
    assert ask(claude, result(STORED, enabled=False), QUESTION, output_config=FORMAT).content


def test_a_cut_answer_shows_no_sign_of_a_citation(claude: Anthropic) -> None:
    for limit in range(8, 20):
        reply = ask(claude, result(STORED), QUESTION, max_tokens=limit)
        assert not [one for block in reply.content for one in block.text if "\ue000" <= one <= "\uf8ff"]
