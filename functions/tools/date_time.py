"""The tool for dates and times."""

from datetime import UTC, datetime, tzinfo
from typing import Annotated, Any, Literal

from pydantic import Field

from pentad.domain.errors import InvalidInput
from pentad.tools.builtin import calendar
from pentad.tools.builtin.unused import refuse_unused
from pentad.tools.declare import ToolContext, tool

_When = Annotated[str | None, Field(max_length=40)]
_Zone = Annotated[
    str | None,
    Field(
        max_length=64,
        description="IANA name: whose now and today are meant, and on whose clock times are read and moved. "
        "Without it now is UTC's, and a time keeps its own offset",
    ),
]
_Amount = Annotated[int, Field(ge=-1_000_000, le=1_000_000)]


def _require(value: str | None, field: str, operation: str, example: str = "2026-03-01") -> str:
    if value is None:
        raise InvalidInput(f"'{operation}' needs '{field}'", field=field, fix=f"give '{field}', such as {example}")
    return value


# What an operation uses besides the time zone: anything else is refused, for it would be ignored.
_USES: dict[str, tuple[str, ...]] = {
    "now": (),
    "add": ("date", "days", "weeks", "months", "years"),
    "difference": ("start", "end"),
    "weekday": ("date",),
    "convert": ("date", "to_timezone"),
}


def _compute_difference(start: str | None, end: str | None, now: datetime, zone: tzinfo | None) -> dict[str, Any]:
    ends = {"start": _require(start, "start", "difference"), "end": _require(end, "end", "difference")}
    first, last = (calendar.parse(text, field, now) for field, text in ends.items())
    if zone is None and any(text.strip().lower() == "now" for text in ends.values()):
        zone = UTC  # now stands on UTC's clock, so what it is compared with does too
    placed = {"start": calendar.place(first, zone)[0], "end": calendar.place(last, zone)[0]}
    difference = calendar.compute_difference(first, last, zone)
    return {name: moment.isoformat() for name, moment in placed.items()} | difference


@tool(effects="none", timeout_seconds=10)
def date_time(
    operation: Annotated[
        Literal["now", "add", "difference", "weekday", "convert"], Field(description="what to do; see the description")
    ],
    context: ToolContext,
    date: Annotated[_When, Field(description="add, weekday, convert: an ISO date or time; today and now work")] = None,
    start: Annotated[_When, Field(description="difference: from this ISO date or time; today and now work")] = None,
    end: Annotated[_When, Field(description="difference: to this ISO date or time; today and now work")] = None,
    days: Annotated[_Amount, Field(description="add: days, may be negative")] = 0,
    weeks: Annotated[_Amount, Field(description="add: weeks, may be negative")] = 0,
    months: Annotated[_Amount, Field(description="add: months, may be negative")] = 0,
    years: Annotated[_Amount, Field(description="add: years, may be negative")] = 0,
    timezone: _Zone = None,
    to_timezone: Annotated[
        str | None, Field(max_length=64, description="convert: IANA name of the zone to go to")
    ] = None,
) -> dict[str, Any]:
    """Tell the date and time, and calculate with dates: never count days in your head.

    now: the present in timezone. add: date moved by years, months, weeks and days; a day the month does not have
    becomes its last. difference: from start to end in days and by the calendar, and in hours for times. weekday: day of
    the week, ISO week and leap year of date. convert: a clock time from timezone to to_timezone. Dates are ISO 8601
    (2026-03-01, 2026-03-01T09:30). A note says if a clock time does not exist or exists twice in timezone.
    """
    amounts = {"days": days, "weeks": weeks, "months": months, "years": years}
    given = {"date": date, "start": start, "end": end, "to_timezone": to_timezone, **amounts}
    refuse_unused(operation, _USES[operation], given, "timezone")
    zone = None if timezone is None else calendar.get_zone(timezone)
    now = context.now().astimezone(zone or UTC)
    if operation == "now":
        return {
            "now": now.isoformat(timespec="seconds"),
            "timezone": timezone or "UTC",
            **calendar.describe(now.date()),
        }
    if operation == "difference":
        return _compute_difference(start, end, now, zone)
    moment = calendar.parse(_require(date, "date", operation), "date", now)
    if operation == "weekday":
        return calendar.tell_weekday(moment, zone)
    if operation == "add":
        return calendar.move(moment, zone, **amounts)
    if not isinstance(moment, datetime):
        raise InvalidInput("'convert' needs a time", field="date", fix="write it as 2026-03-01T09:30")
    target = calendar.get_zone(_require(to_timezone, "to_timezone", operation, "Europe/Zurich"), "to_timezone")
    return calendar.convert(moment, zone or moment.tzinfo or UTC, target)
