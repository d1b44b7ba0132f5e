"""What KMS, SNS, Secrets Manager and Systems Manager refuse of what they are given, beside what their models state."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Final

from twin.front.checks.messages import Refusal
from twin.front.model import ApiCall

NOTIFICATION_BYTES: Final = 262_144
"""Longest message of a topic (API reference of `Publish`)."""

SUBJECT_CHARACTERS: Final = 100
"""Longest subject of a message. The API reference says fewer than 100; AWS takes 100."""

SECRET_BYTES: Final = 65_536
"""Largest value of a secret (API reference of `PutSecretValue`; the model counts characters)."""

STANDARD_CHARACTERS: Final = 4096
"""Longest value of a parameter of the standard tier (API reference of `PutParameter`)."""

ADVANCED_CHARACTERS: Final = 8192
"""Longest value of a parameter of the advanced tier."""

DELETION_DAYS: Final = (7, 30)
"""Days that a key waits for its deletion (API reference of `ScheduleKeyDeletion`; the model has other ones)."""

_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SECRET_NAME: Final = re.compile(r"[A-Za-z0-9/_+=.@!-]+")


def check_notification(call: ApiCall) -> Refusal | None:
    """Return why a message is not published, None where it is."""
    message, subject = str(call.params.get("Message", "")), call.params.get("Subject")
    if not message:
        return "InvalidParameter", "Invalid parameter: Empty message"
    attributes = (value for name, value in call.params.items() if name.startswith("MessageAttributes."))
    if len(message.encode()) + sum(len(str(value).encode()) for value in attributes) > NOTIFICATION_BYTES:
        return "InvalidParameter", "Invalid parameter: Message too long"
    if subject is not None and (not 1 <= len(subject) <= SUBJECT_CHARACTERS or _CONTROL.search(subject)):
        return "InvalidParameter", "Invalid parameter: Subject"
    return _check_structure(message) if call.params.get("MessageStructure") == "json" else None


def _check_structure(message: str) -> Refusal | None:
    """Return why a message for each protocol is refused: it is an object with texts, one of them for all others."""
    structure = "Invalid parameter: Message Structure - "
    try:
        held = json.loads(message)
    except (ValueError, RecursionError):
        held = None
    if not isinstance(held, dict):
        return "InvalidParameter", f"{structure}JSON message body failed to parse"
    return (
        None
        if isinstance(held.get("default"), str)
        else (
            "InvalidParameter",
            f"{structure}No default entry in JSON message body",
        )
    )


def check_key_deletion(call: ApiCall) -> Refusal | None:
    """Return why a key is not scheduled for deletion, None where it is."""
    days = call.params.get("PendingWindowInDays")
    if days is None or DELETION_DAYS[0] <= days <= DELETION_DAYS[1]:
        return None
    return "ValidationException", f"Days {days} is not between {DELETION_DAYS[0]} and {DELETION_DAYS[1]}"


def check_secret(call: ApiCall) -> Refusal | None:
    """Return why a secret is not stored, None where it is."""
    name, text = call.params.get("Name"), call.params.get("SecretString")
    if call.operation == "CreateSecret" and not _SECRET_NAME.fullmatch(str(name)):
        return "ValidationException", (
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!"
        )
    try:
        binary = base64.b64decode(call.params.get("SecretBinary") or "", validate=True)
    except (ValueError, binascii.Error):
        return "SerializationException", "SecretBinary is not valid base64"
    if len(str(text or "").encode()) > SECRET_BYTES or len(binary) > SECRET_BYTES:
        return "ValidationException", (
            "1 validation error detected: Value at 'secretString' failed to satisfy constraint: "
            f"Member must have length less than or equal to {SECRET_BYTES}"
        )
    if text is not None and call.params.get("SecretBinary") is not None:
        return "InvalidParameterException", "You can't specify both a binary secret value and a string secret value."
    return None


def check_parameter(call: ApiCall) -> Refusal | None:
    """Return why a parameter is not stored, None where it is."""
    value, tier = str(call.params["Value"]), call.params.get("Tier") or "Standard"
    if not value:
        return "ValidationException", (
            "1 validation error detected: Value '' at 'value' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1."
        )
    if tier == "Standard" and len(value) > STANDARD_CHARACTERS:
        return "ValidationException", (
            f"Standard tier parameters support a maximum parameter value of {STANDARD_CHARACTERS} characters. "
            "To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier. "
            "For more information, see https://docs.aws.amazon.com/systems-manager/latest/userguide/"
            "parameter-store-advanced-parameters.html"
        )
    if len(value) > ADVANCED_CHARACTERS:
        return "ValidationException", (
            f"Advanced tier parameters support a maximum parameter value of {ADVANCED_CHARACTERS} characters."
        )
    return None
