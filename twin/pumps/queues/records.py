"""The event that Lambda makes of SQS messages, and what a function's answer says about them."""

import base64
import json
from collections.abc import Sequence
from typing import Any

from twin.pumps.events.patterns import match_event

JsonObject = dict[str, Any]

#: The order in which Lambda lists a message's attributes, and those it knows.
_ATTRIBUTES = (
    "ApproximateReceiveCount",
    "AWSTraceHeader",
    "SentTimestamp",
    "SequenceNumber",
    "MessageGroupId",
    "SenderId",
    "MessageDeduplicationId",
    "ApproximateFirstReceiveTimestamp",
)


def build_record(message: JsonObject, queue_arn: str) -> JsonObject:
    """Return one record of the event for a message as ReceiveMessage gives it."""
    attributes = message.get("Attributes", {})
    record: JsonObject = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": {name: attributes[name] for name in _ATTRIBUTES if name in attributes},
        "messageAttributes": {
            name: _convert_attribute(value) for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }
    if message.get("MD5OfMessageAttributes"):
        record["md5OfMessageAttributes"] = message["MD5OfMessageAttributes"]
    return record


def _convert_attribute(value: JsonObject) -> JsonObject:
    converted: JsonObject = {}
    if "StringValue" in value:
        converted["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        converted["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode("ascii")
    return converted | {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}


def match_filters(record: JsonObject, filters: Sequence[JsonObject]) -> bool:
    """Tell whether a record passes: any filter will do; a body filter wants a body of the same kind."""
    return not filters or any(_match_filter(record, pattern) for pattern in filters)


def _match_filter(record: JsonObject, pattern: JsonObject) -> bool:
    body_pattern = pattern.get("body")
    if not isinstance(body_pattern, dict):
        return match_event(pattern, record)
    try:
        body = json.loads(record["body"])
    except (ValueError, RecursionError):
        return False
    return isinstance(body, dict) and match_event(pattern, {**record, "body": body})


def parse_failures(payload: bytes, message_ids: Sequence[str]) -> set[str]:
    """Return the ids to receive again, from a function that reports batch item failures.

    An empty answer is a success; one that is malformed, or names an unknown message, fails the whole batch.
    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    everything = set(message_ids)
    try:
        answer = json.loads(payload)
    except (ValueError, RecursionError):
        return everything
    if answer is None or answer == {}:
        return set()
    failures = answer.get("batchItemFailures") if isinstance(answer, dict) else _MALFORMED
    if failures is None:
        return set()
    if not isinstance(failures, list):
        return everything
    failed: set[str] = set()
    for item in failures:
        identifier = item.get("itemIdentifier") if isinstance(item, dict) else None
        if identifier not in everything:
            return everything
        failed.add(identifier)
    return failed


_MALFORMED: Any = object()
