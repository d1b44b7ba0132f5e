"""What stands between two formats: a tree of plain values, with the bounds that every reader keeps."""

from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, TypeAlias

from pentad.domain.errors import InvalidInput

Node: TypeAlias = Any
"""None, bool, int, `Decimal`, str, date, time, datetime, a list of nodes, or a dict of nodes by text."""

MAX_CHARACTERS = 200_000
"""Of the content that is converted."""
MAX_RESULT_CHARACTERS = 1_000_000
MAX_NODES = 100_000
MAX_DEPTH = 64
MAX_DIGITS = 1_000
"""Of one number."""
_MAX_NOTES = 20


@dataclass
class Losses:
    """What a conversion could not keep, for whoever reads the result.

    Args:
        notes: a sentence each, each once.
    """

    notes: list[str] = field(default_factory=list)

    def note(self, sentence: str) -> None:
        """Keep a sentence; of very many only the first are kept, and the last says so."""
        if sentence in self.notes or len(self.notes) > _MAX_NOTES:
            return
        self.notes.append(sentence if len(self.notes) < _MAX_NOTES else "there are more losses like these")


def make_content_error(message: str, fix: str, field_name: str = "content") -> InvalidInput:
    """Return the error of a content that can't be converted."""
    return InvalidInput(message, field=field_name, fix=fix)


def make_depth_error() -> InvalidInput:
    """Return the error of a content that is nested too deeply."""
    return make_content_error(f"it is nested more than {MAX_DEPTH} levels deep", "convert an inner part of it")


class NodeBudget:
    """Counts what a reader makes, so that a short text can't become a large tree."""

    def __init__(self) -> None:
        self._nodes = MAX_NODES
        self._characters = MAX_RESULT_CHARACTERS

    def spend(self, depth: int, text: str = "") -> None:
        """Count a node.

        Args:
            depth: how many nodes are around it.
            text: what it holds.

        Raises:
            InvalidInput: it is too deep, or there are too many.
        """
        self._nodes -= 1
        self._characters -= len(text)
        if depth > MAX_DEPTH:
            raise make_depth_error()
        if self._nodes < 0 or self._characters < 0:
            raise make_content_error(
                f"it expands to more than {MAX_NODES:,} values or {MAX_RESULT_CHARACTERS:,} characters",
                "convert a part of it",
            )


def check_tree(root: Node) -> None:
    """Check depth, size and numbers of what a library has read, without recursion.

    Raises:
        InvalidInput: a bound is passed.
    """
    budget = NodeBudget()
    open_nodes: list[tuple[Node, int]] = [(root, 0)]
    while open_nodes:
        node, depth = open_nodes.pop()
        budget.spend(depth, node if isinstance(node, str) else "")
        if isinstance(node, dict):
            open_nodes.extend((value, depth + 1) for value in node.values())
        elif isinstance(node, list):
            open_nodes.extend((value, depth + 1) for value in node)
        elif isinstance(node, int) and node.bit_length() > MAX_DIGITS * 4:
            raise make_digits_error()


def make_digits_error() -> InvalidInput:
    """Return the error of a number that is too long."""
    return make_content_error(f"a number has more than {MAX_DIGITS:,} digits", "write it as text, in quotes")


def read_integer(text: str) -> int:
    """Return an integer of at most 1,000 digits.

    Raises:
        InvalidInput: it is longer.
    """
    if len(text) > MAX_DIGITS:
        raise make_digits_error()
    return int(text)


def read_decimal(text: str) -> Decimal:
    """Return a decimal number with its digits as they stand.

    Raises:
        InvalidInput: it has more than 1,000 digits, or an exponent beyond what decimals have.
    """
    if len(text) > MAX_DIGITS:
        raise make_digits_error()
    value = Decimal(text)
    if value.is_finite() and abs(value.adjusted()) > 100_000:
        raise make_content_error(f"the number {text[:40]} has too large an exponent", "write it as text, in quotes")
    return value


def show_scalar(value: Node) -> str:
    """Return a value that is no list or dict as text: true, false, an empty text for None, ISO 8601 for dates."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date | time | datetime):
        return value.isoformat()
    return show_decimal(value) if isinstance(value, Decimal) else str(value)


def show_decimal(value: Decimal) -> str:
    """Return a decimal number with all its digits, and an exponent only where it is long without."""
    exponent = value.as_tuple().exponent
    return f"{value:f}" if isinstance(exponent, int) and -60 <= exponent < 0 else str(value)


def is_scalar(value: Node) -> bool:
    """Tell whether a value is neither list nor dict."""
    return not isinstance(value, list | dict)
