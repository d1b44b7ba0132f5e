"""What the checks need to know of a table: its keys, its indexes and the sizes of its items."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from twin.front.dynamodb.values import ITEM_BYTES, InvalidRequest, check_attributes, measure_item, measure_value

PARTITION_KEY_BYTES: Final = 2048
"""Longest value of a partition key (developer guide, "Quotas")."""

SORT_KEY_BYTES: Final = 1024
"""Longest value of a sort key (developer guide, "Quotas")."""

Values = Mapping[str, Any]


@dataclass(frozen=True)
class KeyShape:
    """The key of a table or index: attributes in order, the partition's first, each with its type (S, N or B)."""

    attributes: tuple[tuple[str, str], ...]
    index: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes' names."""
        return tuple(name for name, _ in self.attributes)

    def check_sizes(self, values: Values) -> None:
        """Refuse key values that are too long.

        Raises:
            InvalidRequest: one is.
        """
        for place, (name, _) in enumerate(self.attributes):
            size = measure_value(values[name]) if name in values else 0
            if place == 0 and size > PARTITION_KEY_BYTES:
                raise InvalidRequest(
                    "One or more parameter values were invalid: "
                    f"Size of hashkey has exceeded the maximum size limit of{PARTITION_KEY_BYTES} bytes"
                )
            if place == 1 and size > SORT_KEY_BYTES:
                raise InvalidRequest(
                    "One or more parameter values were invalid: "
                    f"Aggregated size of all range keys has exceeded the size limit of {SORT_KEY_BYTES} bytes"
                )

    def check_key_values(self, values: Values) -> None:
        """Refuse values that no key has, as far as they are given: empty ones and those that are too long.

        Raises:
            InvalidRequest: one is.
        """
        for name in self.names:
            if _is_empty(values.get(name, {})):
                raise InvalidRequest(
                    "One or more parameter values are not valid. The AttributeValue for a key attribute "
                    f"cannot contain an empty string value. Key: {name}"
                )
        self.check_sizes(values)


@dataclass(frozen=True)
class TableShape:
    """A table's key and those of its indexes."""

    key: KeyShape
    indexes: Mapping[str, KeyShape]

    def check_key(self, key: Values) -> None:
        """Check the key of a request.

        Raises:
            InvalidRequest: it is not the table's.
        """
        if set(key) != set(self.key.names) or any(kind not in key[name] for name, kind in self.key.attributes):
            raise InvalidRequest("The provided key element does not match the schema")
        self.key.check_key_values(key)

    def check_item(self, item: Values) -> None:
        """Check the keys in an item: the table's are there, those of indexes may be.

        Raises:
            InvalidRequest: a key is missing, of another type, empty or too long.
        """
        for name, kind in self.key.attributes:
            if name not in item:
                raise InvalidRequest(f"One or more parameter values were invalid: Missing the key {name} in the item")
            if kind not in item[name]:
                actual = next(iter(item[name]))
                raise InvalidRequest(
                    "One or more parameter values were invalid: "
                    f"Type mismatch for key {name} expected: {kind} actual: {actual}"
                )
        self.key.check_key_values(item)
        for shape in self.indexes.values():
            _check_index(shape, item)
        if measure_item(item) > ITEM_BYTES:
            raise InvalidRequest("Item size has exceeded the maximum allowed size")

    def check_updated(self, item: Values) -> None:
        """Check an item as an update leaves it.

        Raises:
            InvalidRequest: a number is out of range, an index key is of another type, empty or too long, or the item
                is too large.
        """
        check_attributes(item)
        for shape in self.indexes.values():
            if any(name in item and kind not in item[name] for name, kind in shape.attributes):
                raise InvalidRequest(
                    "The update expression attempted to update the secondary index key to unsupported type"
                )
            _check_index(shape, item)
        if measure_item(item) > ITEM_BYTES:
            raise InvalidRequest("Item size to update has exceeded the maximum allowed size")


def _check_index(shape: KeyShape, item: Values) -> None:
    for name, kind in shape.attributes:
        if name not in item:
            continue
        if kind not in item[name]:
            raise InvalidRequest(
                "One or more parameter values were invalid: Type mismatch for Index Key "
                f"{name} Expected: {kind} Actual: {next(iter(item[name]))} IndexName: {shape.index}"
            )
        if _is_empty(item[name]):
            raise InvalidRequest(
                "One or more parameter values are not valid. A value specified for a secondary index key is not "
                "supported. The AttributeValue for a key attribute cannot contain an empty string value. "
                f"IndexName: {shape.index}, IndexKey: {name}"
            )
    shape.check_sizes(item)


def _is_empty(value: Values) -> bool:
    return value in ({"S": ""}, {"B": ""})


FindTable = Callable[[str], TableShape | None]
"""Returns a table by its name or ARN; None where there is none."""


def read_shape(table: Any) -> TableShape:
    """Return the shape of one of moto's tables."""
    types = {one["AttributeName"]: one["AttributeType"] for one in table.attr}
    indexes = [*table.global_indexes, *table.indexes]
    return TableShape(
        _read_key(table.schema, types),
        {index.name: _read_key(index.schema, types, index.name) for index in indexes},
    )


def _read_key(schema: list[dict[str, str]], types: Mapping[str, str], index: str | None = None) -> KeyShape:
    ordered = sorted(schema, key=lambda one: one["KeyType"] != "HASH")
    return KeyShape(tuple((one["AttributeName"], types[one["AttributeName"]]) for one in ordered), index)
