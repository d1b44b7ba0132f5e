"""Intervals hold the true value at every precision, and are narrow."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentad.tools.builtin.intervals import Interval, OutOfRange, Precision, TooFewDigits, get_precision

_FUNCTIONS = ("sin", "cos", "atan", "exp", "asin", "ln")
_PI = "3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211706798"


@given(st.fractions(-50, 50, max_denominator=10**6), st.sampled_from(_FUNCTIONS), st.sampled_from([20, 45, 90]))
def test_an_interval_holds_that_of_more_digits(value: Fraction, function: str, digits: int) -> None:
    value = abs(value) / 51 if function == "asin" else abs(value) + 1 if function == "ln" else value
    rough, fine = (_apply(get_precision(count), function, value) for count in (digits, digits + 150))
    assert rough.low <= fine.low <= fine.high <= rough.high
    assert rough.high - rough.low <= Decimal(10) ** (4 - digits) * max(Decimal(1), rough.largest)


def _apply(precision: Precision, function: str, value: Fraction) -> Interval:
    found: Interval = getattr(precision, function)(precision.enclose(value))
    return found


@pytest.mark.parametrize("digits", [10, 30, 90])
def test_pi_is_held(digits: int) -> None:
    found = get_precision(digits).pi()
    assert found.low < Decimal(_PI) < found.high and found.high - found.low < Decimal(10) ** (3 - digits)


@given(st.fractions(-9, 9), st.fractions(-9, 9))
def test_sums_products_and_quotients_hold_the_fraction(one: Fraction, two: Fraction) -> None:
    precision = get_precision(12)
    left, right = precision.enclose(one), precision.enclose(two)
    answers = [(precision.add(left, right), one + two), (precision.multiply(left, right), one * two)]
    answers += [(precision.power(left, Fraction(3)), one**3), (precision.negate(left), -one)]
    answers += [(precision.divide(left, right), one / two)] if two else []
    for found, true in answers:
        assert Fraction(found.low) <= true <= Fraction(found.high)


@given(st.fractions(0, 1000).filter(bool), st.fractions(-5, 5, max_denominator=12))
def test_powers_undo_roots(base: Fraction, exponent: Fraction) -> None:
    precision = get_precision(60)
    root = precision.power(precision.enclose(base), exponent)
    back = precision.power(root, Fraction(exponent.denominator))
    true = base**exponent.numerator
    assert Fraction(back.low) <= true <= Fraction(back.high)


def test_what_can_not_be_told_asks_for_more_digits() -> None:
    precision = get_precision(20)
    around = Interval(Decimal(-1), Decimal(1))
    computations: list[Callable[[], Interval]] = [
        lambda: precision.divide(around, around),
        lambda: precision.ln(around),
        lambda: precision.power(around, Fraction(1, 2)),
        lambda: precision.asin(Interval(Decimal("0.9"), Decimal("1.1"))),
        lambda: precision.sin(Interval(Decimal(1), Decimal(9))),
    ]
    for compute in computations:
        with pytest.raises(TooFewDigits):
            compute()


def test_an_angle_of_more_than_300_digits_is_out_of_range() -> None:
    with pytest.raises(OutOfRange):
        get_precision(20).sin(Interval(Decimal("1e301"), Decimal("1e301")))


@pytest.mark.parametrize("function", ["sin", "cos", "atan"])
@pytest.mark.parametrize("tiny", ["1e-1000000000000000", "-1e-1000000000000000", "0e-100000000000000000"])
def test_an_end_nearer_to_zero_than_memory_can_hold_is_not_written_out(function: str, tiny: str) -> None:
    ends = sorted((Decimal(tiny), Decimal("0.5").copy_sign(Decimal(tiny))))
    found = getattr(get_precision(20), function)(Interval(*ends))
    at_zero = Decimal(1) if function == "cos" else Decimal(0)
    assert found.low - Decimal("1e-18") <= at_zero <= found.high + Decimal("1e-18")
