"""DynamoDB: every table and index a call touches, with the partition keys as `dynamodb:LeadingKeys`.

Transactions are authorised item by item, as AWS does: a Put needs PutItem, a ConditionCheck ConditionCheckItem.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from twin.iam.classify.call import Call, UnknownCall
from twin.iam.model import Access, ContextValue

_ITEM_OPERATIONS: Final = {"GetItem": "Key", "PutItem": "Item", "UpdateItem": "Key", "DeleteItem": "Key"}
_TRANSACT_WRITE: Final = {
    "Put": ("PutItem", "Item"),
    "Update": ("UpdateItem", "Key"),
    "Delete": ("DeleteItem", "Key"),
    "ConditionCheck": ("ConditionCheckItem", "Key"),
}
_TABLE_OPERATIONS: Final = frozenset(
    (
        *("DescribeTable", "DescribeTimeToLive", "DescribeContinuousBackups", "UpdateTable", "UpdateTimeToLive"),
        *("DeleteTable", "CreateTable", "ListTagsOfResource", "TagResource", "UntagResource"),
    )
)
_EQUALITY: Final = re.compile(r"(#?[\w.-]+)\s*=\s*(:[\w.-]+)")


def classify_dynamodb(call: Call) -> Sequence[Access]:
    """Return the accesses of a DynamoDB call.

    Raises:
        UnknownCall: PartiQL, streams and other calls that this stack does not make.
    """
    if call.operation in _ITEM_OPERATIONS:
        return [_classify_item(call, call.operation, call.params, _ITEM_OPERATIONS[call.operation], {})]
    several = _SEVERAL.get(call.operation)
    if several is not None:
        return several(call)
    if call.operation in ("Query", "Scan"):
        return [_classify_search(call)]
    if call.operation in _TABLE_OPERATIONS:
        return [Access(call.action, _table_arn(call, call.params.get("TableName") or call.params["ResourceArn"]))]
    if call.operation in ("ListTables", "DescribeLimits", "DescribeEndpoints"):
        return [Access(call.action, "*")]
    raise UnknownCall(f"the local twin cannot authorise dynamodb:{call.operation}")


def _table_name(name_or_arn: str) -> str:
    return name_or_arn.rsplit(":table/", 1)[-1]


def _table_arn(call: Call, name_or_arn: str) -> str:
    return call.format_arn(f"table/{_table_name(name_or_arn)}")


def _build_leading_keys(call: Call, table: str, items: Iterable[Mapping[str, Any]]) -> dict[str, ContextValue]:
    name = call.resolver.find_partition_key(_table_name(table), None)
    keys = [_format_value(item[name]) for item in items if name is not None and name in item]
    return {"dynamodb:LeadingKeys": tuple(dict.fromkeys(keys))} if keys else {}


def _format_value(value: Mapping[str, Any]) -> str:
    return str(next(iter(value.values())))


def _classify_item(
    call: Call, operation: str, params: Mapping[str, Any], where: str, context: Mapping[str, ContextValue]
) -> Access:
    table = params["TableName"]
    keys = {**context, **_build_leading_keys(call, table, [params[where]])}
    if "ReturnValues" in params:
        keys["dynamodb:ReturnValues"] = params["ReturnValues"]
    return Access(f"dynamodb:{operation}", _table_arn(call, table), keys)


def _classify_transact_write(call: Call) -> list[Access]:
    found: list[Access] = []
    for element in call.params["TransactItems"]:
        for kind, params in element.items():
            operation, where = _TRANSACT_WRITE[kind]
            found.append(
                _classify_item(call, operation, params, where, {"dynamodb:EnclosingOperation": call.operation})
            )
    return found


def _classify_transact_get(call: Call) -> list[Access]:
    context = {"dynamodb:EnclosingOperation": call.operation}
    return [_classify_item(call, "GetItem", element["Get"], "Key", context) for element in call.params["TransactItems"]]


def _classify_batch_get(call: Call) -> list[Access]:
    return [
        Access(call.action, _table_arn(call, table), _build_leading_keys(call, table, request["Keys"]))
        for table, request in call.params["RequestItems"].items()
    ]


def _classify_batch_write(call: Call) -> list[Access]:
    found: list[Access] = []
    for table, requests in call.params["RequestItems"].items():
        items = [r["PutRequest"]["Item"] if "PutRequest" in r else r["DeleteRequest"]["Key"] for r in requests]
        found.append(Access(call.action, _table_arn(call, table), _build_leading_keys(call, table, items)))
    return found


_SEVERAL: Final[Mapping[str, Callable[[Call], Sequence[Access]]]] = {
    "TransactWriteItems": _classify_transact_write,
    "TransactGetItems": _classify_transact_get,
    "BatchGetItem": _classify_batch_get,
    "BatchWriteItem": _classify_batch_write,
}


def _classify_search(call: Call) -> Access:
    table, index = call.params["TableName"], call.params.get("IndexName")
    arn = _table_arn(call, table) + (f"/index/{index}" if index else "")
    context: dict[str, ContextValue] = {}
    if "Select" in call.params:
        context["dynamodb:Select"] = call.params["Select"]
    if call.operation == "Query":
        key = _find_queried_key(call, call.resolver.find_partition_key(_table_name(table), index))
        if key is not None:
            context["dynamodb:LeadingKeys"] = (key,)
    return Access(call.action, arn, context)


def _find_queried_key(call: Call, name: str | None) -> str | None:
    """Return the partition key that a Query asks for."""
    values = call.params.get("ExpressionAttributeValues", {})
    names = call.params.get("ExpressionAttributeNames", {})
    for left, right in _EQUALITY.findall(call.params.get("KeyConditionExpression", "")):
        if names.get(left, left) == name and right in values:
            return _format_value(values[right])
    legacy = call.params.get("KeyConditions", {}).get(name)
    return _format_value(legacy["AttributeValueList"][0]) if legacy else None
