"""One suite over a real CalDAV server and Google Calendar: each call once, undone only as long as it stands so."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from pentad.domain.errors import (
    ConfigurationError,
    EffectUncertain,
    InvalidInput,
    NotFound,
    PolicyDenied,
    RecordChanged,
    ToolFailed,
    ToolThrottled,
    ToolUnavailable,
)
from pentad.tools.calendars.actions import CalendarActions
from pentad.tools.calendars.adapters.calendar_caldav import CalDavCalendar
from pentad.tools.calendars.adapters.calendar_google import GoogleCalendar
from pentad.tools.calendars.ports import EventCalendar
from pentad.tools.calendars.settings import CalendarSettings
from pentad.tools.outside.ports import HttpAnswer
from tests.contract.tools.vendors.calendars import LIMITS, Google, run_radicale
from tests.contract.tools.vendors.server import TOKEN, Fault, PlainHttp, Reply, listen

KEY = "0123456789abcdef" * 4
NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
MEETING = {"title": "Meeting", "start": "2026-03-02T10:00", "end": "2026-03-02T11:00"}


class Flaky:
    """Breaks the next request of a method, before or after the server got it."""

    def __init__(self, http: PlainHttp) -> None:
        self._http = http
        self.broken: list[tuple[str, bool]] = []
        self.asked: list[str] = []
        self.answers: list[tuple[str, Reply]] = []
        self.skip = 0
        """How many requests of the first answer's method go through before it."""

    def request(self, method: str, url: str, **given: Any) -> Any:
        self.asked.append(method)
        if self.answers and self.answers[0][0] == method:
            self.skip -= 1
            if self.skip < 0:
                _, reply = self.answers.pop(0)
                if method != "GET":
                    self._http.request(method, url, **given)
                body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                return HttpAnswer(reply.status, dict(reply.headers), body, url, "the calendar")
        fault = next((one for one in self.broken if one[0] == method), None)
        if fault is None:
            return self._http.request(method, url, **given)
        self.broken.remove(fault)
        if fault[1]:
            self._http.request(method, url, **given)
        raise ToolUnavailable("the host gave no answer")


@dataclass
class Diary:
    """A calendar, and a way to change it behind the tool's back."""

    http: Flaky
    make: Callable[[str], EventCalendar]
    provider: str
    google: Google | None = None
    secret: str = ""

    def act(self, secret: str | None = None, **given: Any) -> CalendarActions:
        usual = {"timezone": "Europe/Zurich", "attendee_domains": ("example.com",)}
        url = {} if self.google is not None else {"url": "http://calendar"}
        settings = CalendarSettings(provider=self.provider, **{**usual, **url, **given})
        return CalendarActions(self.make(self.secret if secret is None else secret), settings)

    def create(self, key: str = KEY, **given: Any) -> Any:
        return self.act().create({**MEETING, **given}, timezone=None, effect_key=key)

    def change(self, event_id: str, key: str = "c" * 64, *, again: bool = False, **given: Any) -> Any:
        version, zone = given.pop("version", None), given.pop("timezone", None)
        return self.act().change(event_id, given, timezone=zone, version=version, effect_key=key, again=again)

    def titles(self, start: str = "2026-03-01", end: str = "2026-03-31", **given: Any) -> list[str]:
        asked = {"text": None, "timezone": None, "limit": 100, **given}
        return [one.title for one in self.act().find(start=start, end=end, **asked).events]


@pytest.fixture(scope="module")
def radicale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_radicale(tmp_path_factory.mktemp("radicale")) as url:
        yield url


@pytest.fixture
def http() -> Flaky:
    return Flaky(PlainHttp())


def make_caldav(url: str, http: Flaky) -> Diary:
    def make(secret: str) -> EventCalendar:
        login = base64.b64encode(f"ada:{secret}".encode()).decode()
        return CalDavCalendar(http, url, authorize=lambda: {"Authorization": f"Basic {login}"}, now=lambda: NOW)

    return Diary(http, make, "caldav", secret="secret words")


@pytest.fixture
def caldav(radicale: str, http: Flaky) -> Iterator[Diary]:
    """The calendar, empty."""
    diary = make_caldav(radicale, http)
    yield diary
    page = diary.act().find(start="2026-01-01", end="2026-12-31", text=None, timezone=None, limit=1000)
    for event_id in {one.series_id or one.event_id for one in page.events}:
        diary.act().cancel(event_id, version=None, again=False)


