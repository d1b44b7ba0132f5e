"""Follow the colours of letters and of the ground below them through a page, to find words that do not show on it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pentad.memory.documents.formats.web.css_colors import BLACK, WHITE, Color, looks_same, read_color
from pentad.memory.documents.formats.web.css_hiding import is_transparent

_COLORS = frozenset({"color", "background-color", "background-image"})
_KEPT = frozenset({"", "inherit", "initial", "unset", "revert", "none", "currentcolor"})
_MOST_OPEN = 200
_WORD = re.compile(r"\w+")
_MOST_WORDS = 8


@dataclass
class _Painted:
    tag: str
    letters: Color | None
    ground: Color | None
    depth: int = 1


class PageColors:
    """The elements that are open and declare a colour.

    Attributes:
        count: how many words have the colour of their ground.
        words: the first of them.
    """

    def __init__(self) -> None:
        self.count = 0
        self.words: list[str] = []
        self._open: list[_Painted] = []

    def open_tag(self, tag: str, declared: Mapping[str, str], *, ends_itself: bool) -> None:
        """Take an element that opens and is shown."""
        if ends_itself and self._open and self._open[-1].tag == tag:
            self._open.pop()
        top = self._open[-1] if self._open else _Painted("", BLACK, WHITE)
        if not (_COLORS & declared.keys()) or len(self._open) >= _MOST_OPEN:
            top.depth += tag == top.tag
            return
        letters, ground = top.letters, top.ground
        if (value := declared.get("color", "")) not in _KEPT:
            letters = read_color(value)
        if (value := declared.get("background-color", "")) not in _KEPT and not is_transparent(value):
            ground = read_color(value)
        if declared.get("background-image", "none") != "none":
            ground = None
        self._open.append(_Painted(tag, letters, ground))

    def close_tag(self, tag: str) -> None:
        """Take an element that closes and is shown."""
        if self._open and self._open[-1].tag == tag:
            self._open[-1].depth -= 1
            if not self._open[-1].depth:
                self._open.pop()

    def take_words(self, words: str) -> None:
        """Look at words that are shown."""
        if not self._open or not looks_same(self._open[-1].letters, self._open[-1].ground):
            return
        found = _WORD.findall(words)
        self.count += len(found)
        self.words += found[: _MOST_WORDS - len(self.words)]
