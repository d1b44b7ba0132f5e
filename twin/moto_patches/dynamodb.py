"""Where moto 5.2.5 does work that grows with the whole table, for what AWS does in the time of the items concerned.

* TransactWriteItems copies each table deeply, once for every item of the transaction, to be able to go back. Here the
  items that it names are kept, and put back where it fails.
* Query sorts all items of the table before it picks those of its partition. Here it sees its partition only.
* Scan sorts all items by comparing wrapped values pair by pair. Here each key is read once.
* An answer looks for each of the ten kinds of an attribute value under eight names: it took two thirds of the time of a
  GetItem. Here a value is written by the one kind that it has.

The answers to these are moto's own. Served under DynamoDB's lock, so nothing is seen half done.

Where its answers differ from AWS's: an update with a key alone, and numbers with an exponent in a sum, are errors; what
the older kind of update adds is rounded to 28 digits; an item has 405,000 bytes at most (AWS's 409,600 are checked by
the gate). Query and Scan with a Limit that is met by the last item say that this was all, where AWS gives a
LastEvaluatedKey and an empty page after it (developer guide, "Paginating table query results"); TransactGetItems takes
25 items, where AWS takes 100.
"""

from __future__ import annotations

import base64
import copy
import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal, localcontext
from typing import Any

from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb import models, responses
from moto.dynamodb.exceptions import IncorrectDataType
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Table

from twin.moto_patches.patching import Patches

_here = threading.local()
_ALL_DIGITS = 400
"""Between the largest and the smallest number that DynamoDB has are 256 digits."""


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    backend = models.DynamoDBBackend
    patches.set_attribute(models, "copy", _Copier())
    patches.set_attribute(backend, "transact_write_items", _wrap_transact_write(backend.transact_write_items))
    patches.set_attribute(Table, "query", _wrap_query(Table.query))
    patches.set_attribute(Table, "scan", _wrap_scan(Table.scan))
    patches.set_attribute(Table, "all_items", _wrap_all_items(Table.all_items))
    patches.set_attribute(DynamoType, "__add__", lambda self, other: _calculate(self, other, 1))
    patches.set_attribute(DynamoType, "__sub__", lambda self, other: _calculate(self, other, -1))
    patches.set_attribute(LimitedSizeDict, "__setitem__", dict.__setitem__)
    by_updates = Item.update_with_attribute_updates
    patches.set_attribute(Item, "update_with_attribute_updates", _wrap_attribute_updates(by_updates))
    patches.set_attribute(responses, "TRANSACTION_MAX_ITEMS", 100)
    by_shape = BaseJSONSerializer._serialize_type_structure
    patches.set_attribute(BaseJSONSerializer, "_serialize_type_structure", _wrap_structure(by_shape))


def _calculate(left: DynamoType, right: DynamoType, sign: int) -> DynamoType:
    """Return a sum or a difference, with all of its digits: which of them are too many is checked afterwards."""
    if left.type != right.type or not left.is_number():
        raise IncorrectDataType()
    with localcontext(prec=_ALL_DIGITS):
        total = Decimal(left.value) + sign * Decimal(right.value)
        return DynamoType({"N": _write_number(total)})


def _write_number(number: Decimal) -> str:
    """Return a number as DynamoDB shows it; called within a context of all digits."""
    return f"{number.normalize():f}" if number else "0"


def _wrap_attribute_updates(original: Callable[..., None]) -> Callable[..., None]:
    def update_with_attribute_updates(self: Item, attribute_updates: dict[str, Any] | None) -> None:
        updates = attribute_updates or {}
        with localcontext(prec=_ALL_DIGITS):  # moto adds in Python's own context, of 28 digits
            original(self, updates)
            for name, update in updates.items():
                if update.get("Action") == "ADD" and "N" in update["Value"]:
                    self.attrs[name] = DynamoType({"N": _write_number(Decimal(self.attrs[name].value))})

    return update_with_attribute_updates


def _wrap_structure(original: Callable[..., None]) -> Callable[..., None]:
    def serialize(self: Any, serialized: dict[str, Any], value: Any, shape: Any, key: str) -> None:
        if key and shape.name == "AttributeValue" and type(value) is dict and len(value) == 1:
            [(kind, held)] = value.items()
            write = _WRITERS.get(kind)
            if write is not None and self.service_model.service_name == "dynamodb":
                serialized[self.get_serialized_name(shape, key)] = {kind: write(held)}
                return
        original(self, serialized, value, shape, key)

    return serialize


def write_value(value: dict[str, Any]) -> dict[str, Any]:
    """Return a value of moto's as an answer's JSON has it."""
    return {kind: _WRITERS[kind](held) for kind, held in value.items()}


def _encode(value: bytes | str) -> str:
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


