"""Updates that DynamoDB refuses for what they make of an item: known only once they are done, and then taken back."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table

from twin.front.dynamodb.late_indexes import read_key
from twin.front.dynamodb.tables import read_shape
from twin.front.dynamodb.values import InvalidRequest
from twin.moto_patches.dynamodb import Key, put_back, write_value

FindTable = Callable[[str], Table | None]


@dataclass(frozen=True)
class Kept:
    """An item as it was before a request.

    Attributes:
        table: Where it is.
        key: Of the item.
        before: The item; None where there was none.
        updated: The request updates it, and does not put or delete it.
    """

    table: Table
    key: Key
    before: Item | None
    updated: bool


def keep_items(entries: Iterable[tuple[str, Mapping[str, Any]]], find_table: FindTable) -> list[Kept | None]:
    """Return what the entries of a request are about, None for one that moto has to refuse; nothing without updates."""
    entries = list(entries)
    if not any(_is_update(entry) for _, entry in entries):
        return []
    found: list[Kept | None] = []
    for name, entry in entries:
        table, values = find_table(name), entry.get("Item") or entry.get("Key")
        if table is None or not values:
            found.append(None)
            continue
        key = read_key(table, values)
        found.append(Kept(table, key, copy.deepcopy(table.get_item(*key)), _is_update(entry)))
    return found


def _is_update(entry: Mapping[str, Any]) -> bool:
    return "UpdateExpression" in entry or "AttributeUpdates" in entry


def find_faults(kept: Iterable[Kept | None]) -> list[str | None]:
    """Return for each entry why DynamoDB refuses what its update has made of the item, or None."""
    return [None if one is None or not one.updated else _find_fault(one) for one in kept]


def put_back_all(kept: Iterable[Kept | None]) -> None:
    """Put items back as they were."""
    for one in kept:
        if one is not None:
            put_back(one.table, one.key, one.before)


def _find_fault(one: Kept) -> str | None:
    item = one.table.get_item(*one.key)
    try:
        if item is not None:
            attributes = item.to_json()["Attributes"]
            read_shape(one.table).check_updated({name: write_value(value) for name, value in attributes.items()})
    except InvalidRequest as error:
        return str(error)
    return None
