"""The tool that makes an event in a calendar."""

from typing import Annotated

from pydantic import Field

from functions.library.calendar._calendar import (
    EGRESS,
    PACKAGES,
    Attendees,
    Place,
    Title,
    When,
    Words,
    Zone,
    open_calendar,
    tell,
)
from pentad.tools.calendars.actions import DoneEvent, EventUndo
from pentad.tools.calendars.settings import CalendarSettings
from pentad.tools.declare import ToolContext, Undoable, tool


def remove(data: EventUndo, context: ToolContext) -> None:
    """Remove the event, if nobody changed it since.

    Raises:
        ToolFailed: it was changed since; nothing is done.
    """
    open_calendar(context).undo(data)


@tool(
    effects="external",
    settings=CalendarSettings,
    secrets=["settings.secret"],
    egress=EGRESS,
    packages=PACKAGES,
    # The calendar writes to whoever is invited.
    approval="always",
    undo=remove,
    # Its id is derived from the call, so the calendar takes it once.
    idempotent=True,
    rate_limit="30/minute per user, 1000/day per tenant",
    timeout_seconds=60,
)
def calendar_create(
    title: Title,
    start: When,
    end: When,
    context: ToolContext,
    timezone: Zone = None,
    location: Place = None,
    description: Words = None,
    attendees: Attendees = [],  # noqa: B006 - pydantic copies it
    recurrence: Annotated[
        str | None, Field(max_length=200, description="rule of RFC 5545, such as FREQ=WEEKLY;BYDAY=MO;COUNT=10")
    ] = None,
) -> Undoable[DoneEvent]:
    """Make an event in the calendar. A human sees it first and decides; whoever is in `attendees` is invited.

    For whole days, `end` is the day after the last one. Look with calendar_find first whether the time is free.
    """
    given = {
        "title": title,
        "start": start,
        "end": end,
        "location": location,
        "description": description,
        "attendees": attendees,
        "recurrence": recurrence,
    }
    return tell(open_calendar(context).create(given, timezone=timezone, effect_key=context.effect_key))
