"""Find, make, change and cancel events, each once, and take it back only where nobody changed it since."""

from collections.abc import Mapping, Sequence
from typing import Any

from pentad.domain.errors import (
    EffectUncertain,
    InvalidInput,
    NotFound,
    PentadError,
    PolicyDenied,
    RecordChanged,
    ToolFailed,
    ToolUnavailable,
)
from pentad.domain.values import FrozenValue
from pentad.tools.builtin.unused import refuse_unused
from pentad.tools.calendars.moments import (
    check_search,
    check_stretch,
    get_zone,
    parse_instant,
    parse_moment,
)
from pentad.tools.calendars.ports import CalendarEvent, EventCalendar, EventDraft, EventPage, StoredEvent
from pentad.tools.calendars.rules import check_rule, fit_rule
from pentad.tools.calendars.settings import CalendarSettings
from pentad.tools.communication.addresses import check_address, is_allowed
from pentad.tools.outside.vendor_api import begin_with_look

_MOST_KEPT = 24_000
"""Characters of an entry that an undo keeps; the runner takes 32 KB."""
_NOT_READ = "it was done, but the calendar did not say what became of it: it can't be undone"
_LOOK = "check the event before asking again"
_WORDS = ("title", "location", "description")


class DoneEvent(FrozenValue):
    """What the model is told of an event that was made, changed or cancelled."""

    event: CalendarEvent
    note: str | None = None


class EventUndo(FrozenValue):
    """What taking it back needs.

    Args:
        event_id: of the entry.
        version: as the call left it; None where nothing is left of it.
        content: as it was before; None where there was nothing.
    """

    event_id: str
    version: str | None
    content: str | None = None


Outcome = tuple[DoneEvent, EventUndo | None]


