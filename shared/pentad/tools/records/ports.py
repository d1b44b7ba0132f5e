"""What a tool may ask of a table of records."""

from typing import Any, Literal, Protocol

from pentad.domain.values import FrozenValue


class Record(FrozenValue):
    """One record a tool keeps for a tenant."""

    key: str
    value: dict[str, Any]


Deletion = Literal["deleted", "absent", "changed"]


class RecordStore(Protocol):
    """Records of one tenant, by kind and key. A key is 1 to 512 characters; a value is a JSON object under 300 KB."""

    def put(self, kind: str, key: str, value: dict[str, Any], *, if_absent: bool = False) -> bool:
        """Store a record; with ``if_absent`` return False and change nothing where one is there.

        Raises:
            InvalidInput: the key or the value is out of bounds.
            PolicyDenied: the tool has no grant to write this kind.
            StoreUnavailable: the store did not answer.
        """
        ...

    def get(self, kind: str, key: str) -> dict[str, Any] | None:
        """Return a record's value, or None.

        Raises:
            PolicyDenied: the tool has no grant to read this kind.
            StoreUnavailable: the store did not answer.
        """
        ...

    def query(self, kind: str, *, begins: str = "", limit: int = 100) -> list[Record]:
        """Return at most ``limit`` (1 to 1,000) records whose keys begin so, in key order.

        Raises:
            InvalidInput: the limit is out of bounds.
            PolicyDenied: the tool has no grant to read this kind.
            StoreUnavailable: the store did not answer.
        """
        ...

    def delete(self, kind: str, key: str, *, if_value: dict[str, Any] | None = None) -> Deletion:
        """Delete a record; with ``if_value`` only while it holds that value.

        Raises:
            PolicyDenied: the tool has no grant to write this kind.
            StoreUnavailable: the store did not answer.
        """
        ...
