"""Resolve the markers of an answer, such as `[cite:k7f2qa]`, to the passages that they point to.

What a marker looks like: `pentad.domain.display.markers`.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from pentad.domain.display.markers import iter_markers, parse_names
from pentad.domain.knowledge import Citation, Passage
from pentad.memory.retrieval.knowledge import HasMessage, read_found_passages
from pentad.memory.retrieval.passages import HasPassages, make_marker, name_passage

QUOTE_CHARACTERS = 500


def resolve_citations(answer: str, stored: Sequence[HasPassages]) -> tuple[tuple[Citation, ...], tuple[str, ...]]:
    """Return what an answer cites, and the markers that point nowhere, each once and in the order of appearance.

    ``[cite:a][cite:b]`` and ``[cite:a, b]`` are two citations, with the markers ``[cite:a]`` and ``[cite:b]``.

    Args:
        answer: the assistant's words.
        stored: the messages the model saw: those since the epoch began, as they were given to ``assemble``.
    """
    passages = _map_names(stored)
    citations: dict[str, Citation] = {}
    unknown: dict[str, None] = {}
    for match in iter_markers(answer):
        for name in parse_names(match):
            if name in passages:
                citations.setdefault(name, _make_citation(name, passages[name]))
            else:
                unknown.setdefault(make_marker(name))
    return tuple(citations.values()), tuple(unknown)


def find_passage(stored: Sequence[HasPassages], passage_id: str) -> Passage | None:
    """Return the passage that messages were given under an id, as it was given last; None where none was."""
    found = _map_names(stored).get(name_passage(passage_id))
    return found if found is not None and found.passage_id == passage_id else None


def find_unknown_markers(answer: str, citations: Sequence[Citation]) -> tuple[str, ...]:
    """Return the markers of an answer that none of its citations has, each once and in the order of appearance."""
    known = {citation.marker for citation in citations}
    found = dict.fromkeys(make_marker(name) for match in iter_markers(answer) for name in parse_names(match))
    return tuple(marker for marker in found if marker not in known)


def replace_markers(answer: str, words: Mapping[str, str]) -> str:
    """Return an answer with words in the place of the markers whose passages all have some, a space before them.

    All else stays as it is.

    Args:
        answer: the assistant's words.
        words: by marker, such as ``[cite:k7f2qa]``.
    """

    def say_names(match: re.Match[str]) -> str:
        said = [words.get(make_marker(name)) for name in parse_names(match)]
        if None in said:
            return match[0]
        space = "" if answer[max(0, match.start() - 1) : match.start()].isspace() else " "
        return space + ", ".join(dict.fromkeys(word for word in said if word is not None))

    return _rewrite(answer, say_names)


def strip_markers(answer: str) -> str:
    """Return an answer without its markers, for a comparison of what it says."""
    return _rewrite(answer, lambda match: " ")


def _rewrite(answer: str, say: Callable[[re.Match[str]], str]) -> str:
    parts, end = [], 0
    for match in iter_markers(answer):
        parts += [answer[end : match.start()], say(match)]
        end = match.end()
    return "".join((*parts, answer[end:]))


def _map_names(stored: Sequence[HasPassages]) -> dict[str, Passage]:
    # The last one given counts: the same words may stand at another offset in a newer version of the document.
    given = {name_passage(passage.passage_id): passage for one in stored for passage in one.passages}
    found = read_found_passages([one for one in stored if isinstance(one, HasMessage)])
    return {name_passage(passage_id): passage for passage_id, passage in found.items()} | given


def _make_citation(name: str, passage: Passage) -> Citation:
    return Citation(
        marker=make_marker(name),
        passage_id=passage.passage_id,
        document=passage.document,
        version=passage.version,
        title=passage.title,
        start=passage.start,
        end=passage.end,
        quote=passage.text[:QUOTE_CHARACTERS],
        page=passage.page,
    )
