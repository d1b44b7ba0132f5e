"""A parsed document: its text and the structure found in it."""

import re
from dataclasses import dataclass
from typing import Literal

from pentad.domain.display.sequences import strip_tags
from pentad.domain.errors import InvalidInput

MAX_CHARACTERS = 60_000_000
"""Of a document as text. It has 26,214,400 bytes at most; JSON grows by the paths of its values."""
Kind = Literal["heading", "text", "item", "row", "code"]

DEFINITION = re.compile(
    r"[ \t]*+(?:@[\w.]|#\[|(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|pub|"
    r"override|sealed|open|data|inline|virtual|extern|unsafe|partial|declare)\b(?:\([^)\n]{0,20}\))?[ \t]++){0,5}+"
    r"(?:def|class|function|func|fn|fun|impl|interface|trait|struct|enum|union|type|module|namespace|object|sub|"
    r"procedure|macro|package|resource|message|service|create|alter)\b)",
    re.IGNORECASE,
)
"""A line at which a definition begins, in the languages that people have."""
CODES = re.compile(r"\x1b(?:\[[0-?]*+[ -/]*+[@-~]|\][^\x07\x1b\n]*+(?:\x07|\x1b\\)?)")
"""Colours and the like for a terminal."""
_STRUCK_OVER = re.compile("[^\n\x08]\x08")
"""A character that another one is written over, as pages of manuals have it for bold type."""
# Controls, half characters, and what is a way to write what nobody sees: soft hyphens, blanks without width, changes of
# direction. Joiners, selectors and tags, in which a whole text can be hidden, stay where scripts and emoji need them.
_INVISIBLE = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\u00ad\u200b\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


@dataclass(frozen=True)
class ParsedBlock:
    """A piece of structure: ``text[start:end]`` under the headings in ``path`` (its own included).

    ``header`` is what the piece can't be read without, such as the first row of its table, and ``page`` the number of
    the page on which it begins, where it has one.
    """

    start: int
    end: int
    kind: Kind
    path: tuple[str, ...] = ()
    header: str = ""
    page: int | None = None


@dataclass(frozen=True)
class ParsedDocument:
    """A document as text. Blocks are in order and do not overlap; what is between them belongs to no structure."""

    text: str
    blocks: tuple[ParsedBlock, ...]
    media_type: str
    notes: tuple[str, ...] = ()
    parser: str = "text"
    language: str | None = None


@dataclass(frozen=True)
class ParsedText:
    """What a parser makes of a document."""

    text: str
    blocks: list[ParsedBlock]
    notes: tuple[str, ...] = ()
    language: str | None = None


def refuse_long(characters: int) -> None:
    """Refuse a text that grows too long.

    Raises:
        InvalidInput: it has more characters than fit into the chunks of one document.
    """
    if characters > MAX_CHARACTERS:
        raise InvalidInput(
            f"the document has more than {MAX_CHARACTERS:,} characters as text",
            field="document",
            fix="split the document",
        )


def clean(text: str) -> str:
    """Return text with equal line ends and without characters that nobody can see or XML can't hold."""
    if "\x1b" in text:
        text = CODES.sub("", text)
    if "\x08" in text:
        text = _STRUCK_OVER.sub("", text)
    shown = _INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0c", "\n"))
    return strip_tags(shown)
