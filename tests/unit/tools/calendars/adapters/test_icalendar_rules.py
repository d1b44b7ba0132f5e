"""Series that others wrote: what can be expanded is, and no rule holds a search for long."""

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from pentad.domain.errors import NotFound, ToolFailed
from pentad.tools.calendars.adapters.calendar_caldav import CalDavCalendar
from pentad.tools.calendars.adapters.icalendar_entries import (
    change_entry,
    drop_occurrence,
    list_occurrences,
    parse_entry,
    read_event,
)
from pentad.tools.calendars.adapters.icalendar_rules import check_countable
from pentad.tools.outside.ports import HttpAnswer

FIRST, LAST = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
ENTRY = """BEGIN:VCALENDAR
BEGIN:VEVENT
UID:x
DTSTART:{start}
DURATION:PT1H
RRULE:{rule}
SUMMARY:Strange
END:VEVENT
END:VCALENDAR
"""


def count(rule: str, start: str = "20260302T100000Z") -> int:
    entry = parse_entry(ENTRY.format(rule=rule, start=start))
    return len(list_occurrences(entry, "x.ics", FIRST, LAST, "1"))


@pytest.mark.parametrize(
    ("rule", "occurrences"),
    [
        ("FREQ=DAILY", 30),
        ("FREQ=WEEKLY;BYDAY=MO,TH", 9),
        ("FREQ=MONTHLY;BYDAY=-1FR", 2),
        ("FREQ=YEARLY;BYMONTH=3;BYDAY=1MO;COUNT=999999999", 1),
        ("FREQ=DAILY;BYHOUR=1,2,3", 88),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", 1),
        ("FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO", 1),
    ],
)
def test_a_series_is_counted_out(rule: str, occurrences: int) -> None:
    assert count(rule) == occurrences


NEVER = (
    *("FREQ=DAILY;INTERVAL=0", "FREQ=WEEKLY;INTERVAL=-1", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "COUNT=3"),
    *("FREQ=DAILY;INTERVAL=7;BYDAY=TU", "FREQ=YEARLY;BYYEARDAY=1;BYMONTH=2", "FREQ=DAILY;BYMONTHDAY=31;BYMONTH=4"),
    *("FREQ=WEEKLY;BYDAY=MO;BYYEARDAY=1;BYMONTH=7", "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=9", "FREQ=SECONDLY"),
    *("FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;BYHOUR=1,2,3,4,5;BYMINUTE=1,2,3,4,5"),
)


@pytest.mark.parametrize("rule", NEVER)
def test_a_rule_that_would_take_for_ever_is_refused_in_a_search_and_in_a_reading(rule: str) -> None:
    with pytest.raises(ToolFailed, match="series"):
        count(rule)
    entry = parse_entry(ENTRY.format(rule=rule, start="20260302T100000Z"))
    with pytest.raises((ToolFailed, NotFound)):
        read_event(entry, "x.ics", "20260303T100000Z", "1")


@pytest.mark.parametrize("start", ["00010101T000000Z", "18000101", "30000101T000000"])
def test_a_series_that_is_far_from_today_is_refused(start: str) -> None:
    with pytest.raises(ToolFailed, match="far from today"):
        count("FREQ=DAILY", start)


def test_parts_that_no_parser_reads_are_refused() -> None:
    with pytest.raises(ToolFailed):
        check_countable([{"RRULE": "FREQ=DAILY"}])


class Reporting:
    """Answers each search with the same entries."""

    def __init__(self, entries: int) -> None:
        one = ENTRY.format(rule="FREQ=DAILY;BYHOUR=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23",
                           start="20260101T100000Z")  # fmt: skip
        self._body = "".join(
            f"<D:response><D:href>/{number}.ics</D:href><D:propstat><D:prop><D:getetag>1</D:getetag>"
            f"<C:calendar-data>{one}</C:calendar-data></D:prop></D:propstat></D:response>"
            for number in range(entries)
        )

    def request(self, method: str, url: str, **given: Any) -> HttpAnswer:
        body = f'<D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">{self._body}</D:multistatus>'
        return HttpAnswer(207, {}, body.encode(), url, "calendar")


def test_a_search_ends_with_so_many_occurrences_and_after_so_many_seconds() -> None:
    crowded = CalDavCalendar(Reporting(4), "http://x", authorize=dict, now=lambda: FIRST)
    year = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    page = crowded.find(*year, text=None, limit=5)
    assert (len(page.events), page.more) == (5, True)
    assert page.notes == ("2 entries were not looked at: give a shorter stretch of time",)
    times = iter((0.0, 1.0, 16.0, 17.0))
    slow = CalDavCalendar(Reporting(4), "http://x", authorize=dict, now=lambda: FIRST, clock=lambda: next(times))
    assert "3 entries were not looked at" in slow.find(FIRST, LAST, text=None, limit=5).notes[0]


STRANGE = (
    *("DTSTART:x", "DTSTART:P1D", "DTSTART:19000101T000000/P1D", "DTEND:x", "RDATE:x", "EXDATE:x", "RRULE:x"),
    *("RECURRENCE-ID:x", "RECURRENCE-ID:P1D", "SEQUENCE:x", "DURATION:x", "DTSTART;TZID=Nowhere/At:20260302T100000"),
    *("RRULE:FREQ=DAILY;UNTIL=x", "RRULE:FREQ=DAILY;BYDAY=99MO", "DTSTART:20260302T100000Z", "DTEND:20260302T110000Z"),
)


ACTS: tuple[Callable[[str], Any], ...] = (
    lambda text: list_occurrences(parse_entry(text), "x.ics", FIRST, LAST, "1"),
    lambda text: read_event(parse_entry(text), "x.ics", None, "1"),
    lambda text: change_entry(text, None, {"start": FIRST, "end": LAST}, "m", FIRST),
    lambda text: change_entry(text, "20260303T100000Z", {"title": "x"}, "m", FIRST),
    lambda text: drop_occurrence(text, "20260303T100000Z"),
)


@pytest.mark.parametrize("line", STRANGE)
def test_one_strange_entry_breaks_neither_a_search_nor_a_change(line: str) -> None:
    name = line.partition(":")[0].partition(";")[0]
    lines = ENTRY.format(rule="FREQ=DAILY;COUNT=3", start="20260302T100000Z").splitlines()
    for kept in (lines, [one for one in lines if not one.startswith(name)]):
        text = "\n".join(one for old in kept for one in ((old, line) if old == "UID:x" else (old,)))
        for act in ACTS:
            with contextlib.suppress(ToolFailed, NotFound):
                act(text)
