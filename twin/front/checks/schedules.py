"""What EventBridge Scheduler refuses of a schedule beside what its model states (API reference, `CreateSchedule`).

AWS's own words are not recorded.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from twin.front.checks.messages import Refusal
from twin.front.model import ApiCall

_ARN: Final = re.compile(r"arn:[\w-]+:[\w-]+:[^:]*:[^:]*:.+", re.ASCII | re.DOTALL)


def check_schedule(call: ApiCall) -> Refusal | None:
    """Return why a schedule is not made or changed, None where it is."""
    try:
        wanted: dict[str, Any] = json.loads(call.body)
        window, target = wanted["FlexibleTimeWindow"], wanted["Target"]
        mode, minutes = window.get("Mode"), window.get("MaximumWindowInMinutes")
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return None  # the model's check tells of it
    if (mode == "FLEXIBLE") != (minutes is not None):
        return "ValidationException", "MaximumWindowInMinutes must be given with the mode FLEXIBLE, and with no other."
    start, end = wanted.get("StartDate"), wanted.get("EndDate")
    if isinstance(start, int | float) and isinstance(end, int | float) and end <= start:
        return "ValidationException", "The EndDate must come after the StartDate."
    if not _ARN.fullmatch(str(target.get("Arn"))):
        return "ValidationException", "Provided Arn is not in correct format."
    return None
