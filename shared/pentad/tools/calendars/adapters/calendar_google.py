"""Google Calendar, API v3."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pentad.domain.errors import NotFound, PentadError, ToolFailed
from pentad.tools.calendars.ports import CalendarEvent, EventDraft, EventPage, Moment, StoredEvent
from pentad.tools.outside.ports import HttpAnswer, HttpClient
from pentad.tools.outside.vendor_api import VendorApi, VendorError, join_path, read_json_object, read_what_is_there

_MARKER = "pentadCall"
_FIELDS = {"title": "summary", "location": "location", "description": "description"}
# "Handle API errors" of the Calendar API: 403 is used for limits too.
_LIMITED = frozenset({"rateLimitExceeded", "userRateLimitExceeded"})
_OF_THE_DAY = frozenset({"quotaExceeded", "dailyLimitExceeded"})


class GoogleCalendar:
    """One calendar of Google.

    Args:
        http: speaks to it.
        url: of the API.
        calendar: id of the calendar.
        token: returns an access token.
        renew: see `VendorApi`.
    """

    def __init__(
        self,
        http: HttpClient,
        url: str,
        *,
        calendar: str,
        token: Callable[[], str],
        renew: Callable[[], None] | None = None,
    ) -> None:
        self._api = VendorApi(
            http,
            f"{url.rstrip('/')}{join_path('calendars', calendar, 'events')}",
            name="Google Calendar",
            authorize=lambda: {"Authorization": f"Bearer {token()}"},
            read_error=_read_error,
            renew=renew,
        )

    def find(self, start: datetime, end: datetime, *, text: str | None, limit: int) -> EventPage:
        """Return events and occurrences; see `EventCalendar`."""
        asked = {
            "timeMin": start.isoformat(),
            "timeMax": end.isoformat(),
            "singleEvents": "true",
            "orderBy": "startTime",
            "maxResults": str(limit + 1),
        }
        answer = self._api.ask("GET", "", params=asked if text is None else {**asked, "q": text})
        return self._api.parse(answer, lambda found: _read_page(found, limit))

    def read(self, event_id: str) -> StoredEvent:
        """Return an event; see `EventCalendar`."""
        return self._api.parse(self._api.ask("GET", join_path(event_id)), _read_stored)

    def create(self, effect_key: str, draft: EventDraft) -> StoredEvent:
        """Make an event under the call's id, which Google takes once; see `EventCalendar`."""
        # Google's ids have the letters of base32hex, which those of a hash are among.
        event_id = effect_key[:64]
        request = {"id": event_id, **_build_fields(draft.model_dump(exclude_none=True))}
        if draft.recurrence is not None:
            request["recurrence"] = [f"RRULE:{draft.recurrence}"]
        answer = self._api.ask("POST", "", params={"sendUpdates": "all"}, json=request, accept=(409,))
        if answer.status == 409:
            with read_what_is_there():
                return self.read(event_id)
        return self._read_done(answer, request)

    def change(self, stored: StoredEvent, changes: Mapping[str, Any], *, marker: str) -> StoredEvent:
        """Change an event while it has its ETag; see `EventCalendar`."""
        content = json.loads(stored.content)
        changed = {**content, **_build_fields(changes, known=content.get("attendees", ()))}
        extended = content.get("extendedProperties", {})
        private = {**extended.get("private", {}), _MARKER: marker}
        changed["extendedProperties"] = {**extended, "private": private}
        return self._read_done(self._put(stored.event.event_id, changed, stored.version), changed)

    def cancel(self, stored: StoredEvent) -> str | None:
        """Cancel an event while it has its ETag; see `EventCalendar`. Google keeps it as cancelled."""
        path = join_path(stored.event.event_id)
        headers = {"If-Match": stored.version}
        answer = self._api.ask("DELETE", path, params={"sendUpdates": "all"}, headers=headers, accept=(410,))
        if answer.status == 410:
            return None
        try:
            left = self.read(stored.event.event_id)
        except NotFound:
            return None
        except PentadError:
            return ""
        return left.version if left.event.cancelled else None

    def put_back(self, event_id: str, content: str, *, version: str | None) -> None:
        """Store an event as it was; see `EventCalendar`. A cancelled one comes back under its own id."""
        if version is None:
            raise ToolFailed(
                "Google keeps nothing from which the event could be restored", fix="create it again by hand"
            )
        self._put(event_id, json.loads(content), version)

    def remove(self, event_id: str, *, version: str) -> None:
        """Remove an event while it has its ETag; see `EventCalendar`."""
        headers = {"If-Match": version}
        self._api.ask("DELETE", join_path(event_id), params={"sendUpdates": "all"}, headers=headers, accept=(404, 410))

    def _read_done(self, answer: HttpAnswer, sent: Mapping[str, Any]) -> StoredEvent:
        """Return what a write has left; where its answer can't be read, what was sent, without a version."""
        try:
            return self._api.parse(answer, _read_stored)
        except ToolFailed:
            return _read_stored({**sent, "etag": ""})

    def _put(self, event_id: str, content: Mapping[str, Any], version: str) -> HttpAnswer:
        return self._api.ask(
            "PUT",
            join_path(event_id),
            params={"sendUpdates": "all"},
            json=dict(content),
            headers={"If-Match": version},
        )


