"""Keep with each record which text from outside may be in it: who reads it has read that text.

A call's writes have the sources of the context that led to it, of its own tool where that brings text from outside, and
of each record that it has read before. What was stored before there were marks has none.
"""

from collections.abc import Sequence
from dataclasses import replace

from pentad.domain.taint.sources import merge_sources
from pentad.tools.records.plain_records import PlainRecords
from pentad.tools.records.ports import CallMark, Record, RecordTable, RecordWrite


class TracedRecords(PlainRecords):
    """One call's view of a tenant's table.

    Args:
        table: the tenant's table.
        taint: sources of text from outside that the call's writes may hold.

    Attributes:
        met: sources of the records that were read so far.
    """

    def __init__(self, table: RecordTable, taint: tuple[str, ...]) -> None:
        self._table = table
        self._taint = taint
        self.met: tuple[str, ...] = ()

    def find(self, kind: str, key: str) -> Record | None:
        """See `RecordTable`."""
        found = self._table.find(kind, key)
        self._note([] if found is None else [found])
        return found

    def query(self, kind: str, *, begins: str = "", limit: int = 100, after: str | None = None) -> list[Record]:
        """See `RecordTable`."""
        page = self._table.query(kind, begins=begins, limit=limit, after=after)
        self._note(page)
        return page

    def write(self, one: RecordWrite) -> Record | None:
        """See `RecordTable`."""
        return self._table.write(self._mark(one))

    def write_all(self, writes: Sequence[RecordWrite], mark: CallMark | None = None) -> None:
        """See `RecordTable`."""
        self._table.write_all([self._mark(one) for one in writes], mark)

    def find_answer(self, kind: str, effect_key: str) -> str | None:
        """See `RecordTable`."""
        return self._table.find_answer(kind, effect_key)

    def _mark(self, one: RecordWrite) -> RecordWrite:
        return replace(one, taint=merge_sources(self._taint, self.met))

    def _note(self, records: Sequence[Record]) -> None:
        if any(record.taint for record in records):
            self.met = merge_sources(self.met, *(record.taint for record in records))
