"""Mask what stands behind a secret's name in a text that holds JSON, in its place: nothing else of the text changes.

The text need not be JSON as a whole: it may be cut, stand among prose, be Python's form of it (``{'password': 'x'}``),
or stand in a string of other JSON, where each quote has backslashes before it. Every step takes time in proportion to
what it passes.
"""

import re
from collections.abc import Collection
from typing import Final, NamedTuple

from pentad.domain.secrets.names import MASK, is_behind, is_placeholder, is_secret_name

_MAX_DEPTH: Final = 64
_LONGEST_ESCAPED: Final = 4_000
"""Characters of a string within a string."""
_STRINGS: Final = {
    '"': re.compile(r'([^"\\\n]*(?:\\[^\n][^"\\\n]*)*)("|\\?\Z)'),
    "'": re.compile(r"([^'\\\n]*(?:\\[^\n][^'\\\n]*)*)('|\\?\Z)"),
}
_TOKEN: Final = re.compile(
    r"""(?x)(?:\s|\\{1,7}[nrt])*(?:(?P<open>[{\[])|(?P<close>[}\]])|(?P<mark>[,:])
    |(?P<word>(?:true|false|null|None|True|False)\b)|(?P<number>-?\d[\d.eE+-]*)|(?P<quote>\\{0,7}["'])|(?P<end>[A-Za-z]{0,5}\Z))"""
)
_COLON: Final = re.compile(r"\s{0,20}:")
_NUMBER_ENDS: Final = re.compile(r"\s{0,20}(?:[,}\]\n]|\\{1,7}n|\Z)")
# What a field is, and not what it holds: a schema's.
_SCHEMA: Final = re.compile(
    r"""(?x)\{\s{0,200}\\{0,7}["'](?:\$ref|type\\{0,7}["']\s?:\s?\\{0,7}["']
    (?:string|number|integer|boolean|object|array))\\{0,7}["']"""
)


class Passed(NamedTuple):
    """A value of a text: where it ends, and what is to stand in its place; None where it is no value."""

    end: int
    shown: str | None


def read_string(text: str, start: int, quote: str) -> tuple[int, int] | None:
    """Return where the words of a string end, and where it ends with its quote, both the text's end if it is cut.

    Args:
        text: any text.
        start: of the string's words, behind the quote.
        quote: the quote, with the backslashes before it.
    """
    if len(quote) == 1:
        found = _STRINGS[quote].match(text, start)
        return (found.end(1), found.end()) if found else None
    end = re.compile(rf"(?<!\\){re.escape(quote)}").search(text, start, start + _LONGEST_ESCAPED)
    if end:
        return end.start(), end.end()
    return None if start + _LONGEST_ESCAPED < len(text) else (len(text), len(text))


def pass_value(
    text: str, start: int, name: str, quote: str, safe: Collection[str], *, whole: bool, is_json: bool
) -> Passed:
    """Return a value with what is secret in it masked, at any depth; numbers become a string.

    Args:
        text: any text.
        start: of the value.
        name: above it.
        quote: of the name, with the backslashes before it.
        safe: names of fields whose values stay.
        whole: the value stays as it is: only its end is asked for.
        is_json: the text begins as JSON does, so nothing in it stands in for a value.
    """
    if not whole and _SCHEMA.match(text, start):
        return Passed(start, None)
    return _Walk(text, quote, safe, _Frame(mapping=False, names=(name,), safe=whole), is_json=is_json).walk(start)


class _Frame(NamedTuple):
    """What is open: whether it is a mapping, the names of secrets above its values, and whether they are safe."""

    mapping: bool
    names: tuple[str, ...]
    safe: bool


class _Walk:
    """Passes one value."""

    def __init__(self, text: str, quote: str, safe: Collection[str], above: _Frame, *, is_json: bool) -> None:
        self._text = text
        self._quote = quote
        self._safe = safe
        self._is_json = is_json
        self._above = above
        self._open: list[_Frame] = []
        self._parts: list[str] = []
        self._taken = 0

    def walk(self, start: int) -> Passed:
        """Return the value that starts here."""
        at = self._taken = start
        while True:
            found = _TOKEN.match(self._text, at)
            kind = found.lastgroup if found else None
            if found is None or kind is None or len(self._open) > _MAX_DEPTH:
                return Passed(at, None)
            if kind == "end":  # of a text that was cut
                return self._end(found.end()) if self._open else Passed(at, None)
            end = self._pass_token(found, kind)
            if end is None:
                return Passed(found.end(), None)
            at = end
            if not self._open:
                return self._end(at)

    def _end(self, at: int) -> Passed:
        return Passed(at, "".join((*self._parts, self._text[self._taken : at])))

    def _pass_token(self, found: re.Match[str], kind: str) -> int | None:
        """Return where a token ends; None where it is not JSON's here."""
        if kind == "open":
            self._above = self._above._replace(mapping=found["open"] == "{")
            self._open.append(self._above)
            return found.end()
        if kind in ("close", "mark") and not self._open:
            return None
        if kind == "quote":
            return self._pass_string(found)
        if kind == "number":
            self._pass_number(found.start("number"), found.end())
        if kind == "close":
            self._open.pop()
        if found["mark"] != ":" and self._open:
            self._above = self._open[-1]
        return found.end()

    def _pass_string(self, found: re.Match[str]) -> int | None:
        ends = read_string(self._text, found.end(), found["quote"])
        if ends is None:
            return None
        words = self._text[found.end() : ends[0]]
        if self._open and self._open[-1].mapping and _COLON.match(self._text, ends[1]):
            _, names, safe = self._open[-1]
            above = (*names, words) if is_secret_name(words) and words not in names else names
            self._above = _Frame(mapping=False, names=above, safe=safe or words in self._safe)
            return ends[1]
        if not self._above.safe and self._is_secret(self._above.names, words):
            self._parts += [self._text[self._taken : found.end()], MASK]
            self._taken = ends[0]
        if self._open:
            self._above = self._open[-1]
        return ends[1]

    def _pass_number(self, start: int, end: int) -> None:
        if not self._above.safe and is_behind(self._above.names, 0) and _NUMBER_ENDS.match(self._text, end):
            self._parts += [self._text[self._taken : start], self._quote, MASK, self._quote]
            self._taken = end

    def _is_secret(self, names: tuple[str, ...], words: str) -> bool:
        """Return whether a string is a secret; among prose and code it may be what stands in for one."""
        return (
            words != MASK
            and is_behind(names, words)
            and (self._is_json or not (is_placeholder(words) or words.endswith(" ")))
        )
