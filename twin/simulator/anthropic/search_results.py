"""Search results in Anthropic's Messages API, and citations of them.

On the way in they become passages in the markup of `twin.simulator.rules.prompt`, each with a sign of its own as what
cites it; on the way out the text is cut at these signs, into blocks with citations.

Sources: platform.claude.com, "Search results" and "Citations", read 2026-11, and the SDK's types. The wording of the
refusals is ours: the pages say what is refused, and no more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape, unescape
from typing import Any

from twin.simulator.neutral import Json, Problem

_OPEN, _CLOSE = "\ue000", "\ue001"  # of private use: no text of a document has them
_SIGN = re.compile(rf"\s?{_OPEN}(\d+){_CLOSE}")
_CUT_SIGN = re.compile(rf"\s?{_OPEN}\d*\Z")


def take_results(messages: Sequence[Any], *, structured: bool) -> list[Any]:
    """Return messages with each search result as a block of text.

    Args:
        messages: of a request.
        structured: it asks for structured output.

    Raises:
        Problem: 400 where a search result is not valid, citations are on for some and off for others, or the request
            asks for structured output as well.
    """
    enabled: list[bool] = []
    read = [_take_from(f"messages.{index}", message, enabled) for index, message in enumerate(messages)]
    if len(set(enabled)) > 1:
        raise Problem(400, "messages: citations must be enabled for all search_result blocks of a request or for none")
    if structured and (any(enabled) or _has_cited_document(messages)):
        raise Problem(400, "output_config.format: citations can't be enabled together with structured outputs")
    return read


def _take_from(where: str, message: Any, enabled: list[bool]) -> Any:
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(content, list) or message.get("role") == "assistant":
        return message
    return {**message, "content": [_take(f"{where}.content.{at}", one, enabled) for at, one in enumerate(content)]}


def _take(where: str, block: Any, enabled: list[bool]) -> Any:
    kind = block.get("type") if isinstance(block, dict) else None
    if kind == "tool_result" and isinstance(block.get("content"), list):
        inner = f"{where}.tool_result.content"
        return {**block, "content": [_take(f"{inner}.{at}", one, enabled) for at, one in enumerate(block["content"])]}
    if kind != "search_result":
        return block
    text = _read_text(f"{where}.search_result", block)
    cites = bool((block.get("citations") or {}).get("enabled"))
    sign = f"{_OPEN}{len(enabled)}{_CLOSE}" if cites else ""
    enabled.append(cites)
    named = f'cite="{sign}" document="{_show(block["source"])}" title="{_show(block["title"])}"'
    return {"type": "text", "text": f"<passages>\n<passage {named}>\n{_show(text)}\n</passage>\n</passages>"}


def _show(text: str) -> str:
    # Clients escape what could pass for their own markup; a model reads it as what it was.
    return escape(unescape(text))


def _read_text(where: str, block: Mapping[str, Any]) -> str:
    for name in ("source", "title"):
        if not isinstance(block.get(name), str):
            raise Problem(400, f"{where}.{name}: Field required")
    content = block.get("content")
    if not isinstance(content, list) or not content:
        raise Problem(400, f"{where}.content: List should have at least 1 item after validation, not 0")
    for at, one in enumerate(content):
        if not isinstance(one, dict) or one.get("type") != "text":
            raise Problem(400, f"{where}.content.{at}: Input should be a text block")
        if not isinstance(one.get("text"), str) or not one["text"].strip():
            raise Problem(400, "messages: text content blocks must be non-empty")
    return "\n".join(one["text"] for one in content)


def _has_cited_document(messages: Sequence[Any]) -> bool:
    blocks = (block for message in messages if isinstance(message, dict) for block in _iter_blocks(message))
    return any(one.get("type") == "document" and (one.get("citations") or {}).get("enabled") for one in blocks)


def list_results(body: Mapping[str, Any]) -> list[Json]:
    """Return a request's search results in the order in which citations count them."""
    return [one for message in body.get("messages") or () for one in _iter_results(_iter_blocks(message))]


def _iter_blocks(holder: Mapping[str, Any]) -> Iterator[Json]:
    content = holder.get("content")
    yield from (one for one in content if isinstance(one, dict)) if isinstance(content, list) else ()


def _iter_results(blocks: Iterator[Json]) -> Iterator[Json]:
    for block in blocks:
        if block.get("type") == "search_result":
            yield block
        elif block.get("type") == "tool_result":
            yield from _iter_results(_iter_blocks(block))


def cut_text(text: str, results: Sequence[Json]) -> list[Json]:
    """Return a reply's text as blocks, cut where a citation ends.

    Args:
        text: with the signs of what it cites.
        results: the request's search results.
    """
    text = _CUT_SIGN.sub("", text)
    blocks: list[Json] = []
    begin = 0
    for sign in _SIGN.finditer(text):
        if int(sign[1]) >= len(results):
            continue
        citation = _build_citation(int(sign[1]), results[int(sign[1])])
        if sign.start() > begin or not blocks:
            blocks.append({"type": "text", "text": text[begin : sign.start()], "citations": [citation]})
        else:
            blocks[-1]["citations"].append(citation)
        begin = sign.end()
    if text[begin:]:
        blocks.append({"type": "text", "text": text[begin:], "citations": None})
    return blocks


def _build_citation(index: int, result: Json) -> Json:
    return {
        "type": "search_result_location",
        "source": result["source"],
        "title": result["title"],
        "cited_text": "".join(one["text"] for one in result["content"]),
        "search_result_index": index,
        "start_block_index": 0,
        "end_block_index": len(result["content"]),
    }
