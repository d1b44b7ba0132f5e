"""Read and change entries of iCalendar (RFC 5545): an event, or a series with its exceptions, in one text."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import icalendar
import recurring_ical_events

from pentad.domain.errors import NotFound, ToolFailed
from pentad.tools.calendars.adapters.icalendar_rules import check_countable, find_end, list_rules, shift_series
from pentad.tools.calendars.ports import CalendarEvent, EventDraft, Moment

_MARKER = "X-PENTAD-CALL"
_PRODUCT = "-//Pentad//Calendar//EN"
_MOST_YEARS = 5
"""Years of a zone's rules that go into a new entry."""
_OCCURRENCE = "%Y%m%dT%H%M%SZ"
_DAY = "%Y%m%d"


@contextmanager
def _read_strange() -> Iterator[None]:
    """Tell what others wrote in a form that no parser expects.

    Raises:
        ToolFailed: it is so.
    """
    try:
        yield
    except (ValueError, TypeError, AttributeError, LookupError, OverflowError) as error:
        raise ToolFailed("the entry has a field that can't be read; nothing was changed") from error


def parse_entry(content: str) -> icalendar.Calendar:
    """Return an entry.

    Raises:
        ToolFailed: it is no iCalendar, or holds no event.
    """
    try:
        found = icalendar.Calendar.from_ical(content)
    except (ValueError, IndexError, KeyError, TypeError) as error:
        raise ToolFailed("the calendar holds an entry that is not iCalendar") from error
    if not isinstance(found, icalendar.Calendar) or not list_components(found):
        raise ToolFailed("the entry holds no event")
    return found


def list_components(entry: icalendar.Calendar) -> list[Any]:
    """Return the events of an entry: of a series, the series and its exceptions."""
    return [one for one in entry.walk("VEVENT") if "DTSTART" in one]


def build_entry(uid: str, draft: EventDraft, now: datetime) -> str:
    """Return a new entry."""
    entry = icalendar.Calendar()
    entry.add("prodid", _PRODUCT)
    entry.add("version", "2.0")
    event = icalendar.Event()
    event.add("uid", uid)
    event.add("dtstamp", now)
    _set_fields(event, draft.model_dump(exclude_none=True))
    if draft.recurrence is not None:
        event.add("rrule", icalendar.vRecur.from_ical(draft.recurrence))
    event.add(_MARKER, uid)
    entry.add_component(event)
    return _to_text(entry, draft.start)


@_read_strange()
def change_entry(content: str, occurrence: str | None, changes: Mapping[str, Any], marker: str, now: datetime) -> str:
    """Return an entry with new values: of the whole of it, or as an exception for one occurrence.

    Args:
        content: the entry.
        occurrence: which, as `list_occurrences` names it; None for all of it.
        changes: new values by the names of `EventDraft`.
        marker: the call.
        now: UTC.

    Raises:
        NotFound: there is no such occurrence.
        ToolFailed: the series can't be moved; see `shift_series`.
    """
    entry = parse_entry(content)
    event = _find_master(entry) if occurrence is None else _find_exception(entry, occurrence)
    if occurrence is None and "start" in changes:
        components = list_components(entry)
        shift_series(components, event, event.decoded("DTSTART"), changes["start"], changes["end"])
    _set_fields(event, changes)
    for name in (_MARKER, "DTSTAMP", "LAST-MODIFIED", "SEQUENCE"):
        sequence = int(event.get("SEQUENCE", 0)) if name == "SEQUENCE" else 0
        event.pop(name, None)
        value: Any = {_MARKER: marker, "SEQUENCE": sequence + 1}.get(name, now)
        event.add(name, value)
    return _to_text(entry, changes.get("start") or event.decoded("DTSTART"))


@_read_strange()
def drop_occurrence(content: str, occurrence: str) -> str:
    """Return a series without one of its occurrences.

    Raises:
        NotFound: there is no such occurrence.
    """
    entry = parse_entry(content)
    exception = _find_exception(entry, occurrence)
    entry.subcomponents.remove(exception)
    master = _find_master(entry)
    master.add("exdate", exception.decoded("RECURRENCE-ID"))
    return bytes(entry.to_ical()).decode("utf-8")


@_read_strange()
def read_event(entry: icalendar.Calendar, name: str, occurrence: str | None, version: str) -> CalendarEvent:
    """Return an event, or one occurrence of a series, as the model reads it.

    Raises:
        NotFound: there is no such occurrence.
    """
    event = _find_master(entry) if occurrence is None else _find_occurrence(entry, occurrence)
    return describe_event(event, name, occurrence, version)


@_read_strange()
def read_marker(entry: icalendar.Calendar, occurrence: str | None) -> str | None:
    """Return the call that changed an event last, if a tool did."""
    for event in list_components(entry):
        if _name_exception(event) == occurrence and _MARKER in event:
            return str(event[_MARKER])
    return None


@_read_strange()
def list_occurrences(
    entry: icalendar.Calendar, name: str, start: datetime, end: datetime, version: str
) -> list[CalendarEvent]:
    """Return the events of an entry that overlap a stretch of time.

    Raises:
        ToolFailed: its series can't be expanded in a moment; see `check_countable`.
    """
    components = list_components(entry)
    check_countable(components)
    series = any(list_rules(event) for event in components) or "RDATE" in _find_master(entry)
    try:
        found = recurring_ical_events.of(entry).between(start, end)
    except (ValueError, TypeError, OverflowError, LookupError) as error:
        raise ToolFailed("a series has dates that can't be expanded") from error
    return [describe_event(event, name, name_occurrence(event) if series else None, version) for event in found]


