"""The tool that changes an event in a calendar."""

from functions.library.calendar._calendar import (
    EGRESS,
    PACKAGES,
    Attendees,
    EventId,
    Place,
    Title,
    Version,
    When,
    Words,
    Zone,
    open_calendar,
    tell,
)
from pentad.tools.calendars.actions import DoneEvent, EventUndo
from pentad.tools.calendars.settings import CalendarSettings
from pentad.tools.declare import ToolContext, Undoable, tool


def restore(data: EventUndo, context: ToolContext) -> None:
    """Put the event back as it was, if nobody changed it since.

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
    undo=restore,
    # A try after one that was cut off looks for its mark in the event.
    idempotent=True,
    rate_limit="30/minute per user, 1000/day per tenant",
    timeout_seconds=60,
)
def calendar_update(
    event_id: EventId,
    context: ToolContext,
    title: Title | None = None,
    start: When | None = None,
    end: When | None = None,
    timezone: Zone = None,
    location: Place = None,
    description: Words = None,
    attendees: Attendees | None = None,
    version: Version = None,
) -> Undoable[DoneEvent]:
    """Change an event in the calendar. A human sees it first and decides; whoever is invited is told.

    Give only what changes; `start` and `end` go together, and `attendees` is the whole list. The id of an occurrence
    changes that occurrence alone, the id of its series all of them. Read it with calendar_find first, and give the
    version that it had.
    """
    given = {
        "title": title,
        "start": start,
        "end": end,
        "location": location,
        "description": description,
        "attendees": attendees,
    }
    return tell(
        open_calendar(context).change(
            event_id, given, timezone=timezone, version=version, effect_key=context.effect_key, again=context.again
        )
    )
