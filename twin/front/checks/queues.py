"""What SQS refuses: attributes of queues, numbers out of range, and messages, alone or in a batch (API reference)."""

from __future__ import annotations

import json
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
    return None


def check_parameters(call: ApiCall) -> Refusal | None:
    """Return why a number of a request is refused, None where all are in their ranges."""
    return check_ranges(call.params)


def check_send(call: ApiCall) -> Refusal | None:
    """Return why a message is not sent, None where it is."""
    return check_message(call.params) or check_ranges(call.params)


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
        refusal = check_message(entry) or check_ranges(entry)
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
