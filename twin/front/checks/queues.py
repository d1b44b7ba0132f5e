"""What SQS refuses: attributes of queues, numbers out of range, and messages, alone or in a batch (API reference)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from twin.front.checks.messages import Refusal, check_message
from twin.front.model import ApiCall, ApiResponse

DELAY_SECONDS: Final = 900
"""Longest delay of a message."""

HIDDEN_SECONDS: Final = 43_200
"""Longest visibility timeout."""

WAIT_SECONDS: Final = 20
"""Longest wait of a receive."""

RETENTION_SECONDS: Final = 1_209_600
"""Longest time that a queue keeps a message."""

RECEIVES: Final = 1000
"""Most receives of a message before it goes to a dead-letter queue."""

BATCH_ENTRIES: Final = 10
"""Most entries of a batch."""

_ID: Final = re.compile(r"""[A-Za-z0-9!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}""")
_SERVICE: Final = "AWS.SimpleQueueService."
_OBJECTS: Final = ("Policy", "RedrivePolicy", "RedriveAllowPolicy")
_OF_MESSAGES: Final = frozenset(
    (
        *("All", "AWSTraceHeader", "ApproximateFirstReceiveTimestamp", "ApproximateReceiveCount", "SenderId"),
        *("DeadLetterQueueSourceArn", "MessageDeduplicationId", "MessageGroupId", "SentTimestamp", "SequenceNumber"),
    )
)
_ATTRIBUTES: Final = {
    "DelaySeconds": (0, DELAY_SECONDS),
    "KmsDataKeyReusePeriodSeconds": (60, 86_400),
    "MaximumMessageSize": (1024, 1024 * 1024),
    "MessageRetentionPeriod": (60, RETENTION_SECONDS),
    "ReceiveMessageWaitTimeSeconds": (0, WAIT_SECONDS),
    "VisibilityTimeout": (0, HIDDEN_SECONDS),
}
_OTHER_ATTRIBUTES: Final = frozenset(
    (
        *("ContentBasedDeduplication", "DeduplicationScope", "FifoQueue", "FifoThroughputLimit", "KmsMasterKeyId"),
        *("Policy", "RedriveAllowPolicy", "RedrivePolicy", "SqsManagedSseEnabled"),
    )
)
_PARAMETERS: Final = {
    "DelaySeconds": (0, DELAY_SECONDS),
    "MaxNumberOfMessages": (1, 10),
    "VisibilityTimeout": (0, HIDDEN_SECONDS),
    "WaitTimeSeconds": (0, WAIT_SECONDS),
}
_OK: Final = 200

Entries = list[dict[str, Any]]


def check_attributes(call: ApiCall) -> Refusal | None:
    """Return why a queue does not get these attributes, None where it does."""
    for name, value in (call.params.get("Attributes") or {}).items():
        if name in _ATTRIBUTES:
            if not _is_within(value, *_ATTRIBUTES[name]):
                return "InvalidAttributeValue", f"Invalid value for the parameter {name}."
        elif name not in _OTHER_ATTRIBUTES:
            return "InvalidAttributeName", f"Unknown Attribute {name}."
        elif name in _OBJECTS and value:
            refusal = _check_object(name, str(value))
            if refusal is not None:
                return refusal
    return None


def _check_object(name: str, text: str) -> Refusal | None:
    """Return why an attribute that is a JSON object is refused."""
    told = f"Value {text} for parameter {name} is invalid. Reason: "
    try:
        held = json.loads(text)
    except (ValueError, RecursionError):
        held = None
    if not isinstance(held, dict):
        if name == "Policy":
            return "InvalidAttributeValue", f"Invalid value for the parameter {name}."
        called = "Redrive policy" if name == "RedrivePolicy" else "Redrive allow policy"
        return "InvalidParameterValue", f"{told}{called} is not a valid JSON map."
    count = held.get("maxReceiveCount")
    if name == "RedrivePolicy" and not _is_within(count, 1, RECEIVES):
        reason = f"Invalid value for maxReceiveCount: {count}, valid values are from 1 to {RECEIVES} both inclusive."
        return "InvalidParameterValue", told + reason
    return None


def check_parameters(call: ApiCall) -> Refusal | None:
    """Return why a number of a request is refused, None where all are in their ranges."""
    names = (*(call.params.get("AttributeNames") or ()), *(call.params.get("MessageSystemAttributeNames") or ()))
    unknown = [name for name in names if name not in _OF_MESSAGES]
    if call.operation == "ReceiveMessage" and unknown:
        return "InvalidAttributeName", f"Unknown Attribute {unknown[0]}."
    return check_ranges(call.params)


def check_send(call: ApiCall) -> Refusal | None:
    """Return why a message is not sent, None where it is."""
    return check_message(call.params) or check_ranges(call.params) or check_ids(call.params, call.params["QueueUrl"])


def check_ids(params: Mapping[str, Any], url: str) -> Refusal | None:
    """Return why the ids of a message's group and of its deduplication are refused; the latter is for FIFO queues."""
    for name in ("MessageGroupId", "MessageDeduplicationId"):
        value = params.get(name)
        if value is not None and not _ID.fullmatch(value):
            reason = f"{name} can only include alphanumeric and punctuation characters. 1 to 128 in length."
            return "InvalidParameterValue", f"Value {value} for parameter {name} is invalid. Reason: {reason}"
    if params.get("MessageDeduplicationId") is not None and not url.endswith(".fifo"):
        value = params["MessageDeduplicationId"]
        reason = "The request include parameter that is not valid for this queue type."
        return "InvalidParameterValue", (
            f"Value {value} for parameter MessageDeduplicationId is invalid. Reason: {reason}"
        )
    return None


