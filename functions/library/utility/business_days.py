"""The tool for business days."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from pentad.domain.errors import InvalidInput
from pentad.tools.builtin import calendar
from pentad.tools.builtin.working_days import MAX_STEPS, make_calendar
from pentad.tools.declare import ToolContext, tool

_Day = Annotated[str | None, Field(max_length=40)]


def _read_day(text: str | None, name: str, operation: str, now: datetime) -> date:
    if text is None:
        raise InvalidInput(f"'{operation}' needs '{name}'", field=name, fix=f"give '{name}', such as 2026-03-01")
    moment = calendar.parse(text, name, now)
    return moment.date() if isinstance(moment, datetime) else moment


@tool(effects="none", timeout_seconds=10)
def business_days(
    operation: Annotated[Literal["add", "count", "check"], Field(description="what to do; see the description")],
    start: Annotated[str, Field(max_length=40, description="an ISO date; today works")],
    context: ToolContext,
    end: Annotated[_Day, Field(description="count: to this ISO date, which does not count")] = None,
    days: Annotated[int, Field(ge=-MAX_STEPS, le=MAX_STEPS, description="add: business days, may be negative")] = 0,
    weekend: Annotated[
        list[str], Field(max_length=6, description="days of the week that are not business days, in English")
    ] = ["saturday", "sunday"],  # noqa: B006 - pydantic copies the default of a parameter
    holidays: Annotated[
        list[str], Field(max_length=400, description="ISO dates that are not business days: none are known here")
    ] = [],  # noqa: B006
    timezone: Annotated[str | None, Field(max_length=64, description="IANA name: whose today is meant")] = None,
) -> dict[str, Any]:
    """Calculate with business days (working days): never count them in your head.

    add: the day that is so many business days after start, or before it. count: business days from start, which
    counts, to end, which does not. check: whether start is a business day, and the next and the previous one. Give the
    holidays: without them only weekends are left out.
    """
    working = make_calendar(weekend, holidays)
    zone = calendar.get_zone(timezone or "UTC")
    now = context.now().astimezone(zone)
    first = _read_day(start, "start", operation, now)
    answer: dict[str, Any] = {"start": first.isoformat(), "holidays_given": len(working.holidays)}
    if operation == "count":
        last = _read_day(end, "end", operation, now)
        low, high = min(first, last), max(first, last)
        left_out = [day.isoformat() for day in working.list_holidays(low, high)]
        return answer | {"end": last.isoformat(), "business_days": working.count(first, last), "left_out": left_out}
    if operation == "add":
        result = working.add(first, days)
        return answer | {"result": result.isoformat(), "weekday": f"{result:%A}"}
    after, before = working.add(first, 1), working.add(first, -1)
    is_open = working.is_open(first)
    return answer | {"business_day": is_open, "next": after.isoformat(), "previous": before.isoformat()}
