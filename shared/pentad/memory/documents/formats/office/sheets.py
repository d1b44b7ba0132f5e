"""Render a workbook (XLSX) as text: a section a sheet, a row a line that names its columns."""

import io
from datetime import date, datetime, time
from typing import Any

from openpyxl import load_workbook

from pentad.domain.errors import InvalidInput
from pentad.memory.documents.formats.builder import TextBuilder
from pentad.memory.documents.formats.office.archive import check_archive, open_document
from pentad.memory.documents.formats.tables import render_table
from pentad.memory.documents.structure import MAX_CHARACTERS, ParsedText

_MOST_COLUMNS = 1000
_MOST_EMPTY_ROWS = 10_000
"""In a row, after which a sheet is taken to have ended: Excel formats a million rows where a column is selected."""


def parse_sheets(data: bytes) -> ParsedText:
    """Return the text and its blocks. Hidden sheets are left out; of formulas the stored values are read.

    Raises:
        InvalidInput: it is damaged, or unpacks to too much.
    """
    check_archive(data)
    with open_document("workbook"):
        workbook = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        out = TextBuilder()
        hidden: list[str] = []
        for number, sheet in enumerate(workbook.worksheets, 1):
            if sheet.sheet_state != "visible":
                hidden.append(str(sheet.title))
                continue
            out.page = number
            out.open_section(1, str(sheet.title))
            render_table(_read_rows(sheet), builder=out)
        if hidden:
            out.notes.append(f"hidden sheets were left out: {', '.join(hidden[:10])}")
        return out.finish()


def _read_rows(sheet: Any) -> list[list[str]]:
    """Return the rows that have anything in them."""
    sheet.reset_dimensions()  # a sheet may state a million rows and have ten
    rows: list[list[str]] = []
    empty, characters = 0, 0
    for row in sheet.iter_rows(max_col=_MOST_COLUMNS, values_only=True):
        cells = [_render_value(value) for value in row]
        while cells and not cells[-1]:
            cells.pop()
        empty = 0 if cells else empty + 1
        if empty > _MOST_EMPTY_ROWS:
            break
        if cells:
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
