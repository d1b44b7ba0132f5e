"""The tree of an expression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Path:
    """A document path: names of attributes, and places in lists; `written` are the names that stand in the text."""

    parts: tuple[str | int, ...]
    written: tuple[str, ...] = ()

    def __str__(self) -> str:
        shown = (f"[{part}]" if isinstance(part, int) else part for part in self.parts)
        return f"[{', '.join(shown)}]"


@dataclass(frozen=True)
class Given:
    """A value that the request gives under a placeholder."""

    name: str
    value: dict[str, Any]

    @property
    def kind(self) -> str:
        """The type of the value, such as `S`."""
        return str(next(iter(self.value)))


@dataclass(frozen=True)
class Term:
    """A function with its operands, or an operator with those before and behind it."""

    name: str
    operands: tuple[Node, ...]


@dataclass(frozen=True)
class Action:
    """What an update does to a path: `SET`, `REMOVE`, `ADD` or `DELETE`."""

    section: str
    path: Path
    value: Node | None = None


Node = Path | Given | Term
