"""A request for items, checked as DynamoDB checks it before it does anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final

import botocore.session
from botocore.validate import ParamValidator

from twin.front.dynamodb.expressions import check_expressions, check_query, check_updates
from twin.front.dynamodb.tables import FindTable, TableShape
from twin.front.dynamodb.values import InvalidRequest, check_attributes, measure_item

BATCH_WRITES: Final = 25
"""Most requests of a BatchWriteItem, in all of its tables (API reference)."""

BATCH_READS: Final = 100
"""Most keys of a BatchGetItem (API reference)."""

TRANSACTION_ITEMS: Final = 100
"""Most items of a transaction (API reference)."""

TRANSACTION_BYTES: Final = 4 * 1024 * 1024
"""Largest aggregate size of the items of a transaction (API reference)."""

TOKEN_CHARACTERS: Final = 36
"""Longest client request token (API reference)."""

OPERATIONS: Final = (
    *("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"),
    *("BatchGetItem", "BatchWriteItem", "TransactGetItems", "TransactWriteItems"),
)

Params = Mapping[str, Any]
MeasureStored = Callable[[str, Params], int]
"""Returns the size in bytes of what is stored under a key of a table; 0 where nothing is."""


def check_request(operation: str, params: Params, find_table: FindTable, measure_stored: MeasureStored) -> None:
    """Check a request for items; other operations are let through.

    Raises:
        InvalidRequest: DynamoDB would refuse it.
    """
    if operation not in OPERATIONS:
        return
    _check_shape(operation, params)
    if operation in ("Query", "Scan"):
        _check_read(operation, params, find_table)
        return
    for name, entry in list_entries(operation, params):
        table = find_table(name)
        if table is not None:  # what there is not, is told by moto
            _check_entry(entry, table)
    if operation.startswith("Batch"):
        _check_batch(operation, params, find_table)
    elif operation.startswith("Transact"):
        _check_transaction(params, measure_stored)


@cache
def _find_input(operation: str) -> Any:
    return botocore.session.get_session().get_service_model("dynamodb").operation_model(operation).input_shape


def _check_shape(operation: str, params: Params) -> None:
    """Check that what is required is there and that everything is of its type, by the model of the API."""
    report = ParamValidator().validate(dict(params), _find_input(operation))
    if not report.has_errors():
        return
    told = str(report.generate_report()).split("\n")
    of_type = [line for line in told if line.startswith("Invalid type")]
    if of_type:  # read before anything is checked
        raise InvalidRequest(of_type[0], "SerializationException")
    raise InvalidRequest(f"{len(told)} validation error{'s' * (len(told) > 1)} detected: {'; '.join(told)}")


def list_entries(operation: str, params: Params) -> Iterator[tuple[str, Params]]:
    """Yield each part of a request that is about one item, or one query, with its table."""
    if operation.startswith("Batch"):
        for name, wanted in params["RequestItems"].items():
            yield from ((name, entry) for entry in _list_batch(wanted))
    elif operation.startswith("Transact"):
        for entry in params["TransactItems"]:
            for inner in entry.values():
                yield inner["TableName"], inner
    else:
        yield params["TableName"], params


def _list_batch(wanted: Any) -> Iterator[Params]:
    """Yield the entries of one table: keys to read and how, or items and keys to write."""
    if isinstance(wanted, Mapping):
        yield {key: value for key, value in wanted.items() if key != "Keys"}
        yield from ({"Key": key} for key in wanted["Keys"])
    else:
        yield from (inner for request in wanted for inner in request.values())


def _check_entry(entry: Params, table: TableShape) -> None:
    expressions = check_expressions(entry)
    _check_attributes_to_get(entry)
    if "Item" in entry:
        check_attributes(entry["Item"])
        table.check_item(entry["Item"])
    if "Key" in entry:
        check_attributes(entry["Key"])
        table.check_key(entry["Key"])
    check_updates(entry, table, expressions.actions)
    updates = entry.get("AttributeUpdates") or {}
    check_attributes({name: one["Value"] for name, one in updates.items() if "Value" in one})


def _check_attributes_to_get(params: Params) -> None:
    names = params.get("AttributesToGet") or []
    twice = next((name for number, name in enumerate(names) if name in names[:number]), None)
    if twice is not None:
        raise InvalidRequest(f"One or more parameter values were invalid: Duplicate value in attribute name: {twice}")


def _check_read(operation: str, params: Params, find_table: FindTable) -> None:
    if params.get("Limit", 1) < 1:
        raise InvalidRequest(
            f"1 validation error detected: Value '{params['Limit']}' at 'limit' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1"
        )
    table = find_table(params["TableName"])
    if table is None:  # told by moto
        return
    expressions = check_expressions(params)
    _check_attributes_to_get(params)
    if params.get("IndexName") is not None and params["IndexName"] not in table.indexes:
        raise InvalidRequest(f"The table does not have the specified index: {params['IndexName']}")
    start = params.get("ExclusiveStartKey")
    if start is not None:
        _check_start(start, params.get("IndexName"), table)
    if operation == "Query":
        if "KeyConditionExpression" not in params and "KeyConditions" not in params:
            raise InvalidRequest(
                "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."
            )
        check_query(params, table, expressions)


def _check_start(start: Params, index: str | None, table: TableShape) -> None:
    found = table.indexes.get(index or "")
    shapes = [table.key, *([found] if found is not None else [])]
    types = {name: kind for shape in shapes for name, kind in shape.attributes}
    check_attributes(start)
    if start.keys() != types.keys() or any(kind not in start[name] for name, kind in types.items()):
        raise InvalidRequest("The provided starting key is invalid")
    for shape in shapes:
        try:
            shape.check_key_values(start)
        except InvalidRequest as error:
            raise InvalidRequest(f"The provided starting key is invalid: {error}") from error


def _check_batch(operation: str, params: Params, find_table: FindTable) -> None:
    wanted = params["RequestItems"]
    count = sum(len(one["Keys"] if operation == "BatchGetItem" else one) for one in wanted.values())
    most = BATCH_READS if operation == "BatchGetItem" else BATCH_WRITES
    if count > most:
        raise InvalidRequest(f"Too many items requested for the {operation} call")
    if count == 0:
        raise InvalidRequest(
            "1 validation error detected: Value '{}' at 'requestItems' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1"
        )
    seen = set()
    for name, entry in list_entries(operation, params):
        table = find_table(name)
        key = build_key(entry, table) if table is not None else None
        if key is not None and (name, key) in seen:
            raise InvalidRequest("Provided list of item keys contains duplicates")
        seen.add((name, key))


def build_key(entry: Params, table: TableShape) -> tuple[str, ...] | None:
    """Return the key of the item that an entry is about, None where it is about none."""
    values = entry.get("Key") or entry.get("Item")
    return None if values is None else tuple(str(values.get(name)) for name in table.key.names)


def _check_transaction(params: Params, measure_stored: MeasureStored) -> None:
    entries = params["TransactItems"]
    token = params.get("ClientRequestToken")
    if token is not None and not 1 <= len(token) <= TOKEN_CHARACTERS:
        bound = f"less than or equal to {TOKEN_CHARACTERS}" if token else "greater than or equal to 1"
        raise InvalidRequest(
            f"1 validation error detected: Value '{token}' at 'clientRequestToken' failed to satisfy constraint: "
            f"Member must have length {bound}"
        )
    if not 1 <= len(entries) <= TRANSACTION_ITEMS:
        bound = "less than or equal to 100" if entries else "greater than or equal to 1"
        raise InvalidRequest(
            "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: "
            f"Member must have length {bound}"
        )
    size = 0
    for entry in entries:
        for one in entry.values():
            item = one.get("Item")
            size += measure_item(item) if item is not None else measure_stored(one["TableName"], one["Key"])
            size += measure_item(one.get("ExpressionAttributeValues") or {})
    if size > TRANSACTION_BYTES:
        # The API reference has the limit; AWS's own words are not recorded.
        raise InvalidRequest(f"The aggregate size of the items in the transaction exceeds {TRANSACTION_BYTES} bytes")


def list_items(operation: str, params: Params, find_table: FindTable) -> list[tuple[str, tuple[str, ...]]]:
    """Return the items that a request for items names, as table and key, in the request's order."""
    found = []
    for name, entry in list_entries(operation, params):
        table = find_table(name)
        key = build_key(entry, table) if table is not None else None
        if key is not None:
            found.append((name.rpartition("table/")[2], key))
    return found
