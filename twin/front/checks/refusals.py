"""What SQS, S3 and EventBridge refuse before they do anything, and moto takes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from twin.front.checks.messages import Refusal, check_message
from twin.front.errors import build_error
from twin.front.model import ApiCall, ApiResponse
from twin.pumps.events.patterns import PatternError, check_pattern

EVENT_BYTES: Final = 1024 * 1024
"""Largest total size of the entries of a PutEvents (EventBridge user guide, "PutEvents event entry size"; 1 MB since
January 2026)."""

KEY_BYTES: Final = 1024
"""Longest key of an object, in UTF-8 (S3 user guide, "Naming Amazon S3 objects")."""

PATTERN_CHARACTERS: Final = 4096
"""Longest event pattern (API reference of `PutRule`)."""

_RULE_NAME: Final = re.compile(r"[.\-_A-Za-z0-9]{1,64}")
_ONE_OF_MANY: Final = re.compile(
    r"rate\(\s*(?:0*1\s+(?:minute|hour|day)s|0*(?:[2-9]|[1-9]\d+)\s+(?:minute|hour|day))\s*\)"
)
_TIME_BYTES: Final = 14
_OWNERS_ACL: Final = "bucket-owner-full-control"


def find_refusal(call: ApiCall) -> ApiResponse | None:
    """Return the error that a call gets, None where it may go on."""
    check = _CHECKS.get((call.service, call.operation))
    found = check(call) if check is not None else None
    return None if found is None else build_error(call.service, 400, *found)


def _check_message(call: ApiCall) -> Refusal | None:
    return check_message(call.params)


def _check_key(call: ApiCall) -> Refusal | None:
    if len(str(call.params.get("Key", "")).encode()) > KEY_BYTES:
        return "KeyTooLongError", "Your key is too long"
    return _check_acl(call) if call.operation in ("PutObject", "CopyObject", "CreateMultipartUpload") else None


def _check_acl(call: ApiCall) -> Refusal | None:
    """Buckets enforce their owner: a list of others is refused (S3 user guide, "Controlling ownership of objects")."""
    acl = call.headers.get("x-amz-acl", _OWNERS_ACL)
    grants = any(name.startswith("x-amz-grant-") for name in call.headers)
    own = call.operation not in ("PutObjectAcl", "PutBucketAcl") and not grants
    return None if own and acl == _OWNERS_ACL else ("AccessControlListNotSupported", "The bucket does not allow ACLs")


def _check_events(call: ApiCall) -> Refusal | None:
    if sum(_measure_entry(entry) for entry in call.params.get("Entries", [])) > EVENT_BYTES:
        return "ValidationException", "Total size of the entries in the request is over the limit."
    return None


def _measure_entry(entry: Mapping[str, Any]) -> int:
    texts = [str(entry.get(name) or "") for name in ("Source", "DetailType", "Detail")]
    size = sum(len(text.encode()) for text in [*texts, *(entry.get("Resources") or [])])
    return size + (_TIME_BYTES if entry.get("Time") else 0)


def _check_rule(call: ApiCall) -> Refusal | None:
    name, text = str(call.params.get("Name", "")), call.params.get("EventPattern")
    if not _RULE_NAME.fullmatch(name):
        return "ValidationException", (
            f"1 validation error detected: Value '{name}' at 'name' failed to satisfy constraint: Member must be 1 to "
            "64 characters of the pattern [\\.\\-_A-Za-z0-9]+"
        )
    if len(str(text or "")) > PATTERN_CHARACTERS:
        return "ValidationException", (
            "1 validation error detected: Value at 'eventPattern' failed to satisfy constraint: "
            f"Member must have length less than or equal to {PATTERN_CHARACTERS}"
        )
    if _ONE_OF_MANY.fullmatch(str(call.params.get("ScheduleExpression") or "").strip()):
        return "ValidationException", "Parameter ScheduleExpression is not valid."
    try:
        if text is not None:
            check_pattern(json.loads(text))
    except (PatternError, ValueError) as error:
        return "InvalidEventPatternException", f"Event pattern is not valid. Reason: {error}"
    return None


_CHECKS: Final[Mapping[tuple[str, str], Callable[[ApiCall], Refusal | None]]] = {
    ("sqs", "SendMessage"): _check_message,
    **{
        ("s3", operation): _check_key
        for operation in ("PutObject", "GetObject", "HeadObject", "DeleteObject", "CopyObject", "CreateMultipartUpload")
    },
    ("s3", "PutObjectAcl"): _check_acl,
    ("s3", "PutBucketAcl"): _check_acl,
    ("events", "PutEvents"): _check_events,
    ("events", "PutRule"): _check_rule,
}
