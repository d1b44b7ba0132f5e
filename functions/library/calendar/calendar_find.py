"""The tool that finds events in a calendar."""

from typing import Annotated

from pydantic import Field

from functions.library.calendar._calendar import EGRESS, PACKAGES, EventId, When, Zone, open_calendar
from pentad.domain.errors import InvalidInput
from pentad.tools.calendars.ports import EventPage
from pentad.tools.calendars.settings import CalendarSettings
from pentad.tools.declare import ToolContext, tool


@tool(
    effects="none",
    settings=CalendarSettings,
    secrets=["settings.secret"],
    egress=EGRESS,
    packages=PACKAGES,
    rate_limit="120/minute per tenant",
    timeout_seconds=40,
)
def calendar_find(
    context: ToolContext,
    start: When | None = None,
    end: When | None = None,
    text: Annotated[str | None, Field(min_length=1, max_length=200, description="words of the event")] = None,
    event_id: EventId | None = None,
    timezone: Zone = None,
    limit: Annotated[int, Field(ge=1, le=200)] = 50,
) -> EventPage:
    """Find events in the calendar from `start` to `end` (at most 400 days), or read one by its id.

    Each occurrence of a series is shown on its own, with an id of its own and the id of its series. To see whether
    somebody is free, look at the whole stretch of time without `text`.
    """
    if event_id is None and (start is None or end is None):
        raise InvalidInput("'start' and 'end' are missing", field="start", fix="give both, or 'event_id'")
    return open_calendar(context).find(
        start=start or "", end=end or "", text=text, timezone=timezone, limit=limit, event_id=event_id
    )
