"""Check a tool's access to records against its grants, and let it replace only what stands as it was read.

The grants' bounds are those of the tool's role. Each write happens at once; the module `call_records` has the
other way.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from pentad.domain.canonical import canonical_json
from pentad.domain.errors import InvalidInput, PolicyDenied
from pentad.tools.records.grants import Grant
from pentad.tools.records.plain_records import (
    PAGE,
    expect_for_delete,
    expect_for_put,
    iterate_pages,
    make_changed_error,
    update_record,
)
from pentad.tools.records.ports import (
    Change,
    Deletion,
    Expected,
    Place,
    Record,
    RecordState,
    RecordTable,
    RecordWrite,
    Value,
    WriteRefused,
)
from pentad.tools.records.seen_ranges import SeenRanges
from pentad.tools.records.values import compute_digest

MAX_KEY = 512
MAX_KEY_BYTES = 1024
"""Of a sort key in UTF-8. Source: "Quotas in Amazon DynamoDB" of its developer guide."""
MAX_VALUE_BYTES = 300_000
MAX_WRITES = 99
"""DynamoDB takes 100 writes in a transaction, one of which says that the call is done."""
MAX_TRANSACTION_BYTES = 3_900_000
"""DynamoDB takes 4 MB in a transaction."""


class RecordRules:
    """What a tool may do with which kinds of record.

    Args:
        grants: the tool's grants on this resource.
        tool: the tool's name, for messages.
    """

    def __init__(self, grants: Sequence[Grant], tool: str) -> None:
        self.reads = frozenset(grant.keys for grant in grants if grant.reads)
        self.writes = frozenset(grant.keys for grant in grants if grant.writes)
        self._tool = tool

    @property
    def mark_kind(self) -> str:
        """The kind beside which the tool's marks are."""
        return min(self.writes)

    def check_read(self, kind: str, key: str) -> None:
        """Refuse what may not be read.

        Raises:
            PolicyDenied: the tool has no grant to read this kind.
            InvalidInput: the key is out of bounds.
        """
        self._check(kind, key, self.reads, "read")

    def check_query(self, kind: str, begins: str, limit: int, after: str | None) -> None:
        """Refuse a query that may not be made.

        Raises:
            PolicyDenied: the tool has no grant to read this kind.
            InvalidInput: the prefix, the limit or the cursor is out of bounds.
        """
        self._check(kind, begins or "-", self.reads, "read")
        if not 1 <= limit <= PAGE:
            raise InvalidInput(
                f"the limit is {limit}", field="limit", fix=f"use 1 to {PAGE}, and 'after' for the next page"
            )
        if after is not None and not (after.startswith(begins) and _is_key(after)):
            raise InvalidInput(
                "'after' is not a key of this query", field="after", fix="give the key of the last record of a page"
            )

    def check_write(self, one: RecordWrite) -> int:
        """Refuse a write that may not be made, and return its size in bytes.

        Raises:
            PolicyDenied: the tool has no grant to write this kind.
            InvalidInput: the key or the value is out of bounds.
        """
        self._check(one.kind, one.key, self.writes, "write")
        if one.value is None:
            return 0
        if not isinstance(one.value, dict):
            raise InvalidInput("a record's value is not an object", field="value", fix="put a dict")
        try:
            size = len(canonical_json(one.value).encode("utf-8", "surrogatepass"))
        except (TypeError, ValueError) as error:
            raise InvalidInput("a record's value is not JSON", field="value", fix="use JSON types") from error
        if size > MAX_VALUE_BYTES:
            raise InvalidInput(
                f"a record has {size:,} bytes", field="value", fix=f"keep it under {MAX_VALUE_BYTES:,} bytes"
            )
        return size

    def check_transaction(self, writes: Sequence[RecordWrite]) -> None:
        """Refuse writes that can't be made together.

        Raises:
            PolicyDenied: the tool has no grant to write one of the kinds.
            InvalidInput: there are too many, two of one record, or a key or a value is out of bounds.
        """
        size = sum(self.check_write(one) for one in writes)
        if len(writes) > MAX_WRITES or size > MAX_TRANSACTION_BYTES:
            raise InvalidInput(
                f"{len(writes)} writes of {size:,} bytes can't be made together",
                field="writes",
                fix=f"write at most {MAX_WRITES} records and {MAX_TRANSACTION_BYTES:,} bytes in one transaction; "
                "a tool with idempotent=False writes each one separately",
            )
        if len({one.place for one in writes}) < len(writes):
            raise InvalidInput(
                "a transaction writes one record twice",
                field="writes",
                fix="write each record once, with its last value",
            )

    def _check(self, kind: str, key: str, allowed: frozenset[str], access: str) -> None:
        if kind not in allowed:
            raise PolicyDenied(
                f"the tool '{self._tool}' has no grant to {access} records of kind '{kind}'",
                field="permissions",
                fix=f'declare Grant("records", "{access}", keys="{kind}")',
            )
        if not _is_key(key):
            raise InvalidInput(
                "a record's key is out of bounds",
                field="key",
                fix=f"use 1 to {MAX_KEY} characters of Unicode, of at most {MAX_KEY_BYTES:,} bytes in UTF-8",
            )


