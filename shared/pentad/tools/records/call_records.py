"""All writes of one call in one piece: they are done when the tool's function has returned, or not at all.

For tools that change nothing but records. What the function writes is kept here, and what it reads afterwards is as if
it were written. When the function has returned, everything is written in one transaction, together with a mark that
holds the answer: a call that is tried again finds the mark, and is answered without being run. Where another call was
faster with a record that this one has read and replaces, nothing is written, and the function runs again on what stands
there now. So it is where a page had no record of a key that this call puts. A record that is only read is not compared.
"""

import time
from collections.abc import Callable, Iterator, Sequence

from pentad.domain.errors import StoreUnavailable
from pentad.tools.records.granted_records import MAX_WRITES, RecordRules
from pentad.tools.records.grants import Grant
from pentad.tools.records.plain_records import (
    MAX_TRIES,
    expect_for_delete,
    expect_for_put,
    is_as_expected,
    iterate_pages,
    make_changed_error,
    wait_for_others,
)
from pentad.tools.records.ports import (
    CallMark,
    Change,
    Deletion,
    Expected,
    Place,
    Record,
    RecordTable,
    RecordWrite,
    Value,
    WriteRefused,
)
from pentad.tools.records.seen_ranges import SeenRanges
from pentad.tools.records.values import compute_digest, copy_value


class CallRecords:
    """What one run of a tool's function reads and writes.

    Args:
        store: the tenant's table.
        grants: the tool's grants on this resource.
        tool: the tool's name, for messages.
        known: what stands in places that the tool may not read, as refused writes have shown.
    """

    def __init__(
        self, store: RecordTable, grants: Sequence[Grant], tool: str, known: dict[Place, Record | None] | None = None
    ) -> None:
        self._store = store
        self._rules = RecordRules(grants, tool)
        self._known = known if known is not None else {}
        self._read: dict[Place, Record | None] = {}
        self._written: dict[Place, RecordWrite] = {}
        self._ranges = SeenRanges()

    def put(self, kind: str, key: str, value: Value, *, if_absent: bool = False, if_version: int | None = None) -> bool:
        """Store a record; see the port."""
        self._rules.check_write(RecordWrite(kind, key, value))
        return self._add(RecordWrite(kind, key, copy_value(value), expect_for_put(if_absent, if_version)))

    def get(self, kind: str, key: str) -> Value | None:
        """Return a record's value, or None; see the port."""
        found = self.find(kind, key)
        return None if found is None else found.value

    def find(self, kind: str, key: str) -> Record | None:
        """Return a record with its version, or None; see the port."""
        self._rules.check_read(kind, key)
        return _copy(self._look(kind, key))

    def query(self, kind: str, *, begins: str = "", limit: int = 100, after: str | None = None) -> list[Record]:
        """Return records in key order; see the port."""
        self._rules.check_query(kind, begins, limit, after)
        own = {key: one for (of, key), one in self._written.items() if of == kind and key.startswith(begins)}
        removed = sum(one.value is None for one in own.values())
        page = self._store.query(kind, begins=begins, limit=limit + removed, after=after)
        self._ranges.add(kind, begins, after, [record.key for record in page], limit + removed)
        for record in page:
            self._read.setdefault((kind, record.key), record)
        places = {record.key for record in page} | {key for key in own if after is None or key > after}
        if len(page) == limit + removed:  # What comes behind the page is not known, so nothing of ours goes there.
            places = {key for key in places if key <= page[-1].key}
        found = [self._look(kind, key) for key in sorted(places)]
        return [record for record in map(_copy, found) if record is not None][:limit]

    def iterate(self, kind: str, *, begins: str = "") -> Iterator[Record]:
        """Yield all records in key order; see the port."""
        yield from iterate_pages(self.query, kind, begins)

    def update(self, kind: str, key: str, change: Change) -> Value | None:
        """Change a record in one piece; see the port."""
        found = self.get(kind, key)
        value = change(found)
        if value is not None:
            self.put(kind, key, value)
            return copy_value(value)
        self.delete(kind, key)
        return None

    def transact(self, writes: Sequence[RecordWrite]) -> None:
        """Do all writes or none; see the port. They are done with all others of the call."""
        self._rules.check_transaction(writes)
        refused = {
            one.place: self._look(*one.place)
            for one in writes
            if self._can_look(one.place) and not is_as_expected(self._look(*one.place), one.expected)
        }
        if refused:
            raise make_changed_error(WriteRefused(refused))
        for one in writes:
            self._add(
                RecordWrite(one.kind, one.key, None if one.value is None else copy_value(one.value), one.expected)
            )

    def delete(self, kind: str, key: str, *, if_value: Value | None = None, if_version: int | None = None) -> Deletion:
        """Delete a record; see the port."""
        self._rules.check_write(RecordWrite(kind, key, None))
        if self._add(RecordWrite(kind, key, None, expect_for_delete(if_value, if_version))):
            return "deleted"
        return "absent" if self._look(kind, key) is None else "changed"

    def commit(self, effect_key: str, answer: str) -> None:
        """Write everything, and the mark, if there is anything to write.

        Raises:
            InvalidInput: the call wrote more than goes into one transaction.
            WriteRefused: another call was faster, or this call is done already; nothing was written.
            StoreUnavailable: the table did not answer.
        """
        if not self._written:
            return
        # More than a transaction takes may go apart: of those, what a page has shown to be free is not compared.
        pages = len(self._written) <= MAX_WRITES
        writes = [RecordWrite(one.kind, one.key, one.value, self._expect(one, pages)) for one in self._written.values()]
        # What replaces a record unread comes to the same however often it is done: it may go first, by itself.
        apart = [one for one in writes if one.expected == "any"] if len(writes) > MAX_WRITES else []
        together = [one for one in writes if one.expected != "any"] if apart else writes
        self._rules.check_transaction(together)
        for one in apart:
            self._store.write(one)
        self._store.write_all(together, CallMark(kind=self._rules.mark_kind, effect_key=effect_key, answer=answer))

    def learn(self, refusal: WriteRefused) -> None:
        """Remember for the next run what stands in places that the tool may not read; the others it reads anew."""
        self._known.update(
            {place: found for place, found in refusal.found.items() if place[0] not in self._rules.reads}
        )

    def _add(self, one: RecordWrite) -> bool:
        """Take a write up if what stands there is as it expects, as far as can be seen, and tell whether it was."""
        earlier = self._written.get(one.place)
        if self._can_look(one.place) and one.expected not in (None, "any"):
            if not is_as_expected(self._look(*one.place), one.expected):
                return False
        elif earlier is not None and one.expected not in (None, "any"):
            stands = earlier.value is not None
            if (one.expected == "absent") is stands:
                return False
        first = one.expected if earlier is None else earlier.expected
        self._written[one.place] = RecordWrite(one.kind, one.key, one.value, first)
        return True

    def _expect(self, one: RecordWrite, pages: bool) -> Expected:
        """Return what has to stand in the table for a write: what was read there, or else what its options say."""
        if one.place in self._read:
            found = self._read[one.place]
            return "absent" if found is None else found.state
        if pages and one.value is not None and one.expected in (None, "any") and self._ranges.cover(*one.place):
            return "absent"
        return one.expected or "any"

    def _can_look(self, place: Place) -> bool:
        return place[0] in self._rules.reads or place in self._known

    def _look(self, kind: str, key: str) -> Record | None:
        """Return the record as it stands for this call: its own last write, or what it has read, or reads now."""
        place = (kind, key)
        own = self._written.get(place)
        if own is None and place not in self._read and place not in self._known and kind in self._rules.reads:
            self._read[place] = self._store.find(kind, key)
        stands = self._read.get(place, self._known.get(place))
        if own is None:
            return stands
        if own.value is None:
            return None
        version = (stands.version if stands is not None else 0) + 1
        return Record(key=key, value=own.value, version=version, digest=compute_digest(own.value))


