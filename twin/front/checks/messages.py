"""What SQS refuses of a message (API reference of `SendMessage`)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, Final

MESSAGE_BYTES: Final = 1024 * 1024
"""Longest message: its body with names, types and values of its attributes."""

MESSAGE_ATTRIBUTES: Final = 10
"""Most attributes of a message."""

_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CHARACTERS: Final = (
    "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | "
    "#x10000 to #x10FFFF"
)
_RESERVED: Final = ("AWS.", "AMAZON.")
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_INVALID: Final = "InvalidParameterValue"

Refusal = tuple[str, str]
"""An error's name and message."""


def check_message(message: Mapping[str, Any]) -> Refusal | None:
    """Return why a message is refused, None where it is taken."""
    body = message.get("MessageBody")
    if not body:
        return "MissingParameter", "The request must contain the parameter MessageBody."
    if _FORBIDDEN.search(str(body)):
        return "InvalidMessageContents", _CHARACTERS
    attributes = message.get("MessageAttributes") or {}
    if not isinstance(attributes, Mapping):
        return None  # moto tells of what is malformed
    if len(attributes) > MESSAGE_ATTRIBUTES:
        told = f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [{MESSAGE_ATTRIBUTES}]."
        return _INVALID, told
    size = len(str(body).encode("utf-8", "surrogatepass"))
    for name, value in attributes.items():
        refusal = _check_attribute(name, value)
        if refusal is not None:
            return refusal
        size += len(name.encode()) + _measure_attribute(value)
    if size > MESSAGE_BYTES:
        return (
            _INVALID,
            f"One or more parameters are invalid. Reason: Message must be shorter than {MESSAGE_BYTES} bytes.",
        )
    return None


def _check_attribute(name: str, value: Mapping[str, Any]) -> Refusal | None:
    if not value.get("DataType"):
        return _INVALID, f"The message attribute '{name}' must contain a non-empty message attribute type."
    if name.upper().startswith(_RESERVED):
        return _INVALID, f"Message (user) attribute name '{name}' can not start with AWS. or Amazon."
    kind = str(value["DataType"]).partition(".")[0]
    held = value.get("BinaryValue" if kind == "Binary" else "StringValue")
    if kind in ("String", "Number", "Binary") and not held:
        return _INVALID, f"Message (user) attribute '{name}' must contain a non-empty value of type '{kind}'."
    if kind != "Binary" and _FORBIDDEN.search(str(held or "")):
        return _INVALID, _CHARACTERS
    if kind == "Number" and not _NUMBER.fullmatch(str(held)):
        return _INVALID, f"Can't cast the value of message (user) attribute '{name}' to a number."
    return None


def _measure_attribute(value: Mapping[str, Any]) -> int:
    try:
        binary = len(base64.b64decode(str(value.get("BinaryValue") or "")))
    except (ValueError, binascii.Error):
        binary = 0
    texts = (str(value.get(name) or "") for name in ("DataType", "StringValue"))
    return binary + sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
