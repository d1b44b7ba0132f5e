"""Mask what stands behind a secret's name in a text, whatever its form: where the text says that it is data.

A name with quotes is JSON's (`json_values.py`); one without is an address's, a form's, a header's or a setting's
(`line_values.py`). In prose and in code a value is told by its form alone (`mask.py`).
"""

import heapq
import re
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from typing import Final

from pentad.domain.secrets.json_values import pass_value
from pentad.domain.secrets.line_values import Lines
from pentad.domain.secrets.names import MASK, is_secret_name

_STEMS: Final = "key secret token password passwd passphrase pwd string cookie authorization".split()
"""What each of the names ends with, in the singular."""
_NO_NAMES: Final = frozenset({"key", "token", "string"})
"""Of these, what is no name alone."""
_SIGN: Final = r"""s?(?=\\{0,7}["']\s{0,20}:|[ \t]{0,10}[:=])"""
"""What follows a name in a text that gives it a value."""
_LONGEST: Final = 24
"""Characters of a name before its stem."""
_LEAD: Final = re.compile(r"[\w-]*\Z")
_QUOTED_LEAD: Final = re.compile(r"""(?P<quote>\\{0,7}["'])(?P<name>[\w .-]*)\Z""")
_SEPARATOR: Final = re.compile(r"\s{0,20}:\s{0,20}")


def mask_named(text: str, safe: Collection[str] = ()) -> str:
    """Return a text with the values masked that stand as data behind a secret's name.

    Args:
        text: any text.
        safe: names of fields whose values stay, in JSON with all that is below them.
    """
    lower = text.lower()
    if len(lower) != len(text):  # a capital of Turkish has two characters when small: positions would differ
        lower = text
    stems = [stem for stem in _STEMS if stem in lower]
    if not stems:
        return text
    # One after the other, since a large text may have millions of them.
    places = heapq.merge(
        *(_iter_places(lower, _compile_stem(stem)) for stem in stems),
        *(_iter_places(text, re.compile(re.escape(name) + _SIGN)) for name in safe),
    )
    return _Masking(text, safe).mask(places)


@cache
def _compile_stem(stem: str) -> re.Pattern[str]:
    # With its first use: most functions meet none of them, and a cold start waits for what is compiled before.
    return re.compile((r"(?<=[\w .-])" if stem in _NO_NAMES else "") + stem + _SIGN)


def _iter_places(text: str, pattern: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    return (found.span() for found in pattern.finditer(text))


class _Masking:
    """Of one text: what of it is done, and what is to be shown."""

    def __init__(self, text: str, safe: Collection[str]) -> None:
        self._text = text
        self._safe = safe
        self._is_json = text.lstrip()[:1] in ("{", "[")
        self._lines = Lines(text)
        self._parts: list[str] = []
        self._taken = 0
        self._no_json = 0
        """Up to here no list and no mapping is JSON: it was looked at, and is not again."""

    def mask(self, places: Iterable[tuple[int, int]]) -> str:
        for at, end in places:
            if at >= self._taken:
                self._mask_one(at, end)
        return "".join((*self._parts, self._text[self._taken :]))

    def _mask_one(self, at: int, end: int) -> None:
        text, begin = self._text, max(0, at - _LONGEST)
        quoted = _QUOTED_LEAD.search(text, begin, at)
        if quoted and text.startswith(quoted["quote"], end):
            self._mask_json(text[quoted.start("name") : end], end + len(quoted["quote"]), quoted["quote"])
            return
        lead = _LEAD.search(text, begin, at)
        start = lead.start() if lead else at
        name = text[start:end]
        if is_secret_name(name) and name not in self._safe:
            value = self._lines.find(start, end)
            if value is not None:
                self._take(value.start, value.end, MASK)

    def _mask_json(self, name: str, end: int, quote: str) -> None:
        sign = _SEPARATOR.match(self._text, end)
        whole = name in self._safe
        if sign is None or not (whole or is_secret_name(name)):
            return
        nested = self._text.startswith(("{", "["), sign.end())
        if nested and sign.end() < self._no_json:
            return
        value = pass_value(self._text, sign.end(), name, quote, self._safe, whole=whole, is_json=self._is_json)
        if value.shown is not None:
            self._take(sign.end(), value.end, value.shown)
        elif nested:
            self._no_json = value.end

    def _take(self, start: int, end: int, shown: str) -> None:
        self._parts += [self._text[self._taken : start], shown]
        self._taken = end
