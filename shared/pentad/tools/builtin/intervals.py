"""Decimal intervals that hold a real number for certain: arithmetic and elementary functions, rounded outwards.

The decimal module rounds sums, products, quotients, square roots, exponentials and logarithms correctly, so a step to
the neighbouring number on either side holds the true value. The trigonometric functions are series over integers, with
32 bits more than the digits asked for; their error is given where they are.
"""

import math
from dataclasses import dataclass
from decimal import (
    MAX_EMAX,
    MIN_EMIN,
    ROUND_CEILING,
    ROUND_FLOOR,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from fractions import Fraction
from functools import lru_cache

LARGEST_ANGLE = 300
"""Angles have at most this many digits before the point."""
SMALL_POWER = 64
_HALVINGS = 4


class TooFewDigits(Exception):
    """The interval is too wide for what is asked of it."""


class OutOfRange(Exception):
    """The value is larger than anything that is computed here."""


@dataclass(frozen=True, slots=True)
class Interval:
    """All numbers from ``low`` to ``high``."""

    low: Decimal
    high: Decimal

    @property
    def largest(self) -> Decimal:
        """The largest magnitude in it."""
        return max(self.low.copy_abs(), self.high.copy_abs())


class Precision:
    """Operations on intervals at a number of significant digits.

    Args:
        digits: how many.
    """

    def __init__(self, digits: int) -> None:
        self.digits = digits
        traps = [InvalidOperation, DivisionByZero, Overflow]
        self._down = Context(prec=digits, rounding=ROUND_FLOOR, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=traps)
        self._up = Context(prec=digits, rounding=ROUND_CEILING, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=traps)
        self._tiny = Decimal(1).scaleb(-digits)
        self._almost_one = Interval(self._down.subtract(Decimal(1), self._tiny), Decimal(1))

    def enclose(self, value: Fraction) -> Interval:
        """Return the interval of a rational number."""
        top, bottom = Decimal(value.numerator), Decimal(value.denominator)
        return Interval(self._down.divide(top, bottom), self._up.divide(top, bottom))

    def add(self, one: Interval, two: Interval) -> Interval:
        """Return the sum."""
        return Interval(self._down.add(one.low, two.low), self._up.add(one.high, two.high))

    def negate(self, one: Interval) -> Interval:
        """Return the interval with the other sign."""
        return Interval(one.high.copy_negate(), one.low.copy_negate())

    def multiply(self, one: Interval, two: Interval) -> Interval:
        """Return the product."""
        pairs = [(a, b) for a in (one.low, one.high) for b in (two.low, two.high)]
        return Interval(
            min(self._down.multiply(a, b) for a, b in pairs), max(self._up.multiply(a, b) for a, b in pairs)
        )

    def divide(self, one: Interval, two: Interval) -> Interval:
        """Return the quotient.

        Raises:
            TooFewDigits: the divisor can't be told from zero.
        """
        if two.low <= 0 <= two.high:
            raise TooFewDigits
        pairs = [(a, b) for a in (one.low, one.high) for b in (two.low, two.high)]
        return Interval(min(self._down.divide(a, b) for a, b in pairs), max(self._up.divide(a, b) for a, b in pairs))

    def power(self, base: Interval, exponent: Fraction) -> Interval:
        """Return a power.

        Raises:
            TooFewDigits: the base can't be told from zero, where its sign matters.
        """
        if exponent.denominator == 1 and abs(exponent) <= SMALL_POWER:
            return self._multiply_out(base, exponent.numerator)
        if base.high < 0 and exponent.denominator == 1:
            power = self.power(self.negate(base), exponent)
            return self.negate(power) if exponent.numerator % 2 else power
        if base.low <= 0:
            raise TooFewDigits
        if exponent == Fraction(1, 2):
            return Interval(
                self._down.next_minus(self._down.sqrt(base.low)), self._up.next_plus(self._up.sqrt(base.high))
            )
        return self.exp(self.multiply(self.enclose(exponent), self.ln(base)))

    def _multiply_out(self, base: Interval, exponent: int) -> Interval:
        result = Interval(Decimal(1), Decimal(1))
        for bit in f"{abs(exponent):b}":
            result = self.multiply(result, result)
            result = self.multiply(result, base) if bit == "1" else result
        return self.divide(Interval(Decimal(1), Decimal(1)), result) if exponent < 0 else result

    def exp(self, one: Interval) -> Interval:
        """Return e to the power of it."""
        return Interval(
            max(Decimal(0), self._down.next_minus(self._down.exp(one.low))), self._up.next_plus(self._up.exp(one.high))
        )

    def ln(self, one: Interval) -> Interval:
        """Return its natural logarithm.

        Raises:
            TooFewDigits: it can't be told from zero.
        """
        if one.low <= 0:
            raise TooFewDigits
        return Interval(self._down.next_minus(self._down.ln(one.low)), self._up.next_plus(self._up.ln(one.high)))

    def pi(self) -> Interval:
        """Return pi."""
        bits = _count_bits(self.digits)
        return self._widen(self._from_fixed(_compute_pi(bits), bits), self._tiny)

    def sin(self, one: Interval) -> Interval:
        """Return the sine; see `_turn`."""
        if one.largest < self._tiny:
            return self.multiply(one, self._almost_one)
        return self._turn(one, 0)

    def cos(self, one: Interval) -> Interval:
        """Return the cosine; see `_turn`."""
        return self._almost_one if one.largest < self._tiny else self._turn(one, 1)

    def _turn(self, one: Interval, quarter: int) -> Interval:
        """Return the sine of an angle and of so many quarter turns.

        Raises:
            OutOfRange: the angle has more than `LARGEST_ANGLE` digits.
            TooFewDigits: its width is that of a circle.
        """
        if one.largest.adjusted() > LARGEST_ANGLE:
            raise OutOfRange
        width = self._up.subtract(one.high, one.low)
        if width > 1:
            raise TooFewDigits
        bits = _count_bits(self.digits + max(0, one.largest.adjusted() + 1))
        sine = self._from_fixed(_compute_sine(_to_fixed(one.low, bits), quarter, bits), bits)
        found = self._widen(sine, self._up.add(width, self._tiny))
        return Interval(max(found.low, Decimal(-1)), min(found.high, Decimal(1)))

    def atan(self, one: Interval) -> Interval:
        """Return the angle of a tangent."""
        if one.largest < self._tiny:
            return self.multiply(one, self._almost_one)
        # A quotient rounded down and the series: each errs by less than the last digit.
        error = self._tiny * 2
        low, high = (self._widen(self._compute_atan(end), error) for end in (one.low, one.high))
        return Interval(low.low, high.high)

    def _compute_atan(self, value: Decimal) -> Interval:
        bits = _count_bits(self.digits)
        size = value.copy_abs()
        inverted = size > 1
        if inverted:
            size = self._down.divide(Decimal(1), size)
        angle = _compute_atan(_to_fixed(size, bits) if size >= self._tiny else 0, bits)
        if inverted:
            angle = (_compute_pi(bits) >> 1) - angle
        return self._from_fixed(-angle if value < 0 else angle, bits)

    def asin(self, one: Interval) -> Interval:
        """Return the angle of a sine.

        Raises:
            TooFewDigits: it can't be told from 1 or -1.
        """
        cosine = self.add(Interval(Decimal(1), Decimal(1)), self.negate(self.multiply(one, one)))
        return self.atan(self.divide(one, self.power(cosine, Fraction(1, 2))))

    def _from_fixed(self, number: int, bits: int) -> Interval:
        return self.enclose(Fraction(number, 1 << bits))

    def _widen(self, one: Interval, by: Decimal) -> Interval:
        return Interval(self._down.subtract(one.low, by), self._up.add(one.high, by))


@lru_cache(maxsize=16)
def get_precision(digits: int) -> Precision:
    """Return the operations at a number of digits."""
    return Precision(digits)


def _count_bits(digits: int) -> int:
    return digits * 10 // 3 + 64


def _to_fixed(value: Decimal, bits: int) -> int:
    """Return the number times 2**bits, rounded down."""
    if value.adjusted() < -bits:  # less than one of them; written out, 1E-1000000000000000 has as many digits
        return -1 if value < 0 else 0
    top, bottom = value.as_integer_ratio()
    return (top << bits) // bottom


@lru_cache(maxsize=16)
def _compute_pi(bits: int) -> int:
    """Return pi times 2**bits, at most one too small: 16 atan(1/5) - 4 atan(1/239) (Machin, 1706)."""
    guard = bits + 32
    return (16 * _compute_inverse_atan(5, guard) - 4 * _compute_inverse_atan(239, guard)) >> 32


def _compute_inverse_atan(number: int, bits: int) -> int:
    power = (1 << bits) // number
    total, odd = power, 1
    while power:
        power //= number * number
        odd += 2
        total += power // odd if odd % 4 == 1 else -(power // odd)
    return total


def _compute_sine(angle: int, quarter: int, bits: int) -> int:
    """Return the sine of an angle and of so many quarter turns; all times 2**bits. The error is under 2**14."""
    right = _compute_pi(bits) >> 1
    turns, rest = divmod(angle + (right >> 1), right)
    rest -= right >> 1
    size, square = abs(rest), rest * rest >> bits
    quarters = (turns + quarter) % 4
    term, place = ((1 << bits), 0) if quarters % 2 else (size, 1)
    total, sign = term, 1
    while term:
        term = (term * square >> bits) // ((place + 1) * (place + 2))
        place, sign = place + 2, -sign
        total += sign * term
    negative = (quarters >= 2) != (rest < 0 and quarters % 2 == 0)
    return -total if negative else total


def _compute_atan(tangent: int, bits: int) -> int:
    """Return the angle of a tangent from 0 to 1; both times 2**bits. The error is under 2**14."""
    one = 1 << bits
    for _ in range(_HALVINGS):
        tangent = (tangent << bits) // (one + math.isqrt((one << bits) + tangent * tangent))
    square, power, odd, total = tangent * tangent >> bits, tangent, 1, tangent
    while power:
        power = power * square >> bits
        odd += 2
        total += power // odd if odd % 4 == 1 else -(power // odd)
    return total << _HALVINGS
