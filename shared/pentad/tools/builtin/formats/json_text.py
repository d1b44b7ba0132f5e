"""JSON and JSON Lines: numbers keep their digits, a key that stands twice is told."""

import json
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from pentad.domain.errors import InvalidInput
from pentad.tools.builtin.formats.tree import (
    Losses,
    Node,
    check_tree,
    make_content_error,
    make_depth_error,
    read_decimal,
    read_integer,
    show_scalar,
)


def read_json(text: str, losses: Losses) -> Node:
    """Return the tree of a JSON text.

    Raises:
        InvalidInput: it is no JSON, or passes a bound.
    """
    try:
        root = json.loads(
            text,
            parse_int=read_integer,
            parse_float=read_decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=lambda pairs: _make_object(pairs, losses),
        )
    except json.JSONDecodeError as error:
        raise make_content_error(
            f"it is not JSON: {error.msg} in line {error.lineno}, column {error.colno}", "correct it there"
        ) from error
    except RecursionError as error:
        raise make_depth_error() from error
    check_tree(root)
    return root


def read_json_lines(text: str, losses: Losses) -> Node:
    """Return the list of what stands in the lines of a JSON Lines text; empty lines are skipped.

    Raises:
        InvalidInput: a line is no JSON, or a bound is passed.
    """
    rows: list[Node] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            rows.append(read_json(line, losses))
        except InvalidInput as error:
            raise make_content_error(f"line {number}: {error.message}", "write one JSON value in each line") from error
    check_tree(rows)
    return rows


def _refuse_constant(name: str) -> Any:
    raise make_content_error(f"{name} is not JSON", "write null, or the word in quotes")


def _make_object(pairs: list[tuple[str, Node]], losses: Losses) -> dict[str, Node]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        losses.note(f"the key '{twice[:60]}' stands more than once in an object: the last value was taken")
    return made


def write_json(root: Node, losses: Losses, *, indent: int | None = 2) -> str:
    """Return a tree as JSON, keys in their order.

    Args:
        root: the tree.
        losses: takes what JSON can't hold.
        indent: spaces a level; None: all in one line.
    """
    return _write_value(root, losses, indent, 0)


def write_json_lines(root: Node, losses: Losses) -> str:
    """Return a list with one JSON value a line; anything else is one line."""
    rows = root if isinstance(root, list) else [root]
    return "".join(f"{write_json(row, losses, indent=None)}\n" for row in rows)


def _write_value(value: Node, losses: Losses, indent: int | None, depth: int) -> str:
    if isinstance(value, dict):
        colon = ": " if indent else ":"
        parts = [
            f"{_write_text(key)}{colon}{_write_value(item, losses, indent, depth + 1)}" for key, item in value.items()
        ]
        return _join(parts, "{", "}", indent, depth)
    if isinstance(value, list):
        return _join([_write_value(item, losses, indent, depth + 1) for item in value], "[", "]", indent, depth)
    if isinstance(value, str):
        return _write_text(value)
    if isinstance(value, date | time | datetime):
        losses.note("dates and times became text")
        return _write_text(value.isoformat())
    if isinstance(value, Decimal) and not value.is_finite():
        losses.note("infinite numbers and NaN became null")
        return "null"
    return "null" if value is None else show_scalar(value)


def _write_text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _join(parts: list[str], begin: str, end: str, indent: int | None, depth: int) -> str:
    if not parts:
        return begin + end
    if not indent:
        return f"{begin}{','.join(parts)}{end}"
    inner, outer = " " * indent * (depth + 1), " " * indent * depth
    return f"{begin}\n{inner}" + f",\n{inner}".join(parts) + f"\n{outer}{end}"
