"""Between trees and tables: what CSV, Markdown and HTML can hold of a tree, as rows of text."""

from dataclasses import dataclass

from pentad.tools.builtin.formats.json_text import write_json
from pentad.tools.builtin.formats.tree import MAX_NODES, Losses, Node, is_scalar, make_content_error, show_scalar


@dataclass(frozen=True)
class TextTable:
    """A table.

    Args:
        columns: their names; empty where rows have none.
        rows: texts, each row as long as there are columns.
    """

    columns: list[str]
    rows: list[list[str]]


def make_table(root: Node, losses: Losses) -> TextTable:
    """Return a tree as a table: a list of objects with a column for each key, or a list of lists.

    Raises:
        InvalidInput: it would have too many cells.
    """
    rows = root if isinstance(root, list) else [root]
    if rows and all(isinstance(row, list) for row in rows):
        width = max(len(row) for row in rows)
        return TextTable([], [[_show(cell, losses) for cell in row] + [""] * (width - len(row)) for row in rows])
    objects = [row if isinstance(row, dict) else {"value": row} for row in rows]
    columns = list(dict.fromkeys(key for row in objects for key in row))
    if len(columns) * len(objects) > MAX_NODES:
        raise make_content_error(
            f"a table of {len(objects):,} rows and {len(columns):,} columns is too large", "convert fewer rows"
        )
    if any(len(row) < len(columns) for row in objects):
        losses.note("a key that is missing in a row can't be told from an empty text")
    return TextTable(columns, [[_show(row.get(column), losses) for column in columns] for row in objects])


def _show(value: Node, losses: Losses) -> str:
    if not is_scalar(value):
        losses.note("lists and objects within a row became JSON in one cell")
        return write_json(value, losses, indent=None)
    if value is None:
        losses.note("null became an empty text")
    elif not isinstance(value, str):
        losses.note("numbers, booleans and dates became text: a table does not tell them apart")
    return show_scalar(value)


def _make_names(header: list[str], losses: Losses) -> list[str]:
    taken, counts = set(header), dict.fromkeys(header, 0)
    names: list[str] = []
    for number, name in enumerate(header, 1):
        counts[name] += 1
        unique = name if name and counts[name] == 1 else f"{name or 'column'}_{counts[name] if name else number}"
        while unique != name and unique in taken:
            unique += "_"
        if unique != name:
            losses.note(f"the header has an empty name, or '{name[:40]}' twice: it became '{unique[:60]}'")
        taken.add(unique)
        names.append(unique)
    return names


def make_rows(cells: list[list[str]], losses: Losses, *, header: bool) -> Node:
    """Return a table as a list of objects by its first row, or without a header as a list of lists.

    Args:
        cells: rows of texts.
        losses: takes what the rows and the header leave in doubt.
        header: the first row has the names.
    """
    if not header or not cells:
        return cells
    names = _make_names(cells[0], losses)
    if len(cells) == 1:
        losses.note(f"there is a header and no row: the columns {', '.join(names)[:200]} are not kept")
    rows = []
    for number, row in enumerate(cells[1:], 2):
        if len(row) > len(names):
            losses.note(f"row {number} has more cells than the header: they are under 'more'")
            rows.append(dict(zip(names, row, strict=False)) | {"more": row[len(names) :]})
            continue
        if len(row) < len(names):
            losses.note(f"row {number} has fewer cells than the header: the rest is left out")
        rows.append(dict(zip(names, row, strict=False)))
    return rows