def _is_key(text: str) -> bool:
    """Tell whether DynamoDB takes a text as a record's key: in UTF-8, which has no halves of surrogate pairs."""
    try:
        return 1 <= len(text) <= MAX_KEY and len(text.encode()) <= MAX_KEY_BYTES
    except UnicodeEncodeError:
        return False


class GrantedRecords:
    """Records, checked against grants before the table is asked; each write happens at once.

    Args:
        store: the tenant's table.
        grants: the tool's grants on this resource.
        tool: the tool's name, for messages.
        sleep: waits some seconds.
    """

    def __init__(
        self,
        store: RecordTable,
        grants: Sequence[Grant],
        tool: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._rules = RecordRules(grants, tool)
        self._sleep = sleep
        self._seen: dict[Place, Expected] = {}
        self._ranges = SeenRanges()

    def put(self, kind: str, key: str, value: Value, *, if_absent: bool = False, if_version: int | None = None) -> bool:
        """Store a record; see the port."""
        self._rules.check_write(RecordWrite(kind, key, value))
        asks = if_absent or if_version is not None
        expected = expect_for_put(if_absent, if_version) if asks else self._expect(RecordWrite(kind, key, value))
        try:
            stored = self._store.write(RecordWrite(kind, key, value, expected))
        except WriteRefused as refusal:
            if asks:
                return False
            raise make_changed_error(refusal) from refusal
        self._note(kind, key, stored)
        return True

    def get(self, kind: str, key: str) -> Value | None:
        """Return a record's value, or None; see the port."""
        found = self.find(kind, key)
        return None if found is None else found.value

    def find(self, kind: str, key: str) -> Record | None:
        """Return a record with its version, or None; see the port."""
        self._rules.check_read(kind, key)
        found = self._store.find(kind, key)
        self._seen[kind, key] = "absent" if found is None else found.state
        return found

    def query(self, kind: str, *, begins: str = "", limit: int = 100, after: str | None = None) -> list[Record]:
        """Return records in key order; see the port."""
        self._rules.check_query(kind, begins, limit, after)
        page = self._store.query(kind, begins=begins, limit=limit, after=after)
        self._seen.update({(kind, record.key): record.state for record in page})
        self._ranges.add(kind, begins, after, [record.key for record in page], limit)
        return page

    def iterate(self, kind: str, *, begins: str = "") -> Iterator[Record]:
        """Yield all records in key order; see the port."""
        yield from iterate_pages(self.query, kind, begins)

    def update(self, kind: str, key: str, change: Change) -> Value | None:
        """Change a record in one piece; see the port."""
        self._rules.check_read(kind, key)

        def change_checked(value: Value | None) -> Value | None:
            changed = change(value)
            self._rules.check_write(RecordWrite(kind, key, changed))
            return changed

        stored = update_record(self._store, kind, key, change_checked, sleep=self._sleep)
        self._note(kind, key, stored)
        return None if stored is None else stored.value

    def transact(self, writes: Sequence[RecordWrite]) -> None:
        """Do all writes or none; see the port."""
        self._rules.check_transaction(writes)
        filled = [one if one.expected is not None else replace(one, expected=self._expect(one)) for one in writes]
        try:
            self._store.write_all(filled)
        except WriteRefused as refusal:
            raise make_changed_error(refusal) from refusal
        for one in writes:
            # Which version it has now, the table does not say.
            digest = None if one.value is None else compute_digest(one.value)
            self._seen[one.place] = "absent" if digest is None else RecordState(version=None, digest=digest)

    def delete(self, kind: str, key: str, *, if_value: Value | None = None, if_version: int | None = None) -> Deletion:
        """Delete a record; see the port."""
        self._rules.check_write(RecordWrite(kind, key, None))
        asks = if_value is not None or if_version is not None
        expected = expect_for_delete(if_value, if_version)
        if not asks and (kind, key) in self._seen:
            expected = self._seen[kind, key]
        if expected == "absent":
            return "absent"
        try:
            self._store.write(RecordWrite(kind, key, None, expected))
        except WriteRefused as refusal:
            if refusal.found.get((kind, key)) is None:
                return "absent"
            if asks:
                return "changed"
            raise make_changed_error(refusal) from refusal
        self._note(kind, key, None)
        return "deleted"

    def _expect(self, one: RecordWrite) -> Expected:
        """Return what has to stand where a write says nothing of it: what was read there, or what a page showed."""
        free = one.value is not None and self._ranges.cover(*one.place)
        return self._seen.get(one.place, "absent" if free else "any")

    def _note(self, kind: str, key: str, stored: Record | None) -> None:
        """Remember what this call has left: its own change must not stop its next one."""
        self._seen[kind, key] = "absent" if stored is None else stored.state