@pytest.fixture(params=["caldav", "google"])
def diary(request: pytest.FixtureRequest, http: Flaky) -> Iterator[Diary]:
    if request.param == "caldav":
        yield request.getfixturevalue("caldav")
        return
    vendor = Google()
    with listen(vendor) as url:

        def make(secret: str) -> EventCalendar:
            return GoogleCalendar(http, f"{url}/calendar/v3", calendar="primary", token=lambda: secret)

        yield Diary(http, make, "google", vendor, secret=TOKEN)


def test_an_event_is_found_as_it_was_made(diary: Diary) -> None:
    made, _ = diary.create(location="Room 5", description="Line one\nLine; two, three", attendees=["m@example.com"])
    page = diary.act().find(start="2026-03-02", end="2026-03-03", text="meet", timezone=None, limit=10)
    (found,) = page.events
    assert found.model_copy(update={"timezone": None}) == made.event.model_copy(update={"timezone": None})
    assert (found.start, found.end) == ("2026-03-02T10:00:00+01:00", "2026-03-02T11:00:00+01:00")
    assert found.description == "Line one\nLine; two, three"
    assert found.attendees == ("m@example.com",)
    assert diary.titles(text="nothing like it") == []
    assert diary.titles("2026-03-03", "2026-03-04") == []


def test_whole_days_stay_whole_days(diary: Diary) -> None:
    made, _ = diary.create(title="Trip", start="2026-03-10", end="2026-03-12")
    assert (made.event.start, made.event.end) == ("2026-03-10", "2026-03-12")
    assert diary.titles("2026-03-11", "2026-03-12") == ["Trip"]


def test_a_clock_time_that_does_not_exist_or_exists_twice_is_told(diary: Diary) -> None:
    made, _ = diary.create(start="2026-03-29T02:30", end="2026-03-29T03:45")
    assert made.event.start == "2026-03-29T03:30:00+02:00"
    assert "2026-03-29T02:30:00 does not exist in Europe/Zurich" in str(made.note)
    again: dict[str, Any] = {"start": "2026-10-25T02:30", "end": "2026-10-25T03:30", "timezone": "Europe/Berlin"}
    changed, _ = diary.change(made.event.event_id, **again)
    assert changed.event.start == "2026-10-25T02:30:00+02:00"
    assert "exists twice" in str(changed.note)
    page = diary.act().find(start="2026-10-25T02:30", end="2026-10-26", text=None, timezone="Europe/Berlin", limit=5)
    assert len(page.events) == 1 and "exists twice" in page.notes[0]


@pytest.mark.parametrize("given", [{"start": "2026-03-01"}, {"end": "2026-03-01"}, {"text": "a"}, {"timezone": "UTC"}])
def test_a_search_beside_an_id_is_refused(diary: Diary, given: dict[str, Any]) -> None:
    asked = {"start": "", "end": "", "text": None, "timezone": None, "limit": 1, "event_id": "x"}
    with pytest.raises(InvalidInput, match="does not use"):
        diary.act().find(**{**asked, **given})
    assert diary.http.asked == []


@pytest.mark.parametrize("title", ["x\r\nBEGIN:VEVENT", "", "  ", "a\x00b"])
def test_a_title_of_two_lines_is_refused(diary: Diary, title: str) -> None:
    with pytest.raises(InvalidInput):
        diary.create(title=title)


@pytest.mark.parametrize(
    "text",
    ["a\r\nEND:VEVENT\r\nBEGIN:VEVENT", "\\n;,:\"'", "<x>&amp;", "漢字 🎉", "ATTENDEE:x@evil.com"],
)
def test_hostile_text_stays_text(diary: Diary, text: str) -> None:
    made, _ = diary.create(description=text, location=text)
    read = diary.act().find(start="", end="", text=None, timezone=None, limit=1, event_id=made.event.event_id)
    assert str(read.events[0].description).replace("\r\n", "\n") == text.replace("\r\n", "\n")
    assert read.events[0].attendees == ()
    assert diary.titles() == ["Meeting"]


