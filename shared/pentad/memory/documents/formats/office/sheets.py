"""Render a workbook (XLSX) as text: a section a sheet, a row a line that names its columns."""

import io
import re
import zipfile
from collections import defaultdict
from datetime import date, datetime, time
from typing import Any

from openpyxl.reader.excel import ExcelReader
from openpyxl.utils.cell import column_index_from_string

from pentad.domain.errors import InvalidInput
from pentad.memory.documents.formats.builder import TextBuilder
from pentad.memory.documents.formats.office.archive import check_archive, open_document
from pentad.memory.documents.formats.office.sheet_names import NameRows
from pentad.memory.documents.formats.tables import render_table
from pentad.memory.documents.structure import MAX_CHARACTERS, ParsedText

_MOST_COLUMNS = 1000
_PREFIX = rb"(?:\w{1,20}:)?"
_SEEN = re.compile(
    rb"<%(p)smergeCell\s[^<>]{0,100}?ref\s{0,9}=\s{0,9}[\"'](?P<from>[A-Z]{1,3})(?P<first>\d{1,7})"
    rb":(?P<to>[A-Z]{1,3})(?P<last>\d{1,7})[\"']"
    rb"|<%(p)srow(?P<row>\s[^<>]{0,800})?>"
    rb"|<%(p)scol\s(?P<columns>[^<>]{0,400})>"
    rb"|(?P<formula></%(p)sf>|<%(p)sf(?:\s[^<>]{0,400})?/>)(?P<bare>\s{0,9}(?:<%(p)sv\s{0,9}/>|<%(p)sv></%(p)sv>)?\s{0,9}</%(p)sc>)?"
    rb"|<%(p)s(?P<filter>autoFilter)\b" % {b"p": _PREFIX}
)
"""What is looked for in a sheet's own bytes: the library leaves it out where it reads row by row."""
_ATTRIBUTE = re.compile(rb"(?<![\w:])(r|min|max|hidden|ht|width)\s{0,9}=\s{0,9}[\"']([^\"'<>]{0,30})[\"']")
_TRUE = (b"1", b"true")
_VALUE = re.compile(rb"<%(p)srow(?P<row>\s[^<>]{0,800})?>|(?P<value><%(p)s(?:v|is|f)[\s>])" % {b"p": _PREFIX})
_MOST_SPANS = 100_000
_MOST_DRAWINGS = 200
_PIECE_BYTES = 1024 * 1024
_TAG_BYTES = 1000
_MOST_HIDDEN = 100_000
_MOST_DIGITS = 7
_MOST_EMPTY_ROWS = 10_000
"""In a row, after which it is looked whether any value follows: Excel formats a million rows of a selected column."""


