"""Global secondary indexes that follow their table late, as on AWS: reads of them are eventually consistent.

A write is seen in the indexes after a delay between none and the longest, drawn from a seeded generator; the writes of
one item are seen in their order. Until then, a query or scan of an index finds what the item was before.
"""

from __future__ import annotations

import copy
import random
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table

from twin.moto_patches.dynamodb import Key, put_back

monotonic = time.monotonic
"""The clock of the delays, in seconds; tests put their own here."""

Entry = tuple[Table, Mapping[str, Any]]
"""A table and an item's key, with or without its other attributes."""


class _Change(NamedTuple):
    due: float
    before: Item | None


class LateIndexes:
    """What the indexes do not show yet. Not thread-safe: used under DynamoDB's lock.

    Args:
        longest_seconds: The longest delay; 0 for none.
        seed: Of the delays.
    """

    def __init__(self, longest_seconds: float = 0.0, seed: int = 0) -> None:
        self._longest = longest_seconds
        self._random = random.Random(seed)  # noqa: S311 - delays, not secrets
        self._changes: dict[str, dict[Key, deque[_Change]]] = {}

    @contextmanager
    def record(self, entries: list[Entry]) -> Iterator[None]:
        """Remember the items that a write may change as they are before it."""
        late = [(table, read_key(table, values)) for table, values in entries if table.global_indexes]
        if not self._longest or not late:
            yield
            return
        kept = [(table, key, copy.deepcopy(table.get_item(*key))) for table, key in late]
        yield
        for table, key, before in kept:
            changes = self._changes.setdefault(table.table_arn, {}).setdefault(key, deque())
            earliest = changes[-1].due if changes else 0.0
            changes.append(_Change(max(earliest, monotonic() + self._random.uniform(0, self._longest)), before))

    @contextmanager
    def show(self, table: Table | None, index: str | None) -> Iterator[None]:
        """Let a table be as one of its global indexes has it, for the length of a with block."""
        is_global = table is not None and any(one.name == index for one in table.global_indexes)
        if not self._longest or table is None or not is_global:
            yield
            return
        newest = [(key, table.get_item(*key), before) for key, before in self._list_late(table)]
        for key, _, before in newest:
            put_back(table, key, before)
        try:
            yield
        finally:
            for key, now, _ in newest:
                put_back(table, key, now)

    def _list_late(self, table: Table) -> list[tuple[Key, Item | None]]:
        now, found = monotonic(), []
        changed = self._changes.get(table.table_arn, {})
        for key, changes in list(changed.items()):
            while changes and changes[0].due <= now:
                changes.popleft()
            if changes:
                found.append((key, changes[0].before))
            else:
                del changed[key]
        return found


def read_key(table: Table, values: Mapping[str, Any]) -> Key:
    """Return the key of an item as moto has it."""
    sort = DynamoType(values[table.range_key_attr]) if table.range_key_attr is not None else None
    return DynamoType(values[table.hash_key_attr]), sort
