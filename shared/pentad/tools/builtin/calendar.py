"""Date arithmetic by the ISO calendar, and times between time zones; every rule that surprises is in a docstring."""

import difflib
import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from dateutil.relativedelta import relativedelta

from pentad.domain.errors import InvalidInput

Moment = date | datetime
_WORDS = {"today": 0, "tomorrow": 1, "yesterday": -1}
_FIXED_OFFSET = re.compile(r"(?:UTC|GMT)\s?([+-])0?([0-9]{1,2})(?::?00)?", re.IGNORECASE)
# By how much the clocks of one place differ between summer and winter.
_SUMMER_TIME = timedelta(hours=1)
# A zone that moves over the date line puts its clocks forward by a whole day; nothing else moves them half as far.
_DATE_LINE = timedelta(hours=12)
_STRETCH_DAYS = 64


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
        near = (
            _find_fixed_offset(name)
            or difflib.get_close_matches(name, known, n=3)
            or difflib.get_close_matches(
                name.rsplit("/", 1)[-1].replace(" ", "_").title(), [zone_.rsplit("/", 1)[-1] for zone_ in known], n=3
            )
        )
        hint = f"; close to it: {', '.join(near)}" if near else ""
        raise InvalidInput(
            f"no time zone {name!r}", field=field, fix=f"use an IANA name such as Europe/Zurich{hint}"
        ) from error


def _find_fixed_offset(name: str) -> list[str]:
    """Return the zone that is always so far from UTC; its name has the other sign: UTC+2 is Etc/GMT-2."""
    found = _FIXED_OFFSET.fullmatch(name.strip())
    if found is None:
        return []
    zone = f"Etc/GMT{'-' if found[1] == '+' else '+'}{int(found[2])}"
    return [f"{zone}, which is UTC{found[1]}{int(found[2])}"] if zone in available_timezones() else []


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
            f"{text[:40]!r} is not a date: {error}", field=field, fix="write it as 2026-03-01 or 2026-03-01T09:30"
        ) from error


def place(moment: Moment, zone: tzinfo | None) -> tuple[Moment, list[str]]:
    """Return a time as a zone's clock shows it, and what has to be told of it.

    A time with an offset is the same instant on that clock; one without is read on it. A clock time that does not exist
    (clocks go forward) is read as if they had not yet, which is later on the new clock; one that exists twice (clocks
    go back) is the first of the two. Both are told, as is a whole day that a zone skipped. Without a zone nothing
    changes.

    Raises:
        InvalidInput: the time leaves the years 1 to 9999 on that clock.
    """
    if zone is None:
        return moment, []
    if not isinstance(moment, datetime):
        noon = datetime.combine(moment, time(12), zone)
        skipped = _round_trip(noon) != noon.replace(tzinfo=None)
        return moment, [f"the day {moment} does not exist in {_name_zone(zone)}"] if skipped else []
    if moment.tzinfo is not None:
        return _move_clock(moment, zone), []
    read = moment.replace(tzinfo=zone)
    if _round_trip(read) != moment:
        real = _move_clock(read.astimezone(UTC), zone)
        told = f"{moment.isoformat()} does not exist in {_name_zone(zone)}, clocks go forward over it"
        return real, [f"the clock time {told}: {real.isoformat()} is used"]
    if read.utcoffset() != read.replace(fold=1).utcoffset():
        told = f"{moment.isoformat()} exists twice in {_name_zone(zone)}, clocks go back over it"
        return read, [f"the clock time {told}: the first, {read.isoformat()}, is used"]
    return read, []


def list_skipped(first: date, last: date, zone: tzinfo | None) -> list[date]:
    """Return the days from the first to the last, both included, that a zone skipped; without a zone there are none."""
    if zone is None:
        return []
    skipped: list[date] = []
    # By stretches, of which only one over whose days the clocks move so far is looked at day by day.
    for start in range(first.toordinal(), last.toordinal() + 1, _STRETCH_DAYS):
        days = range(start, min(start + _STRETCH_DAYS - 1, last.toordinal()) + 1)
        before = datetime.combine(date.fromordinal(days[0]), time(12), zone).utcoffset() or timedelta(0)
        # The second reading: of a clock time that does not exist it has the offset that comes behind it.
        after = datetime.combine(date.fromordinal(days[-1]), time(12, fold=1), zone).utcoffset() or timedelta(0)
        if after - before > _DATE_LINE:
            skipped += [day for day in map(date.fromordinal, days) if place(day, zone)[1]]
    return skipped


def _name_zone(zone: tzinfo) -> str:
    return str(getattr(zone, "key", "UTC"))


def _move_clock(moment: datetime, zone: tzinfo) -> datetime:
    try:
        return moment.astimezone(UTC).astimezone(zone)
    except (OverflowError, ValueError) as error:
        raise InvalidInput("the result is outside the years 1 to 9999", field="date", fix="use another year") from error


def _round_trip(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC).astimezone(moment.tzinfo).replace(tzinfo=None)
    except (OverflowError, ValueError):
        return moment.replace(tzinfo=None)


