"""Find what of a text a regular expression matches, or make the plainest text, for schemas with a pattern."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from typing import Any

_PARSER: Any = importlib.import_module("re._parser")  # the standard library's own, which has no public name
_MOST_REPEATS = 64
_MAX_PARTS = 10_000
_MOST_MORE = 40
_MIXED = "aA0-"
_PLAIN = "a0A-_ .@/:"
_OF_CLASS = {"CATEGORY_DIGIT": "0", "CATEGORY_WORD": "a", "CATEGORY_SPACE": " "}
_OUTSIDE_CLASS = {"CATEGORY_NOT_DIGIT": "a", "CATEGORY_NOT_WORD": "-", "CATEGORY_NOT_SPACE": "a"}
_ANCHORED = re.compile(r"(\(\?[aimsux]+\))?(?:\^|\\A)?((?:[^\\]|\\.)*?)(?:\$|\\Z)?", re.S)
"""A pattern: its flags, and what stands between an anchor at either end."""
# Scripts without blanks may stand beside a name that is no part of their word.
_LETTER = r"[^\W\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]"
_BEGIN = rf"(?:(?<!{_LETTER})|(?!{_LETTER}))(?<!{_LETTER}-)(?<!\d[.,])"
_END = rf"(?:(?<!{_LETTER})|(?!{_LETTER}))(?!-{_LETTER}|[.,]\d)"


def find_match(pattern: str, text: str) -> str | None:
    r"""Return what of a text meets a pattern that may be anchored, or None.

    It begins and ends where words do: ``^[A-Z]-\d{4}$`` is not met by a part of ``ABC-47112``, which names another.

    Args:
        pattern: a regular expression; one that Python does not read is met by nothing.
        text: what it is looked for in.
    """
    parts = _ANCHORED.fullmatch(pattern)
    if parts is None:  # it ends in a lone backslash
        return None
    try:
        found = re.search(f"{parts[1] or ''}{_BEGIN}(?:{parts[2]}){_END}", text)
    except re.error:
        return None
    return found.group() if found else None


def make_match(pattern: str, more: int = 0) -> str | None:
    """Return a text in which a pattern is found, or None where none can be made by plain rules.

    Args:
        pattern: a regular expression of Python.
        more: how often what may be repeated is repeated beyond what it must be.
    """
    try:
        made = _Maker(more).write(_PARSER.parse(pattern))
        return made if re.search(pattern, made) else None
    except (re.error, ValueError, OverflowError, RecursionError):
        return None


def make_match_of_length(pattern: str, least: int, most: int | None) -> str | None:
    """Return a text in which a pattern is found and that has a length; None where plain rules find none."""

    def is_good(made: str | None) -> bool:
        return made is not None and len(made) >= least and (most is None or len(made) <= most)

    made = (make_match(pattern, more) for more in range(_MOST_MORE))
    found = next((one for one in made if is_good(one)), None)
    if found is not None:
        return found
    # Lookarounds are no text of their own: a text of every kind of character may meet them.
    lengths = range(max(1, least), min(most if most is not None else _MOST_REPEATS, _MOST_REPEATS) + 1)
    mixed = ((_MIXED * _MOST_REPEATS)[:length] for length in lengths)
    try:
        return next((one for one in mixed if re.search(pattern, one)), None)
    except re.error:
        return None


class _Maker:
    """Writes one text; groups are remembered for back references."""

    def __init__(self, more: int = 0) -> None:
        self._more = more
        self._groups: dict[int, str] = {}
        self._parts = 0

    def write(self, parsed: Any) -> str:
        """Return a text for a parsed pattern.

        Raises:
            ValueError: it needs what plain rules can't give.
        """
        return "".join(self._write_part(str(kind), value) for kind, value in parsed)

    def _write_part(self, kind: str, value: Any) -> str:
        self._parts += 1
        if self._parts > _MAX_PARTS:
            raise ValueError("the pattern is too large")
        writers: dict[str, Callable[[Any], str]] = {
            "LITERAL": chr,
            "NOT_LITERAL": lambda code: next(one for one in _PLAIN if one != chr(code)),
            "ANY": lambda _: "a",
            "IN": _choose_character,
            "BRANCH": lambda branches: self.write(branches[1][0]),
            "SUBPATTERN": self._write_group,
            "ATOMIC_GROUP": self.write,
            "GROUPREF": lambda number: self._groups.get(number, ""),
        }
        writers |= dict.fromkeys(("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"), self._write_repeat)
        writers |= dict.fromkeys(("AT", "ASSERT", "ASSERT_NOT"), _skip)
        if kind not in writers:
            raise ValueError(f"no rule for {kind}")
        return writers[kind](value)

    def _write_repeat(self, value: Any) -> str:
        least, most, inner = value
        if least > _MOST_REPEATS:
            raise ValueError("the pattern repeats too often")
        return "".join(self.write(inner) for _ in range(min(int(least) + self._more, int(most))))

    def _write_group(self, value: Any) -> str:
        self._groups[value[0] or 0] = made = self.write(value[-1])
        return made


def _skip(_: Any) -> str:
    """Return nothing: an anchor has no text of its own, and whether a lookaround holds is seen at the end."""
    return ""


def _choose_character(items: Any) -> str:
    """Return a character of a set."""
    if str(items[0][0]) == "NEGATE":
        known = re.compile(f"[^{''.join(_render_item(item) for item in items[1:])}]")
        return str(next(one for one in (*_PLAIN, *map(chr, range(33, 1000))) if known.fullmatch(one)))
    kind, value = str(items[0][0]), items[0][1]
    if kind == "LITERAL":
        return chr(value)
    if kind == "RANGE":
        return chr(value[0])
    name = str(value)
    return str({**_OF_CLASS, **_OUTSIDE_CLASS}[name])


def _render_item(item: Any) -> str:
    kind, value = str(item[0]), item[1]
    if kind == "LITERAL":
        return re.escape(chr(value))
    if kind == "RANGE":
        return f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
    classes = {"DIGIT": r"\d", "WORD": r"\w", "SPACE": r"\s", "NOT_DIGIT": r"\D", "NOT_WORD": r"\W", "NOT_SPACE": r"\S"}
    return classes[str(value).removeprefix("CATEGORY_")]
