"""Passages as search results that Claude cites itself, and its citations as our markers: pure.

Sources: the types of anthropic 2.12.0 (`types/search_result_block_param.py`,
    `types/citations_search_result_location.py`) and platform.claude.com, "Search results" and "Citations", read
    2026-11: citations are on for all search results of a request or for none, a search result has a text, and none go
    together with `output_config.format`. A block of text is the least that can be cited, so a passage is one.

Citations come back as markers in the text and go back in that form: their indexes are of one request only.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from pentad.domain.display.cited_text import CitedWords, write_markers
from pentad.domain.messages import CitablePassage, CitableText, DocumentBlock, ToolResultBlock
from pentad.domain.models import ChatRequest, Outcome
from pentad.models.catalog.catalog import ModelEntry
from pentad.models.providers.conversation import NOTICE, fence_result
from pentad.models.providers.exchange import ProviderFailure

R = TypeVar("R")

UNKNOWN: Final = "[cite:unknown]"
"""What cites a search result that was not sent: a name that no passage has, which is told as any unknown one."""


class SearchResults:
    """Remembers in this process which models refused search results: they are given passages as text from then on.

    What is between us and a model, such as a proxy, may not know them. A refusal has done and costs nothing.
    """

    def __init__(self) -> None:
        self._refused: set[str] = set()  # of the catalog's names

    def choose_form(self, model: ModelEntry) -> ModelEntry:
        """Return a model as it is, or without citations of its own where it refused them."""
        if model.name not in self._refused:
            return model
        return model.model_copy(update={"capabilities": model.capabilities.model_copy(update={"citations": False})})

    def send(self, model: ModelEntry, sources: Sequence[str], post: Callable[[], R]) -> R:
        """Return what ``post`` returns.

        Raises:
            ProviderFailure: it failed; where search results were refused, one that asks for another attempt.
        """
        try:
            return post()
        except ProviderFailure as failure:
            if not failure.refuses_citations or not sources:
                raise
            self._refused.add(model.name)
            again = ProviderFailure(
                Outcome.OVERLOAD,
                f"{failure.error} (search results)",
                status=failure.status,
                request_id=failure.request_id,
                should_retry=True,
            )
        raise again


def can_cite(model: ModelEntry, request: ChatRequest) -> bool:
    """Tell whether a model is to cite by itself what a request has.

    Whole documents have no citations here, and what else has some is said to have to be of all documents or of none.
    """
    blocks = (block for message in request.messages for block in message.blocks)
    whole = any(isinstance(block, DocumentBlock) for block in blocks)
    return model.capabilities.citations and request.output_schema is None and not whole


def encode_text(citable: CitableText) -> list[dict[str, Any]]:
    """Return a user's text with its passages as search results."""
    return [*_encode_words(citable.before), *map(_encode_passage, citable.passages), *_encode_words(citable.after)]


def encode_result(block: ToolResultBlock, citable: CitableText) -> list[dict[str, Any]]:
    """Return the content of a tool's result with its passages as search results, marked as text from outside."""
    before, after = (
        fence_result(text) if block.untrusted and text.strip() else text for text in (citable.before, citable.after)
    )
    notice = _encode_words(NOTICE) if block.untrusted else []
    return [*notice, *_encode_words(before), *map(_encode_passage, citable.passages), *_encode_words(after)]


def _encode_words(text: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": text}] if text.strip() else []


def _encode_passage(passage: CitablePassage) -> dict[str, Any]:
    return {
        "type": "search_result",
        # The marker stands first, so it can be read again; and prompts ask for it.
        "source": f"{passage.marker} {passage.source}",
        "title": passage.title,
        "content": [{"type": "text", "text": passage.text}],
        "citations": {"enabled": True},
    }


def list_sources(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the sources of a request's search results in the order in which citations count them."""
    return tuple(_iter_sources(item for message in body["messages"] for item in message["content"]))


def _iter_sources(items: Iterator[Any]) -> Iterator[str]:
    for item in items:
        if item.get("type") == "search_result":
            yield item["source"]
        elif item.get("type") == "tool_result" and isinstance(item.get("content"), list):
            yield from _iter_sources(iter(item["content"]))


def merge_cited(content: Sequence[dict[str, Any]], sources: Sequence[str]) -> list[dict[str, Any]]:
    """Return a reply's content with each text that was cut for its citations in one piece, and these as its markers."""
    merged: list[dict[str, Any]] = []
    cut: list[dict[str, Any]] = []
    for item in content:
        if item.get("type") == "text" and isinstance(item.get("text"), str):
            cut.append(item)
        else:
            merged += [*_merge_text(cut, sources), item]
            cut = []
    return [*merged, *_merge_text(cut, sources)]


def _merge_text(cut: list[dict[str, Any]], sources: Sequence[str]) -> list[dict[str, Any]]:
    if not any(item.get("citations") for item in cut):
        return cut
    pieces = [CitedWords(item["text"], _find_markers(item.get("citations"), sources)) for item in cut]
    return [{"type": "text", "text": write_markers(pieces)}]


def _find_markers(citations: Any, sources: Sequence[str]) -> list[str]:
    found = citations if isinstance(citations, list) else []
    ours = [one for one in found if isinstance(one, dict) and one.get("type") == "search_result_location"]
    return list(dict.fromkeys(_find_marker(one, sources) for one in ours))


def _find_marker(citation: Mapping[str, Any], sources: Sequence[str]) -> str:
    source, index = citation.get("source"), citation.get("search_result_index")
    if isinstance(source, str) and source in sources:
        return _read_marker(source)
    if isinstance(index, int) and not isinstance(index, bool) and 0 <= index < len(sources):
        return _read_marker(sources[index])
    return UNKNOWN


def _read_marker(source: str) -> str:
    return source.partition(" ")[0]
