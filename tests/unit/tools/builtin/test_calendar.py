"""Dates by the ISO calendar: month ends, leap years, clocks that change."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentad.domain.errors import InvalidInput
from pentad.tools.builtin import calendar

NOW = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "amounts", "end"),
    [
        ("2026-01-31", {"months": 1}, "2026-02-28"),
        ("2024-01-31", {"months": 1}, "2024-02-29"),
        ("2024-02-29", {"years": 1}, "2025-02-28"),
        ("2026-12-31", {"days": 1}, "2027-01-01"),
        ("2026-03-01", {"weeks": -1}, "2026-02-22"),
        ("2026-03-31", {"months": -1, "days": 1}, "2026-03-01"),
        ("1900-02-28", {"days": 1}, "1900-03-01"),
        ("2000-02-28", {"days": 1}, "2000-02-29"),
    ],
)
def test_adding_to_a_date(start: str, amounts: dict[str, int], end: str) -> None:
    assert calendar.add(date.fromisoformat(start), **amounts).isoformat() == end


@pytest.mark.parametrize("amounts", [{"years": 9000}, {"days": 1_000_000_000}, {"years": -5000}])
def test_leaving_the_calendar_is_told(amounts: dict[str, int]) -> None:
    with pytest.raises(InvalidInput, match="1 to 9999"):
        calendar.add(date(2026, 3, 1), **amounts)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (date(2026, 1, 1), date(2026, 12, 31), {"days": 364, "weeks": 52, "years": 0, "months": 11, "rest_days": 30}),
        (date(2024, 2, 28), date(2024, 3, 1), {"days": 2, "weeks": 0, "years": 0, "months": 0, "rest_days": 2}),
        (date(2026, 3, 1), date(2026, 2, 1), {"days": -28, "weeks": -4, "years": 0, "months": -1, "rest_days": 0}),
    ],
)
def test_the_difference_of_dates(start: date, end: date, expected: dict[str, int]) -> None:
    assert calendar.compute_difference(start, end) == expected


def test_a_night_in_which_clocks_go_forward_has_23_hours() -> None:
    zurich = calendar.get_zone("Europe/Zurich")
    start, end = datetime(2026, 3, 29, tzinfo=zurich), datetime(2026, 3, 30, tzinfo=zurich)
    assert calendar.compute_difference(start, end)["hours"] == 23


def test_times_with_and_without_offset_are_not_compared() -> None:
    with pytest.raises(InvalidInput, match="offset"):
        calendar.compute_difference(datetime(2026, 1, 1), NOW)


@given(st.dates(), st.dates())
def test_days_between_two_dates_are_the_same_backwards(first: date, last: date) -> None:
    there, back = calendar.compute_difference(first, last), calendar.compute_difference(last, first)
    assert there["days"] == (last - first).days == -back["days"]


@pytest.mark.parametrize(
    ("moment", "source", "target", "expected"),
    [
        ("2026-03-01T09:30", "Europe/Zurich", "America/New_York", {"to": "2026-03-01T03:30:00-05:00"}),
        ("2026-07-01T09:30", "Europe/Zurich", "Asia/Kolkata", {"to": "2026-07-01T13:00:00+05:30"}),
        ("2026-03-01T09:30+09:00", "Europe/Zurich", "UTC", {"to": "2026-03-01T00:30:00+00:00"}),
        ("2026-12-31T23:30", "UTC", "Pacific/Auckland", {"to": "2027-01-01T12:30:00+13:00", "weekday": "Friday"}),
    ],
)
def test_the_same_instant_on_another_clock(moment: str, source: str, target: str, expected: dict[str, str]) -> None:
    answer = calendar.convert(datetime.fromisoformat(moment), calendar.get_zone(source), calendar.get_zone(target))
    assert expected.items() <= answer.items()


@pytest.mark.parametrize(
    ("moment", "note"),
    [
        ("2026-03-29T02:30", "does not exist"),
        ("2026-10-25T02:30", "exists twice"),
    ],
)
def test_a_clock_time_that_is_skipped_or_doubled_is_told(moment: str, note: str) -> None:
    zurich = calendar.get_zone("Europe/Zurich")
    assert note in calendar.convert(datetime.fromisoformat(moment), zurich, UTC)["note"]


def test_today_is_the_day_of_the_zone() -> None:
    auckland = NOW.astimezone(calendar.get_zone("Pacific/Auckland"))
    assert calendar.parse("today", "date", auckland) == date(2026, 3, 2)
    assert calendar.parse("yesterday", "date", NOW) == date(2026, 2, 28)


@pytest.mark.parametrize(
    ("start", "end", "zone", "expected"),
    [
        ("2026-03-29T01:00", "2026-03-29T04:00", "Europe/Berlin", {"hours": 2, "days": 0}),
        ("2026-10-25T01:00", "2026-10-25T04:00", "Europe/Berlin", {"hours": 4}),
        ("2026-11-01T00:00", "2026-11-02T00:00", "America/New_York", {"hours": 25, "days": 1}),
        ("2026-11-02T00:00", "2026-11-01T00:00", "America/New_York", {"hours": -25, "days": -1}),
        ("2026-04-04T12:00", "2026-04-05T12:00", "Australia/Lord_Howe", {"hours": 24.5, "days": 1}),
        ("2026-03-28T12:00+01:00", "2026-03-29T12:00", "Europe/Berlin", {"hours": 23, "days": 1, "rest_days": 1}),
        ("2026-03-01T00:00Z", "2026-03-01T00:00+05:00", "Asia/Tokyo", {"hours": -5, "days": 0}),
        ("2026-03-01", "2026-03-29T04:00", "Europe/Berlin", {"hours": 675, "days": 28}),
        ("2026-01-01T00:00:00.5", "2026-01-01T00:00:01", "UTC", {"seconds": 0.5}),
        ("0001-01-01", "9999-12-31T23:00", "Pacific/Auckland", {"years": 9998, "months": 11}),
    ],
)
def test_the_difference_is_counted_on_the_clock_of_the_zone(
    start: str, end: str, zone: str, expected: dict[str, Any]
) -> None:
    first, last = (calendar.parse(text, "start", NOW) for text in (start, end))
    assert expected.items() <= calendar.compute_difference(first, last, calendar.get_zone(zone)).items()


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        # Summer and winter of one place: the clocks count.
        ("2026-03-01T00:00+01:00", "2026-04-01T00:00+02:00", {"months": 1, "rest_days": 0, "days": 31, "hours": 743}),
        # Two places: one instant is no day away from itself.
        ("2026-03-01T23:00-11:00", "2026-03-03T00:00+14:00", {"days": 0, "rest_days": 0, "hours": 0}),
        ("2026-03-01T00:00", "2026-03-02T12:00", {"days": 1, "hours": 36}),
    ],
)
def test_without_a_zone_times_keep_their_own_clocks(start: str, end: str, expected: dict[str, Any]) -> None:
    first, last = (calendar.parse(text, "start", NOW) for text in (start, end))
    assert expected.items() <= calendar.compute_difference(first, last).items()


@pytest.mark.parametrize(
    ("clock", "zone", "said", "placed"),
    [
        ("2026-03-29T02:30", "Europe/Berlin", "does not exist", "2026-03-29T03:30:00+02:00"),
        ("2026-10-25T02:30", "Europe/Berlin", "exists twice", "2026-10-25T02:30:00+02:00"),
        ("2018-11-04T00:15", "America/Sao_Paulo", "does not exist", "2018-11-04T01:15:00-02:00"),
        ("2026-04-05T01:45", "Australia/Lord_Howe", "exists twice", "2026-04-05T01:45:00+11:00"),
        ("2011-12-30T10:00", "Pacific/Apia", "does not exist", "2011-12-31T10:00:00+14:00"),
        ("2026-03-29T02:30", "UTC", "", "2026-03-29T02:30:00+00:00"),
        ("2026-03-29T01:30Z", "Europe/Berlin", "", "2026-03-29T03:30:00+02:00"),
    ],
)
def test_a_time_is_placed_on_a_clock_and_what_is_odd_is_told_everywhere(
    clock: str, zone: str, said: str, placed: str
) -> None:
    there, moment = calendar.get_zone(zone), datetime.fromisoformat(clock)
    found, notes = calendar.place(moment, there)
    assert found.isoformat() == placed and said in "".join(notes) and bool(notes) == bool(said)
    told = [
        calendar.tell_weekday(moment, there),
        calendar.compute_difference(moment, NOW, there),
        calendar.compute_difference(NOW, moment, there),
        calendar.move(moment, there, days=20),
        calendar.convert(moment, there, UTC),
    ]
    assert all(said in answer.get("note", "") and bool(said) == ("note" in answer) for answer in told)


@pytest.mark.parametrize(
    ("start", "zone", "amounts", "result", "said"),
    [
        ("2026-03-28T02:30", "Europe/Berlin", {"days": 1}, "2026-03-29T03:30:00+02:00", "does not exist"),
        ("2026-10-18T02:30", "Europe/Berlin", {"weeks": 1}, "2026-10-25T02:30:00+02:00", "exists twice"),
        ("2025-03-09T02:30", "America/New_York", {"years": 1}, "2026-03-09T03:30:00-04:00", ""),
        ("2026-02-28T02:30+01:00", "Europe/Berlin", {"months": 1}, "2026-03-28T02:30:00+01:00", ""),
        ("2026-03-28T12:00", "Europe/Berlin", {"days": 1}, "2026-03-29T12:00:00+02:00", ""),
        ("2026-03-28T12:00+01:00", None, {"days": 1}, "2026-03-29T12:00:00+01:00", ""),
        ("2026-03-28T12:00", None, {"days": 1}, "2026-03-29T12:00:00", ""),
        ("2026-10-25T00:30Z", "Europe/Berlin", {}, "2026-10-25T02:30:00+02:00", ""),
        ("2026-10-25T01:30Z", "Europe/Berlin", {}, "2026-10-25T02:30:00+01:00", ""),
        ("2011-12-29", "Pacific/Apia", {"days": 1}, "2011-12-30", "does not exist"),
    ],
)
def test_moving_a_time_keeps_the_clock_of_the_zone(
    start: str, zone: str | None, amounts: dict[str, int], result: str, said: str
) -> None:
    there = None if zone is None else calendar.get_zone(zone)
    answer = calendar.move(calendar.parse(start, "date", NOW), there, **amounts)
    if start.startswith("2025-03-09"):
        assert "does not exist" in answer.pop("note")
    assert answer["result"] == result and said in answer.get("note", "") and bool(said) == ("note" in answer)


@pytest.mark.parametrize("text", ["0001-01-01T00:00+10:00", "9999-12-31T23:00-10:00", "0001-01-01T00:00Z"])
def test_a_time_that_leaves_the_calendar_on_a_clock_is_told(text: str) -> None:
    moment = datetime.fromisoformat(text)
    far = calendar.get_zone("Pacific/Auckland" if text.startswith("9") else "Pacific/Honolulu")
    for compute in (
        lambda: calendar.place(moment, far),
        lambda: calendar.convert(moment, UTC, far),
        lambda: calendar.compute_difference(moment, NOW, far),
        lambda: calendar.move(moment, far, days=1),
    ):
        with pytest.raises(InvalidInput, match="1 to 9999"):
            compute()


@pytest.mark.parametrize("text", ["2026-02-30", "tomorrowish", "", "03/01/2026", "10000-01-01"])
def test_what_is_no_date_is_told_with_its_field(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        calendar.parse(text, "start", NOW)
    assert caught.value.field == "start"


@pytest.mark.parametrize(
    ("name", "hint"),
    [("Europe/Zürich", "Zurich"), ("Zurich", "Zurich"), ("../etc/passwd", ""), ("Europe", ""), ("", "")],
)
def test_an_unknown_zone_is_told_with_what_is_close(name: str, hint: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        calendar.get_zone(name)
    assert hint in (caught.value.fix or "")


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2024, 12, 30), {"weekday": "Monday", "iso_week": "2025-W01", "day_of_year": 365, "leap_year": True}),
        (date(1900, 1, 1), {"weekday": "Monday", "leap_year": False}),
        (date(2000, 2, 29), {"weekday": "Tuesday", "leap_year": True}),
    ],
)
def test_the_weekday_of_a_date(day: date, expected: dict[str, Any]) -> None:
    assert expected.items() <= calendar.describe(day).items()