def _copy(found: Record | None) -> Record | None:
    """Return a record that the tool may change as it likes."""
    return None if found is None else found.model_copy(update={"value": copy_value(found.value)})


def run_in_one_piece(
    store: RecordTable,
    grants: Sequence[Grant],
    tool: str,
    effect_key: str,
    run: Callable[[CallRecords], tuple[str, bool]],
    *,
    sleep: Callable[[float], None] = time.sleep,
    remaining_seconds: Callable[[], float] = lambda: 30.0,
) -> str:
    """Run a tool's function until all that it writes could be written at once, and return its answer.

    Args:
        store: the tenant's table.
        grants: the tool's grants on this resource.
        tool: the tool's name, for messages.
        effect_key: of the call.
        run: runs the function over these records and returns its answer as JSON, and whether its writes count.
        sleep: waits some seconds.
        remaining_seconds: seconds left of the function's time.

    Returns:
        The answer, or that of an earlier try whose writes are done.

    Raises:
        InvalidInput: the call wrote more than goes into one transaction; nothing was written.
        StoreUnavailable: the table did not answer, or others were faster each time.
    """
    known: dict[Place, Record | None] = {}
    for number in range(1, MAX_TRIES + 1):
        records = CallRecords(store, grants, tool, known)
        answer, counts = run(records)
        if not counts:
            return answer
        try:
            records.commit(effect_key, answer)
        except WriteRefused as refusal:
            if refusal.answer is not None:
                return refusal.answer
            records.learn(refusal)
        else:
            return answer
        if remaining_seconds() < 1:
            break
        wait_for_others(number, sleep)
    raise StoreUnavailable("other calls changed the same records each time that this one tried to; nothing was written")
