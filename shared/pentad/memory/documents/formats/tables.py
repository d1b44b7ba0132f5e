"""Render CSV as text, in the dialects that people have: one block a row, which names its columns."""

import csv
import io
import re
from collections.abc import Iterator, Sequence

from pentad.domain.errors import InvalidInput
from pentad.memory.documents.formats.builder import TextBuilder, render_row
from pentad.memory.documents.structure import MAX_CHARACTERS, ParsedText

_DELIMITERS = (",", ";", "\t", "|")
_NO_DELIMITERS = ('"', "'", " ", "\r")
_SAMPLE_ROWS = 60
_SAMPLE_CHARACTERS = 60_000
_SEPARATOR_LINE = re.compile(r"sep=(.)\n", re.IGNORECASE)
_SINGLE_QUOTED = re.compile(r"\s{0,20}'[^'\n]*+'[ \t]*+[,;\t|][ \t]*+'")
_NUMBER = re.compile(r"[-+(]?[\d.,' \u00a0]*\d[\d.,' \u00a0]*[%)]?")
_CLOSE_COMMA = re.compile(r"(?<!\d),(?!\s)|,(?![\s\d])")
_MOST_LINES = 50
"""Of a cell, beyond which its quote seems not to be closed."""
_MOST_NAMED = 20_000_000
"""Characters of rows that name their columns; beyond it the names are in a header."""
_PREAMBLE_ROWS = 15
_LONGEST_CELL = 2 * MAX_CHARACTERS
_END = "\x00"
"""A row that is put last: where it is not read as a row of its own, it is within a quote that is not closed."""


def parse_csv(text: str) -> ParsedText:
    """Return each row as ``column: value; column: value``; the first full row names the columns.

    Where no row does (the first has numbers), and where the names would make the text too long, rows are
    ``value | value``, and the names are the header that each row carries.

    Raises:
        InvalidInput: it is no CSV.
    """
    # The module's own limit is 131,072: a long cell was refused, and so was the rest behind a quote that is not closed.
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        return _parse(text)
    finally:
        csv.field_size_limit(before)


def _parse(text: str) -> ParsedText:
    named = _SEPARATOR_LINE.match(text)
    body = text[named.end() :] if named else text
    quote = "'" if _SINGLE_QUOTED.match(body) else '"'
    usable = named is not None and named[1] not in _NO_DELIMITERS
    delimiter = named[1] if named is not None and usable else _find_delimiter(body, quote)
    try:
        rows, notes = _read_all(body, delimiter, quote)
    except csv.Error as error:
        raise InvalidInput(f"the CSV can't be read: {error}", field="document", fix="repair the row") from error
    groups = _part_tables(rows)
    rows = [row for row in rows if "".join(row).strip()]
    if named is not None and not usable:
        notes.append(f"its first line names {named[1]!r}, which parts no cells: {delimiter!r} was taken")
    if not notes and (number := _find_stray_quote(body, delimiter, quote)):
        notes.append(f"a quote stands within a cell near line {number:,}: cells or rows may have run together")
    if len(rows) > 1 and max(map(len, rows)) < 2:
        notes.append("no delimiter was found: each line is one cell")
    if len(groups) < 2:
        return render_table(rows, [*notes, *_find_doubts(rows)])
    out = TextBuilder()
    out.notes += [*notes, f"{len(groups)} tables were found, each with names of columns of its own"]
    for group in groups:
        render_table(group, _find_doubts(group), out)
    return out.finish()


def _part_tables(rows: Sequence[Sequence[str]]) -> list[list[list[str]]]:
    """Return the rows by tables: behind an empty row another begins whose names stand above numbers."""
    tables: list[list[list[str]]] = [[]]
    group: list[list[str]] = []
    for row in [*rows, []]:
        if "".join(row).strip():
            group.append(list(row))
            continue
        # What stands above the first one, such as a title, belongs to it.
        if any(len(_trim(one)) > 1 for one in tables[-1]) and _begins_table(group):
            tables.append(group)
        else:
            tables[-1] += group
        group = []
    return [table for table in tables if table]


def _begins_table(group: Sequence[Sequence[str]]) -> bool:
    """Tell if some rows are a table: names of two columns at least, and a number below one of them."""
    if len(group) < 2 or len(_trim(group[0])) < 2 or not all(cell.strip() for cell in _trim(group[0])):
        return False
    return names_columns(group[0]) and any(not names_columns(row) for row in group[1:])


def render_table(rows: list[list[str]], notes: Sequence[str] = (), builder: TextBuilder | None = None) -> ParsedText:
    """Return rows as text; what stands before the row that names the columns is text of its own.

    Args:
        rows: the cells.
        notes: doubts about them.
        builder: what the rows are added to.
    """
    out = TextBuilder() if builder is None else builder
    out.notes += notes
    first = _find_names(rows)
    for row in rows[:first]:
        out.add(render_row(row))
    rows = rows[first:]
    if len(rows) < 2 or not names_columns(rows[0]):
        for row in rows:
            out.add(render_row(row), "row")
        return out.finish()
    names = [" ".join(name.split()) for name in rows[0]]
    growth = sum(map(len, names)) + 2 * len(names)
    if growth * len(rows) + sum(len("".join(row)) for row in rows) > _MOST_NAMED:
        out.add_table([names, *rows[1:]], headed=1)
        return out.finish()
    labels = [f"{name}: " if name else "" for name in names]
    for row in rows[1:]:
        out.add(_render_named(labels, row), "row")
    return out.finish()