def add(start: Moment, *, years: int = 0, months: int = 0, weeks: int = 0, days: int = 0) -> Moment:
    """Return a date moved by years and months first, then by weeks and days.

    A day that the month does not have becomes its last: 31 January and one month is 28 or 29 February; 29 February and
    one year is 28 February. A time keeps its clock, and its offset unless it stands in a zone.

    Raises:
        InvalidInput: the result is not within the years 1 to 9999.
    """
    if not (years or months or weeks or days):
        return start
    try:
        return start + relativedelta(years=years, months=months, weeks=weeks, days=days)
    except (OverflowError, ValueError) as error:
        raise InvalidInput("the result is outside the years 1 to 9999", field="date", fix="add less") from error


def move(start: Moment, zone: tzinfo | None, **amounts: int) -> dict[str, Any]:
    """Return a date or a time moved on a zone's clock, with what has to be told of either.

    Args:
        start: the date or time.
        zone: whose clock is meant; None: the time's own.
        amounts: as `add` takes them.

    Raises:
        InvalidInput: the result is not within the years 1 to 9999.
    """
    first, notes = place(start, zone)
    moved = add(first, **amounts)
    if moved is not first:
        # On the clock, and then placed anew: the offset may change, and the clock time may not exist.
        clock = moved.replace(tzinfo=None) if zone is not None and isinstance(moved, datetime) else moved
        moved, more = place(clock, zone)
        notes += more
    return tell({"start": first.isoformat(), "result": moved.isoformat(), **describe(moved)}, notes)


def compute_difference(start: Moment, end: Moment, zone: tzinfo | None = None) -> dict[str, Any]:
    """Return how far it is from ``start`` to ``end``; negative where the end comes first.

    ``days`` is the count of whole days by the clock (the start counts, the end does not); ``years``, ``months`` and
    ``rest_days`` say the same by the calendar. ``seconds`` and ``hours`` are what passes: a day on which clocks change
    has 23 or 25 hours. Of a date and a time the date counts as its midnight.

    The clock is the zone's. Without a zone it is each time's own where the two offsets may be one place's in summer and
    winter; else both are compared in UTC.

    Args:
        start: from here.
        end: to here.
        zone: on whose clock times without an offset are read, and days counted.

    Raises:
        InvalidInput: without a zone, one time has an offset and the other has none.
    """
    timed = isinstance(start, datetime) or isinstance(end, datetime)
    notes: list[str] = []
    ends: list[datetime] = []
    for moment in (start, end):
        placed, told = place(moment, zone)
        notes += told
        ends.append(placed if isinstance(placed, datetime) else datetime.combine(placed, time(), zone))
    first, last = ends
    if (first.tzinfo is None) != (last.tzinfo is None):
        raise InvalidInput(
            "one time has an offset and the other has none",
            field="end",
            fix="give both with one, such as +01:00, or name the timezone",
        )
    passed = _measure_instant(last) - _measure_instant(first)
    by_clock, calendar = _compare_clocks(first, last)
    days = abs(by_clock) // timedelta(days=1) * (-1 if by_clock < timedelta(0) else 1)
    answer: dict[str, Any] = {
        "days": days,
        "weeks": int(days / 7),
        "years": calendar.years,
        "months": calendar.months,
        "rest_days": calendar.days,
    }
    if timed:
        seconds = passed.total_seconds()
        answer |= {"seconds": int(seconds) if seconds.is_integer() else seconds, "hours": round(seconds / 3600, 4)}
    return tell(answer, notes)


def _measure_instant(moment: datetime) -> timedelta:
    """Return the time since year 1 in UTC. A duration, because such an instant may lie before year 1 itself."""
    return moment.replace(tzinfo=None) - datetime.min - (moment.utcoffset() or timedelta(0))


def _compare_clocks(first: datetime, last: datetime) -> tuple[timedelta, relativedelta]:
    offsets = [moment.utcoffset() or timedelta(0) for moment in (first, last)]
    if first.tzinfo is not last.tzinfo and abs(offsets[0] - offsets[1]) > _SUMMER_TIME:
        first, last = _move_clock(first, UTC), _move_clock(last, UTC)
    clocks = [moment.replace(tzinfo=None, fold=0) for moment in (first, last)]
    return clocks[1] - clocks[0], relativedelta(clocks[1], clocks[0])


def tell(answer: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    """Return an answer with what has to be told beside it, each thing once."""
    return answer | ({"note": "; ".join(dict.fromkeys(notes))} if notes else {})


def tell_weekday(moment: Moment, zone: tzinfo | None) -> dict[str, Any]:
    """Return what `describe` says of a date, or of a time on a zone's clock, with what has to be told of it."""
    placed, notes = place(moment, zone)
    return tell(describe(placed), notes)


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
    """Return the same instant on two zones' clocks, and what has to be told of it: see `place`.

    Raises:
        InvalidInput: the result is not within the years 1 to 9999.
    """
    first, notes = place(moment, source)
    converted = _move_clock(cast(datetime, first), target)
    answer = {"from": first.isoformat(), "to": converted.isoformat(), "weekday": f"{converted:%A}"}
    return tell(answer, notes)
