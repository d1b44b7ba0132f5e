"""Backoff and Retry-After as arithmetic."""

from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentad.models.providers import backoff
from tests.unit.models.samples import NOW

EPOCH = NOW.timestamp()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("2", 2.0),
        ("0.25", 0.25),
        ("0", 0.0),
        ("-5", 0.0),
        ("999999999", 999_999_999.0),
        ("NaN", None),
        ("inf", None),
        ("soon", None),
        ("", None),
        (format_datetime(NOW.replace(second=7), usegmt=True), 7.0),
        ("Sun, 22 Nov 2020 12:00:00 GMT", 0.0),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert backoff.retry_after_seconds(header, EPOCH) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": "9"}, 9.0),
        ({}, None),
    ],
)
def test_milliseconds_go_before_seconds(headers: dict[str, str], seconds: float | None) -> None:
    assert backoff.read_retry_after(headers, EPOCH) == seconds


@given(st.integers(min_value=1, max_value=2_000), st.floats(min_value=0, max_value=1, exclude_max=True))
def test_the_wait_is_never_above_the_cap(number: int, random: float) -> None:
    assert 0 <= backoff.compute_backoff(min(number, 1000), random) <= backoff.CAP_SECONDS


def test_jitter_is_full_and_grows() -> None:
    assert [backoff.compute_backoff(number, 0.5) for number in (1, 2, 3)] == [0.25, 0.5, 1.0]
    assert backoff.compute_backoff(3, 0.0) == 0


@given(st.floats(min_value=0, max_value=900), st.integers(min_value=0, max_value=7))
def test_an_attempt_leaves_time_for_the_links_behind_it(remaining: float, links: int) -> None:
    timeout = backoff.attempt_timeout(remaining, 900, links)
    assert timeout + backoff.reserve(remaining, links) == pytest.approx(remaining)
    assert timeout >= remaining / (links + 2)
