"""What EventBridge refuses of events, rules and schedules beside what the model of its API states."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from twin.front.checks.messages import Refusal
from twin.front.model import ApiCall, ApiResponse
from twin.pumps.events.pattern_checks import read_pattern
from twin.pumps.events.patterns import PatternError
from twin.pumps.schedules.expressions import ScheduleError, parse_schedule

EVENT_BYTES: Final = 1024 * 1024
"""Largest total size of the entries of a PutEvents (EventBridge user guide, "PutEvents event entry size"; 1 MB since
January 2026)."""

TYPE_CHARACTERS: Final = 128
"""Longest `DetailType` (API reference of `PutEventsRequestEntry`)."""

_ONE_OF_MANY: Final = re.compile(
    r"rate\(\s*(?:0*1\s+(?:minute|hour|day)s|0*(?:[2-9]|[1-9]\d+)\s+(?:minute|hour|day))\s*\)"
)
_TIME_BYTES: Final = 14
_REQUIRED: Final = ("Source", "DetailType", "Detail")
_OK: Final = 200


def check_events(call: ApiCall) -> Refusal | None:
    """Return why a PutEvents is refused as a whole, None where its entries are looked at one by one."""
    if sum(_measure_entry(entry) for entry in call.params["Entries"]) > EVENT_BYTES:
        return "ValidationException", "Total size of the entries in the request is over the limit."
    return None


def _measure_entry(entry: Mapping[str, Any]) -> int:
    texts = [str(entry.get(name) or "") for name in _REQUIRED]
    size = sum(len(text.encode()) for text in [*texts, *(entry.get("Resources") or [])])
    return size + (_TIME_BYTES if entry.get("Time") else 0)


def put_events(call: ApiCall, send: Callable[[bytes], ApiResponse]) -> ApiResponse:
    """Put the entries that are taken, and answer for each of the others why it is not, at its place.

    Args:
        call: a `PutEvents`.
        send: lets moto answer a request with this body.
    """
    refusals = [check_entry(entry) for entry in call.params["Entries"]]
    if not any(refusals):
        return send(call.body)
    taken = [entry for entry, refusal in zip(call.params["Entries"], refusals, strict=True) if refusal is None]
    answers: list[dict[str, Any]] = []
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/x-amz-json-1.1"),)
    if taken:
        response = send(json.dumps({**call.params, "Entries": taken}).encode())
        if response.status != _OK:
            return response
        answers = json.loads(response.body)["Entries"]
        headers = tuple((name, value) for name, value in response.headers if name.lower() != "content-length")
    of_taken = iter(answers)
    entries = [
        next(of_taken) if refusal is None else {"ErrorCode": refusal[0], "ErrorMessage": refusal[1]}
        for refusal in refusals
    ]
    failed = sum("ErrorCode" in entry for entry in entries)
    return ApiResponse(_OK, headers, json.dumps({"FailedEntryCount": failed, "Entries": entries}).encode())


def check_entry(entry: Mapping[str, Any]) -> Refusal | None:
    """Return why an entry is not put, None where it is."""
    for name in _REQUIRED:
        if not entry.get(name):
            return "InvalidArgument", f"Parameter {name} is not valid. Reason: {name} is a required argument."
    if str(entry["Source"]).lower().startswith("aws."):
        return "NotAuthorizedForSourceException", "Not authorized for the source."
    if len(entry["DetailType"]) > TYPE_CHARACTERS:
        # The API reference has the length; AWS's own words are not recorded.
        reason = f"DetailType must have at most {TYPE_CHARACTERS} characters."
        return "InvalidArgument", f"Parameter DetailType is not valid. Reason: {reason}"
    try:
        detail = json.loads(entry["Detail"], parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        detail = None
    return None if isinstance(detail, dict) else ("MalformedDetail", "Detail is malformed.")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def check_rule(call: ApiCall) -> Refusal | None:
    """Return why a rule is not put, None where it is."""
    text, schedule = call.params.get("EventPattern"), call.params.get("ScheduleExpression")
    if not text and not schedule:
        return "ValidationException", "Parameter(s) EventPattern or ScheduleExpression must be specified."
    if schedule and not _is_schedule(str(schedule)):
        return "ValidationException", "Parameter ScheduleExpression is not valid."
    try:
        if text:
            read_pattern(str(text))
    except PatternError as error:
        return "InvalidEventPatternException", f"Event pattern is not valid. Reason: {error}"
    return None


def _is_schedule(text: str) -> bool:
    """Tell whether a rule takes a schedule: rules have no `at(...)`, and one minute is no `minutes`."""
    if text.startswith("at(") or _ONE_OF_MANY.fullmatch(text):
        return False
    try:
        parse_schedule(text, datetime.now(UTC))
    except ScheduleError:
        return False
    return True
