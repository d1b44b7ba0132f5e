"""Series of iCalendar that others wrote: which can be expanded in a moment, and what moves with a series."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import icalendar
from dateutil.rrule import rrulestr

from pentad.domain.errors import ToolFailed
from pentad.tools.calendars.ports import Moment

_OFTEN = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
_MOST_A_DAY = 24
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
_LAST_28_YEARS = range(9971, 9943, -1)
"""In them each kind of year begins on each day of the week; what has not repeated by 9999 is not looked for further."""
_PART_OF_DAYS = ("BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYMONTH", "BYSETPOS")
_NAMES_DAYS = frozenset({"BYDAY", "BYMONTHDAY", "BYYEARDAY"})
_PART_OF_TIMES = ("BYHOUR", "BYMINUTE", "BYSECOND")


def list_rules(event: Any) -> list[Any]:
    """Return the rules of a component."""
    found = event.get("RRULE", [])
    return found if isinstance(found, list) else [found]


def check_countable(components: list[Any]) -> None:
    """Refuse a series that takes more than a moment to be expanded.

    Raises:
        ToolFailed: it repeats too often, or hardly ever, or far from today.
    """
    for event in components:
        rules = list_rules(event)
        try:
            start = event.decoded("DTSTART")
            if rules and not _FIRST_YEAR <= start.year <= _LAST_YEAR:
                raise ToolFailed("a series is too far from today to be expanded")
            for rule in rules:
                _check_rule(rule, start)
        except (ValueError, TypeError, OverflowError, LookupError, AttributeError) as error:
            raise ToolFailed("a series has a rule that can't be read") from error


def _check_rule(rule: Any, start: Moment) -> None:
    if [str(one).upper() for one in rule.get("FREQ", ())][:1] == [] or any(
        str(one).upper() not in _OFTEN for one in rule["FREQ"]
    ):
        raise ToolFailed("a series repeats too often to be expanded")
    if any(int(one) < 1 for one in rule.get("INTERVAL", ())):
        raise ToolFailed("a series has an interval of nothing")
    times = [len(rule.get(name, ())) or 1 for name in _PART_OF_TIMES]
    if times[0] * times[1] * times[2] > _MOST_A_DAY:
        raise ToolFailed("a series repeats too often to be expanded")
    if any(name in rule for name in (*_PART_OF_DAYS, *_PART_OF_TIMES)) and not _occurs(rule, start):
        raise ToolFailed("a series hardly ever occurs, so it is not expanded")


def _occurs(rule: Any, start: Moment) -> bool:
    """Return whether a rule yields anything in the last decades that there are, where a search for it ends soon."""
    probe = icalendar.vRecur({name: value for name, value in rule.items() if name not in ("UNTIL", "COUNT")})
    first = date(start.year, 1, 1)
    year = next(one for one in _LAST_28_YEARS if _has_kind(date(one, 1, 1), first))
    at = datetime(year, start.month, start.day)
    if isinstance(start, datetime):
        at = at.replace(hour=start.hour, minute=start.minute, second=start.second)
    text = bytes(probe.to_ical()).decode()  # type: ignore[no-untyped-call]
    return next(iter(rrulestr(text, dtstart=at)), None) is not None


def _has_kind(year: date, other: date) -> bool:
    lengths = [one.replace(month=12, day=31).timetuple().tm_yday for one in (year, other)]
    return lengths[0] == lengths[1] and year.weekday() == other.weekday()


def shift_series(components: list[Any], master: Any, old: Moment, new: Moment, end: Moment) -> None:
    """Move what names occurrences of a series by the way that the series moves on the clock.

    These are the days that are left out or added, the last one, and the moments for which there are exceptions. An
    exception that had its occurrence's own time moves along, and keeps a length of its own.

    Args:
        components: the series and its exceptions.
        master: the series.
        old: its start so far.
        new: and from now on.
        end: of its first occurrence, from now on.

    Raises:
        ToolFailed: it names occurrences in a way that can't be moved.
    """
    exceptions = [one for one in components if one is not master and "RECURRENCE-ID" in one]
    dates = [name for name in ("EXDATE", "RDATE") if name in master]
    rules = list_rules(master)
    if not (exceptions or dates or any("UNTIL" in rule for rule in rules)):
        return
    if isinstance(old, datetime) is not isinstance(new, datetime):
        raise _refuse("its occurrences would become whole days, or times")
    bound = {name for rule in rules for name in (*_PART_OF_DAYS, *_PART_OF_TIMES) if name in rule}
    if bound & set(_PART_OF_TIMES) or (bound and _get_day(old) != _get_day(new) and (exceptions or dates)):
        raise _refuse("its rule names days, and it would move to others")
    shift = _Shift(old, new)
    for rule in rules:
        if "UNTIL" in rule:
            stays = any(name in rule for name in _NAMES_DAYS)
            rule["UNTIL"] = [shift.move_last(one, same_day=stays) for one in rule["UNTIL"]]
    for name in dates:
        moved = [shift.move(one) for one in _list_dates(master.pop(name))]
        for moment in moved:
            master.add(name.lower(), moment)
    lengths = _measure(old, find_end(master, old)), _measure(new, end)[0]
    for exception in exceptions:
        _shift_exception(exception, shift, *lengths)


def find_end(event: Any, start: Moment) -> Moment:
    """Return the end of an event: given as such, or as a duration, or a day, or nothing (RFC 5545 section 3.6.1)."""
    if "DTEND" in event:
        found: Moment = event.decoded("DTEND")
        return found
    if "DURATION" in event:
        length: timedelta = event.decoded("DURATION")
        return start + length
    return start if isinstance(start, datetime) else start + timedelta(days=1)


def _measure(start: Moment, end: Moment) -> tuple[timedelta, timedelta]:
    """Return how long an event takes: on the clock where it begins, and as time that passes."""
    if isinstance(start, datetime) and isinstance(end, datetime) and start.tzinfo and end.tzinfo:
        passed = end.astimezone(UTC) - start.astimezone(UTC)
        return _strip(end.astimezone(start.tzinfo)) - _strip(start), passed
    return (_strip(end) - _strip(start),) * 2


def _shift_exception(exception: Any, shift: "_Shift", was: tuple[timedelta, timedelta], length: timedelta) -> None:
    if str(exception["RECURRENCE-ID"].params.get("RANGE", "")):
        raise _refuse("one of its exceptions counts for all that follow")
    at, start = exception.decoded("RECURRENCE-ID"), exception.decoded("DTSTART")
    exception.pop("RECURRENCE-ID")
    exception.add("recurrence-id", shift.move(at))
    if _to_comparable(start) != _to_comparable(at):
        return
    own = _measure(start, find_end(exception, start))
    if own[0] != was[0] and own[1] != was[1]:
        length = own[0]
    for name in ("DTSTART", "DTEND", "DURATION"):
        exception.pop(name, None)
    exception.add("dtstart", shift.move(at))
    exception.add("dtend", shift.move(at) + length)


class _Shift:
    """Moves moments as a series moves on the clock, from its old zone into its new one."""

    def __init__(self, old: Moment, new: Moment) -> None:
        self._old_zone = old.tzinfo if isinstance(old, datetime) else None
        self._new_zone = new.tzinfo if isinstance(new, datetime) else None
        self._is_time = isinstance(old, datetime)
        self._by = _strip(new) - _strip(old)
        self._days = _get_day(new) - _get_day(old)

    def move(self, moment: Any) -> Moment:
        if isinstance(moment, datetime) is not self._is_time or not isinstance(moment, date):
            raise _refuse("it names occurrences in another form than its start")
        if not isinstance(moment, datetime):
            return moment + self._by
        if moment.tzinfo is not None and self._old_zone is not None:
            moment = moment.astimezone(self._old_zone)
        moved: datetime = (moment.replace(tzinfo=None) + self._by).replace(tzinfo=self._new_zone)
        return moved

    def move_last(self, moment: Any, *, same_day: bool) -> Moment:
        """Move the last moment of a rule: a day, or a time in UTC where the series has a zone.

        Args:
            moment: of the rule.
            same_day: the rule names its days itself, so only the time of its occurrences moves.
        """
        back = self._days if same_day else timedelta()
        if not isinstance(moment, datetime):
            # A day moves with its occurrence's day: one that is earlier by an hour is on the same.
            day: date = moment
            return day + self._days - back
        moved = self.move(moment) - back
        return moved.astimezone(UTC) if isinstance(moved, datetime) and moved.tzinfo is not None else moved


def _list_dates(found: Any) -> Iterator[Any]:
    for one in found if isinstance(found, list) else [found]:
        yield from (each.dt for each in one.dts)


def _get_day(moment: Moment) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _strip(moment: Moment) -> datetime:
    return moment.replace(tzinfo=None) if isinstance(moment, datetime) else datetime(*moment.timetuple()[:3])


def _to_comparable(moment: Moment) -> Moment:
    return moment.astimezone(UTC) if isinstance(moment, datetime) and moment.tzinfo is not None else moment


def _refuse(reason: str) -> ToolFailed:
    return ToolFailed(
        f"the series can't be moved as it is: {reason}; nothing was changed",
        fix="cancel it and make another, or move its occurrences one by one",
    )