def name_occurrence(event: Any) -> str:
    """Return the name of an occurrence: the moment at which its series has it, in UTC."""
    moment = event.decoded("RECURRENCE-ID") if "RECURRENCE-ID" in event else event.decoded("DTSTART")
    return _name_moment(moment)


def describe_event(event: Any, name: str, occurrence: str | None, version: str) -> CalendarEvent:
    """Return an event as the model reads it."""
    start = event.decoded("DTSTART")
    end = find_end(event, start)
    rules = list_rules(event)
    return CalendarEvent(
        event_id=name if occurrence is None else f"{name}~{occurrence}",
        title=str(event.get("SUMMARY", "")),
        start=start.isoformat(),
        end=end.isoformat(),
        timezone=_name_zone(start),
        location=_read_text(event, "LOCATION"),
        description=_read_text(event, "DESCRIPTION"),
        attendees=tuple(_list_attendees(event)),
        recurrence=rules[0].to_ical().decode() if rules and occurrence is None else None,
        series_id=None if occurrence is None else name,
        cancelled=str(event.get("STATUS", "")).upper() == "CANCELLED",
        version=version,
    )


def _list_attendees(event: Any) -> Iterable[str]:
    found = event.get("ATTENDEE", [])
    for one in found if isinstance(found, list) else [found]:
        text = str(one)
        yield text[len("mailto:") :] if text.lower().startswith("mailto:") else text


def _read_text(event: Any, name: str) -> str | None:
    text = str(event.get(name, "")).strip()
    return text or None


def _name_zone(start: Moment) -> str | None:
    zone = start.tzinfo if isinstance(start, datetime) else None
    return None if zone is None else getattr(zone, "key", None) or ("UTC" if zone is UTC else None)


def _name_moment(moment: Moment) -> str:
    if not isinstance(moment, datetime):
        return moment.strftime(_DAY)
    # A time without a zone is on the clock of whoever looks: it is named as it stands.
    return (moment if moment.tzinfo is None else moment.astimezone(UTC)).strftime(_OCCURRENCE)


def _name_exception(event: Any) -> str | None:
    return _name_moment(event.decoded("RECURRENCE-ID")) if "RECURRENCE-ID" in event else None


def _find_master(entry: icalendar.Calendar) -> Any:
    """Return the event itself, or the series; of an entry of exceptions only, the first one."""
    found = list_components(entry)
    return next((one for one in found if "RECURRENCE-ID" not in one), found[0])


def _find_occurrence(entry: icalendar.Calendar, occurrence: str) -> Any:
    """Return an occurrence with its values.

    Raises:
        NotFound: the series has none at this moment.
    """
    for event in list_components(entry):
        if _name_exception(event) == occurrence:
            return event
    check_countable(list_components(entry))
    try:
        form = _OCCURRENCE if "T" in occurrence else _DAY
        at = datetime.strptime(occurrence, form).replace(tzinfo=UTC)
        found = recurring_ical_events.of(entry).between(at - timedelta(days=1), at + timedelta(days=2))
    except (ValueError, TypeError, OverflowError, LookupError) as error:
        raise _make_missing(occurrence) from error
    for event in found:
        if name_occurrence(event) == occurrence:
            return event
    raise _make_missing(occurrence)


def _find_exception(entry: icalendar.Calendar, occurrence: str) -> Any:
    """Return the exception for an occurrence; where the entry has none yet, it is put into it.

    Raises:
        NotFound: the series has no such occurrence.
    """
    for event in list_components(entry):
        if _name_exception(event) == occurrence:
            return event
    found = _find_occurrence(entry, occurrence)
    start, end = found.decoded("DTSTART"), find_end(found, found.decoded("DTSTART"))
    made = icalendar.Event()
    for name, value in _find_master(entry).property_items(recursive=False):
        if name not in ("BEGIN", "END", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"):
            made.add(name, value, encode=False)
    made.add("recurrence-id", start)
    made.add("dtstart", start)
    made.add("dtend", end)
    entry.add_component(made)
    return made


def _make_missing(occurrence: str) -> NotFound:
    return NotFound(f"the series has no occurrence at '{occurrence[:20]}'")


def _set_fields(event: Any, values: Mapping[str, Any]) -> None:
    names = {"title": "SUMMARY", "location": "LOCATION", "description": "DESCRIPTION"}
    for name, property_name in names.items():
        if name in values:
            event.pop(property_name, None)
            event.add(property_name, values[name])
    if "start" in values:
        for name in ("DTSTART", "DTEND", "DURATION"):
            event.pop(name, None)
        event.add("dtstart", values["start"])
        event.add("dtend", values["end"])
    if "attendees" in values:
        _set_attendees(event, values["attendees"])


def _set_attendees(event: Any, addresses: Iterable[str]) -> None:
    """Set who is invited; who is already keeps the answer that was given."""
    found = event.pop("ATTENDEE", [])
    before = {str(one).lower().removeprefix("mailto:"): one for one in (found if isinstance(found, list) else [found])}
    for address in addresses:
        known = before.get(address.lower())
        event.add("attendee", icalendar.vCalAddress(f"mailto:{address}") if known is None else known, encode=False)


def _to_text(entry: icalendar.Calendar, start: Moment) -> str:
    first = date(start.year, 1, 1)
    entry.add_missing_timezones(first_date=first, last_date=date(start.year + _MOST_YEARS, 1, 1))
    return bytes(entry.to_ical()).decode("utf-8")
