"""Read days and times as a model writes them."""

import zoneinfo
from datetime import UTC, date, datetime, timedelta

from pentad.domain.errors import InvalidInput
from pentad.tools.builtin.calendar import place
from pentad.tools.calendars.ports import Moment

MOST_DAYS = 400
"""Of one search: the occurrences of a series in it are counted out."""


def get_zone(name: str) -> zoneinfo.ZoneInfo:
    """Return a time zone by its IANA name.

    Raises:
        InvalidInput: there is none of this name.
    """
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInput(
            f"no time zone '{name[:60]}'", field="timezone", fix="use an IANA name, such as Europe/Zurich"
        ) from error


def parse_moment(text: str, field: str, zone: zoneinfo.ZoneInfo, notes: list[str]) -> Moment:
    """Return a day, or a time with a zone.

    A time that the zone's clock does not show, or shows twice, is read as `pentad.tools.builtin.calendar.place` says.

    Args:
        text: ISO 8601; ``2026-03-01`` is a day. A time without an offset is read in the zone.
        field: the argument it stands in.
        zone: see above.
        notes: takes what has to be told of it.

    Raises:
        InvalidInput: it is neither, or a year outside of 1970 to 2100.
    """
    given = text.strip()
    try:
        found: Moment = date.fromisoformat(given) if len(given) <= 10 else datetime.fromisoformat(given)
    except ValueError as error:
        raise InvalidInput(
            f"'{given[:40]}' is neither a day nor a time", field=field, fix="write 2026-03-01 or 2026-03-01T09:30"
        ) from error
    if not 1970 <= found.year <= 2100:
        raise InvalidInput(f"the year {found.year} is out of bounds", field=field, fix="use 1970 to 2100")
    placed, told = place(found, zone)
    notes += told
    return placed


def parse_instant(text: str, field: str, zone: zoneinfo.ZoneInfo, notes: list[str]) -> datetime:
    """Return a time in UTC; a day is its first moment in the zone.

    Raises:
        InvalidInput: see `parse_moment`.
    """
    found = parse_moment(text, field, zone, notes)
    if not isinstance(found, datetime):
        found = datetime(found.year, found.month, found.day, tzinfo=zone)
    return found.astimezone(UTC)


def check_stretch(start: Moment, end: Moment) -> None:
    """Refuse an event that ends before it begins, or that begins with a day and ends with a time.

    Raises:
        InvalidInput: it is so.
    """
    if isinstance(start, datetime) is not isinstance(end, datetime):
        raise InvalidInput("'start' and 'end' are a day and a time", field="end", fix="give two days or two times")
    # Times of one zone would be compared by their clocks, which go back once a year.
    ends = end > start
    if isinstance(end, datetime) and isinstance(start, datetime):
        ends = end.astimezone(UTC) > start.astimezone(UTC)
    if not ends:
        raise InvalidInput(
            "the event ends before it begins", field="end", fix="'end' is later; for whole days the day after the last"
        )


def check_search(start: datetime, end: datetime) -> None:
    """Refuse a search over no time, or over too much.

    Raises:
        InvalidInput: it is so.
    """
    if not start < end <= start + timedelta(days=MOST_DAYS):
        raise InvalidInput(
            "the search covers no time, or too much",
            field="end",
            fix=f"'end' is 1 to {MOST_DAYS} days after 'start'",
        )
