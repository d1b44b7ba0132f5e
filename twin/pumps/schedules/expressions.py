"""Schedule expressions of EventBridge: rate(...), cron(...) and at(...), and when they fire next.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
"""

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

_UNITS = {"minute": 60, "hour": 3600, "day": 86400}
_MONTHS = {name.upper(): index for index, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: index for index, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), start=1)}
#: Far enough for 29 February in any weekday constellation a person would write.
_HORIZON_DAYS = 366 * 9


class ScheduleError(ValueError):
    """An expression that EventBridge would refuse."""


class Schedule(Protocol):
    """When something fires."""

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first time strictly after `moment` (UTC), or None when there is none."""


@dataclass(frozen=True)
class Rate:
    """A fixed period, counted from the rule's creation."""

    period: timedelta
    start: datetime

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the next multiple of the period."""
        passed = (moment - self.start) // self.period
        return self.start + self.period * max(passed + 1, 1)


@dataclass(frozen=True)
class Once:
    """One moment."""

    moment: datetime

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the moment unless it has passed."""
        return self.moment if self.moment > moment else None


@dataclass(frozen=True)
class Cron:
    """A cron expression of six fields in a time zone."""

    minutes: frozenset[int]
    hours: frozenset[int]
    month_day: Callable[[date], bool]
    months: frozenset[int]
    week_day: Callable[[date], bool]
    years: frozenset[int]
    zone: ZoneInfo

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the next matching minute."""
        local = (moment + timedelta(minutes=1)).replace(second=0, microsecond=0).astimezone(self.zone)
        for offset in range(_HORIZON_DAYS):
            day = local.date() + timedelta(days=offset)
            if not self._match_day(day):
                continue
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    candidate = datetime.combine(day, time(hour, minute), self.zone)
                    if candidate >= local:
                        return candidate.astimezone(UTC)
        return None

    def _match_day(self, day: date) -> bool:
        return day.month in self.months and day.year in self.years and self.month_day(day) and self.week_day(day)


def parse_schedule(expression: str, start: datetime, zone: str = "UTC") -> Schedule:
    """Parse an expression; rates count from `start`.

    Raises:
        ScheduleError: the expression is malformed.
    """
    match = re.fullmatch(r"(rate|cron|at)\((.+)\)", expression.strip())
    if match is None:
        raise ScheduleError(f"{expression!r} is neither rate(...), cron(...) nor at(...)")
    kind, body = match.groups()
    try:
        if kind == "rate":
            return _parse_rate(body, start)
        if kind == "at":
            return Once(datetime.fromisoformat(body).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC))
        return _parse_cron(body, ZoneInfo(zone))
    except (ValueError, KeyError) as error:
        raise ScheduleError(f"{expression!r}: {error}") from error


def _parse_rate(body: str, start: datetime) -> Rate:
    match = re.fullmatch(r"([0-9]{1,9}) (minute|hour|day)s?", body)
    if match is None or int(match.group(1)) < 1:
        raise ScheduleError("a rate must be a positive number and minute(s), hour(s) or day(s)")
    return Rate(timedelta(seconds=int(match.group(1)) * _UNITS[match.group(2)]), start)


def _parse_cron(body: str, zone: ZoneInfo) -> Cron:
    fields = body.upper().split()
    if len(fields) != 6:
        raise ScheduleError("cron must have six fields: minutes, hours, day of month, month, day of week, year")
    minute, hour, month_day, month, week_day, year = fields
    if (month_day == "?") == (week_day == "?"):
        raise ScheduleError("one of the fields day of month and day of week must be '?'")
    return Cron(
        minutes=_parse_numbers(minute, 0, 59),
        hours=_parse_numbers(hour, 0, 23),
        month_day=_parse_month_day(month_day),
        months=_parse_numbers(month, 1, 12, _MONTHS),
        week_day=_parse_week_day(week_day),
        years=_parse_numbers(year, 1970, 2199),
        zone=zone,
    )


def _parse_numbers(field: str, low: int, high: int, names: dict[str, int] | None = None) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        if span == "*":
            first, last = low, high
        elif "-" in span:
            first, last = (_parse_number(end, names) for end in span.split("-"))
        else:
            first = _parse_number(span, names)
            last = high if step else first
        if not low <= first <= last <= high:
            raise ScheduleError(f"{part} is not between {low} and {high}, from the lower to the higher")
        found.update(range(first, last + 1, _parse_within(step or "1", 1, high)))
    return frozenset(found)


def _parse_number(text: str, names: dict[str, int] | None) -> int:
    if names and text in names:
        return names[text]
    if not re.fullmatch(r"[0-9]{1,4}", text):
        raise ScheduleError(f"{text!r} is no number")
    return int(text)


def _parse_within(text: str, low: int, high: int, names: dict[str, int] | None = None) -> int:
    number = _parse_number(text, names)
    if not low <= number <= high:
        raise ScheduleError(f"{text} is not between {low} and {high}")
    return number


def _parse_month_day(field: str) -> Callable[[date], bool]:
    if field == "?":
        return lambda day: True
    if field == "L":
        return lambda day: day.day == calendar.monthrange(day.year, day.month)[1]
    if field.endswith("W"):
        wanted = _parse_within(field[:-1], 1, 31)
        return lambda day: day == _nearest_weekday(day.year, day.month, wanted)
    days = _parse_numbers(field, 1, 31)
    return lambda day: day.day in days


def _nearest_weekday(year: int, month: int, wanted: int) -> date | None:
    last = calendar.monthrange(year, month)[1]
    if wanted > last:
        return None
    day = date(year, month, wanted)
    if day.weekday() == 5:
        return day - timedelta(days=1) if wanted > 1 else day + timedelta(days=2)
    if day.weekday() == 6:
        return day + timedelta(days=1) if wanted < last else day - timedelta(days=2)
    return day


def _parse_week_day(field: str) -> Callable[[date], bool]:
    if field == "?":
        return lambda day: True
    if "#" in field:
        name, _, nth = field.partition("#")
        number, which = _parse_within(name, 1, 7, _DAYS), _parse_within(nth, 1, 5)
        return lambda day: _day_number(day) == number and (day.day - 1) // 7 + 1 == which
    if field == "L":  # the last day of the week
        return lambda day: _day_number(day) == 7
    if field.endswith("L"):
        last = _parse_within(field[:-1], 1, 7, _DAYS)
        return lambda day: _day_number(day) == last and (day + timedelta(days=7)).month != day.month
    days = _parse_numbers(field, 1, 7, _DAYS)
    return lambda day: _day_number(day) in days


def _day_number(day: date) -> int:
    """Return 1 for Sunday to 7 for Saturday."""
    return day.isoweekday() % 7 + 1