def check_deletions(call: ApiCall) -> Refusal | None:
    """Return why a batch of deletions, or of changes of visibility, is refused as a whole."""
    ids = [str(entry.get("Id")) for entry in call.params.get("Entries") or []]
    if not ids:
        return (
            f"{_SERVICE}EmptyBatchRequest",
            f"There should be at least one {call.operation}RequestEntry in the request.",
        )
    if len(ids) > BATCH_ENTRIES:
        told = f"Maximum number of entries per request are {BATCH_ENTRIES}. You have sent {len(ids)}."
        return f"{_SERVICE}TooManyEntriesInBatchRequest", told
    again = next((one for one in ids if ids.count(one) > 1), None)
    if again is not None:
        return f"{_SERVICE}BatchEntryIdsNotDistinct", f"Id {again} repeated."
    return None


def check_ranges(params: Mapping[str, Any]) -> Refusal | None:
    """Return why a number of a request, or of an entry of a batch, is refused."""
    for name, (low, high) in _PARAMETERS.items():
        value = params.get(name)
        if value is not None and not _is_within(value, low, high):
            reason = f"Must be between {low} and {high}, if provided."
            return "InvalidParameterValue", f"Value {value} for parameter {name} is invalid. Reason: {reason}"
    return None


def _is_within(value: object, low: int, high: int) -> bool:
    try:
        return low <= int(str(value)) <= high
    except ValueError:
        return False


def send_batch(call: ApiCall, send: Callable[[bytes], ApiResponse]) -> ApiResponse:
    """Send the entries of a batch that are taken, and answer with why the others are not.

    Args:
        call: a `SendMessageBatch`.
        send: lets moto answer a request with this body.
    """
    entries: Entries = call.params.get("Entries") or []
    refused: Entries = []
    taken: Entries = []
    for entry in entries:
        refusal = check_message(entry) or check_ranges(entry) or check_ids(entry, str(call.params.get("QueueUrl")))
        if refusal is None:
            taken.append(entry)
        else:
            told = {"Id": entry.get("Id"), "SenderFault": True, "Code": refusal[0], "Message": refusal[1]}
            refused.append(told)
    if not refused:
        return send(json.dumps(dict(call.params)).encode())
    if not taken:
        return ApiResponse(
            _OK, (("Content-Type", "application/x-amz-json-1.0"),), json.dumps({"Failed": refused}).encode()
        )
    response = send(json.dumps({**call.params, "Entries": taken}).encode())
    if response.status != _OK:
        return response
    answer = json.loads(response.body)
    answer["Failed"] = [*(answer.get("Failed") or []), *refused]
    headers = tuple((name, value) for name, value in response.headers if name.lower() != "content-length")
    return ApiResponse(_OK, headers, json.dumps(answer).encode())
