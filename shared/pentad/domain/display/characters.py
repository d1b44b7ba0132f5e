r"""Show text from outside so that a reader sees all of it: what has no picture of its own is written as JSON writes it.

A terminal, a page or a chat obeys some characters instead of showing them: escape sequences move the cursor, a
right-to-left override turns a line round, a newline begins what looks like another entry, a tag character is shown as
nothing and read by a model. Stored text keeps them (Persian and Hindi need joiners, emoji too); what is *shown* has
them as ``\u202e``. The notation is JSON's: JSON text that is marked is the same JSON value.

Letters that pass for those of another script (Cyrillic has an "a" too) are letters, and stay in text; in values that a
human decides on (`format_json`) they are written out: see `pentad.domain.display.scripts`.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from pentad.domain.display.scripts import blank_escapes, find_alike

_PLAIN: Final = re.compile(r"[^ -~]+")
# Unicode's categories without a picture: control, format, surrogate, private use, unassigned, line and paragraph ends.
_WITHOUT_PICTURE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters, marks and symbols that are shown as nothing: Default_Ignorable_Code_Point beyond the categories above, and
# Braille's blank. Variation selectors follow below.
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
# Of category Cf and yet with a picture (Prepended_Concatenation_Mark): Arabic, Syriac and Kaithi number signs.
_PICTURED: Final = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
_COMBINING: Final = frozenset({"Mn", "Me"})
_NOTHING: Final = frozenset({"", "\n", '"'})
_EMOJI_STYLES: Final = frozenset("\ufe0e\ufe0f")
MOST_MARKS: Final = 5
"""Combining marks on one letter: Vietnamese has two, Hebrew and Thai up to four; more pile up over the next lines."""


def mark_line(text: str) -> str:
    r"""Return text as one line without a character that hides or acts; a newline is shown as ``\n``."""
    return _mark(text, keep="", strict=False)


def mark_text(text: str) -> str:
    """Return text without a character that hides or acts, its lines and tabs as they are."""
    return _mark(text.replace("\r\n", "\n"), keep="\n\t", strict=False)


def format_json(value: Any, *, indent: int | None = None) -> str:
    """Return a value as JSON that shows every character there is: the same value, readable and safe to print.

    Spaces but the ordinary one are marked too, and letters that pass for others, since two values that differ in one of
    them must not look equal.

    Args:
        value: a value of JSON's types; what is none becomes its text.
        indent: columns by which each level is moved in, each entry then on a line of its own.
    """
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=str)
    alike = find_alike(blank_escapes(text))
    if alike:
        text = "".join(_escape(letter) if place in alike else letter for place, letter in enumerate(text))
    return _mark(text, keep="\n", strict=True)


def shorten_line(text: str, most: int) -> str:
    """Return the words of a text as one marked line of at most so many characters; ``…`` ends it if it is cut."""
    # No more is looked at than can be shown: a text may be megabytes.
    line = mark_line(" ".join(text[: 4 * most].split()))
    return line if len(line) <= most and len(text) <= 4 * most else f"{line[: most - 1]}…"


def cut_text(text: str, most: int) -> tuple[str, int]:
    """Return the beginning of a text, and how many of its characters are not in that."""
    return text[:most], max(0, len(text) - most)


def count_marked(text: str) -> int:
    """Return how many characters of a text are shown as JSON writes them, newlines and tabs not counted."""
    return sum(character not in "\n\r\t" and _is_hidden(character, strict=True) for character in text)


def iter_shown_strings(value: Any) -> Iterator[str]:
    """Yield every string in a value of JSON's types, names too."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, Mapping):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple):
            waiting += one


def _mark(text: str, *, keep: str, strict: bool) -> str:
    def mark_run(match: re.Match[str]) -> str:
        shown: list[str] = []
        before, marks = text[match.start() - 1] if match.start() else "", 0
        for character in match[0]:
            marks = marks + 1 if unicodedata.category(character) in _COMBINING else 0
            hidden = _is_hidden(character, strict=strict) and (strict or not _is_emoji_style(character, before))
            # A mark on nothing, or on the quote that begins a value, changes how something else looks.
            stray = marks > MOST_MARKS or (marks == 1 and before in _NOTHING)
            shown.append(_escape(character) if (hidden or stray) and character not in keep else character)
            before = character
        return "".join(shown)

    return _PLAIN.sub(mark_run, text)


def _is_emoji_style(character: str, before: str) -> bool:
    """Tell whether this asks for the picture or the sign of the symbol before it: common, and room for one bit."""
    return character in _EMOJI_STYLES and bool(before) and unicodedata.category(before) == "So"


@lru_cache(maxsize=4096)
def _is_hidden(character: str, *, strict: bool) -> bool:
    if character in _PICTURED or character == " ":
        return False
    code, category = ord(character), unicodedata.category(character)
    if category in _WITHOUT_PICTURE or character in _BLANK:
        return True
    if 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF:  # variation selectors: 256 values, a byte each
        return True
    return strict and category == "Zs"


def _escape(character: str) -> str:
    return json.dumps(character)[1:-1] if character != "\x7f" else "\\u007f"
