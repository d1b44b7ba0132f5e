"""Write a provider's own citations into the text that they are of, as markers such as `[cite:k7f2qa]`.

A provider cuts its words where a citation begins or ends, in the middle of a sentence too. The words stay as they are;
a marker goes behind those that it is of, and out of code, where none would be read.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from pentad.domain.display.markers import Code, find_code, iter_markers, parse_names

_BETWEEN = " \t.,;:!?)"
"""What may stand between words and a marker of theirs that the model has written itself."""


class CitedWords(NamedTuple):
    """A piece of a text, with the markers of what it cites."""

    text: str
    markers: Sequence[str] = ()


def write_markers(pieces: Sequence[CitedWords]) -> str:
    """Return the text of pieces with the markers of each, once behind it; none that the model has written there."""
    text = "".join(piece.text for piece in pieces)
    code, own = find_code(text), [(match.span(), set(parse_names(match))) for match in iter_markers(text)]
    added: defaultdict[int, dict[str, None]] = defaultdict(dict)
    end = 0
    for piece in pieces:
        begin, end = end, end + len(piece.text)
        said = _find_said(text, begin, end, own) if piece.markers else set()
        for marker in piece.markers:
            if not _read_names(marker) <= said:
                added[_find_place(text, end, code)].setdefault(marker)
    written = _insert(text, added, code)
    # A marker that cuts a run of backticks may make code of what was none.
    read = _read_names(written)
    lost = dict.fromkeys(one for piece in pieces for one in piece.markers if not _read_names(one) <= read)
    return _insert(text, {**added, 0: {**added[0], **lost}}, code) if lost else written


def _read_names(text: str) -> set[str]:
    return {name for match in iter_markers(text) for name in parse_names(match)}


def _find_said(text: str, begin: int, end: int, own: Sequence[tuple[tuple[int, int], set[str]]]) -> set[str]:
    """Return the names that the model cites itself, in a piece or right behind it."""
    said: set[str] = set()
    for (start, stop), names in own:
        if begin <= start and not text[end:start].strip(_BETWEEN):
            said |= names
            end = max(end, stop)
    return said


def _find_place(text: str, end: int, code: Sequence[Code]) -> int:
    """Return where the markers of words go that end at ``end``: behind the last of them that are no code."""
    place = len(text[:end].rstrip())
    around = next((one for one in code if one.start < place < one.end or (one.is_fenced and one.end == place)), None)
    if around is None:
        return place
    return len(text[: around.start].rstrip()) if around.is_open else around.end


def _insert(text: str, added: Mapping[int, Iterable[str]], code: Sequence[Code]) -> str:
    behind_fence = {one.end for one in code if one.is_fenced}
    parts: list[str] = []
    last = 0
    for place, markers in sorted(added.items()):
        before, after = text[:place], text[place : place + 1]
        opening = "\n" if place in behind_fence else " " if before and not before[-1].isspace() else ""
        # No link is to come of a marker, and no fence is to lose its line.
        closing = "\n" if not before and after in ("`", "~") else " " if after == "(" else ""
        parts += [text[last:place], opening, *markers, closing]
        last = place
    return "".join((*parts, text[last:]))
