"""Render CSV and JSON as text: one block a row or a top-level entry."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from pentad.domain.errors import InvalidInput
from pentad.memory.documents.structure import ParsedBlock, clean

MAX_CHARACTERS = 20_000_000
"""Of the rendered text: more would not fit into the chunks of one document anyway (`pentad.memory.documents.chunk`)."""
_PATH_CHARACTERS = 200


def parse_csv(text: str) -> tuple[str, list[ParsedBlock]]:
    """Return each row as ``column: value; column: value``; the first row names the columns.

    Raises:
        InvalidInput: it is no CSV.
    """
    first_line = text.lstrip("\n").partition("\n")[0]
    delimiter = max(",;\t|", key=first_line.count)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        rows = [row for row in reader if any(map(str.strip, row))]
    except csv.Error as error:
        raise InvalidInput(f"the CSV can't be read: {error}", field="document", fix="repair the row") from error
    if len(rows) < 2:
        return _join_entries(" | ".join(row) for row in rows)
    names = [_collapse_spaces(name) for name in rows[0]]
    return _join_entries(_render_row(names, row) for row in rows[1:])


def parse_json(text: str) -> tuple[str, list[ParsedBlock]]:
    """Return each entry of the top-level array or object as lines of ``path: value``.

    Raises:
        InvalidInput: it is no JSON.
    """
    value = _load_json(text)
    if isinstance(value, list):
        return _join_entries("\n".join(_iter_lines(item, "")) for item in value)
    if isinstance(value, dict):
        return _join_entries("\n".join(_iter_lines(item, key)) for key, item in value.items())
    return _join_entries(["\n".join(_iter_lines(value, ""))])


def parse_json_lines(text: str) -> tuple[str, list[ParsedBlock]]:
    """Return each line's value as lines of ``path: value``.

    Raises:
        InvalidInput: a line is no JSON.
    """
    return _join_entries("\n".join(_iter_lines(_load_json(line), "")) for line in text.split("\n") if line.strip())


def _load_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise InvalidInput(f"the JSON can't be read{where}", field="document", fix="repair the document") from error


def _render_row(names: list[str], row: list[str]) -> str:
    cells = [(names[index] if index < len(names) else "", value.strip()) for index, value in enumerate(row)]
    return "; ".join(f"{name}: {value}" if name else value for name, value in cells if value)


def _iter_lines(value: Any, path: str) -> Iterator[str]:
    """Yield the leaves of a value, depth first, without recursion."""
    stack = [iter([(path, value)])]
    while stack:
        where, item = next(stack[-1], (None, None))
        if where is None:
            stack.pop()
        elif item and isinstance(item, dict | list):
            stack.append(_iter_children(where, item))
        else:
            words = item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)
            yield f"{where}: {words}" if where else words


def _iter_children(where: str, item: dict[str, Any] | list[Any]) -> Iterator[tuple[str, Any]]:
    where = where[-_PATH_CHARACTERS:]
    if isinstance(item, dict):
        return ((f"{where}.{key}" if where else key, value) for key, value in item.items())
    return ((f"{where}[{index}]", value) for index, value in enumerate(item))


def _join_entries(entries: Iterable[str]) -> tuple[str, list[ParsedBlock]]:
    parts: list[str] = []
    blocks: list[ParsedBlock] = []
    position = 0
    for entry in entries:
        words = clean(entry).strip()
        if not words:
            continue
        blocks.append(ParsedBlock(position, position + len(words), "row"))
        parts.append(words)
        position += len(words) + 1
        if position > MAX_CHARACTERS:
            raise InvalidInput("the document is too long as text", field="document", fix="split the document")
    return "\n".join(parts), blocks


def _collapse_spaces(words: str) -> str:
    return " ".join(words.split())
