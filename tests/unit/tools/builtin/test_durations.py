"""Durations of ISO 8601."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentad.domain.errors import InvalidInput
from pentad.tools.builtin.durations import Duration, describe_duration, read_duration


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("PT90M", "PT1H30M"),
        ("P1Y14M", "P2Y2M"),
        ("P1W", "P7D"),
        ("1:30", "PT1H30M"),
        ("-00:00:01.5", "-PT1.5S"),
        ("pt0.1s", "PT0.1S"),
        ("PT36H", "P1DT12H"),
        ("P0D", "PT0S"),
        ("PT1,5H", "PT1H30M"),
        ("P1.5Y", "P1Y6M"),
    ],
)
def test_a_duration_is_read_and_written(text: str, iso: str) -> None:
    assert read_duration(text).show_iso() == iso


@given(st.integers(0, 10**6), st.integers(0, 10**12))
def test_what_is_written_is_read_as_the_same(months: int, micros: int) -> None:
    duration = Duration(months, Fraction(micros, 10**6))
    assert read_duration(duration.show_iso()) == duration


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1H", "1h", "P1DT", "P0.1M", "PT1e9S", "P\u0661D", "1:75", "P" + "1" * 9]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_duration(text)


def test_totals_are_exact_and_months_stay_apart() -> None:
    told = describe_duration(read_duration("P1M1DT1H"))
    assert (told["total_hours"], told["total_minutes"], told["months"]) == ("25", "1500", 1)
    assert "no fixed length" in str(told["note"])
    with pytest.raises(InvalidInput, match="one way"):
        describe_duration(read_duration("P1M") + read_duration("-P1D"))
