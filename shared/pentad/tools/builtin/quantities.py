"""Calculate with exact numbers: fractions where they are exact, 50 digits where they can't be.

``0.1 + 0.2`` is 0.3, and a value knows whether it is exact. Roots, logarithms and fractional powers have 50 digits, the
trigonometric functions 15 (radians). An exact value that grows past 1,000 digits is rounded to 50: exact no more.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, DecimalException
from fractions import Fraction

from pentad.domain.errors import InvalidInput

MAX_DIGITS = 1_000
SHOWN_DIGITS = 28
_MAX_BITS = 4 * MAX_DIGITS
_MAX_EXPONENT = 10_000
_MAX_FACTORIAL = 400
_CONTEXT = Context(prec=50, rounding=ROUND_HALF_EVEN, Emax=5_000, Emin=-5_000)
_PI = "3.14159265358979323846264338327950288419716939937510582097"


def make_error(what: str, fix: str) -> InvalidInput:
    """Return the error of an expression: what is wrong with it and what to write instead."""
    return InvalidInput(what, field="expression", fix=fix)


@dataclass(frozen=True)
class Quantity:
    """A number and whether it is exact."""

    value: Fraction
    exact: bool = True

    def __post_init__(self) -> None:
        if self.exact and _count_bits(self.value) <= _MAX_BITS:
            return
        object.__setattr__(self, "exact", False)
        object.__setattr__(self, "value", Fraction(_to_decimal(self.value)))
        if _count_bits(self.value) > _MAX_BITS:
            raise make_error(f"a value has more than {MAX_DIGITS:,} digits", "use smaller numbers")

    def __add__(self, other: "Quantity") -> "Quantity":
        return Quantity(self.value + other.value, self.exact and other.exact)

    def __sub__(self, other: "Quantity") -> "Quantity":
        return Quantity(self.value - other.value, self.exact and other.exact)

    def __mul__(self, other: "Quantity") -> "Quantity":
        return Quantity(self.value * other.value, self.exact and other.exact)

    def __truediv__(self, other: "Quantity") -> "Quantity":
        return Quantity(self.value / _check_divisor(other), self.exact and other.exact)

    def __floordiv__(self, other: "Quantity") -> "Quantity":
        return Quantity(Fraction(self.value // _check_divisor(other)), self.exact and other.exact)

    def __mod__(self, other: "Quantity") -> "Quantity":
        return Quantity(self.value % _check_divisor(other), self.exact and other.exact)

    def __neg__(self) -> "Quantity":
        return Quantity(-self.value, self.exact)

    def __pow__(self, other: "Quantity") -> "Quantity":
        exponent = other.value
        if self.value == 0 and exponent < 0:
            raise make_error("division by zero: zero has no negative power", "use a positive exponent")
        if exponent.denominator == 1:
            return _integer_power(self, exponent.numerator, self.exact and other.exact)
        if self.value < 0:
            raise make_error("a negative number has no real power of a fraction", "use a base of zero or more")
        if exponent.denominator == 2:
            return square_root(self) ** Quantity(Fraction(exponent.numerator), other.exact)
        return _approximate(lambda: _CONTEXT.power(_to_decimal(self.value), _to_decimal(exponent)))

    def show(self) -> tuple[str, bool]:
        """Return the number as text, and whether the text is exactly the number: a third is not."""
        text = _expand_decimal(self.value)
        if text is not None and self.exact:
            return text, True
        rounded = Context(prec=SHOWN_DIGITS, rounding=ROUND_HALF_EVEN, Emax=5_000, Emin=-5_000).divide(
            Decimal(self.value.numerator), Decimal(self.value.denominator)
        )
        plain = rounded.normalize(Context(prec=SHOWN_DIGITS, Emax=5_000, Emin=-5_000))
        return (f"{plain:f}" if -20 < plain.adjusted() < SHOWN_DIGITS + 2 else str(plain)), False


def _check_divisor(quantity: Quantity) -> Fraction:
    if quantity.value == 0:
        raise make_error("division by zero", "divide by something else")
    return quantity.value


def _expand_decimal(value: Fraction) -> str | None:
    """Return the decimal expansion if it ends within reason."""
    rest, twos, fives = value.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    places = max(twos, fives)
    if rest != 1 or places > 50:
        return None
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    text = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return f"-{text}" if value < 0 else text


def _count_bits(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def _integer_power(base: Quantity, exponent: int, exact: bool) -> Quantity:
    if base.value in (-1, 0, 1):
        return Quantity(base.value ** (abs(exponent) % 2 + 2) if exponent else Fraction(1), exact)
    if exact and abs(exponent) <= _MAX_EXPONENT and _count_bits(base.value) * abs(exponent) <= 2 * _MAX_BITS:
        return Quantity(base.value**exponent)
    return _approximate(lambda: _CONTEXT.power(_to_decimal(base.value), Decimal(exponent)))


def _to_decimal(value: Fraction) -> Decimal:
    try:
        return _CONTEXT.divide(Decimal(value.numerator), Decimal(value.denominator))
    except DecimalException as error:
        raise make_error(f"a value has more than {MAX_DIGITS:,} digits", "use smaller numbers") from error


def _approximate(compute: Callable[[], Decimal]) -> Quantity:
    try:
        return Quantity(Fraction(compute()), exact=False)
    except (DecimalException, OverflowError, ValueError) as error:
        raise make_error("the result is out of range or not a real number", "use other numbers") from error


def _compute_float(compute: Callable[[float], float], quantity: Quantity) -> Quantity:
    # 15 digits are what a double holds; rounding there makes sin(pi) the zero it is.
    return _approximate(lambda: Decimal(repr(round(compute(float(quantity.value)), 15))))


def square_root(quantity: Quantity) -> Quantity:
    """Return the square root, exact where it is rational."""
    if quantity.value < 0:
        raise make_error("a negative number has no real square root", "use a number of zero or more")
    top, bottom = math.isqrt(quantity.value.numerator), math.isqrt(quantity.value.denominator)
    if Fraction(top * top, bottom * bottom) == quantity.value:
        return Quantity(Fraction(top, bottom), quantity.exact)
    return _approximate(lambda: _CONTEXT.sqrt(_to_decimal(quantity.value)))


def _natural_log(quantity: Quantity) -> Quantity:
    if quantity.value <= 0:
        raise make_error("only positive numbers have a logarithm", "use a number above zero")
    if quantity.value == 1:
        return Quantity(Fraction(0), quantity.exact)
    return _approximate(lambda: _CONTEXT.ln(_to_decimal(quantity.value)))


def _log(quantity: Quantity, base: Quantity = Quantity(Fraction(10))) -> Quantity:
    approximate = _natural_log(quantity) / _natural_log(base)
    nearest = round(approximate.value)
    if quantity.exact and base.exact and abs(nearest) <= MAX_DIGITS and base.value**nearest == quantity.value:
        return Quantity(Fraction(nearest))
    return approximate


def _round(quantity: Quantity, places: Quantity = Quantity(Fraction(0))) -> Quantity:
    digits = _to_integer(places, "the number of places")
    if abs(digits) > 50:
        raise make_error("round takes -50 to 50 places", "use fewer places")
    scale = Fraction(10) ** digits
    magnitude = math.floor(abs(quantity.value) * scale + Fraction(1, 2))
    return Quantity((-magnitude if quantity.value < 0 else magnitude) / scale, quantity.exact)


def _factorial(quantity: Quantity) -> Quantity:
    number = _to_integer(quantity, "a factorial's number")
    if not 0 <= number <= _MAX_FACTORIAL:
        raise make_error(f"factorial takes 0 to {_MAX_FACTORIAL}", "use a smaller number")
    return Quantity(Fraction(math.factorial(number)), quantity.exact)


def _to_integer(quantity: Quantity, what: str) -> int:
    if quantity.value.denominator != 1:
        raise make_error(f"{what} must be a whole number", "use an integer")
    return quantity.value.numerator


def _sum(*quantities: Quantity) -> Quantity:
    return sum(quantities[1:], start=quantities[0])


@dataclass(frozen=True)
class Function:
    """A function of the calculator with the number of arguments it takes."""

    compute: Callable[..., Quantity]
    least: int = 1
    most: int = 1


_MANY = 100
FUNCTIONS = {
    "abs": Function(lambda x: Quantity(abs(x.value), x.exact)),
    "acos": Function(lambda x: _compute_float(math.acos, x)),
    "asin": Function(lambda x: _compute_float(math.asin, x)),
    "atan": Function(lambda x: _compute_float(math.atan, x)),
    "ceil": Function(lambda x: Quantity(Fraction(math.ceil(x.value)), x.exact)),
    "cos": Function(lambda x: _compute_float(math.cos, x)),
    "degrees": Function(lambda x: x * Quantity(Fraction(180)) / find_constant("pi")),
    "exp": Function(
        lambda x: _approximate(lambda: _CONTEXT.exp(_to_decimal(x.value))) if x.value else Quantity(Fraction(1))
    ),
    "factorial": Function(_factorial),
    "floor": Function(lambda x: Quantity(Fraction(math.floor(x.value)), x.exact)),
    "ln": Function(_natural_log),
    "log": Function(_log, 1, 2),
    "max": Function(lambda *xs: max(xs, key=lambda x: x.value), 1, _MANY),
    "mean": Function(lambda *xs: _sum(*xs) / Quantity(Fraction(len(xs))), 1, _MANY),
    "min": Function(lambda *xs: min(xs, key=lambda x: x.value), 1, _MANY),
    "mod": Function(lambda x, y: x % y, 2, 2),
    "radians": Function(lambda x: x * find_constant("pi") / Quantity(Fraction(180))),
    "round": Function(_round, 1, 2),
    "sin": Function(lambda x: _compute_float(math.sin, x)),
    "sqrt": Function(square_root),
    "sum": Function(_sum, 1, _MANY),
    "tan": Function(lambda x: _compute_float(math.tan, x)),
}
_CONSTANTS = {"pi": Decimal(_PI), "e": _CONTEXT.exp(Decimal(1))}


def find_constant(name: str) -> Quantity | None:
    """Return pi or e to 50 digits, or None for any other name."""
    value = _CONSTANTS.get(name)
    return None if value is None else Quantity(Fraction(value), exact=False)


def apply(name: str, arguments: Sequence[Quantity]) -> Quantity:
    """Return the value of a function.

    Raises:
        InvalidInput: there is no such function, or it takes another number of arguments.
    """
    function = FUNCTIONS.get(name)
    if function is None:
        raise make_error(f"there is no function '{name}'", f"use one of: {', '.join(FUNCTIONS)}")
    if not function.least <= len(arguments) <= function.most:
        takes = str(function.least) if function.least == function.most else f"{function.least} to {function.most}"
        raise make_error(
            f"{name} takes {takes} arguments and was given {len(arguments)}", "separate arguments by commas"
        )
    return function.compute(*arguments)
