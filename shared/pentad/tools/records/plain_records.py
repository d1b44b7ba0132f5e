"""What follows from a table's few operations: the same for every adapter and for every way to write."""

import random
import time
from collections.abc import Callable, Iterator, Sequence

from pentad.domain.errors import RecordChanged, StoreUnavailable
from pentad.tools.records.ports import (
    Change,
    Deletion,
    Expected,
    Record,
    RecordState,
    RecordTable,
    RecordWrite,
    Value,
    WriteRefused,
)
from pentad.tools.records.values import compute_digest, copy_value

PAGE = 1000
"""Most records of a page."""
MAX_TRIES = 24
_FIRST_SECONDS, _LONGEST_SECONDS = 0.02, 0.5
_RANDOM = random.SystemRandom()  # functions restored from one snapshot must not wait equally long


def wait_for_others(number: int, sleep: Callable[[float], None] = time.sleep) -> None:
    """Wait before the next try, so that calls which met do not meet again.

    Args:
        number: how many tries there were, from 1.
        sleep: waits some seconds.
    """
    sleep(_RANDOM.uniform(0, min(_LONGEST_SECONDS, _FIRST_SECONDS * 2**number)))


class PlainRecords:
    """The operations of `RecordStore` that an adapter of `RecordTable` gets by inheriting from it."""

    def get(self: RecordTable, kind: str, key: str) -> Value | None:
        """See `RecordStore`."""
        found = self.find(kind, key)
        return None if found is None else found.value

    def put(
        self: RecordTable,
        kind: str,
        key: str,
        value: Value,
        *,
        if_absent: bool = False,
        if_version: int | None = None,
    ) -> bool:
        """See `RecordStore`; nothing that was read counts here."""
        expected = expect_for_put(if_absent, if_version)
        try:
            self.write(RecordWrite(kind, key, value, expected))
        except WriteRefused:
            return False
        return True

    def delete(
        self: RecordTable, kind: str, key: str, *, if_value: Value | None = None, if_version: int | None = None
    ) -> Deletion:
        """See `RecordStore`; nothing that was read counts here."""
        try:
            self.write(RecordWrite(kind, key, None, expect_for_delete(if_value, if_version)))
        except WriteRefused as refusal:
            return "absent" if refusal.found.get((kind, key)) is None else "changed"
        return "deleted"

    def update(self: RecordTable, kind: str, key: str, change: Change) -> Value | None:
        """See `RecordStore`."""
        stored = update_record(self, kind, key, change)
        return None if stored is None else stored.value

    def transact(self: RecordTable, writes: Sequence[RecordWrite]) -> None:
        """See `RecordStore`; nothing that was read counts here."""
        try:
            self.write_all(writes)
        except WriteRefused as refusal:
            raise make_changed_error(refusal) from refusal

    def iterate(self: RecordTable, kind: str, *, begins: str = "") -> Iterator[Record]:
        """See `RecordStore`."""
        yield from iterate_pages(self.query, kind, begins)


def expect_for_put(if_absent: bool, if_version: int | None) -> Expected:
    """Return what a put expects by its own options."""
    if if_absent:
        return "absent"
    return "any" if if_version is None else RecordState(version=if_version, digest=None)


def expect_for_delete(if_value: Value | None, if_version: int | None) -> Expected:
    """Return what a delete expects by its own options."""
    if if_value is None and if_version is None:
        return "present"
    return RecordState(version=if_version, digest=None if if_value is None else compute_digest(if_value))


def is_as_expected(found: Record | None, expected: Expected | None) -> bool:
    """Tell whether what stands in a record's place is what a write expects."""
    if expected is None or expected == "any":
        return True
    if found is None or expected in ("absent", "present"):
        return (expected == "absent") is (found is None)
    return isinstance(expected, RecordState) and (
        expected.version in (None, found.version) and expected.digest in (None, found.digest)
    )


def update_record(
    table: RecordTable, kind: str, key: str, change: Change, *, sleep: Callable[[float], None] = time.sleep
) -> Record | None:
    """Change a record by reading it and writing it while it stands as it was read; see `RecordStore.update`.

    Returns:
        The record as it now stands.
    """
    for number in range(1, MAX_TRIES + 1):
        found = table.find(kind, key)
        value = change(None if found is None else copy_value(found.value))
        if found is None and value is None:
            return None
        expected: Expected = "absent" if found is None else found.state
        try:
            return table.write(RecordWrite(kind, key, value, expected))
        except WriteRefused:
            wait_for_others(number, sleep)
    raise StoreUnavailable(f"other calls changed the record each of {MAX_TRIES} times that this one tried to")


def iterate_pages(query: Callable[..., list[Record]], kind: str, begins: str) -> Iterator[Record]:
    """Yield the records of all pages."""
    after: str | None = None
    while True:
        page = query(kind, begins=begins, limit=PAGE, after=after)
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].key


def make_changed_error(refusal: WriteRefused) -> RecordChanged:
    """Return the error of a write that met another call's."""
    # The key may be a user's word: it is in no message.
    kinds = ", ".join(sorted({f"'{kind}'" for kind, _ in refusal.found})) or "a kind"
    return RecordChanged(
        f"a record of kind {kinds} was changed by another call since this one read it; nothing was written",
        field="key",
        fix="read it again and decide again, or change it with update()",
    )
