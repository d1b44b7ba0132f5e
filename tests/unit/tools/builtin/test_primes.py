"""Factors give the number back, and large powers are seen."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentad.tools.builtin.primes import factor


@given(st.fractions(min_value=0).filter(bool))
def test_factors_multiply_to_the_number(value: Fraction) -> None:
    assert math.prod((Fraction(prime) ** times for prime, times in factor(value)), start=Fraction(1)) == value


@pytest.mark.parametrize(
    ("value", "factors"),
    [
        (Fraction(1), ()),
        (Fraction(360), ((2, 3), (3, 2), (5, 1))),
        (Fraction(8, 9), ((2, 3), (3, -2))),
        (Fraction(1_000_003**6), ((1_000_003, 6),)),
        (Fraction(9973 * 10007), ((9973, 1), (10007, 1))),
    ],
)
def test_primes_and_roots_are_found(value: Fraction, factors: tuple[tuple[int, int], ...]) -> None:
    assert factor(value) == factors
