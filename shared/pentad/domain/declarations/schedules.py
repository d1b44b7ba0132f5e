"""Runs at set times, and the schedule expressions of EventBridge Scheduler, checked before a deployment refuses them.

Source: "Schedule types in EventBridge Scheduler" of its user guide.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from pydantic import Field, field_validator

from pentad.domain.ids import SessionId, TenantId
from pentad.domain.values import FrozenValue

_RATE = re.compile(r"rate\(([1-9]\d{0,6}) (minute|hour|day)(s?)\)")
_AT = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)")
_CRON = re.compile(r"cron\(([^()]+)\)")
_MONTHS = {name: str(place + 1) for place, name in enumerate("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split())}
_DAYS = {name: str(place + 1) for place, name in enumerate("SUN MON TUE WED THU FRI SAT".split())}
_FIELDS: tuple[tuple[str, int, int, Mapping[str, str]], ...] = (
    ("minutes", 0, 59, {}),
    ("hours", 0, 23, {}),
    ("day of month", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of week", 1, 7, _DAYS),
    ("year", 1970, 2199, {}),
)
_SPECIAL = {
    "day of month": re.compile(r"\?|L|LW|([1-9]|[12]\d|3[01])W"),
    "day of week": re.compile(r"\?|L|[1-7]L|[1-7]#[1-5]"),
}


def check_schedule(expression: str) -> str:
    """Return an expression that EventBridge Scheduler takes.

    Raises:
        ValueError: it would not; the message says why.
    """
    rate, at, cron = _RATE.fullmatch(expression), _AT.fullmatch(expression), _CRON.fullmatch(expression)
    if rate is not None:
        if (rate[1] == "1") == bool(rate[3]):
            raise ValueError(f"write rate({rate[1]} {rate[2]}{'' if rate[1] == '1' else 's'})")
    elif at is not None:
        datetime.fromisoformat(at[1])
    elif cron is not None:
        _check_cron(cron[1].upper().split())
    else:
        raise ValueError("use rate(5 minutes), cron(0 8 ? * MON-FRI *) or at(2027-01-31T08:00:00)")
    return expression


def _check_cron(fields: list[str]) -> None:
    if len(fields) != len(_FIELDS):
        raise ValueError(f"cron has 6 fields (minutes hours day-of-month month day-of-week year), not {len(fields)}")
    if (fields[2] == "?") == (fields[4] == "?"):
        raise ValueError("in cron, day-of-month or day-of-week must be ?")
    for text, (name, low, high, words) in zip(fields, _FIELDS, strict=True):
        for part in text.split(","):
            if not _is_valid_part(part, name, low, high, words):
                raise ValueError(f"in cron, {part!r} is not a valid {name} ({low} to {high})")


def _is_valid_part(part: str, name: str, low: int, high: int, words: Mapping[str, str]) -> bool:
    for word, number in words.items():
        part = part.replace(word, number)
    if name in _SPECIAL and _SPECIAL[name].fullmatch(part):
        return True
    match = re.fullmatch(r"(?:\*|(\d+)(?:-(\d+))?)(?:/([1-9]\d*))?", part)
    if match is None:
        return False
    first, last = int(match[1] or low), int(match[2] or match[1] or high)
    return low <= first <= last <= high


class ScheduleSpec(FrozenValue):
    """A run at set times."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")
    expression: str = Field(description="of EventBridge Scheduler: rate(...), cron(...) or at(...)")
    timezone: str = "UTC"
    tenant_id: TenantId
    message: str = Field(min_length=1, max_length=4000)
    session_id: SessionId | None = Field(
        default=None, description="one session for all; a new one each time where absent"
    )

    @field_validator("expression")
    @classmethod
    def _check_expression(cls, value: str) -> str:
        return check_schedule(value)
