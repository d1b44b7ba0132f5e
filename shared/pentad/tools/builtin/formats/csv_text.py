"""CSV and its dialects: cells stay text, so no number, date or leading zero is changed."""

import csv
import io
import re
from collections import Counter

from pentad.tools.builtin.formats.rows import make_rows, make_table
from pentad.tools.builtin.formats.tree import MAX_NODES, Losses, Node, make_content_error

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_SAMPLED_LINES = 50
_TOO_LONG = "field larger than field limit"
"""What Python's reader says of a cell above its limit."""
_STRANGE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Signs by which spreadsheets tell a formula, the wide ones of East Asian keyboards among them."""


def read_csv(text: str, losses: Losses, *, delimiter: str | None = None, header: bool = True) -> Node:
    """Return the rows of a CSV text.

    Args:
        text: the text.
        losses: takes what was in doubt.
        delimiter: one of `DELIMITERS`; None finds the one that cuts the rows alike.
        header: the first row has the columns' names.

    Raises:
        InvalidInput: a quote is not closed, or a bound is passed.
    """
    sign = DELIMITERS[delimiter] if delimiter else _find_delimiter(text)
    cells: list[list[str]] = []
    count = 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sign, strict=True)
    try:
        for row in reader:
            if not row:
                continue  # a blank line
            count += len(row)
            if count > MAX_NODES:
                raise make_content_error(f"it has more than {MAX_NODES:,} cells", "convert fewer rows")
            cells.append(row)
    except csv.Error as error:
        if _TOO_LONG in str(error):
            raise make_content_error(
                f"a cell that ends in line {reader.line_num:,} has more than {csv.field_size_limit():,} characters",
                "shorten it, or close the quotes that it may have begun with",
            ) from error
        raise make_content_error(
            f"it is not CSV: {error} in line {reader.line_num}", "close the quotes, or double those within a cell"
        ) from error
    rows = make_rows(cells, losses, header=header)
    losses.note("all values are text, as they stand in the CSV")
    return rows


def _find_delimiter(text: str) -> str:
    """Return the sign that cuts the first lines into most cells of equal number; a comma where none does."""
    best, most = ",", (0.0, 0)
    for sign in DELIMITERS.values():
        try:
            sample = io.StringIO(text, newline="")
            rows = [row for row, _ in zip(csv.reader(sample, delimiter=sign), range(_SAMPLED_LINES), strict=False)]
        except csv.Error:
            continue
        widths = Counter(len(row) for row in rows if row)
        if not widths:
            continue
        width, times = widths.most_common(1)[0]
        if width > 1 and (times / sum(widths.values()), width) > most:
            best, most = sign, (times / sum(widths.values()), width)
    return best


def write_csv(root: Node, losses: Losses, *, delimiter: str | None = None, header: bool = True) -> str:
    """Return a tree as CSV (RFC 4180, lines end in CR LF).

    Args:
        root: the tree.
        losses: takes what CSV can't hold.
        delimiter: one of `DELIMITERS`; a comma if None.
        header: write the columns' names first, where there are any.
    """
    table = make_table(root, losses)
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=DELIMITERS[delimiter or "comma"], lineterminator="\r\n")
    if header and table.columns:
        writer.writerow(table.columns)
    writer.writerows(table.rows)
    written = [*([table.columns] if header else []), *table.rows]
    risky = sum(_is_formula(cell) for row in written for cell in row)
    if risky:
        losses.note(f"{risky:,} cells begin like a formula (=, +, -, @), which a spreadsheet may run")
    strange = sum(_STRANGE.search(cell) is not None for row in written for cell in row)
    if strange:
        losses.note(f"{strange:,} cells hold control characters, at which many programs stop reading CSV")
    return out.getvalue()


def _is_formula(cell: str) -> bool:
    """Tell if a spreadsheet may run a cell; some drop the blanks before it."""
    plain = cell.lstrip()
    return (cell.startswith(_FORMULA) or plain.startswith(_FORMULA)) and not _is_number(plain)


def _is_number(cell: str) -> bool:
    plain = cell.lstrip("+-").replace(".", "", 1)
    return plain.isascii() and plain.isdigit()
