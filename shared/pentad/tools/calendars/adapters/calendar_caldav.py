"""A calendar on a server that speaks CalDAV (RFC 4791)."""

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from pentad.domain.errors import InvalidInput, PentadError, ToolFailed
from pentad.tools.calendars.adapters.icalendar_entries import (
    build_entry,
    change_entry,
    drop_occurrence,
    list_occurrences,
    parse_entry,
    read_event,
    read_marker,
)
from pentad.tools.calendars.ports import CalendarEvent, EventDraft, EventPage, StoredEvent
from pentad.tools.outside.ports import HttpAnswer, HttpClient
from pentad.tools.outside.vendor_api import VendorApi, VendorError, join_path, read_what_is_there

_ID = re.compile(r"([^/~\x00-\x1f]{1,250})(?:~(\d{8}(?:T\d{6}Z)?))?")
_MOST_ENTRIES = 2_000
_MOST_OCCURRENCES = 10_000
_MOST_SECONDS = 15.0
"""Of reading the entries that one search found."""
_DAV, _CALDAV = "{DAV:}", "{urn:ietf:params:xml:ns:caldav}"
_QUERY = """<?xml version="1.0" encoding="utf-8"?>
<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">
<D:prop><D:getetag/><C:calendar-data/></D:prop>
<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">
<C:time-range start="{start}" end="{end}"/>
</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"""
_STAMP = "%Y%m%dT%H%M%SZ"
_ICALENDAR = {"Content-Type": "text/calendar; charset=utf-8"}