def _build_fields(given: Mapping[str, Any], known: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Return fields of Google's for new values; who is invited already keeps the answer that was given."""
    found: dict[str, Any] = {_FIELDS[name]: given[name] for name in _FIELDS if name in given}
    found |= {name: _build_moment(given[name]) for name in ("start", "end") if name in given}
    if "attendees" in given:
        before = {str(one.get("email")): one for one in known}
        found["attendees"] = [dict(before.get(one, {"email": one})) for one in given["attendees"]]
    return found


def _build_moment(moment: Moment) -> dict[str, str]:
    if not isinstance(moment, datetime):
        return {"date": moment.isoformat()}
    zone = getattr(moment.tzinfo, "key", None)
    return {"dateTime": moment.isoformat()} | ({} if zone is None else {"timeZone": zone})


def _read_page(found: Mapping[str, Any], limit: int) -> EventPage:
    items = found.get("items") or []
    events = tuple(_read_event(one) for one in items[:limit])
    return EventPage(events=events, more=len(items) > limit or "nextPageToken" in found)


def _read_stored(found: Mapping[str, Any]) -> StoredEvent:
    private = found.get("extendedProperties", {}).get("private", {})
    event = _read_event(found)
    return StoredEvent(event=event, content=json.dumps(found), version=event.version, marker=private.get(_MARKER))


def _read_event(found: Mapping[str, Any]) -> CalendarEvent:
    start, end = found.get("start", {}), found.get("end", {})
    rules = [str(one).removeprefix("RRULE:") for one in found.get("recurrence") or () if str(one).startswith("RRULE:")]
    return CalendarEvent(
        event_id=str(found["id"]),
        title=str(found.get("summary", "")),
        start=str(start.get("dateTime") or start.get("date") or ""),
        end=str(end.get("dateTime") or end.get("date") or ""),
        timezone=start.get("timeZone"),
        location=found.get("location"),
        description=found.get("description"),
        attendees=tuple(str(one["email"]) for one in found.get("attendees") or () if "email" in one),
        recurrence=rules[0] if rules else None,
        series_id=found.get("recurringEventId"),
        cancelled=found.get("status") == "cancelled",
        version=str(found.get("etag", "")),
    )


def _read_error(answer: HttpAnswer) -> VendorError:
    body = read_json_object(answer).get("error")
    body = body if isinstance(body, dict) else {}
    errors = body.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    reason = str(first.get("reason", ""))
    return VendorError(
        code=reason,
        words=body.get("message", ""),
        limited=reason in _LIMITED,
        final=reason in _OF_THE_DAY,
    )
