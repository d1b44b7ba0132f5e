"""The cells of an HTML table in their rows and columns, spans, empty cells and several paragraphs included."""

from pentad.memory.documents.formats.web.html_tokens import HtmlToken

_MOST_COLUMNS = 200
_MOST_ROWS_SPANNED = 1000


class HtmlTable:
    """One table. What spans rows is in each of them, since a row is found on its own."""

    def __init__(self) -> None:
        self._rows: list[list[str]] = []
        self._headed = 0
        self._counting = True
        self._cells: list[str] | None = None
        self._cell: list[str] | None = None
        self._columns, self._spanned_rows = 1, 1
        self._is_header, self._in_head, self._all_headers = False, False, True
        self._spans: dict[int, tuple[int, str]] = {}
        self._dissolved = False

    def open_tag(self, tag: str, token: HtmlToken) -> None:
        """Open a row or a cell, and close what was open."""
        if tag in ("td", "th"):
            self._end_cell()
            if self._cells is None:
                self._cells, self._all_headers = [], True
            attributes = token.read_attributes() if "span" in token.attributes.lower() else {}
            self._columns = _read_span(attributes.get("colspan"), _MOST_COLUMNS)
            self._spanned_rows = _read_span(attributes.get("rowspan"), _MOST_ROWS_SPANNED)
            self._is_header = tag == "th"
            self._cell = []
        else:
            self._end_row()
            self._in_head = tag == "thead"
            if tag == "tr":
                self._cells, self._all_headers = [], True

    def close_tag(self, tag: str) -> None:
        """Close a row or a cell."""
        if tag == "tr":
            self._end_row()
        else:
            self._end_cell()

    def add_words(self, words: str) -> bool:
        """Add words to the open cell; tell whether there is one."""
        if self._cell is None or self._dissolved:
            return False
        self._cell.append(words)
        return True

    def dissolve(self) -> list[str]:
        """Return what was collected, as paragraphs; from now on no words are taken."""
        self._end_row()
        self._dissolved = True
        rows, self._rows = self._rows, []
        return [" | ".join(cell for cell in row if cell) for row in rows]

    def finish(self) -> tuple[list[list[str]], int | None]:
        """Return the rows, and how many of them name the columns; None where no cell says that it does."""
        self._end_row()
        width = max((len(row) for row in self._rows), default=0)
        rows = [row + [""] * (width - len(row)) for row in self._rows]
        return rows, self._headed or None

    def _end_cell(self) -> None:
        if self._cell is None or self._cells is None:
            return
        words, self._cell = " ".join(self._cell), None
        self._fill_spans()
        self._all_headers = self._all_headers and self._is_header
        for offset in range(self._columns):
            # A name stands over each of its columns; a value is one value.
            shown = words if self._is_header or not offset else ""
            if self._spanned_rows > 1:
                self._spans[len(self._cells)] = (self._spanned_rows - 1, shown)
            self._cells.append(shown)

    def _fill_spans(self) -> None:
        """Add the cells of rows above that reach into this row at the next columns."""
        assert self._cells is not None  # noqa: S101 - for the type checker: only called within a row
        while (column := len(self._cells)) in self._spans:
            left, words = self._spans.pop(column)
            if left > 1:
                self._spans[column] = (left - 1, words)
            self._cells.append(words)

    def _end_row(self) -> None:
        self._end_cell()
        if self._cells is None:
            return
        if self._spans:
            self._fill_spans()
        cells, self._cells = self._cells, None
        if not any(cells):
            return
        self._counting = self._counting and (self._in_head or self._all_headers)
        self._headed += self._counting
        self._rows.append(cells)


def _read_span(value: str | None, most: int) -> int:
    digits = (value or "").strip()[:6]
    return min(max(int(digits), 1), most) if digits.isascii() and digits.isdigit() else 1
