"""Find the markers in an answer by which it cites passages, such as `[cite:k7f2qa]`.

The form is one that ordinary answers don't contain: numbers in brackets are lists, indexes, intervals and footnotes.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

# Code is no place for a marker: a fenced block up to its end (or the answer's), or a span between equal backticks.
_FENCE = r"^[ ]{0,3}(?P<fence>`{3,}|~{3,})[^\n]*(?:\n.*?^[ ]{0,3}(?P=fence)[`~]*[ \t]*$|.*\Z)"
_SPAN = r"(?<!`)(?P<tick>`+)(?!`).+?(?<!`)(?P=tick)(?!`)"
_CODE = re.compile(f"{_FENCE}|{_SPAN}", re.MULTILINE | re.DOTALL)
# [cite:k7f2qa], [cite: k7f2qa, m3x5bd]; models write a second one with its own prefix, or in capitals, too.
_NAME = r"(?:cite:[ ]?)?([a-z0-9][a-z0-9_-]{0,23})"
_MARKER = re.compile(rf"\[[ ]?cite:[ ]?{_NAME}(?:[ ]?[,;][ ]?{_NAME}){{0,49}}[ ]?\]", re.IGNORECASE)
_NAMES = re.compile(rf"(?:\A\[[ ]?cite:|[,;])[ ]?{_NAME}", re.IGNORECASE)


class Code(NamedTuple):
    """A stretch of code in a text: ``text[start:end]``."""

    start: int
    end: int
    is_fenced: bool
    is_open: bool


def iter_markers(answer: str) -> Iterator[re.Match[str]]:
    """Yield the markers of an answer, in order; what stands in code is none."""
    if "cite:" not in answer.lower():
        return
    code = find_code(answer)
    for match in _MARKER.finditer(answer):
        if not any(one.start <= match.start() < one.end for one in code):
            yield match


def parse_names(match: re.Match[str]) -> list[str]:
    """Return the names of the passages that a marker cites, in lower case."""
    return [name.lower() for name in _NAMES.findall(match[0])]


def find_code(text: str) -> list[Code]:
    """Return the stretches of code in Markdown, in order; a fence that is not closed is open to the text's end."""
    return [
        Code(*match.span(), match["fence"] is not None, match["fence"] is not None and not _is_closed(match))
        for match in _CODE.finditer(text)
    ]


def _is_closed(fenced: re.Match[str]) -> bool:
    _, newline, last = fenced[0].rpartition("\n")
    return bool(newline) and last.strip().startswith(fenced["fence"]) and not last.strip().strip("`~")
