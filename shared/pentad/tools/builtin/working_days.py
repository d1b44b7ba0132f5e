"""Business days: all days but those of the weekend and the holidays that are given."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pentad.domain.errors import InvalidInput

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MAX_STEPS = 10_000
"""Business days that are added at once: about 40 years."""
_MAX_SPAN_DAYS = 366 * 400


@dataclass(frozen=True)
class WorkingCalendar:
    """Which days are business days.

    Args:
        weekend: days of the week, 0 for Monday.
        holidays: further days that are none.

    Raises:
        InvalidInput: no day of the week is left.
    """

    weekend: frozenset[int]
    holidays: frozenset[date]

    def __post_init__(self) -> None:
        if len(self.weekend) > 6:
            raise InvalidInput("every day is in the weekend", field="weekend", fix="leave a business day")

    def is_open(self, day: date) -> bool:
        """Tell whether a day is a business day."""
        return day.weekday() not in self.weekend and day not in self.holidays

    def add(self, start: date, days: int) -> date:
        """Return the day that is so many business days after the start, or before it.

        With 0 it is the start itself, or the next business day if the start is none. Else the start does not count:
        Friday and one business day is Monday, and so is Saturday and one.

        Raises:
            InvalidInput: it is out of the years 1 to 9999, or the holidays leave no such day.
        """
        if abs(days) > MAX_STEPS:
            raise InvalidInput(f"{days:,} business days are too many", field="days", fix=f"use at most {MAX_STEPS:,}")
        step = -1 if days < 0 else 1
        day, left = start, abs(days)
        if left == 0:
            while not self.is_open(day):
                day = _move(day, 1)
            return day
        while left:
            day = _move(day, step)
            left -= self.is_open(day)
        return day

    def count(self, start: date, end: date) -> int:
        """Return the business days from the start (it counts) to the end (it does not); negative if the end is first.

        Raises:
            InvalidInput: they are more than 400 years apart.
        """
        if end < start:
            return -self.count(end, start)
        span = (end - start).days
        if span > _MAX_SPAN_DAYS:
            raise InvalidInput("the days are more than 400 years apart", field="end", fix="use days closer together")
        weeks, rest = divmod(span, 7)
        open_days = weeks * (7 - len(self.weekend))
        open_days += sum((start.weekday() + number) % 7 not in self.weekend for number in range(rest))
        return open_days - len(self.list_holidays(start, end))

    def list_holidays(self, start: date, end: date) -> list[date]:
        """Return the holidays from the start to before the end that do not fall on a weekend, in order."""
        return sorted(day for day in self.holidays if start <= day < end and day.weekday() not in self.weekend)


def _move(day: date, step: int) -> date:
    try:
        return day + timedelta(days=step)
    except OverflowError as error:
        raise InvalidInput("the result is outside the years 1 to 9999", field="days", fix="add less") from error


def make_calendar(weekend: Sequence[str], holidays: Collection[str]) -> WorkingCalendar:
    """Return the calendar of a weekend and of holidays.

    Args:
        weekend: names of days of the week, in English.
        holidays: ISO dates, such as 2026-12-25.

    Raises:
        InvalidInput: one of them can't be read.
    """
    numbers = set()
    for name in weekend:
        if name.strip().lower() not in WEEKDAYS:
            raise InvalidInput(f"{name[:20]!r} is not a day of the week", field="weekend", fix="write saturday, sunday")
        numbers.add(WEEKDAYS.index(name.strip().lower()))
    return WorkingCalendar(frozenset(numbers), frozenset(_read_holiday(text) for text in holidays))


def _read_holiday(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise InvalidInput(
            f"{text[:20]!r} is not a date of a holiday", field="holidays", fix="write it as 2026-12-25"
        ) from error
