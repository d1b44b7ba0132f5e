"""Read tables of Markdown: each row with the names of its columns, and the header never as a row."""

from __future__ import annotations

import re
from collections.abc import Sequence

_RULE = re.compile(r"\|?(?:\s*:?-+:?\s*\|)*\s*(?::?-+:?\s*)?")
_BAR = re.compile(r"(?<!\\)\|")


def name_cells(lines: Sequence[str]) -> list[str]:
    """Return lines with each row of a table as a list item ``- column: cell; column: cell``, and without its header.

    A table is a header, a line of dashes with as many cells below it, and the lines with bars that follow.
    """
    named: list[str] = []
    header: list[str] = []
    for line, following in zip(lines, [*lines[1:], ""], strict=False):
        cells = _split_cells(line)
        if not header and len(cells) > 0 and _is_rule(following) and len(_split_cells(following)) == len(cells):
            header = cells
            named.append("")
        elif header and not cells:
            header = []
            named += ["", line]
        elif header:
            named.append("" if _is_rule(line) else f"- {_format_row(header, cells)}")
        else:
            named.append(line)
    return named


def _is_rule(line: str) -> bool:
    return "|" in line and "-" in line and bool(_RULE.fullmatch(line.strip()))


def _split_cells(line: str) -> list[str]:
    """Return the cells of a row, or none of a line that is no row."""
    line = line.strip()
    if not _BAR.search(line):
        return []
    inner = re.sub(r"(?<!\\)\|$", "", line.removeprefix("|"))
    return [cell.strip().replace("\\|", "|") for cell in _BAR.split(inner)]


def _format_row(header: Sequence[str], cells: Sequence[str]) -> str:
    names = [*header, *[""] * (len(cells) - len(header))]
    return "; ".join(f"{name}: {cell}" if name else cell for name, cell in zip(names, cells, strict=False) if cell)