class CalendarActions:
    """What the calendar's tools do.

    Args:
        calendar: where.
        settings: zone of times without one, and who may be invited.
    """

    def __init__(self, calendar: EventCalendar, settings: CalendarSettings) -> None:
        self._calendar = calendar
        self._settings = settings

    def find(
        self, *, start: str, end: str, text: str | None, timezone: str | None, limit: int, event_id: str | None = None
    ) -> EventPage:
        """Return the events in a stretch of time, or one by its id.

        Raises:
            InvalidInput: the stretch can't be searched, or a search and an id are both given.
            NotFound: there is no such event.
        """
        if event_id is not None:
            given = {"start": start, "end": end, "text": text, "timezone": timezone}
            refuse_unused("event_id", (), given, "event_id", "limit")
            return EventPage(events=(self._calendar.read(event_id).event,))
        zone = get_zone(timezone or self._settings.timezone)
        notes: list[str] = []
        first, last = parse_instant(start, "start", zone, notes), parse_instant(end, "end", zone, notes)
        check_search(first, last)
        page = self._calendar.find(first, last, text=text, limit=limit)
        return page.model_copy(update={"notes": (*notes, *page.notes)}) if notes else page

    def create(self, given: Mapping[str, Any], *, timezone: str | None, effect_key: str) -> Outcome:
        """Make an event once: its id is derived from the call.

        Raises:
            InvalidInput, PolicyDenied: it can't be made so.
            ToolUnavailable: it may have been made; the next try finds it.
        """
        zone = get_zone(timezone or self._settings.timezone)
        notes: list[str] = []
        start, end = (parse_moment(given[name], name, zone, notes) for name in ("start", "end"))
        check_stretch(start, end)
        draft = EventDraft(
            title=_check_title(given["title"]),
            start=start,
            end=end,
            location=given.get("location"),
            description=given.get("description"),
            attendees=self._check_attendees(given.get("attendees") or ()),
            recurrence=fit_rule(check_rule(given.get("recurrence")), start),
        )
        stored = self._calendar.create(effect_key, draft)
        if stored.event.cancelled:
            raise ToolFailed("an earlier try of this call made the event, and somebody cancelled it since")
        if not stored.version:
            return DoneEvent(event=stored.event, note=_join([*notes, _NOT_READ])), None
        told = EventUndo(event_id=stored.event.event_id, version=stored.version)
        return DoneEvent(event=stored.event, note=_join(notes)), told

    def change(
        self,
        event_id: str,
        given: Mapping[str, Any],
        *,
        timezone: str | None,
        version: str | None,
        effect_key: str,
        again: bool,
    ) -> Outcome:
        """Change an event once.

        Raises:
            InvalidInput, PolicyDenied: it can't be changed so.
            NotFound: there is no such event.
            RecordChanged: it was changed since it was read.
            EffectUncertain: it may have been changed.
            ToolThrottled: nothing was changed.
        """
        with begin_with_look(again=again):
            stored = self._calendar.read(event_id)
        if stored.marker == effect_key:
            return DoneEvent(event=stored.event, note="an earlier try did it: it can't be undone"), None
        if again and version != stored.version:
            raise EffectUncertain("an earlier try may have changed the event; it was not repeated", fix=_LOOK)
        _check_version(stored, version)
        notes: list[str] = []
        changes = self._read_changes(stored.event, given, timezone, notes)
        try:
            after = self._calendar.change(stored, changes, marker=effect_key)
        except ToolUnavailable as error:
            after = self._look_after(error, stored, effect_key)
        if not after.version:
            notes.append(_NOT_READ)
        return DoneEvent(event=after.event, note=_join(notes)), _make_undo(stored, after.version)

    def cancel(self, event_id: str, *, version: str | None, again: bool) -> Outcome:
        """Cancel an event once.

        Raises:
            NotFound: there is no such event.
            RecordChanged: it was changed since it was read.
            EffectUncertain: it may have been cancelled.
            ToolThrottled: nothing was cancelled.
        """
        try:
            with begin_with_look(again=again):
                stored = self._calendar.read(event_id)
        except NotFound as error:
            if again:
                raise EffectUncertain("the event is gone: an earlier try may have cancelled it", fix=_LOOK) from error
            raise
        if stored.event.cancelled:
            return DoneEvent(event=stored.event, note="it was already cancelled"), None
        if again:  # an ETag does not tell: of a content that was restored it may be the same
            raise EffectUncertain(
                "an earlier try may have cancelled the event, which is there: maybe somebody has restored it since; "
                "it was not repeated",
                fix=_LOOK,
            )
        _check_version(stored, version)
        try:
            left = self._calendar.cancel(stored)
        except ToolUnavailable as error:
            raise EffectUncertain(f"{error.message}; it was not repeated", fix=_LOOK) from error
        cancelled = stored.event.model_copy(update={"cancelled": True})
        return DoneEvent(event=cancelled, note=_NOT_READ if left == "" else None), _make_undo(stored, left)

    def undo(self, data: EventUndo) -> None:
        """Put an entry back as it was, or remove it if there was none, while it is as the call left it.

        Raises:
            ToolFailed: it was changed since; nothing was done.
        """
        try:
            if data.content is not None:
                self._calendar.put_back(data.event_id, data.content, version=data.version)
            elif data.version is not None:
                self._calendar.remove(data.event_id, version=data.version)
        except NotFound as error:
            if data.content is not None:
                raise ToolFailed("the event is gone; nothing was undone", fix="create it again by hand") from error
        except RecordChanged as error:
            raise ToolFailed("the event was changed since; nothing was undone", fix="change it by hand") from error

    def _read_changes(
        self, event: CalendarEvent, given: Mapping[str, Any], timezone: str | None, notes: list[str]
    ) -> dict[str, Any]:
        found: dict[str, Any] = {name: given[name] for name in _WORDS if given.get(name) is not None}
        if "title" in found:
            _check_title(found["title"])
        if given.get("attendees") is not None:
            found["attendees"] = self._check_attendees(given["attendees"], known=event.attendees)
        zone = get_zone(timezone or event.timezone or self._settings.timezone)
        if given.get("start") is not None or given.get("end") is not None:
            for name in ("start", "end"):
                if given.get(name) is None:
                    raise InvalidInput(f"'{name}' is missing", field=name, fix="give 'start' and 'end' together")
                found[name] = parse_moment(given[name], name, zone, notes)
            check_stretch(found["start"], found["end"])
        if not found:
            raise InvalidInput("nothing to change", field="title", fix="give at least one new value")
        return found

    def _check_attendees(self, given: Sequence[str], known: Sequence[str] = ()) -> tuple[str, ...]:
        """Return the addresses; those that are invited already may stay.

        Raises:
            InvalidInput: one is no address.
            PolicyDenied: one may not be invited.
        """
        checked = tuple(dict.fromkeys(check_address(one, "attendees") for one in given))
        for one in checked:
            if one not in known and not is_allowed(one.rpartition("@")[2], self._settings.attendee_domains):
                raise PolicyDenied(
                    f"'{one}' may not be invited: the domain is not among 'attendee_domains'",
                    fix="leave the address out, or let an operator add its domain in tools.yaml",
                )
        return checked

    def _look_after(self, error: ToolUnavailable, before: StoredEvent, effect_key: str) -> StoredEvent:
        try:
            after = self._calendar.read(before.event.event_id)
        except PentadError as failed:
            # What it says of itself is true of the reading; of the change nothing is known.
            raise error from failed
        if after.marker == effect_key:
            return after
        if after.version == before.version:
            raise error  # what was not answered may yet be done
        raise EffectUncertain("the change was not answered, and the event was changed meanwhile", fix=_LOOK) from error


def _make_undo(before: StoredEvent, version: str | None) -> EventUndo | None:
    if len(before.content) > _MOST_KEPT or version == "":
        return None
    # An occurrence is part of its series' entry, which is put back as a whole.
    return EventUndo(event_id=before.event.event_id, version=version, content=before.content)


def _join(notes: Sequence[str]) -> str | None:
    return "; ".join(dict.fromkeys(notes)) or None


def _check_version(stored: StoredEvent, version: str | None) -> None:
    if version is not None and version != stored.version:
        raise RecordChanged("the event was changed since it was read; nothing was done", fix="read it again")


def _check_title(title: str) -> str:
    if not title.strip() or any(not mark.isprintable() for mark in title):
        raise InvalidInput("the title is empty or holds a line break", field="title", fix="write it in one line")
    return title
