"""Render a workbook (XLSX) as text: a section a sheet, a row a line that names its columns."""

import io
import re
import zipfile
from collections import defaultdict
from datetime import date, datetime, time
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.cell import column_index_from_string

from pentad.domain.errors import InvalidInput
from pentad.memory.documents.formats.builder import TextBuilder
from pentad.memory.documents.formats.office.archive import check_archive, open_document
from pentad.memory.documents.formats.tables import render_table
from pentad.memory.documents.structure import MAX_CHARACTERS, ParsedText

_MOST_COLUMNS = 1000
_SPAN = re.compile(rb'<(?:\w{1,20}:)?mergeCell\s[^<>]{0,100}?ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_MOST_SPANS = 100_000
_PIECE_BYTES = 1024 * 1024
_TAG_BYTES = 200
_MOST_EMPTY_ROWS = 10_000
"""In a row, after which a sheet is taken to have ended: Excel formats a million rows where a column is selected."""


def parse_sheets(data: bytes) -> ParsedText:
    """Return the text and its blocks. Hidden sheets are left out; of formulas the stored values are read.

    Raises:
        InvalidInput: it is damaged, or unpacks to too much.
    """
    check_archive(data)
    with open_document("workbook"), zipfile.ZipFile(io.BytesIO(data)) as archive:
        workbook = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        out = TextBuilder()
        hidden: list[str] = []
        for number, sheet in enumerate(workbook.worksheets, 1):
            if sheet.sheet_state != "visible":
                hidden.append(str(sheet.title))
                continue
            out.page = number
            out.open_section(1, str(sheet.title))
            render_table(_read_rows(sheet, _find_spans(archive, sheet)), builder=out)
        if hidden:
            out.notes.append(f"hidden sheets were left out: {', '.join(hidden[:10])}")
        return out.finish()


class _Spans:
    """Cells that span rows: their value stands in each of these, as it does in tables of other formats."""

    def __init__(self) -> None:
        self._beginning: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        self._going_on: dict[int, tuple[int, str]] = {}

    def add(self, first: int, last: int, column: int) -> None:
        """Note a cell; rows and columns are counted from 1."""
        if last > first and column <= _MOST_COLUMNS:
            self._beginning[first].append((column - 1, last))

    def fill(self, number: int, cells: list[str]) -> None:
        """Put into a row, which has something in it, what spans it from above."""
        for column, (last, value) in list(self._going_on.items()):
            if number > last:
                del self._going_on[column]
                continue
            cells += [""] * (column + 1 - len(cells))
            cells[column] = cells[column] or value
        for column, last in self._beginning.get(number, ()):
            if column < len(cells) and cells[column]:
                self._going_on[column] = (last, cells[column])


def _find_spans(archive: zipfile.ZipFile, sheet: Any) -> _Spans:
    """Return which cells of a sheet span rows: the library leaves that out where it reads row by row."""
    spans, rest, count = _Spans(), b"", 0
    with archive.open(sheet._worksheet_path.removeprefix("/")) as part:
        while piece := part.read(_PIECE_BYTES):
            text = rest + piece
            end = 0
            for found in _SPAN.finditer(text):
                end, count = found.end(), count + 1
                if count > _MOST_SPANS:
                    return spans
                spans.add(int(found[2]), int(found[4]), column_index_from_string(found[1].decode()))
            rest = text[max(end, len(text) - _TAG_BYTES) :]
    return spans


def _read_rows(sheet: Any, spans: _Spans) -> list[list[str]]:
    """Return the rows that have anything in them."""
    sheet.reset_dimensions()  # a sheet may state a million rows and have ten
    rows: list[list[str]] = []
    empty, characters = 0, 0
    for number, row in enumerate(sheet.iter_rows(max_col=_MOST_COLUMNS, values_only=True), 1):
        cells = [_render_value(value) for value in row]
        while cells and not cells[-1]:
            cells.pop()
        empty = 0 if cells else empty + 1
        if empty > _MOST_EMPTY_ROWS:
            break
        if cells:
            spans.fill(number, cells)
            rows.append(cells)
            characters += sum(map(len, cells))
            if characters > MAX_CHARACTERS:
                raise InvalidInput("a sheet holds too much text", field="document", fix="split the workbook")
    return rows


def _render_value(value: Any) -> str:
    """Return a cell as it is read: dates by ISO 8601, numbers without the noise of binary fractions."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)
