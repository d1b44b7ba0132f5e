"""Date arithmetic by the ISO calendar, and times between time zones; every rule that surprises is in a docstring."""

import difflib
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from dateutil.relativedelta import relativedelta

from pentad.domain.errors import InvalidInput

Moment = date | datetime
_WORDS = {"today": 0, "tomorrow": 1, "yesterday": -1}


def get_zone(name: str, field: str = "timezone") -> tzinfo:
    """Return a time zone by its IANA name, such as Europe/Zurich.

    Raises:
        InvalidInput: there is none of that name; ``fix`` names those that look alike.
    """
    if name.upper() in ("UTC", "Z"):
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: a name that is a folder, "Europe"
        known = available_timezones()
        near = difflib.get_close_matches(name, known, n=3) or difflib.get_close_matches(
            name.rsplit("/", 1)[-1].replace(" ", "_").title(), [zone_.rsplit("/", 1)[-1] for zone_ in known], n=3
        )
        hint = f"; close to it: {', '.join(near)}" if near else ""
        raise InvalidInput(
            f"there is no time zone {name!r}", field=field, fix=f"use an IANA name such as Europe/Zurich{hint}"
        ) from error


def parse(text: str, field: str, now: datetime) -> Moment:
    """Return a date or a time written in ISO 8601, or ``today``, ``tomorrow``, ``yesterday``, ``now``.

    Args:
        text: such as 2026-03-01, 2026-03-01T09:30, 2026-03-01T09:30+01:00.
        field: the parameter, for messages.
        now: the present, in the time zone whose day is meant by today.

    Raises:
        InvalidInput: it is neither.
    """
    word = text.strip().lower()
    if word == "now":
        return now.replace(microsecond=0)
    if word in _WORDS:
        return now.date() + relativedelta(days=_WORDS[word])
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        pass  # then it may have a time
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise InvalidInput(
            f"{text[:40]!r} is no date: {error}", field=field, fix="write it as 2026-03-01 or 2026-03-01T09:30"
        ) from error


def add(start: Moment, *, years: int = 0, months: int = 0, weeks: int = 0, days: int = 0) -> Moment:
    """Return a date moved by years and months first, then by weeks and days.

    A day that the month does not have becomes its last: 31 January and one month is 28 or 29 February; 29 February and
    one year is 28 February. A time keeps its clock and its offset.

    Raises:
        InvalidInput: the result is not within the years 1 to 9999.
    """
    try:
        return start + relativedelta(years=years, months=months, weeks=weeks, days=days)
    except (OverflowError, ValueError) as error:
        raise InvalidInput("the result is out of the years 1 to 9999", field="date", fix="add less") from error


def compute_difference(start: Moment, end: Moment) -> dict[str, Any]:
    """Return how far it is from ``start`` to ``end``; negative where the end comes first.

    ``days`` is the count of whole days (the start counts, the end does not); ``years``, ``months`` and ``rest_days``
    say the same by the calendar. Of a date and a time the date counts as its midnight. Times with offsets are compared
    as instants, so a night in which clocks change has 23 or 25 hours.

    Raises:
        InvalidInput: one time has an offset and the other has none.
    """
    timed = isinstance(start, datetime) or isinstance(end, datetime)
    first, last = _as_time(start), _as_time(end)
    if (first.tzinfo is None) != (last.tzinfo is None):
        raise InvalidInput(
            "one time has an offset and the other has none", field="end", fix="give both with one, such as +01:00"
        )
    if first.tzinfo is not None:
        first, last = first.astimezone(UTC), last.astimezone(UTC)
    seconds = int((last - first).total_seconds())
    days = abs(seconds) // 86_400 * (-1 if seconds < 0 else 1)
    calendar = relativedelta(last, first)
    answer: dict[str, Any] = {
        "days": days,
        "weeks": int(days / 7),
        "years": calendar.years,
        "months": calendar.months,
        "rest_days": calendar.days,
    }
    return answer | ({"seconds": seconds, "hours": round(seconds / 3600, 4)} if timed else {})


def _as_time(moment: Moment) -> datetime:
    return moment if isinstance(moment, datetime) else datetime.combine(moment, time())


def describe(moment: Moment) -> dict[str, Any]:
    """Return the weekday, ISO week, day of the year, and whether the year is a leap year."""
    iso = moment.isocalendar()
    leap = moment.year % 4 == 0 and (moment.year % 100 != 0 or moment.year % 400 == 0)
    return {
        "date": moment.isoformat(),
        "weekday": f"{moment:%A}",
        "iso_week": f"{iso.year}-W{iso.week:02d}",
        "day_of_year": moment.timetuple().tm_yday,
        "leap_year": leap,
    }


def convert(moment: datetime, source: tzinfo, target: tzinfo) -> dict[str, Any]:
    """Return the same instant on another zone's clock.

    A time that has an offset keeps it, and the source is not used. A clock time that does not exist (clocks go forward)
    is read as if they had not yet; one that exists twice (clocks go back) is the first of the two. Both are told.

    Raises:
        InvalidInput: the result is not within the years 1 to 9999.
    """
    notes = []
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=source)
        if _round_trip(moment) != moment.replace(tzinfo=None):
            notes.append("this clock time does not exist in the source zone, clocks go forward over it")
        elif moment.utcoffset() != moment.replace(fold=1).utcoffset():
            notes.append("this clock time exists twice in the source zone, the first is meant")
    try:
        converted = moment.astimezone(UTC).astimezone(target)
    except (OverflowError, ValueError) as error:
        raise InvalidInput("the result is out of the years 1 to 9999", field="date", fix="use another year") from error
    answer = {"from": moment.isoformat(), "to": converted.isoformat(), "weekday": f"{converted:%A}"}
    return answer | ({"note": "; ".join(notes)} if notes else {})


def _round_trip(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC).astimezone(moment.tzinfo).replace(tzinfo=None)
    except (OverflowError, ValueError):
        return moment.replace(tzinfo=None)