def _read_all(text: str, delimiter: str, quote: str) -> tuple[list[list[str]], list[str]]:
    """Return all rows, and a doubt where a quote is not closed: its cell would hold all that follows."""
    text = text if text.endswith("\n") else f"{text}\n"
    rows = list(_read(f"{text}{_END}", delimiter, quote))
    if rows[-1] == [_END]:
        return rows[:-1], []
    cell, _, rest = rows[-1][-1].removesuffix(_END).partition("\n")
    rows[-1][-1] = cell
    note = f"a quote is not closed in row {len(rows):,}: its cell was ended with its line"
    lines = csv.reader(io.StringIO(rest, newline=""), delimiter=delimiter, quoting=csv.QUOTE_NONE)
    return [*rows, *lines], [note]


def _read(text: str, delimiter: str, quote: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote, skipinitialspace=True)


def _find_stray_quote(text: str, delimiter: str, quote: str) -> int:
    """Return the line of the first quote that closes before its cell ends; 0 where there is none."""
    source = io.StringIO(text, newline="")
    reader = csv.reader(source, delimiter=delimiter, quotechar=quote, skipinitialspace=True, strict=True)
    try:
        for _ in reader:
            pass
    except csv.Error:
        return reader.line_num
    return 0


def _find_delimiter(text: str, quote: str) -> str:
    """Return the delimiter that cuts the most of the first rows into the same number of cells, more than one.

    A cut that parts what is quoted counts against it. On a tie between commas and another one, the commas lose where
    each of them could stand in words or in a decimal number, since the other one seldom does.
    """
    found = {one: cut for one in _DELIMITERS if (cut := _try_delimiter(text[:_SAMPLE_CHARACTERS], one, quote))}
    if not found:
        return ","
    best = max(found, key=lambda one: found[one][0])
    if best == ",":
        share = found[","][0][0]
        for one in _DELIMITERS[1:]:
            if one in found and found[one][0][0] >= share and _holds_loose_commas(found[one][1], one):
                return one
    return best


def _try_delimiter(sample: str, delimiter: str, quote: str) -> tuple[tuple[float, int], list[list[str]]] | None:
    """Return how well a delimiter cuts the first rows, and these; None where it cuts none of them."""
    rows: list[list[str]] = []
    try:
        for row in _read(sample, delimiter, quote):
            if any(row):
                rows.append(row)
            if len(rows) >= _SAMPLE_ROWS:
                break
    except csv.Error:
        return None
    widths = [len(row) for row in rows]
    usual = max(set(widths), key=lambda width: (widths.count(width), width), default=1)
    if usual < 2:
        return None
    marks = [f"{mark}{quote}" for mark in _DELIMITERS if mark != delimiter]
    marks += [mark[::-1] for mark in marks]
    parted = sum(any(mark in cell for cell in row for mark in marks) for row in rows)
    return ((widths.count(usual) - parted) / len(rows), usual), rows


def _holds_loose_commas(rows: Sequence[Sequence[str]], delimiter: str) -> bool:
    """Tell whether each comma in cells stands before a blank or between digits; any comma beside tabs and bars."""
    return delimiter != ";" or not any(_CLOSE_COMMA.search(cell) for row in rows for cell in row)


def _find_names(rows: Sequence[Sequence[str]]) -> int:
    """Return where the table begins: exports often have some lines of title before the names of the columns."""
    width = max((len(_trim(row)) for row in rows[: _PREAMBLE_ROWS * 4]), default=0)
    if width == 2:
        return _find_pairs(rows)
    for index, row in enumerate(rows[:_PREAMBLE_ROWS]):
        if len(_trim(row)) > max(1, width // 2) or width < 3:
            return index
    return 0


def _find_pairs(rows: Sequence[Sequence[str]]) -> int:
    """Return where a table of two columns begins: a name may be empty, but its delimiter is there in every row."""
    first = next((index for index, row in enumerate(rows[:_PREAMBLE_ROWS]) if len(row) > 1), 0)
    pairs = rows[first : first + _PREAMBLE_ROWS * 4]
    return first if len(pairs) > 1 and all(len(row) > 1 for row in pairs) else 0


def _trim(row: Sequence[str]) -> Sequence[str]:
    end = len(row)
    while end and not row[end - 1].strip():
        end -= 1
    return row[:end]


def names_columns(row: Sequence[str]) -> bool:
    """Tell if a row names columns: none of its cells is a number."""
    return not any(_NUMBER.fullmatch(cell.strip()) for cell in row if cell.strip())


def _find_doubts(rows: Sequence[Sequence[str]]) -> list[str]:
    notes = []
    if any(cell.count("\n") > _MOST_LINES for row in rows if len("".join(row)) > _MOST_LINES for cell in row):
        notes.append(f"a cell has more than {_MOST_LINES} lines: a quote may not be closed")
    first = _find_names(rows)
    width = len(rows[first]) if rows else 0
    if wider := sum(len(row) > width and len(_trim(row)) > width for row in rows[first + 1 :]):
        notes.append(f"rows with more cells than the columns have names: {wider:,}")
    return notes


def _render_named(labels: Sequence[str], row: Sequence[str]) -> str:
    cells = [label + value.strip() for label, value in zip(labels, row, strict=False) if value and not value.isspace()]
    cells += [value.strip() for value in row[len(labels) :] if value.strip()]
    return "; ".join(cells)
