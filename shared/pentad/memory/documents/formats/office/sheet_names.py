"""Give columns of a sheet whole names where these stand in two rows: groups that span columns, and names below them."""

from collections.abc import Mapping, Sequence
from typing import Final

from pentad.memory.documents.formats.tables import names_columns

_MOST_ABOVE: Final = 5
"""Rows before the names of columns."""
Wide = Sequence[tuple[int, int]]


class NameRows:
    """Looks at the first rows of a sheet.

    Args:
        wide: cells that span columns, by their row: first and last column, counted from 0.
    """

    def __init__(self, wide: Mapping[int, Wide]) -> None:
        self._wide = wide
        self._groups: list[str] = []
        self._spanned: set[int] = set()
        self._done = False

    def take(self, number: int, cells: list[str], before: int) -> tuple[list[str], bool]:
        """Return a row as it is to be read, and whether it takes the place of the one before.

        Args:
            number: of the row, from 1.
            cells: what is in it.
            before: how many rows were read before.
        """
        groups, self._groups = self._groups, []
        if groups and _are_names(groups, cells, self._spanned):
            width = max(len(groups), len(cells))
            pairs = zip(_fill(groups, width), _fill(cells, width), strict=True)
            return [" ".join(dict.fromkeys(filter(None, pair))) for pair in pairs], True
        if self._done or sum(map(bool, cells)) < 2:  # one cell over all columns is a title
            return cells, False
        self._done = True
        wide = self._wide.get(number)
        if not wide or before >= _MOST_ABOVE:
            return cells, False
        found = [*cells]
        self._spanned = set()
        for first, last in wide:
            if first < len(found):
                found = _fill(found, last + 1)
                found[first : last + 1] = [found[first]] * (last + 1 - first)
                self._spanned |= set(range(first, last + 1))
        self._groups = found
        return found, False


def _are_names(groups: Sequence[str], cells: Sequence[str], spanned: set[int]) -> bool:
    """Tell if a row names columns below groups: beside these nothing stands in both rows, but what spans both."""
    if not names_columns(cells) or not any(cells[column] for column in spanned if column < len(cells)):
        return False
    beside = [(groups[place], cells[place]) for place in range(min(len(groups), len(cells))) if place not in spanned]
    return all(not above or not below or above == below for above, below in beside)


def _fill(cells: Sequence[str], width: int) -> list[str]:
    return [*cells, *[""] * (width - len(cells))]
