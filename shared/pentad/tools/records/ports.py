"""What a tool may ask of a table of records, and what the table itself does."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pydantic import Field

from pentad.domain.values import FrozenValue

Value = dict[str, Any]
Change = Callable[[Value | None], Value | None]
"""Given a record's value, or None where there is none, returns the new one; None removes the record."""
Deletion = Literal["deleted", "absent", "changed"]
Place = tuple[str, str]
"""A record's kind and key."""


class RecordState(FrozenValue):
    """Which state of a record is meant; None leaves a part open."""

    version: int | None = Field(description="grows by one with each write; 0: written before records had versions")
    digest: str | None = Field(description="SHA-256 of the value's canonical JSON")


class Record(FrozenValue):
    """One record a tool keeps for a tenant."""

    key: str
    value: Value
    version: int = Field(default=0, description="see `RecordState`")
    digest: str = Field(default="", repr=False, description="see `RecordState`")
    taint: tuple[str, ...] = Field(default=(), repr=False, description="sources of text from outside it may hold")

    @property
    def state(self) -> RecordState:
        """Which state of the record this is."""
        return RecordState(version=self.version, digest=self.digest)


Expected = RecordState | Literal["any", "absent", "present"]
"""What has to stand in a record's place for a write to happen."""


@dataclass(frozen=True)
class RecordWrite:
    """One write of a transaction.

    Args:
        kind: the kind.
        key: the key.
        value: JSON; None removes the record.
        expected: what has to stand there; None: what this call has read there, if it has.
        taint: sources of text from outside that the value may hold.
    """

    kind: str
    key: str
    value: Value | None
    expected: Expected | None = None
    taint: tuple[str, ...] = ()

    @property
    def place(self) -> Place:
        """The kind and the key."""
        return self.kind, self.key


class CallMark(FrozenValue):
    """Says that a call's writes are done, and what it answered; it is written with them or not at all."""

    kind: str = Field(description="a kind that the tool may write")
    effect_key: str
    answer: str = Field(description="JSON")


class WriteRefused(Exception):
    """A write, and with it its whole transaction, was not done: something else stands there than was expected.

    Args:
        found: what stands where a condition did not hold.
        answer: of the call's own mark, where its writes were done before.
    """

    def __init__(self, found: Mapping[Place, Record | None], answer: str | None = None) -> None:
        super().__init__("a record is not as it was expected")
        self.found = dict(found)
        self.answer = answer


class RecordStore(Protocol):
    """Records of one tenant, by kind and key.

    A key is 1 to 512 characters, of at most 1,024 bytes in UTF-8. A value is a JSON object under 300 KB; it comes back
    as it was put, its keys in the order in which they stood.
    """

    def put(self, kind: str, key: str, value: Value, *, if_absent: bool = False, if_version: int | None = None) -> bool:
        """Store a record.

        What this call has read before is replaced only while it stands as it was read.

        Args:
            kind: the kind.
            key: the key.
            value: JSON.
            if_absent: only where no record is there.
            if_version: only where the record has this version.

        Returns:
            Whether it was stored; False only with one of the two conditions.

        Raises:
            InvalidInput: the key or the value is out of bounds.
            PolicyDenied: the tool has no grant to write this kind.
            RecordChanged: another call changed the record since this one read it; nothing was stored.
            StoreUnavailable: the store did not answer.
        """
        ...

    def get(self, kind: str, key: str) -> Value | None:
        """Return a record's value, or None.

        Raises:
            PolicyDenied: the tool has no grant to read this kind.
            StoreUnavailable: the store did not answer.
        """
        ...

    def find(self, kind: str, key: str) -> Record | None:
        """Return a record with its version, or None.

        Raises:
            PolicyDenied: the tool has no grant to read this kind.
            StoreUnavailable: the store did not answer.
        """
        ...

    def query(self, kind: str, *, begins: str = "", limit: int = 100, after: str | None = None) -> list[Record]:
        """Return at most ``limit`` (1 to 1,000) records whose keys begin so, in key order.

        Args:
            kind: the kind.
            begins: how the keys begin.
            limit: fewer come only where there are no more.
            after: the last key of the page before this one.

        Raises:
            InvalidInput: the limit or the cursor is out of bounds.
            PolicyDenied: the tool has no grant to read this kind.
            StoreUnavailable: the store did not answer.
        """
        ...

    def iterate(self, kind: str, *, begins: str = "") -> Iterator[Record]:
        """Yield all records whose keys begin so, in key order, a page at a time.

        Raises:
            PolicyDenied: the tool has no grant to read this kind.
            StoreUnavailable: the store did not answer.
        """
        ...

    def update(self, kind: str, key: str, change: Change) -> Value | None:
        """Change a record in one piece, whoever else changes it meanwhile, and return its new value.

        Args:
            kind: the kind.
            key: the key.
            change: see `Change`. It is called again where another call was faster, so it must have no other effect.

        Raises:
            InvalidInput: the new value is out of bounds.
            PolicyDenied: the tool has no grant to read and write this kind.
            StoreUnavailable: the store did not answer, or others were faster each time.
        """
        ...

    def transact(self, writes: Sequence[RecordWrite]) -> None:
        """Do all writes (at most 99, each of another record) or none.

        Raises:
            InvalidInput: there are too many, or a key or a value is out of bounds.
            PolicyDenied: the tool has no grant to write one of the kinds.
            RecordChanged: a record is not as a write expects it; nothing was done.
            StoreUnavailable: the store did not answer.
        """
        ...

    def delete(self, kind: str, key: str, *, if_value: Value | None = None, if_version: int | None = None) -> Deletion:
        """Delete a record; with a condition only while it has that value or version.

        Without a condition, one that this call has read is deleted only while it stands as it was read.

        Raises:
            PolicyDenied: the tool has no grant to write this kind.
            RecordChanged: another call changed the record since this one read it; nothing was deleted.
            StoreUnavailable: the store did not answer.
        """
        ...


class RecordTable(Protocol):
    """One tenant's records without a memory of what was read: what an adapter does."""

    def find(self, kind: str, key: str) -> Record | None:
        """Return a record as it was last written, or None.

        Raises:
            StoreUnavailable: the table did not answer.
        """
        ...

    def query(self, kind: str, *, begins: str = "", limit: int = 100, after: str | None = None) -> list[Record]:
        """Return at most ``limit`` records in key order; see `RecordStore`.

        Raises:
            StoreUnavailable: the table did not answer.
        """
        ...

    def write(self, one: RecordWrite) -> Record | None:
        """Do a write and return the record as it now stands.

        Raises:
            WriteRefused: the record is not as the write expects it.
            StoreUnavailable: the table did not answer.
        """
        ...

    def write_all(self, writes: Sequence[RecordWrite], mark: CallMark | None = None) -> None:
        """Do all writes (at most 99), and store the mark, or nothing.

        Raises:
            WriteRefused: a record is not as its write expects it, or the mark is there already.
            StoreUnavailable: the table did not answer.
        """
        ...

    def find_answer(self, kind: str, effect_key: str) -> str | None:
        """Return what the call answered whose mark is there, or None.

        Raises:
            StoreUnavailable: the table did not answer.
        """
        ...
