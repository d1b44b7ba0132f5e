"""The calendar that the settings name; what the tools of this folder share."""

from typing import Annotated, cast

from pydantic import Field

from pentad.tools.calendars.actions import CalendarActions, DoneEvent, Outcome
from pentad.tools.calendars.adapters.calendar_caldav import CalDavCalendar
from pentad.tools.calendars.adapters.calendar_google import GoogleCalendar
from pentad.tools.calendars.ports import EventCalendar
from pentad.tools.calendars.settings import CalendarSettings
from pentad.tools.declare import ToolContext, Undoable
from pentad.tools.outside.vendor_credential import VendorCredential

PACKAGES = ("defusedxml", "icalendar", "recurring-ical-events")
"""What CalDAV needs; Google needs none of it."""
EGRESS = ("settings.url", "oauth2.googleapis.com")
"""The calendar, and where Google gives access tokens."""
EventId = Annotated[str, Field(min_length=1, max_length=300, description="as calendar_find gave it")]
When = Annotated[str, Field(max_length=40, description="ISO 8601: 2026-03-01T09:30, or 2026-03-01 for whole days")]
Title = Annotated[str, Field(min_length=1, max_length=250, description="one line")]
Place = Annotated[str | None, Field(max_length=500)]
Words = Annotated[str | None, Field(max_length=8_000)]
_Address = Annotated[str, Field(max_length=320)]
Attendees = Annotated[list[_Address], Field(max_length=50, description="addresses of email; all of them are invited")]
Zone = Annotated[
    str | None,
    Field(max_length=64, description="IANA name, on whose clock times without an offset stand; the calendar's if null"),
]
Version = Annotated[
    str | None,
    Field(max_length=200, description="as it was read: nothing is done if somebody else changed the event since"),
]


def open_calendar(context: ToolContext) -> CalendarActions:
    """Return what tools do with the calendar, for one call."""
    settings = context.settings_of(CalendarSettings)
    credential = VendorCredential(context, settings.secret)
    calendar: EventCalendar
    if settings.provider == "google":
        calendar = GoogleCalendar(
            context.http,
            settings.url,
            calendar=settings.calendar,
            token=lambda: credential.token,
            renew=credential.renew,
        )
    else:
        calendar = CalDavCalendar(
            context.http,
            settings.url,
            authorize=lambda: {"Authorization": credential.authorization},
            now=context.now,
            renew=credential.renew,
        )
    return CalendarActions(calendar, settings)


def tell(outcome: Outcome) -> Undoable[DoneEvent]:
    """Return what a tool returns of a change: with its undo, or the bare result where it has none."""
    done, undo = outcome
    if undo is None:
        return cast(Undoable[DoneEvent], done)
    return Undoable(done, undo=undo.model_dump(mode="json"))
