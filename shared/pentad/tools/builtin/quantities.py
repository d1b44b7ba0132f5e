"""The numbers of the calculator: known exactly, or to as many digits as are asked for.

``0.1 + 0.2`` is 0.3, ``sqrt(2)^2`` is 2. What is rounded is rounded once, when it is shown, to 28 correct digits. A
step (floor, round, a remainder, a comparison) is decided by as many digits as it needs, up to 1,060, or refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from pentad.tools.builtin import functions
from pentad.tools.builtin.forms import MAX_DIGITS, Form, make_constant, make_error, make_range_error
from pentad.tools.builtin.functions import CONSTANTS, FUNCTIONS
from pentad.tools.builtin.intervals import Interval

SHOWN_DIGITS = 28
_SHOWN_PLACES = 50
_SHOWN = Context(prec=SHOWN_DIGITS, rounding=ROUND_HALF_EVEN, Emax=MAX_EMAX, Emin=MIN_EMIN)
# An interval this narrow within the digits shown straddles the middle between two of them: either is right.
_NARROW = Decimal(10) ** -(4 * SHOWN_DIGITS)


@dataclass(frozen=True)
class Quantity:
    """A real number.

    Args:
        form: its exact value.
    """

    form: Form

    @property
    def value(self) -> Fraction:
        """The value of a number that is known to be rational.

        Raises:
            InvalidInput: it is not.
        """
        if self.form.rational is None:
            raise make_error("the number is not rational", "round it")
        return self.form.rational

    def __add__(self, other: "Quantity") -> "Quantity":
        return Quantity(self.form + other.form)

    def __sub__(self, other: "Quantity") -> "Quantity":
        return Quantity(self.form - other.form)

    def __mul__(self, other: "Quantity") -> "Quantity":
        return Quantity(self.form * other.form)

    def __truediv__(self, other: "Quantity") -> "Quantity":
        return Quantity(self.form / other.form)

    def __floordiv__(self, other: "Quantity") -> "Quantity":
        return Quantity(functions.divide_whole(self.form, other.form))

    def __mod__(self, other: "Quantity") -> "Quantity":
        return Quantity(functions.find_remainder(self.form, other.form))

    def __neg__(self) -> "Quantity":
        return Quantity(-self.form)

    def __pow__(self, other: "Quantity") -> "Quantity":
        return Quantity(functions.power(self.form, other.form))

    def show(self) -> tuple[str, bool]:
        """Return the number as text, and whether the text is exactly the number: a third is not.

        Raises:
            InvalidInput: it is too large, too small, or can't be told from zero.
        """
        value = self.form.rational
        if value is None:
            return _write(_settle_digits(self.form)), False
        text = _expand_decimal(value)
        if text is not None and abs(value) < Fraction(10) ** (MAX_DIGITS + 1):
            return text, True
        rounded = _SHOWN.divide(Decimal(value.numerator), Decimal(value.denominator))
        return _write(rounded), Fraction(_check_range(rounded)) == value


def make_number(value: Fraction) -> Quantity:
    """Return a rational number."""
    return Quantity(make_constant(value))


def _settle_digits(form: Form) -> Decimal:
    def ask(found: Interval) -> Decimal | None:
        if found.low <= 0 <= found.high:
            return None
        low, high = _SHOWN.plus(found.low), _SHOWN.plus(found.high)
        narrow = found.high - found.low <= found.largest * _NARROW
        return high if low == high or narrow else None

    return _check_range(form.settle(ask))


def _check_range(value: Decimal) -> Decimal:
    if value and abs(value.adjusted()) > MAX_DIGITS:
        raise make_range_error()
    return value


def _write(rounded: Decimal) -> str:
    plain = _check_range(rounded).normalize(_SHOWN)
    return f"{plain:f}" if -20 < plain.adjusted() < SHOWN_DIGITS + 2 else str(plain)


def _expand_decimal(value: Fraction) -> str | None:
    """Return the decimal expansion if it ends within reason."""
    rest, twos, fives = value.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    places = max(twos, fives)
    if rest != 1 or places > _SHOWN_PLACES or value.numerator.bit_length() > 4 * MAX_DIGITS + 200:
        return None
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    text = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return f"-{text}" if value < 0 else text


def find_constant(name: str) -> Quantity | None:
    """Return pi or e, or None for any other name."""
    form = CONSTANTS.get(name)
    return None if form is None else Quantity(form)


def apply(name: str, arguments: Sequence[Quantity]) -> Quantity:
    """Return the value of a function.

    Raises:
        InvalidInput: there is no such function, or it takes another number of arguments.
    """
    function = FUNCTIONS.get(name)
    if function is None:
        raise make_error(f"no function '{name[:40]}'", f"use one of: {', '.join(FUNCTIONS)}")
    if not function.least <= len(arguments) <= function.most:
        takes = str(function.least) if function.least == function.most else f"{function.least} to {function.most}"
        raise make_error(
            f"{name} takes {takes} arguments and was given {len(arguments)}", "separate arguments by commas"
        )
    return Quantity(function.compute(*(argument.form for argument in arguments)))
