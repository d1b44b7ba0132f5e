"""DynamoDB's read and write units of some requests, by the sizes of the items they touched."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.items import item_size
from benchmarks.requests import Request

_READ_BYTES = 4096
_WRITE_BYTES = 1024
_TRANSACTION = 2
"""A transaction reads or writes each item twice: once to prepare, once to commit."""


@dataclass(frozen=True)
class Units:
    """Request units, as on-demand tables bill them. ``a + b`` adds.

    Source: Amazon DynamoDB Developer Guide, "DynamoDB read and write operations": a read unit is 4 KB read strongly
    consistent, or 8 KB eventually; a write unit is 1 KB; transactions take two; an index entry is a write of its own.
    """

    read: float = 0.0
    write: float = 0.0

    def __add__(self, other: "Units") -> "Units":
        """Return the sum."""
        return Units(self.read + other.read, self.write + other.write)


def units_of(requests: Iterable[Request], client: Any) -> Units:
    """Return the units of requests, from the items as they stand now: an update counts with the item it left.

    Args:
        requests: as the front saw them.
        client: a client of DynamoDB with the operator's rights.
    """
    return sum((_units(request.operation, request.params, client) for request in requests), Units())


def _units(operation: str, params: Mapping[str, Any], client: Any) -> Units:
    if operation in ("TransactWriteItems", "TransactGetItems"):
        each = (_of_entry(verb, entry, client) for item in params["TransactItems"] for verb, entry in item.items())
        total = sum(each, Units())
        return Units(total.read * _TRANSACTION, total.write * _TRANSACTION)
    if operation == "Query":
        return _read([sum(map(item_size, client.query(**params)["Items"]))], params)
    if operation == "BatchGetItem":
        return sum((_batch(table, wanted, client) for table, wanted in params["RequestItems"].items()), Units())
    if operation == "GetItem":
        return _read([item_size(client.get_item(**params).get("Item", {}))], params)
    return _of_entry(operation.removesuffix("Item"), params, client)


def _batch(table: str, wanted: Mapping[str, Any], client: Any) -> Units:
    found = [client.get_item(TableName=table, Key=key).get("Item", {}) for key in wanted["Keys"]]
    return _read([item_size(item) for item in found], wanted)


def _read(sizes: Iterable[int], params: Mapping[str, Any]) -> Units:
    factor = 1.0 if params.get("ConsistentRead") else 0.5
    return Units(read=sum(max(1, math.ceil(size / _READ_BYTES)) * factor for size in sizes))


def _of_entry(verb: str, params: Mapping[str, Any], client: Any) -> Units:
    """Return the units of one write, or of one entry of a transaction."""
    if verb == "Get":
        return _read([item_size(client.get_item(**params).get("Item", {}))], {"ConsistentRead": True})
    item = params.get("Item") if verb == "Put" else None
    if item is None:
        keys = {"TableName": params["TableName"], "Key": params["Key"]} if "Key" in params else None
        item = client.get_item(**keys).get("Item", {}) if keys else {}
    return Units(write=float(sum(_writes(item))))


def _writes(item: Mapping[str, Any]) -> Iterator[int]:
    yield max(1, math.ceil(item_size(item) / _WRITE_BYTES))
    if "gsi1pk" in item:
        yield max(1, math.ceil(item_size(item) / _WRITE_BYTES))