@pytest.mark.parametrize(
    "given",
    [
        {"start": "soon"},
        {"end": "2026-03-02T10:00"},
        {"end": "2026-03-02"},
        {"start": "1969-01-01T00:00"},
        {"recurrence": "FREQ=SECONDLY"},
        {"recurrence": "FREQ=DAILY\r\nATTENDEE:x"},
        {"recurrence": "every day"},
        {"attendees": ["mary"]},
        *[
            {"recurrence": rule}
            for rule in ("FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;COUNT=0", "FREQ=DAILY;COUNT=3;COUNT=4",
                         "FREQ=WEEKLY;BYDAY=XX", "FREQ=DAILY;INTERVAL=-1", "FREQ=DAILY;COUNT=99999999",
                         "FREQ=DAILY;UNTIL=20261399",
                         "FREQ=DAILY;COUNT=2;UNTIL=20260401", "FREQ=DAILY;BYHOUR=1,2", "FREQ=YEARLY;BYMONTH=13",
                         "FREQ=MONTHLY;BYMONTHDAY=0", "FREQ=MONTHLY;BYSETPOS=1", "FREQ=WEEKLY;BYDAY=2MO", "INTERVAL=2",
                         "FREQ=WEEKLY;BYDAY=", "FREQ=WEEKLY;", "FREQ=DAILY,WEEKLY", "FREQ=DAILY;X-A=1",
                         "FREQ=WEEKLY;BYMONTHDAY=3", "FREQ=DAILY;COUNT=\u0663")
        ],
    ],
)  # fmt: skip
def test_what_can_not_be_an_event_is_refused_before_the_calendar_is_asked(diary: Diary, given: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        diary.create(**given)
    assert diary.http.asked == []


def test_only_people_of_the_settings_are_invited(diary: Diary) -> None:
    with pytest.raises(PolicyDenied, match="attendee_domains"):
        diary.create(attendees=["m@example.com", "eve@evil.com"])
    assert diary.titles() == []


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_a_create_that_is_not_answered_makes_one_event_in_the_end(diary: Diary, method: str, done: bool) -> None:
    diary.http.broken = [("POST" if diary.google is not None and method == "PUT" else method, done)]
    broken = 0
    for _ in range(4):
        try:
            diary.create()
        except ToolUnavailable:
            broken += 1
    # What CalDAV has taken is done, whatever becomes of the reading after it.
    assert broken == (0 if method == "GET" and diary.google is None else 1)
    assert diary.titles() == ["Meeting"]


def test_a_create_is_undone_only_where_nobody_changed_it_since(diary: Diary) -> None:
    made, undo = diary.create()
    diary.change(made.event.event_id, title="Lunch")
    with pytest.raises(ToolFailed, match="changed since"):
        diary.act().undo(undo)
    assert diary.titles() == ["Lunch"]
    made, undo = diary.create("f" * 64)
    diary.act().undo(undo)
    diary.act().undo(undo)
    assert diary.titles() == ["Lunch"]


def test_a_change_leaves_the_rest_and_is_undone_once(diary: Diary) -> None:
    made, _ = diary.create(location="Room 5", attendees=["m@example.com"])
    changed, undo = diary.change(
        made.event.event_id, title="Lunch", start="2026-03-05T12:00", end="2026-03-05T13:00", version=made.event.version
    )
    assert (changed.event.title, changed.event.location) == ("Lunch", "Room 5")
    assert changed.event.start == "2026-03-05T12:00:00+01:00"
    assert changed.event.attendees == ("m@example.com",)
    diary.act().undo(undo)
    page = diary.act().find(start="2026-03-01", end="2026-03-31", text=None, timezone=None, limit=5)
    assert [(one.title, one.start) for one in page.events] == [("Meeting", "2026-03-02T10:00:00+01:00")]
    with pytest.raises(ToolFailed, match="changed since"):
        diary.act().undo(undo)


def test_a_change_of_what_somebody_changed_since_it_was_read_is_refused(diary: Diary) -> None:
    made, _ = diary.create()
    diary.change(made.event.event_id, title="Lunch")
    with pytest.raises(RecordChanged):
        diary.change(made.event.event_id, "d" * 64, title="Dinner", version=made.event.version)
    assert diary.titles() == ["Lunch"]


def test_two_who_change_at_once_do_not_overwrite_each_other(diary: Diary) -> None:
    made, _ = diary.create()
    calendar = diary.make(diary.secret)
    stored = calendar.read(made.event.event_id)
    diary.change(made.event.event_id, title="Lunch")
    with pytest.raises(RecordChanged):
        calendar.change(stored, {"title": "Dinner"}, marker="d" * 64)
    with pytest.raises(RecordChanged):
        calendar.cancel(stored)
    assert diary.titles() == ["Lunch"]


@pytest.mark.parametrize("done", [True, False])
def test_a_change_that_is_not_answered_is_looked_for(diary: Diary, done: bool) -> None:
    made, _ = diary.create()
    diary.http.broken = [("PUT", done)]
    if done:
        _, undo = diary.change(made.event.event_id, title="Lunch")
        diary.act().undo(undo)
    else:
        with pytest.raises(ToolUnavailable):
            diary.change(made.event.event_id, title="Lunch")
    assert diary.titles() == ["Meeting"]


def test_a_change_whose_function_died_is_found_done_or_uncertain(diary: Diary) -> None:
    made, _ = diary.create()
    diary.change(made.event.event_id, title="Lunch")
    done, undo = diary.change(made.event.event_id, again=True, title="Lunch")
    assert (undo, done.note) == (None, "an earlier try did it: it can't be undone")
    with pytest.raises(EffectUncertain):
        diary.change(made.event.event_id, "d" * 64, again=True, title="Dinner")
    done, _ = diary.change(made.event.event_id, "d" * 64, again=True, title="Dinner", version=done.event.version)
    assert diary.titles() == ["Dinner"]


def test_a_cancelled_event_comes_back_as_it_was(diary: Diary) -> None:
    made, _ = diary.create(description="all of it", attendees=["m@example.com"])
    done, undo = diary.act().cancel(made.event.event_id, version=made.event.version, again=False)
    assert done.event.cancelled
    assert undo is not None
    assert diary.titles() == []
    diary.act().undo(undo)
    page = diary.act().find(start="2026-03-01", end="2026-03-31", text=None, timezone=None, limit=5)
    assert [(one.title, one.description, one.attendees) for one in page.events] == [
        ("Meeting", "all of it", ("m@example.com",))
    ]


@pytest.mark.parametrize("versioned", [True, False])
def test_a_cancelled_event_that_a_human_brought_back_is_not_cancelled_again(diary: Diary, versioned: bool) -> None:
    made, _ = diary.create()
    version = made.event.version if versioned else None
    _, undo = diary.act().cancel(made.event.event_id, version=version, again=False)
    assert undo is not None
    diary.act().undo(undo)
    with pytest.raises(EffectUncertain, match="restored"):
        diary.act().cancel(made.event.event_id, version=version, again=True)
    assert diary.titles() == ["Meeting"]


def test_a_cancellation_that_is_not_answered_is_uncertain(diary: Diary) -> None:
    made, _ = diary.create()
    diary.http.broken = [("DELETE", True)]
    with pytest.raises(EffectUncertain):
        diary.act().cancel(made.event.event_id, version=None, again=False)
    assert diary.titles() == []


@pytest.mark.parametrize("event_id", ["../other/x.ics", "..", ".", "a/b", "no-such.ics", "x?y=1", "a b", "%2e%2e"])
def test_an_id_stays_an_id_whatever_is_in_it(diary: Diary, event_id: str) -> None:
    with pytest.raises((InvalidInput, NotFound, ToolFailed)):
        diary.act().find(start="", end="", text=None, timezone=None, limit=1, event_id=event_id)


@pytest.mark.parametrize(("start", "end"), [("2026-03-02", "2026-03-01"), ("2020-01-01", "2026-01-01"), ("x", "y")])
def test_a_search_over_no_time_or_too_much_is_refused(diary: Diary, start: str, end: str) -> None:
    with pytest.raises(InvalidInput):
        diary.titles(start, end)


def test_more_than_was_asked_for_is_told(diary: Diary) -> None:
    for number in range(4):
        start = f"2026-03-0{number + 2}T10:00"
        diary.create(f"{number}" * 64, title=f"Meeting {number}", start=start, end="2026-03-09T11:00")
    page = diary.act().find(start="2026-03-01", end="2026-03-31", text=None, timezone=None, limit=3)
    assert ([one.title for one in page.events], page.more) == (["Meeting 0", "Meeting 1", "Meeting 2"], True)


def test_a_credential_that_is_not_accepted_is_the_operators_to_mend(diary: Diary) -> None:
    with pytest.raises(ConfigurationError, match="does not accept the credential"):
        diary.act("another secret").find(start="2026-03-01", end="2026-03-02", text=None, timezone=None, limit=1)


@pytest.mark.parametrize("limit", list(LIMITS))
def test_google_s_limits_of_both_kinds_are_told_as_such(limit: str) -> None:
    vendor, http = Google(), PlainHttp()
    with listen(vendor) as url:
        calendar = GoogleCalendar(http, f"{url}/calendar/v3", calendar="primary", token=lambda: TOKEN)
        vendor.faults = [Fault(False, LIMITS[limit], "GET")]
        with pytest.raises(ToolThrottled):
            calendar.read("abc")
        vendor.faults = [Fault(False, Reply(403, {"error": {"errors": [{"reason": "quotaExceeded"}]}}), "GET")]
        with pytest.raises(ToolFailed, match="whole day"):
            calendar.read("abc")
        vendor.faults = [Fault(False, Reply(403, {"error": {"errors": [{"reason": "forbidden"}]}}), "GET")]
        with pytest.raises(ToolFailed, match="refuses"):
            calendar.read("abc")


def test_one_occurrence_of_a_series_is_changed_and_cancelled_alone(diary: Diary) -> None:
    diary.create(recurrence="FREQ=WEEKLY;COUNT=4")
    page = diary.act().find(start="2026-03-01", end="2026-04-01", text=None, timezone=None, limit=10)
    # The clocks change on 29 March: the meeting stays at ten.
    assert [one.start for one in page.events] == [
        "2026-03-02T10:00:00+01:00",
        "2026-03-09T10:00:00+01:00",
        "2026-03-16T10:00:00+01:00",
        "2026-03-23T10:00:00+01:00",
    ]
    second, third = page.events[1], page.events[2]
    assert second.series_id is not None and second.series_id == third.series_id != second.event_id
    changed, undo = diary.change(second.event_id, title="Other", start="2026-03-10T15:00", end="2026-03-10T16:00")
    assert changed.event.event_id == second.event_id
    # CalDAV keeps a series as one entry, Google each occurrence that was changed as an event.
    version = changed.event.version if diary.google is None else third.version
    _, undo_cancel = diary.act().cancel(third.event_id, version=version, again=False)
    assert undo_cancel is not None
    assert list_starts(diary) == [("Meeting", "03-02T10:00"), ("Other", "03-10T15:00"), ("Meeting", "03-23T10:00")]
    if diary.google is None:
        with pytest.raises(NotFound):
            diary.act().find(start="", end="", text=None, timezone=None, limit=1, event_id=third.event_id)
        with pytest.raises(ToolFailed, match="changed since"):
            diary.act().undo(undo)
    else:
        gone = diary.act().find(start="", end="", text=None, timezone=None, limit=1, event_id=third.event_id)
        assert gone.events[0].cancelled
        diary.act().undo(undo)
    diary.act().undo(undo_cancel)
    assert len(list_starts(diary)) == 4
    assert diary.titles().count("Meeting") == (3 if diary.google is None else 4)


def test_a_series_over_a_change_of_clocks_stays_on_its_clock(diary: Diary) -> None:
    diary.create(recurrence="FREQ=WEEKLY;COUNT=2", start="2026-03-27T10:00", end="2026-03-27T11:00")
    page = diary.act().find(start="2026-03-01", end="2026-04-30", text=None, timezone=None, limit=10)
    assert [one.start for one in page.events] == ["2026-03-27T10:00:00+01:00", "2026-04-03T10:00:00+02:00"]


def test_a_series_that_is_cancelled_takes_its_occurrences_along_and_brings_them_back(diary: Diary) -> None:
    made, _ = diary.create(recurrence="FREQ=WEEKLY;COUNT=3")
    page = diary.act().find(start="2026-03-08", end="2026-03-12", text=None, timezone=None, limit=10)
    diary.change(page.events[0].event_id, title="Other")
    before = list_starts(diary)
    assert len(before) == 3
    _, undo = diary.act().cancel(made.event.event_id, version=None, again=False)
    assert list_starts(diary) == [] and undo is not None
    diary.act().undo(undo)
    assert list_starts(diary) == before


def list_starts(diary: Diary) -> list[tuple[str, str]]:
    page = diary.act().find(start="2026-03-01", end="2026-06-01", text=None, timezone=None, limit=50)
    return [(one.title, one.start[5:16]) for one in page.events]


@pytest.mark.parametrize("last", ["COUNT=5", "UNTIL=20260330T080000Z"])
def test_a_series_that_moves_takes_what_was_cancelled_and_changed_along(caldav: Diary, last: str) -> None:
    made, _ = caldav.create(recurrence=f"FREQ=WEEKLY;{last}")
    page = caldav.act().find(start="2026-03-01", end="2026-04-30", text=None, timezone=None, limit=10)
    second, third, fourth = (one.event_id for one in page.events[1:4])
    caldav.act().cancel(second, version=None, again=False)
    caldav.change(third, title="Special", start="2026-03-17T15:00", end="2026-03-17T16:00")
    caldav.change(fourth, "d" * 64, title="Same time")
    caldav.change(made.event.event_id, "e" * 64, start="2026-03-03T12:30", end="2026-03-03T14:00")
    assert list_starts(caldav) == [
        ("Meeting", "03-03T12:30"),
        ("Special", "03-17T15:00"),
        ("Same time", "03-24T12:30"),
        ("Meeting", "03-31T12:30"),
    ]
    page = caldav.act().find(start="2026-03-24", end="2026-03-25", text=None, timezone=None, limit=10)
    assert page.events[0].end[11:16] == "14:00"
    zone: dict[str, Any] = {"start": "2026-03-03T09:00", "end": "2026-03-03T10:00", "timezone": "America/New_York"}
    caldav.change(made.event.event_id, "f" * 64, **zone)
    assert [start for _, start in list_starts(caldav)] == ["03-03T09:00", "03-17T15:00", "03-24T09:00", "03-31T09:00"]


@pytest.mark.parametrize(
    ("last", "stored", "times"),
    [
        ("20260330", "20260330T215959Z", ["03-16T10:00", "03-23T10:00", "03-30T10:00"]),
        ("20260330T100000", "20260330T080000Z", ["03-16T10:00", "03-23T10:00", "03-30T10:00"]),
        ("20260330T080000Z", "20260330T080000Z", ["03-16T10:00", "03-23T10:00", "03-30T10:00"]),
        ("20260330T095959", "20260330T075959Z", ["03-16T10:00", "03-23T10:00"]),
        ("20260329", "20260329T215959Z", ["03-16T10:00", "03-23T10:00"]),
    ],
)
def test_each_form_of_the_last_moment_means_the_place_of_the_event(
    diary: Diary, last: str, stored: str, times: list[str]
) -> None:
    """In the last days of March the clock of Zurich moves."""
    made, _ = diary.create(
        recurrence=f"FREQ=WEEKLY;UNTIL={last};BYDAY=MO", start="2026-03-16T10:00", end="2026-03-16T11:00"
    )
    assert made.event.recurrence is not None and f"UNTIL={stored}" in made.event.recurrence
    assert [start for _, start in list_starts(diary)] == times


@pytest.mark.parametrize("last", ["20260313", "20260313T235959", "20260313T100000Z"])
def test_a_series_of_days_ends_with_a_day(diary: Diary, last: str) -> None:
    made, _ = diary.create(start="2026-03-10", end="2026-03-11", recurrence=f"FREQ=DAILY;UNTIL={last}")
    assert made.event.recurrence == "FREQ=DAILY;UNTIL=20260313"


@pytest.mark.parametrize(("start", "last"), [("2026-03-10T10:00", "20260310T085959Z"), ("2026-03-10", "20260309")])
def test_a_series_does_not_end_before_it_begins(diary: Diary, start: str, last: str) -> None:
    end = start.replace("T10", "T11") if "T" in start else "2026-03-11"
    with pytest.raises(InvalidInput, match="end before it begins"):
        diary.create(start=start, end=end, recurrence=f"FREQ=DAILY;UNTIL={last}")


def test_a_series_of_whole_days_moves_with_the_day_that_was_cancelled(caldav: Diary) -> None:
    made, _ = caldav.create(start="2026-03-10", end="2026-03-11", recurrence="FREQ=DAILY;UNTIL=20260313")
    page = caldav.act().find(start="2026-03-11", end="2026-03-12", text=None, timezone=None, limit=10)
    (second,) = [one.event_id for one in page.events if one.start == "2026-03-11"]
    caldav.act().cancel(second, version=None, again=False)
    caldav.change(made.event.event_id, start="2026-03-20", end="2026-03-21")
    assert [start for _, start in list_starts(caldav)] == ["03-20", "03-22", "03-23"]


ZONES = {"named": (";TZID=Europe/Zurich:", ""), "utc": (":", "Z"), "floating": (":", "")}
# A day, a moment as the series' own clock has it, and the end of the last day: each keeps all four occurrences.
LASTS = ["UNTIL=20260331", "UNTIL=20260330T{last}", "UNTIL=20260330T215959{z}"]


@pytest.mark.parametrize("moved", ["09:00", "08:30", "10:30", "13:00"])
@pytest.mark.parametrize("last", LASTS)
@pytest.mark.parametrize("zone", list(ZONES))
def test_a_series_of_others_that_moves_keeps_its_last_occurrence(
    caldav: Diary, zone: str, last: str, moved: str
) -> None:
    """The clocks change on 29 March; the series has Mondays and Tuesdays around it."""
    before, after = ZONES[zone]
    utc = "Z" if zone != "floating" else ""
    rule = last.format(last={"named": "080000Z", "utc": "100000Z", "floating": "100000"}[zone], z=utc)
    put_series(
        caldav,
        f"DTSTART{before}20260327T100000{after}\nDTEND{before}20260327T110000{after}\nRRULE:FREQ=DAILY;{rule}",
    )
    days = [start[:5] for _, start in list_starts(caldav)]
    assert days == ["03-27", "03-28", "03-29", "03-30"]
    hour = {"start": f"2026-03-27T{moved}", "end": "2026-03-27T14:00"}
    timezone = "UTC" if zone == "utc" else "Europe/Zurich"
    caldav.change("series.ics", start=hour["start"], end=hour["end"], timezone=timezone)
    assert list_starts(caldav) == [("Meeting", f"{day}T{moved}") for day in days]


@pytest.mark.parametrize(
    ("start", "first", "last"), [("2026-03-09", "03-09", "03-12"), ("2026-03-12", "03-12", "03-15")]
)
def test_a_series_of_whole_days_keeps_its_last_day_earlier_and_later(
    caldav: Diary, start: str, first: str, last: str
) -> None:
    put_series(caldav, "DTSTART;VALUE=DATE:20260310\nRRULE:FREQ=DAILY;UNTIL=20260313")
    caldav.change("series.ics", start=start, end=f"{start[:-2]}{int(start[-2:]) + 1:02}")
    starts = [at for _, at in list_starts(caldav)]
    assert (starts[0], starts[-1], len(starts)) == (first, last, 4)


def test_a_series_whose_rule_names_its_days_keeps_the_last_of_them(caldav: Diary) -> None:
    put_series(
        caldav,
        "DTSTART;TZID=Europe/Zurich:20260302T100000\nDTEND;TZID=Europe/Zurich:20260302T110000\n"
        "RRULE:FREQ=WEEKLY;BYDAY=MO;UNTIL=20260316T090000Z",
    )
    caldav.change("series.ics", start="2026-03-01T09:00", end="2026-03-01T10:00")
    assert [start for _, start in list_starts(caldav)][-3:] == ["03-02T09:00", "03-09T09:00", "03-16T09:00"]


@pytest.mark.parametrize(("end", "others"), [("2026-03-27T12:30", "12:30"), ("2026-03-27T11:15", "11:15")])
def test_an_occurrence_with_a_length_of_its_own_keeps_it_when_its_series_moves(
    caldav: Diary, end: str, others: str
) -> None:
    made, _ = caldav.create(recurrence="FREQ=DAILY;COUNT=6", start="2026-03-27T10:00", end="2026-03-27T11:00")
    page = caldav.act().find(start="2026-03-27", end="2026-04-30", text=None, timezone=None, limit=10)
    longer, shorter, renamed = (page.events[place].event_id for place in (1, 3, 4))
    caldav.change(longer, "1" * 64, start="2026-03-28T10:00", end="2026-03-28T13:00")
    caldav.change(shorter, "2" * 64, start="2026-03-30T10:00", end="2026-03-30T10:20")
    caldav.change(renamed, "3" * 64, title="Meeting")
    caldav.change(made.event.event_id, "4" * 64, start="2026-03-27T10:45", end=end)
    page = caldav.act().find(start="2026-03-27", end="2026-04-30", text=None, timezone=None, limit=10)
    assert [one.start[11:16] for one in page.events] == ["10:45"] * 6
    assert [one.end[11:16] for one in page.events] == [others, "13:45", others, "11:05", others, others]


def put_series(diary: Diary, lines: str) -> None:
    """Store a series as another client writes it."""
    diary.make(diary.secret).put_back(
        "series.ics",
        f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\nBEGIN:VEVENT\nUID:series\nDTSTAMP:20260101T000000Z\n"
        f"SUMMARY:Meeting\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n".replace("\n", "\r\n"),
        version=None,
    )


@pytest.mark.parametrize(
    "given",
    [{"start": "2026-03-03T10:00", "end": "2026-03-03T11:00"}, {"start": "2026-03-02", "end": "2026-03-03"}],
)
def test_a_series_that_can_not_take_its_exceptions_along_stays(caldav: Diary, given: dict[str, Any]) -> None:
    made, _ = caldav.create(recurrence="FREQ=WEEKLY;BYDAY=MO;COUNT=3")
    page = caldav.act().find(start="2026-03-08", end="2026-03-12", text=None, timezone=None, limit=10)
    caldav.act().cancel(page.events[0].event_id, version=None, again=False)
    before = list_starts(caldav)
    with pytest.raises(ToolFailed, match="nothing was changed"):
        caldav.change(made.event.event_id, **given)
    assert list_starts(caldav) == before


AFTER = {
    "429": Reply(429, {}, {"retry-after": "5"}),
    "403": Reply(403, {}),
    "html": Reply(200, b"<html>proxy</html>", {"etag": '"2"'}),
    "empty": Reply(200, {}),
    "list": Reply(200, []),
    "null": Reply(200, b"null"),
}


@pytest.mark.parametrize("after", list(AFTER))
@pytest.mark.parametrize("act", ["create", "change", "cancel"])
def test_what_was_done_is_told_as_done_whatever_follows_it(diary: Diary, act: str, after: str) -> None:
    vendor_answers = diary.google is not None and act != "cancel"
    if vendor_answers and after in ("429", "403"):
        return  # then the write itself was refused
    made = diary.create()[0] if act != "create" else None
    event_id, key = (made.event.event_id, "c" * 64) if made else ("", KEY)
    method = ("POST" if act == "create" else "PUT") if vendor_answers else "GET"
    diary.http.answers = [(method, AFTER[after])]
    diary.http.skip = 0 if act == "create" or vendor_answers else 1
    if act == "create":
        done, undo = diary.create()
    elif act == "change":
        done, undo = diary.change(event_id, key, title="Lunch")
    else:
        done, undo = diary.act().cancel(event_id, version=None, again=False)
    assert diary.http.answers == [] or (act == "cancel" and diary.google is None)
    diary.http.answers = []
    assert diary.titles() == {"create": ["Meeting"], "change": ["Lunch"], "cancel": []}[act]
    assert done.event.title == ("Lunch" if act == "change" else "Meeting")
    if undo is None:
        assert "can't be undone" in str(done.note)
    else:
        diary.act().undo(undo)
        assert diary.titles() == ([] if act == "create" else ["Meeting"])


@pytest.mark.parametrize("after", list(AFTER))
def test_an_occurrence_that_was_cancelled_is_told_as_such(caldav: Diary, after: str) -> None:
    caldav.create(recurrence="FREQ=WEEKLY;COUNT=3")
    page = caldav.act().find(start="2026-03-08", end="2026-03-12", text=None, timezone=None, limit=10)
    caldav.http.answers, caldav.http.skip = [("GET", AFTER[after])], 1
    done, _ = caldav.act().cancel(page.events[0].event_id, version=None, again=False)
    assert done.event.cancelled and caldav.http.answers == []
    assert len(list_starts(caldav)) == 2


SERIES = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:test
BEGIN:VEVENT
UID:{uid}
DTSTAMP:20260301T000000Z
DTSTART:20260302T100000Z
{rest}
SUMMARY:Strange
END:VEVENT
END:VCALENDAR
"""


@pytest.mark.parametrize(
    ("rest", "shown"),
    [
        ("DURATION:PT1H", 1),
        ("DTEND:20260302T110000Z\nRRULE:FREQ=SECONDLY", 0),
        ("DTEND:20260302T110000Z\nRRULE:FREQ=DAILY;BYHOUR=1,2,3,4,5;BYMINUTE=1,2,3,4,5", 0),
        ("DTEND:20260302T110000Z\nRRULE:FREQ=DAILY;UNTIL=20260304T100000Z\nEXDATE:20260303T100000Z", 2),
        ("", 1),
    ],
)
def test_entries_of_other_programs_are_read_or_told_as_left_out(
    caldav: Diary, radicale: str, rest: str, shown: int
) -> None:
    calendar = caldav.make(caldav.secret)
    content = SERIES.format(uid="strange", rest=rest).replace("\n\n", "\n")
    calendar.put_back("strange.ics", content, version=None)
    page = caldav.act().find(start="2026-03-01", end="2026-03-10", text=None, timezone=None, limit=10)
    assert len(page.events) == shown
    assert bool(page.notes) is (shown == 0)
    calendar.remove("strange.ics", version=calendar_version(caldav, radicale))


def calendar_version(caldav: Diary, url: str) -> str:
    return str(caldav.http.request("GET", f"{url}/strange.ics", headers=_login(caldav)).headers["etag"])


def _login(caldav: Diary) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"ada:{caldav.secret}".encode()).decode()}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><D:multistatus xmlns:D="DAV:">&a;</D:multistatus>',
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
        b"\xff\xfe<",
    ],
)
def test_a_report_that_is_none_is_told(body: bytes) -> None:
    class Answering(Google):
        def respond(self, asked: Any) -> Reply:
            return Reply(207, body)

    http = PlainHttp()
    with listen(Answering()) as url:
        calendar = CalDavCalendar(http, url, authorize=dict, now=lambda: NOW)
        with pytest.raises(ToolFailed, match="not a report"):
            calendar.find(NOW, NOW.replace(day=9), text=None, limit=5)