_WRITERS: dict[str, Callable[[Any], Any]] = {
    "S": str,
    "N": str,
    "B": _encode,
    "SS": lambda held: [str(one) for one in held],
    "NS": lambda held: [str(one) for one in held],
    "BS": lambda held: [_encode(one) for one in held],
    "M": lambda held: {name: write_value(one) for name, one in held.items()},
    "L": lambda held: [write_value(one) for one in held],
    "BOOL": lambda held: held,
    "NULL": lambda held: held,
}
"""How the value of each kind is written into an answer's JSON, as ``AttributeValue`` of DynamoDB's API tells."""


class _Copier:
    """Stands in for the module `copy` in moto's models: a table in a transaction is not copied."""

    @staticmethod
    def deepcopy(value: Any) -> Any:
        """Return a copy, or the table itself where the transaction keeps what it changes."""
        in_transaction = getattr(_here, "in_transaction", False)
        return value if in_transaction and isinstance(value, Table) else copy.deepcopy(value)


def _wrap_transact_write(original: Callable[..., None]) -> Callable[..., None]:
    def transact_write_items(self: Any, transact_items: list[dict[str, Any]]) -> None:
        kept = list(_iter_touched_items(self, transact_items))
        _here.in_transaction = True
        try:
            original(self, transact_items)
        except Exception:
            for table, key, item in kept:
                put_back(table, key, item)
            raise
        finally:
            _here.in_transaction = False

    return transact_write_items


Key = tuple[DynamoType, DynamoType | None]


def _iter_touched_items(backend: Any, transact_items: list[dict[str, Any]]) -> Iterator[tuple[Table, Key, Item | None]]:
    """Yield what a transaction may change, as it is before; what is not well formed is left to moto to refuse."""
    for entry in transact_items:
        for operation in entry.values():
            table = backend.tables.get(operation.get("TableName"))
            attributes = operation.get("Item") or operation.get("Key") or {}
            if table is None or table.hash_key_attr not in attributes:
                continue
            if table.range_key_attr is not None and table.range_key_attr not in attributes:
                continue
            first = DynamoType(attributes[table.hash_key_attr])
            second = DynamoType(attributes[table.range_key_attr]) if table.range_key_attr is not None else None
            yield table, (first, second), copy.deepcopy(table.get_item(first, second))


def put_back(table: Table, key: Key, item: Item | None) -> None:
    """Let a key stand for an item again, or for none (None); nobody is told, streams neither."""
    first, second = key
    if item is None and second is None:
        table.items.pop(first, None)
    elif item is None:
        table.items[first].pop(second, None)
    elif second is None:
        table.items[first] = item  # type: ignore[assignment]
    else:
        table.items[first][second] = item


def _wrap_query(original: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(original)

    def query(self: Table, *arguments: Any, **named: Any) -> Any:
        bound = signature.bind(self, *arguments, **named)
        with _limit_to_partition(None if bound.arguments.get("index_name") else bound.arguments["hash_key"]):
            return _name_last(original, bound)

    return query


def _wrap_scan(original: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(original)

    def scan(self: Table, *arguments: Any, **named: Any) -> Any:
        return _name_last(original, signature.bind(self, *arguments, **named))

    return scan


class _Watched:
    """A filter that knows how many items it has seen, and the last of them."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.count = 0
        self.last: Item | None = None

    def expr(self, item: Item) -> Any:
        self.count += 1
        self.last = item
        return self._inner is None or self._inner.expr(item)


def _name_last(original: Callable[..., Any], bound: inspect.BoundArguments) -> Any:
    """Return what a query or scan finds, with the last key where the limit is met."""
    table, limit = bound.arguments["self"], bound.arguments.get("limit")
    watched = bound.arguments["filter_expression"] = _Watched(bound.arguments.get("filter_expression"))
    found, scanned, last_key = original(*bound.args, **bound.kwargs)
    if last_key is None and limit and watched.count == limit and watched.last is not None:
        last_key = table._get_last_evaluated_key(watched.last, bound.arguments.get("index_name"))
    return found, scanned, last_key


@contextmanager
def _limit_to_partition(partition: DynamoType | None) -> Iterator[None]:
    _here.querying, _here.partition = True, partition
    try:
        yield
    finally:
        _here.querying = False


def _sort_items(table: Table) -> list[Item]:
    """Return what moto returns for a scan: by partition, then by sort key; each key is read only once."""
    found: list[Item] = []
    for _, partition in sorted(table.items.items(), key=lambda entry: entry[0].cast_value):
        found.extend(partition[key] for key in sorted(partition, key=lambda key: key.cast_value))
    return found


def _wrap_all_items(original: Callable[[Table], list[Item]]) -> Callable[[Table], list[Item]]:
    def all_items(self: Table) -> list[Item]:
        if not getattr(_here, "querying", False):
            return _sort_items(self) if self.range_key_attr else original(self)
        # A query sorts what it has picked, so what it picks from needs no order.
        if _here.partition is not None and self.range_key_attr:
            found = self.items.get(_here.partition)
            return list(found.values()) if found else []
        if self.range_key_attr:
            return [item for partition in self.items.values() for item in partition.values()]
        return original(self)

    return all_items
