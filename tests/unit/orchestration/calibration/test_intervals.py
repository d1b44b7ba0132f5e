"""Limits of shares, held against the binomial distribution itself and published tables."""

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pentad.domain.errors import InvalidInput
from pentad.orchestration.calibration.intervals import compute_beta, count_needed, find_interval, find_low

# Newcombe 1998, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17, table I: exact.
NEWCOMBE = {
    (81, 263): (0.2527, 0.3676),
    (15, 148): (0.0578, 0.1617),
    (0, 20): (0.0000, 0.1684),
    (1, 29): (0.0009, 0.1776),
}


@pytest.mark.parametrize(("trials", "limits"), NEWCOMBE.items())
def test_limits_are_those_of_the_published_table(trials: tuple[int, int], limits: tuple[float, float]) -> None:
    assert tuple(round(limit, 4) for limit in find_interval(*trials)) == limits


def tail_of(correct: int, count: int, share: float) -> float:
    """Return the chance of so many right ones or more, exactly."""
    p = Fraction(share)
    return float(sum(comb(count, k) * p**k * (1 - p) ** (count - k) for k in range(correct, count + 1)))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 80).flatmap(lambda count: st.tuples(st.integers(0, count), st.just(count))))
def test_below_the_lower_limit_so_many_right_ones_have_the_chance_of_the_tail(trials: tuple[int, int]) -> None:
    correct, count = trials
    low, high = find_interval(correct, count)
    assert 0 <= low <= correct / count <= high <= 1
    if correct:
        assert tail_of(correct, count, low) == pytest.approx(0.025, abs=1e-9)
    if correct < count:
        assert 1 - tail_of(correct + 1, count, high) == pytest.approx(0.025, abs=1e-9)


def test_large_numbers_narrow_the_interval_around_the_share() -> None:
    low, high = find_interval(95_000, 100_000)
    assert (round(low, 4), round(high, 4)) == (0.9486, 0.9513)
    assert find_low(100_000, 100_000) == pytest.approx(0.05 ** (1 / 100_000))


@pytest.mark.parametrize(("share", "needed"), [(0.95, 59), (0.9, 29), (0.5, 5), (0.99, 299)])
def test_so_many_right_ones_in_a_row_are_needed(share: float, needed: int) -> None:
    assert count_needed(share) == needed
    assert find_low(needed, needed) >= share > find_low(needed - 1, needed - 1)


@pytest.mark.parametrize("trials", [(0, 0), (-1, 5), (6, 5)])
def test_what_are_no_trials_is_refused(trials: tuple[int, int]) -> None:
    with pytest.raises(InvalidInput, match="the count must be at least 1"):
        find_low(*trials)


def test_the_beta_function_at_its_ends() -> None:
    assert (compute_beta(0, 3, 4), compute_beta(1, 3, 4)) == (0, 1)
