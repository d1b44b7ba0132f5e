"""Resolve the markers of an answer, such as [1], to the passages they point to."""

import re
from collections.abc import Iterator, Sequence

from pentad.domain.knowledge import Citation, Passage
from pentad.memory.retrieval.passages import HasPassages, passage_numbers

QUOTE_CHARACTERS = 500

# Code is no place for a marker: a fenced block up to its end (or the answer's), or a span between equal backticks.
_FENCE = r"^[ ]{0,3}(?P<fence>`{3,}|~{3,})[^\n]*(?:\n.*?^[ ]{0,3}(?P=fence)[`~]*[ \t]*$|.*\Z)"
_SPAN = r"(?<!`)(?P<tick>`+)(?!`).+?(?<!`)(?P=tick)(?!`)"
_CODE = re.compile(f"{_FENCE}|{_SPAN}", re.MULTILINE | re.DOTALL)
# [3], [1, 2]; not a Markdown link, [1](address), nor its definition, [1]: address.
_MARKER = re.compile(r"\[[ ]?(\d{1,6}(?:[ ]?,[ ]?\d{1,6})*)[ ]?\](?![(:])")


def resolve_citations(answer: str, stored: Sequence[HasPassages]) -> tuple[tuple[Citation, ...], tuple[str, ...]]:
    """Return what an answer cites, and the markers that point nowhere, each once and in the order of appearance.

    ``[1][2]`` and ``[1, 2]`` are two citations, with the markers ``[1]`` and ``[2]``.

    Args:
        answer: the assistant's words.
        stored: the messages the model saw: those since the epoch began, as they were given to ``assemble``.
    """
    passages = _map_numbers(stored)
    citations: dict[int, Citation] = {}
    unknown: dict[str, None] = {}
    for match in _iter_markers(answer):
        for number in _parse_numbers(match):
            if number in passages:
                citations.setdefault(number, _make_citation(number, passages[number]))
            else:
                unknown.setdefault(f"[{number}]")
    return tuple(citations.values()), tuple(unknown)


def find_unknown_markers(answer: str, citations: Sequence[Citation]) -> tuple[str, ...]:
    """Return the markers of an answer that none of its citations has, each once and in the order of appearance."""
    known = {citation.marker for citation in citations}
    found = dict.fromkeys(f"[{number}]" for match in _iter_markers(answer) for number in _parse_numbers(match))
    return tuple(marker for marker in found if marker not in known)


def _iter_markers(answer: str) -> Iterator[re.Match[str]]:
    code = [match.span() for match in _CODE.finditer(answer)]
    for match in _MARKER.finditer(answer):
        if not any(start <= match.start() < end for start, end in code):
            yield match


def _parse_numbers(match: re.Match[str]) -> list[int]:
    return [int(number) for number in match[1].split(",")]


def _map_numbers(stored: Sequence[HasPassages]) -> dict[int, Passage]:
    numbers = passage_numbers(stored)
    # The last one given counts: the same words may stand at another offset in a newer version of the document.
    return {numbers[passage.passage_id]: passage for one in stored for passage in one.passages}


def _make_citation(number: int, passage: Passage) -> Citation:
    return Citation(
        marker=f"[{number}]",
        passage_id=passage.passage_id,
        document=passage.document,
        version=passage.version,
        title=passage.title,
        start=passage.start,
        end=passage.end,
        quote=passage.text[:QUOTE_CHARACTERS],
    )
