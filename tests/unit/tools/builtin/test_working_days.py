"""Business days: weekends and holidays, forwards and backwards."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentad.domain.errors import InvalidInput
from pentad.tools.builtin.working_days import make_calendar

XMAS = make_calendar(["saturday", "Sunday"], ["2026-12-25", "2026-12-26", "2027-01-01"])
FRIDAYS = make_calendar(["friday"], [])
DAYS = st.dates(date(2020, 1, 1), date(2030, 1, 1))


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2026-12-24", 1, "2026-12-28"),
        ("2026-12-26", 1, "2026-12-28"),
        ("2026-12-26", 0, "2026-12-28"),
        ("2026-12-24", 0, "2026-12-24"),
        ("2026-12-28", -1, "2026-12-24"),
        ("2026-12-31", 1, "2027-01-04"),
    ],
)
def test_business_days_are_added(start: str, days: int, end: str) -> None:
    assert XMAS.add(date.fromisoformat(start), days) == date.fromisoformat(end)


@given(DAYS, st.integers(-400, 400))
def test_counting_is_what_walking_finds(start: date, span: int) -> None:
    end = start + timedelta(days=span)
    low, high = min(start, end), max(start, end)
    walked = sum(XMAS.is_open(low + timedelta(days=number)) for number in range((high - low).days))
    assert XMAS.count(start, end) == (walked if end >= start else -walked)


@given(DAYS, st.integers(1, 300))
def test_what_was_added_is_counted(start: date, days: int) -> None:
    first = FRIDAYS.add(start, 0)
    assert FRIDAYS.count(first, FRIDAYS.add(first, days)) == days


@pytest.mark.parametrize(
    ("weekend", "holidays"), [(["caturday"], []), (["saturday"], ["25.12.2026"]), (["saturday"], ["2026-02-30"])]
)
def test_what_is_no_day_is_refused(weekend: list[str], holidays: list[str]) -> None:
    with pytest.raises(InvalidInput, match="is no"):
        make_calendar(weekend, holidays)


def test_a_week_without_business_days_and_the_end_of_time_are_refused() -> None:
    with pytest.raises(InvalidInput, match="every day"):
        make_calendar(["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], [])
    with pytest.raises(InvalidInput, match="1 to 9999"):
        XMAS.add(date(9999, 12, 1), 100)
    with pytest.raises(InvalidInput, match="400 years"):
        XMAS.count(date(1, 1, 1), date(9999, 1, 1))
