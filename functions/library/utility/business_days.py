"""The tool for business days."""

from datetime import UTC, date, datetime, tzinfo
from typing import Annotated, Any, Literal

from pydantic import Field

from pentad.domain.errors import InvalidInput
from pentad.tools.builtin import calendar
from pentad.tools.builtin.unused import refuse_unused
from pentad.tools.builtin.working_days import MAX_STEPS, WorkingCalendar, make_calendar
from pentad.tools.declare import ToolContext, tool

_Day = Annotated[str | None, Field(max_length=40)]


# What an operation uses besides the weekend, the holidays and the time zone: anything else would be ignored.
_USES: dict[str, tuple[str, ...]] = {"add": ("start", "days"), "count": ("start", "end"), "check": ("start",)}


def _read_day(text: str, name: str, now: datetime, zone: tzinfo | None, notes: list[str]) -> date:
    """Return the day of a date or a time, on the zone's clock; ``notes`` takes what has to be told of it."""
    moment, told = calendar.place(calendar.parse(text, name, now), zone)
    notes += told
    return moment.date() if isinstance(moment, datetime) else moment


def _tell_skipped(working: WorkingCalendar, one: date, other: date, zone: tzinfo | None) -> list[str]:
    """Return what has to be told of days from one to the other that count although the zone skipped them."""
    skipped = calendar.list_skipped(min(one, other), max(one, other), zone)
    told = [note for day in skipped if working.is_open(day) for note in calendar.place(day, zone)[1]]
    return [*told, "such a day counts as a business day unless it is in holidays"] if told else []


@tool(effects="none", timeout_seconds=10)
def business_days(
    operation: Annotated[Literal["add", "count", "check"], Field(description="what to do; see the description")],
    start: Annotated[str, Field(max_length=40, description="an ISO date, or a time, whose day is meant; today works")],
    context: ToolContext,
    end: Annotated[_Day, Field(description="count: to this ISO date, which does not count")] = None,
    days: Annotated[int, Field(ge=-MAX_STEPS, le=MAX_STEPS, description="add: business days, may be negative")] = 0,
    weekend: Annotated[
        list[str], Field(max_length=6, description="days of the week that are not business days, in English")
    ] = ["saturday", "sunday"],  # noqa: B006 - pydantic copies the default of a parameter
    holidays: Annotated[
        list[str], Field(max_length=400, description="ISO dates that are not business days: none are known here")
    ] = [],  # noqa: B006
    timezone: Annotated[
        str | None,
        Field(max_length=64, description="IANA name: whose today is meant, and on whose clock a time stands"),
    ] = None,
) -> dict[str, Any]:
    """Calculate with business days (working days): never count them in your head.

    add: the day that is so many business days after start, or before it. count: business days from start, which
    counts, to end, which does not. check: whether start is a business day, and the next and the previous one. Give the
    holidays: without them only weekends are left out.
    """
    refuse_unused(operation, _USES[operation], {"end": end, "days": days}, "weekend", "holidays", "timezone")
    working = make_calendar(weekend, holidays)
    zone = None if timezone is None else calendar.get_zone(timezone)
    now = context.now().astimezone(zone or UTC)
    notes: list[str] = []
    first = _read_day(start, "start", now, zone, notes)
    answer: dict[str, Any] = {"start": first.isoformat(), "holidays_given": len(working.holidays)}
    if operation == "count":
        if end is None:
            raise InvalidInput("'count' needs 'end'", field="end", fix="give 'end', such as 2026-03-01")
        last = _read_day(end, "end", now, zone, notes)
        left_out = [day.isoformat() for day in working.list_holidays(min(first, last), max(first, last))]
        notes += _tell_skipped(working, first, last, zone)
        answer |= {"end": last.isoformat(), "business_days": working.count(first, last), "left_out": left_out}
    elif operation == "add":
        result = working.add(first, days)
        notes += _tell_skipped(working, first, result, zone)
        answer |= {"result": result.isoformat(), "weekday": f"{result:%A}"}
    else:
        after, before = working.add(first, 1), working.add(first, -1)
        notes += _tell_skipped(working, before, after, zone)
        answer |= {"business_day": working.is_open(first), "next": after.isoformat(), "previous": before.isoformat()}
    return calendar.tell(answer, notes)