def parse_sheets(data: bytes) -> ParsedText:
    """Return the text and its blocks. Of formulas the stored values are read.

    Hidden sheets, columns and rows are left out; rows that a filter hides are read. Notes tell it.

    Raises:
        InvalidInput: it is damaged, or unpacks to too much.
    """
    check_archive(data)
    with open_document("workbook"), zipfile.ZipFile(io.BytesIO(data)) as archive:
        reader = _BookReader(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        reader.read()
        workbook = reader.wb
        out = TextBuilder()
        hidden: list[str] = []
        formulas = False
        for number, sheet in enumerate(workbook.worksheets, 1):
            if sheet.sheet_state != "visible":
                hidden.append(str(sheet.title))
                continue
            seen = _scan_sheet(archive, sheet)
            out.page = number
            out.open_section(1, str(sheet.title))
            render_table(_read_rows(archive, sheet, seen), builder=out)
            out.notes.extend(seen.list_notes(str(sheet.title)))
            formulas = formulas or seen.formulas > seen.bare
        if reader.charts:
            out.notes.append(f"sheets that are a chart were not read: {', '.join(reader.charts[:10])}")
        if hidden:
            out.notes.append(f"hidden sheets were left out: {', '.join(hidden[:10])}")
        out.notes.extend(_find_unread(archive, formulas=formulas))
        return out.finish()


class _BookReader(ExcelReader):  # type: ignore[misc]
    """Reads a workbook without its sheets that are charts: one without a drawing made the whole unreadable.

    Attributes:
        charts: titles of these sheets.
    """

    def __init__(self, source: io.BytesIO, **options: Any) -> None:
        super().__init__(source, **options)
        self.charts: list[str] = []

    def read_chartsheet(self, sheet: Any, rel: Any) -> None:
        """Leave a sheet out."""
        self.charts.append(str(sheet.name))


class _Spans:
    """Cells that span rows: their value stands in each of these, as it does in tables of other formats.

    Attributes:
        wide: cells that span columns, by their row: first and last column, counted from 0.
    """

    def __init__(self) -> None:
        self.wide: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
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


class _SheetMarks:
    """What a sheet's own bytes say of it, beside its values.

    Attributes:
        spans: cells that span rows.
        merged: how many cells are merged.
        formulas: how many there are.
        bare: how many of them have no value: whoever wrote the file did not compute them.
        rows: numbers of hidden rows, from 1.
        columns: numbers of hidden columns, from 1.
        filtered: the sheet has a filter, which hides rows for the moment only.
        full: there was more than is noted.
    """

    def __init__(self) -> None:
        self.spans = _Spans()
        self.merged, self.formulas, self.bare = 0, 0, 0
        self.rows: set[int] = set()
        self.columns: set[int] = set()
        self.filtered, self.full = False, False
        self._row = 0

    def note(self, found: re.Match[bytes]) -> None:
        """Note one thing."""
        if found["from"]:
            self.merged += 1
            if self.merged <= _MOST_SPANS:
                self._add_span(found)
        elif found["columns"] is not None:
            said = _read_attributes(found["columns"])
            if _is_hidden(said, b"width"):
                first, last = _read_number(said, b"min", 1), _read_number(said, b"max", 0)
                self.columns |= set(range(first, min(last, _MOST_COLUMNS) + 1))
        elif found["filter"]:
            self.filtered = True
        elif found["formula"]:
            self.formulas += 1
            self.bare += found["bare"] is not None
        else:
            self._note_row(_read_attributes(found["row"] or b""))

    def _note_row(self, said: dict[bytes, bytes]) -> None:
        # Its number may be left out, and is the next one then.
        self._row = _read_number(said, b"r", self._row + 1)
        if _is_hidden(said, b"ht"):
            self.full = self.full or len(self.rows) >= _MOST_HIDDEN
            if not self.full:
                self.rows.add(self._row)

    def _add_span(self, found: re.Match[bytes]) -> None:
        first, last = (column_index_from_string(found[name].decode()) for name in ("from", "to"))
        self.spans.add(int(found["first"]), int(found["last"]), first)
        if last > first and first <= _MOST_COLUMNS:
            self.spans.wide[int(found["first"])].append((first - 1, min(last, _MOST_COLUMNS) - 1))

    def hides_row(self, number: int) -> bool:
        """Tell whether a row is hidden for good."""
        return not self.filtered and number in self.rows

    def list_notes(self, title: str) -> list[str]:
        """Return what is doubtful of the sheet."""
        notes = []
        if self.bare:
            notes.append(
                f"sheet {title!r}: {_count(self.bare, 'formula')} without a value: let a program compute and save it"
            )
        if self.columns or (self.rows and not self.filtered):
            parts = [(self.columns, "column"), (set() if self.filtered else self.rows, "row")]
            told = " and ".join(_count(len(numbers), name) for numbers, name in parts if numbers)
            notes.append(f"sheet {title!r}: what is hidden was left out: {told}")
        if self.rows and self.filtered:
            notes.append(f"sheet {title!r}: rows that its filter hides were read")
        if self.full:
            notes.append(f"sheet {title!r}: more than {_MOST_HIDDEN:,} hidden rows: those after them were read")
        return notes


def _read_attributes(tag: bytes) -> dict[bytes, bytes]:
    return dict(_ATTRIBUTE.findall(tag))


def _read_number(said: dict[bytes, bytes], name: bytes, default: int) -> int:
    text = said.get(name, b"")
    return int(text) if text.isdigit() and len(text) <= _MOST_DIGITS else default


def _is_hidden(said: dict[bytes, bytes], size: bytes) -> bool:
    """Tell whether a row or a column is hidden, or has no size."""
    return said.get(b"hidden") in _TRUE or (size in said and said[size].strip(b"0") in (b"", b"."))


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def _scan_sheet(archive: zipfile.ZipFile, sheet: Any) -> _SheetMarks:
    """Return what a sheet's own bytes say of it; read in pieces, as it may be large."""
    seen, rest, ended = _SheetMarks(), b"", False
    with archive.open(sheet._worksheet_path.removeprefix("/")) as part:
        while not ended:
            piece = part.read(_PIECE_BYTES)
            ended, text = not piece, rest + piece
            # What begins in the last bytes may go on in the next piece: it is looked at with that.
            least = len(text) if ended else max(0, len(text) - _TAG_BYTES)
            end = 0
            for found in _SEEN.finditer(text):
                if found.start() >= least:
                    break
                end = found.end()
                seen.note(found)
            rest = text[max(end, least) :]
    return seen


def _find_unread(archive: zipfile.ZipFile, *, formulas: bool) -> list[str]:
    """Return what of a workbook is not read, or may not be what its readers see.

    Args:
        archive: the workbook.
        formulas: a sheet that is read has values of formulas.
    """
    names = archive.namelist()
    notes = []
    book = next((name for name in names if name.endswith("xl/workbook.xml")), None)
    if formulas and book is not None and b'fullCalcOnLoad="1"' in _read_start(archive, book):
        notes.append("values of formulas may be none yet: the file asks for computing them when it is opened")
    if any(re.search(r"xl/(?:threadedComments|comments)", name) for name in names):
        notes.append("comments on cells are not read")
    drawings = [name for name in names if re.fullmatch(r"/?xl/drawings/drawing\d+\.xml", name)][:_MOST_DRAWINGS]
    if any(b"<a:t>" in _read_start(archive, name) for name in drawings):
        notes.append("text in shapes and boxes is not read")
    return notes


def _read_start(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as part:
        return part.read(_PIECE_BYTES)


def _find_last_row(archive: zipfile.ZipFile, sheet: Any) -> int:
    """Return the number of the last row with a value, 0 without any."""
    number, last, rest, ended = 0, 0, b"", False
    with archive.open(sheet._worksheet_path.removeprefix("/")) as part:
        while not ended:
            piece = part.read(_PIECE_BYTES)
            ended, text = not piece, rest + piece
            least = len(text) if ended else max(0, len(text) - _TAG_BYTES)
            end = 0
            for found in _VALUE.finditer(text):
                if found.start() >= least:
                    break
                end = found.end()
                if found["value"]:
                    last = number
                else:
                    number = _read_number(_read_attributes(found["row"] or b""), b"r", number + 1)
            rest = text[max(end, least) :]
    return last


def _read_rows(archive: zipfile.ZipFile, sheet: Any, seen: _SheetMarks) -> list[list[str]]:
    """Return the rows that have anything in them, without what is hidden."""
    sheet.reset_dimensions()  # a sheet may state a million rows and have ten
    rows: list[list[str]] = []
    empty, characters = 0, 0
    last: int | None = None
    names = NameRows(seen.spans.wide)
    for number, row in enumerate(sheet.iter_rows(max_col=_MOST_COLUMNS, values_only=True), 1):
        cells = [_render_value(value) for value in row]
        while cells and not cells[-1]:
            cells.pop()
        empty = 0 if cells else empty + 1
        if empty > _MOST_EMPTY_ROWS:
            last = _find_last_row(archive, sheet) if last is None else last
            if number > last:
                break
        if cells:
            seen.spans.fill(number, cells)  # a hidden row's too: what begins there is seen in those after it
            if seen.hides_row(number):
                continue
            cells, joins = names.take(number, cells, len(rows))
            if joins:
                rows.pop()
            if seen.columns:
                cells = [cell for column, cell in enumerate(cells, 1) if column not in seen.columns]
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
