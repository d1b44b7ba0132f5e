"""The tool that cancels an event in a calendar."""

from functions.library.calendar._calendar import (
    EGRESS,
    PACKAGES,
    EventId,
    Version,
    open_calendar,
    tell,
)
from pentad.tools.calendars.actions import DoneEvent, EventUndo
from pentad.tools.calendars.settings import CalendarSettings
from pentad.tools.declare import ToolContext, Undoable, tool


def restore(data: EventUndo, context: ToolContext) -> None:
    """Put the event back as it was, if nobody changed its series since.

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
    # A try after one that was cut off says so where the event is gone, and cancels nothing.
    idempotent=True,
    rate_limit="30/minute per user, 1000/day per tenant",
    timeout_seconds=60,
)
def calendar_cancel(event_id: EventId, context: ToolContext, version: Version = None) -> Undoable[DoneEvent]:
    """Cancel an event in the calendar. A human sees it first and decides; whoever is invited is told.

    The id of an occurrence cancels that occurrence alone, the id of its series all of them.
    """
    return tell(open_calendar(context).cancel(event_id, version=version, again=context.again))