class CalDavCalendar:
    """One collection of a CalDAV server. An occurrence's id is its entry's, a ``~`` and the moment of the series.

    Args:
        http: speaks to it.
        url: of the collection.
        authorize: returns the headers that carry the credential.
        now: the clock, UTC.
        renew: see `VendorApi`.
        clock: seconds, for the bound of a search.
    """

    def __init__(
        self,
        http: HttpClient,
        url: str,
        *,
        authorize: Callable[[], Mapping[str, str]],
        now: Callable[[], datetime],
        renew: Callable[[], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._api = VendorApi(http, url, name="the calendar", authorize=authorize, read_error=_read_error, renew=renew)
        self._now = now

    def find(self, start: datetime, end: datetime, *, text: str | None, limit: int) -> EventPage:
        """Return events and occurrences; see `EventCalendar`."""
        query = _QUERY.format(start=start.astimezone(UTC).strftime(_STAMP), end=end.astimezone(UTC).strftime(_STAMP))
        headers = {"Depth": "1", "Content-Type": "application/xml; charset=utf-8"}
        answer = self._api.ask("REPORT", "/", body=query, headers=headers)
        entries, found = _read_entries(answer), list[CalendarEvent]()
        skipped, ends = 0, self._clock() + _MOST_SECONDS
        notes: list[str] = []
        for place, (name, version, content) in enumerate(entries):
            if self._clock() > ends or len(found) > _MOST_OCCURRENCES:
                notes.append(f"{len(entries) - place} entries were not looked at: give a shorter stretch of time")
                break
            try:
                occurrences = list_occurrences(parse_entry(content), name, start, end, version)
                found += [one for one in occurrences if _holds(one, text)]
            except ToolFailed:
                skipped += 1
        found.sort(key=lambda one: (_to_instant(one.start), one.event_id))
        if skipped:
            notes.append(f"{skipped} entries can't be read or expanded, and are not shown")
        return EventPage(events=tuple(found[:limit]), more=len(found) > limit, notes=tuple(notes))

    def read(self, event_id: str) -> StoredEvent:
        """Return an event; see `EventCalendar`."""
        name, occurrence = _split_id(event_id)
        answer = self._api.ask("GET", join_path(name))
        entry, version = parse_entry(answer.text), answer.headers.get("etag", "")
        return StoredEvent(
            event=read_event(entry, name, occurrence, version),
            content=answer.text,
            version=version,
            marker=read_marker(entry, occurrence),
        )

    def create(self, effect_key: str, draft: EventDraft) -> StoredEvent:
        """Make an event under the call's name, which the server takes once; see `EventCalendar`."""
        name, content = f"{effect_key}.ics", build_entry(effect_key, draft, self._now())
        headers = {**_ICALENDAR, "If-None-Match": "*"}
        answer = self._api.ask("PUT", join_path(name), body=content, headers=headers, accept=(412,))
        if answer.status == 412:
            with read_what_is_there():
                return self.read(name)
        return self._read_back(name, content, answer)

    def change(self, stored: StoredEvent, changes: Mapping[str, Any], *, marker: str) -> StoredEvent:
        """Change an event while its entry has its ETag; see `EventCalendar`."""
        name, occurrence = _split_id(stored.event.event_id)
        content = change_entry(stored.content, occurrence, changes, marker, self._now())
        answer = self._put(name, content, stored.version)
        return self._read_back(stored.event.event_id, content, answer)

    def cancel(self, stored: StoredEvent) -> str | None:
        """Delete an event, or leave one occurrence out of its series; see `EventCalendar`."""
        name, occurrence = _split_id(stored.event.event_id)
        if occurrence is None:
            self._api.ask("DELETE", join_path(name), headers={"If-Match": stored.version})
            return None
        answer = self._put(name, drop_occurrence(stored.content, occurrence), stored.version)
        try:
            return self.read(name).version
        except PentadError:
            return answer.headers.get("etag", "")

    def put_back(self, event_id: str, content: str, *, version: str | None) -> None:
        """Store an entry as it was; see `EventCalendar`."""
        name, _ = _split_id(event_id)
        if version is not None:
            self._put(name, content, version)
            return
        self._api.ask("PUT", join_path(name), body=content, headers={**_ICALENDAR, "If-None-Match": "*"})

    def remove(self, event_id: str, *, version: str) -> None:
        """Delete an entry while it has its ETag; see `EventCalendar`."""
        name, _ = _split_id(event_id)
        self._api.ask("DELETE", join_path(name), headers={"If-Match": version})

    def _read_back(self, event_id: str, content: str, answer: HttpAnswer) -> StoredEvent:
        """Return what a write has left; where it can't be read, what was sent, with the ETag that the answer has."""
        try:
            return self.read(event_id)
        except PentadError:
            entry, version = parse_entry(content), answer.headers.get("etag", "")
            name, occurrence = _split_id(event_id)
            return StoredEvent(
                event=read_event(entry, name, occurrence, version),
                content=content,
                version=version,
                marker=read_marker(entry, occurrence),
            )

    def _put(self, name: str, content: str, version: str) -> HttpAnswer:
        if not version:
            raise ToolFailed("the server gives no ETag, so a change could overwrite another; nothing was changed")
        return self._api.ask("PUT", join_path(name), body=content, headers={**_ICALENDAR, "If-Match": version})


def _split_id(event_id: str) -> tuple[str, str | None]:
    """Return the entry's name and the occurrence.

    Raises:
        InvalidInput: it is no id of an event.
    """
    found = _ID.fullmatch(event_id)
    if found is None or found[1] in (".", ".."):
        raise InvalidInput(
            f"'{event_id[:60]}' is not an id of an event", field="event_id", fix="give it as it was found"
        )
    return found[1], found[2]


def _read_entries(answer: HttpAnswer) -> list[tuple[str, str, str]]:
    """Return name, ETag and content of each entry that a report names.

    Raises:
        ToolFailed: the answer is no report.
    """
    try:
        root = fromstring(answer.body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise ToolFailed("the calendar answered a search with something that is not a report") from error
    found = []
    for response in root.findall(f"{_DAV}response")[:_MOST_ENTRIES]:
        name = unquote(urlsplit(response.findtext(f"{_DAV}href") or "").path.rstrip("/").rpartition("/")[2])
        prop = response.find(f"{_DAV}propstat/{_DAV}prop")
        if prop is None or not _ID.fullmatch(name):
            continue
        content = prop.findtext(f"{_CALDAV}calendar-data")
        if content:
            found.append((name, prop.findtext(f"{_DAV}getetag") or "", content))
    return found


def _holds(event: CalendarEvent, text: str | None) -> bool:
    if text is None:
        return True
    words = " ".join(filter(None, (event.title, event.location, event.description, *event.attendees)))
    return text.casefold() in words.casefold()


def _to_instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _read_error(answer: HttpAnswer) -> VendorError:
    """Return nothing: servers answer errors in forms of their own, and the status says what counts."""
    return VendorError()
