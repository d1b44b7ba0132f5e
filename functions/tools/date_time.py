"""The tool for dates and times."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from pentad.domain.errors import InvalidInput
from pentad.tools.builtin import calendar
from pentad.tools.declare import ToolContext, tool

_When = Annotated[str | None, Field(max_length=40)]
_Amount = Annotated[int, Field(ge=-1_000_000, le=1_000_000)]


def _require(value: str | None, field: str, operation: str) -> str:
    if value is None:
        raise InvalidInput(f"'{operation}' needs '{field}'", field=field, fix=f"give '{field}', such as 2026-03-01")
    return value


@tool(effects="none", timeout_seconds=10)
def date_time(
    operation: Annotated[
        Literal["now", "add", "difference", "weekday", "convert"], Field(description="what to do; see the description")
    ],
    context: ToolContext,
    date: Annotated[_When, Field(description="add, weekday, convert: an ISO date or time; today and now work")] = None,
    start: Annotated[_When, Field(description="difference: from this ISO date or time")] = None,
    end: Annotated[_When, Field(description="difference: to this ISO date or time")] = None,
    days: Annotated[_Amount, Field(description="add: days, may be negative")] = 0,
    weeks: Annotated[_Amount, Field(description="add: weeks, may be negative")] = 0,
    months: Annotated[_Amount, Field(description="add: months, may be negative")] = 0,
    years: Annotated[_Amount, Field(description="add: years, may be negative")] = 0,
    timezone: Annotated[
        str, Field(max_length=64, description="IANA name; whose now and today are meant, and where convert starts")
    ] = "UTC",
    to_timezone: Annotated[
        str | None, Field(max_length=64, description="convert: IANA name of the zone to go to")
    ] = None,
) -> dict[str, Any]:
    """Tell the date and time, and calculate with dates: never count days in your head.

    now: the present in timezone. add: date moved by years, months, weeks and days; a day the month does not have
    becomes its last. difference: from start to end in days and by the calendar. weekday: day of the week, ISO week and
    leap year of date. convert: a clock time from timezone to to_timezone. Dates are ISO 8601 (2026-03-01,
    2026-03-01T09:30).
    """
    home = calendar.get_zone(timezone)
    now = context.now().astimezone(home)
    if operation == "now":
        return {"now": now.isoformat(timespec="seconds"), "timezone": timezone, **calendar.describe(now.date())}
    if operation == "difference":
        first = calendar.parse(_require(start, "start", operation), "start", now)
        last = calendar.parse(_require(end, "end", operation), "end", now)
        return {"start": first.isoformat(), "end": last.isoformat(), **calendar.compute_difference(first, last)}
    moment = calendar.parse(_require(date, "date", operation), "date", now)
    if operation == "weekday":
        return calendar.describe(moment)
    if operation == "add":
        moved = calendar.add(moment, years=years, months=months, weeks=weeks, days=days)
        return {"start": moment.isoformat(), "result": moved.isoformat(), **calendar.describe(moved)}
    if not isinstance(moment, datetime):
        raise InvalidInput("'convert' needs a time", field="date", fix="write it as 2026-03-01T09:30")
    target = calendar.get_zone(_require(to_timezone, "to_timezone", operation), "to_timezone")
    return calendar.convert(moment, home, target)
