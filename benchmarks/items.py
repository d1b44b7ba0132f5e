"""Sizes of DynamoDB items, and what changed between two looks at the tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Item = Mapping[str, Mapping[str, Any]]
ItemKey = tuple[str, str, str]


@dataclass(frozen=True)
class Stored:
    """What a run left in one place: items or objects that are new or changed, and the bytes that were added net."""

    place: str
    new: int
    changed: int
    bytes_written: int
    bytes_net: int


def value_size(value: Mapping[str, Any]) -> int:
    """Return the bytes of an attribute's value in DynamoDB's form, such as ``{"S": "text"}``.

    Source: Amazon DynamoDB Developer Guide, "DynamoDB item sizes and formats": text and binary by their bytes, a number
    one byte for each two significant digits and one more, null and boolean 1, a list or map 3 and one for each element.
    """
    [(kind, content)] = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return (len(content.strip("-").replace(".", "").strip("0")) + 1) // 2 + 1
    if kind == "B":
        return len(content)
    if kind in ("SS", "NS", "BS"):
        return sum(value_size({kind[0]: one}) for one in content)
    if kind == "L":
        return 3 + sum(1 + value_size(one) for one in content)
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + value_size(one) for name, one in content.items())
    return 1


def item_size(item: Item) -> int:
    """Return the bytes of an item: names and values. Indexes and the 100 bytes billed for each item come on top."""
    return sum(len(name.encode()) + value_size(value) for name, value in item.items())


def difference(place: str, before: Mapping[Any, int], after: Mapping[Any, int], changed: int) -> Stored:
    """Return what was added to one place.

    Args:
        place: its name.
        before: sizes by key, in bytes.
        after: the same, later.
        changed: how many items have the same key and another content.
    """
    new = after.keys() - before.keys()
    return Stored(
        place=place,
        new=len(new),
        changed=changed,
        bytes_written=sum(after[key] for key in new),
        bytes_net=sum(after.values()) - sum(before.values()),
    )


def compare(place: str, before: Mapping[Any, Item], after: Mapping[Any, Item]) -> Stored:
    """Return what was added to a table or changed in it; a changed item counts whole as written."""
    changed = [key for key in after.keys() & before.keys() if after[key] != before[key]]
    old = {key: item_size(item) for key, item in before.items()}
    new = {key: item_size(item) for key, item in after.items()}
    plain = difference(place, old, new, len(changed))
    written = plain.bytes_written + sum(new[key] for key in changed)
    return Stored(plain.place, plain.new, plain.changed, written, plain.bytes_net)
