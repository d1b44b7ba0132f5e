"""A parsed document: its text and the structure found in it."""

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["heading", "text", "item", "row", "code"]

_INVISIBLE = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\ufeff\ud800-\udfff]")


@dataclass(frozen=True)
class ParsedBlock:
    """A piece of structure: ``text[start:end]`` under the headings in ``path`` (its own included)."""

    start: int
    end: int
    kind: Kind
    path: tuple[str, ...] = ()


@dataclass(frozen=True)
class ParsedDocument:
    """A document as text. Blocks are in order and do not overlap; what is between them belongs to no structure."""

    text: str
    blocks: tuple[ParsedBlock, ...]
    media_type: str
    notes: tuple[str, ...] = ()


def clean(text: str) -> str:
    """Return text with equal line ends and without characters that nobody can see or XML can't hold."""
    return _INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0c", "\n"))
