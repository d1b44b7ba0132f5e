"""What the calendar's tools need: events, each with a version and its content as the calendar keeps it."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Protocol

from pydantic import Field

from pentad.domain.values import FrozenValue

Moment = date | datetime
"""A day, or a time with a zone. ``datetime`` is a ``date`` to Python: ask for it first."""


class CalendarEvent(FrozenValue):
    """An event, or one occurrence of a series, as the model reads it."""

    event_id: str = Field(description="of the event, or of this occurrence of it alone")
    title: str
    start: str = Field(description="ISO 8601: a time with its offset, or a day for an event of whole days")
    end: str = Field(description="the first moment that is no longer part of it; for whole days the day after the last")
    timezone: str | None = None
    location: str | None = None
    description: str | None = None
    attendees: tuple[str, ...] = ()
    recurrence: str | None = Field(default=None, description="the rule of a series, RFC 5545")
    series_id: str | None = Field(default=None, description="of the series that this is an occurrence of")
    cancelled: bool = False
    version: str = Field(description="changes with each change of the event; of an occurrence it is the series'")


class EventPage(FrozenValue):
    """Events that were found, in the order of their starts.

    Args:
        events: those.
        more: there are more than were asked for.
        notes: what is not shown, and why.
    """

    events: tuple[CalendarEvent, ...]
    more: bool = False
    notes: tuple[str, ...] = ()


class EventDraft(FrozenValue, arbitrary_types_allowed=True):
    """What a new event is to be.

    Args:
        title: one line.
        start: a day or a time with a zone.
        end: of the same kind, later.
        location: where.
        description: more words.
        attendees: addresses of email.
        recurrence: a rule as RFC 5545 writes it, without ``RRULE:``.
    """

    title: str
    start: Moment
    end: Moment
    location: str | None = None
    description: str | None = None
    attendees: tuple[str, ...] = ()
    recurrence: str | None = None


class StoredEvent(FrozenValue):
    """An event with its content as the calendar keeps it.

    Args:
        event: as the model reads it.
        content: of the whole entry, a series with all its exceptions: what an undo puts back.
        version: of the entry, for a condition; empty after a write that could not be read back.
        marker: the call that changed it last, if a tool did.
    """

    event: CalendarEvent
    content: str
    version: str
    marker: str | None = None


class EventCalendar(Protocol):
    """One calendar. All methods may raise what `VendorApi.ask` does, beside what they name.

    Once a write has succeeded, nothing that fails after it is raised: it was done.
    """

    def find(self, start: datetime, end: datetime, *, text: str | None, limit: int) -> EventPage:
        """Return events and occurrences that overlap a stretch of time, at most so many."""
        ...

    def read(self, event_id: str) -> StoredEvent:
        """Return an event.

        Raises:
            NotFound: there is none.
        """
        ...

    def create(self, effect_key: str, draft: EventDraft) -> StoredEvent:
        """Make an event whose id is derived from the call; one that is there already under this id is returned."""
        ...

    def change(self, stored: StoredEvent, changes: Mapping[str, Any], *, marker: str) -> StoredEvent:
        """Change fields of an event while it has its version.

        Args:
            stored: as it was read.
            changes: new values by the names of `EventDraft`.
            marker: the call, kept in the event.

        Raises:
            RecordChanged: it has another version; nothing was changed.
            ToolUnavailable: it may have been changed.
        """
        ...

    def cancel(self, stored: StoredEvent) -> str | None:
        """Cancel an event while it has its version; of a series, only the occurrence that was read.

        Returns:
            The version of what is left of it, or None where nothing is; empty where that could not be read.

        Raises:
            RecordChanged: it has another version; nothing was cancelled.
            ToolUnavailable: it may have been cancelled.
        """
        ...

    def put_back(self, event_id: str, content: str, *, version: str | None) -> None:
        """Store an entry's content as it was, while it has this version; None where there is to be none.

        Raises:
            RecordChanged: it is not so; nothing was stored.
        """
        ...

    def remove(self, event_id: str, *, version: str) -> None:
        """Remove a whole entry while it has this version.

        Raises:
            RecordChanged: it has another version; nothing was removed.
            NotFound: it is gone.
        """
        ...
