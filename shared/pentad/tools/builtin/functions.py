"""The functions of the calculator, over forms: what is known exactly stays exact, such as ln(e) and sin(pi/6)."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import Final

from pentad.tools.builtin.forms import (
    MAX_DIGITS,
    Form,
    assemble,
    collect,
    is_positive,
    make_atom,
    make_constant,
    make_error,
    make_form,
    make_range_error,
)
from pentad.tools.builtin.intervals import LARGEST_ANGLE, Interval
from pentad.tools.builtin.primes import factor

ZERO: Final = Form()
ONE: Final = make_constant(Fraction(1))
PI: Final = make_form("pi", ZERO)
E: Final = make_form("e", ONE)
_HALF = make_constant(Fraction(1, 2))
_TEN = make_constant(Fraction(10))
_MAX_FACTORIAL = 400
_MAX_PLACES = 50
_MANY = 100


def power(base: Form, exponent: Form) -> Form:
    """Return a power of real numbers; 0^0 is 1.

    Raises:
        InvalidInput: it is no real number, or can't be decided.
    """
    given = exponent.rational
    if given is not None and given.denominator == 1:
        if base == ZERO and given < 0:
            raise make_error("division by zero: zero has no negative power", "use a positive exponent")
        return base.raise_to(given.numerator)
    sign = base.find_sign()
    if sign < 0:
        raise make_error("a negative number has no real power of a fraction", "use a base of zero or more")
    if sign == 0:
        if exponent.find_sign() < 0:
            raise make_error("division by zero: zero has no negative power", "use a positive exponent")
        return ZERO
    return exp(exponent * ln(base)) if given is None else base.find_root(given)


def square_root(form: Form) -> Form:
    """Return the square root.

    Raises:
        InvalidInput: the number is below zero, or can't be told from zero.
    """
    sign = form.find_sign()
    if sign < 0:
        raise make_error("a negative number has no real square root", "use a number of zero or more")
    return form.find_root(Fraction(1, 2)) if sign else ZERO


def exp(form: Form) -> Form:
    """Return e to the power of a form: powers of e, of the numbers whose logarithms are in it, and of the rest."""
    result, rest = ONE, []
    for monomial, coefficient in form.terms:
        if not monomial:
            result = result * E.find_root(coefficient)
        elif len(monomial) == 1 and monomial[0][0].kind == "ln" and monomial[0][1] == 1:
            result = result * monomial[0][0].argument.find_root(coefficient)
        else:
            rest.append((monomial, coefficient))
    if not rest:
        return result
    lead = rest[0][1]
    kept = make_atom("exp", collect(rest).scale(1 / lead))
    return result * assemble(Fraction(1), {kept: lead})


def ln(form: Form) -> Form:
    """Return the natural logarithm: of products the sum.

    Raises:
        InvalidInput: the number is not above zero, or can't be told from zero.
    """
    if form.find_sign() <= 0:
        raise make_error("only positive numbers have a logarithm", "use a number above zero")
    scale = abs(form.terms[0][1])
    parts = [make_form("ln", make_constant(Fraction(prime))).scale(Fraction(times)) for prime, times in factor(scale)]
    if len(form.terms) == 1 and all(is_positive(atom) for atom, _ in form.terms[0][0]):
        for atom, exponent in form.terms[0][0]:
            if atom.kind in ("e", "exp"):
                parts.append(atom.argument.scale(exponent))
            else:
                inner = atom.argument if atom.kind == "number" else make_form(atom.kind, atom.argument)
                parts.append(make_form("ln", inner).scale(exponent))
    else:
        parts.append(make_form("ln", form.scale(1 / scale)))
    return reduce(Form.__add__, parts, ZERO)


def log(form: Form, base: Form = _TEN) -> Form:
    """Return the logarithm to a base."""
    return ln(form) / ln(base)


def _make_sines() -> dict[Fraction, Form]:
    """Return the sines of multiples of 15 degrees up to 90, by the part of pi."""
    roots = {number: make_constant(Fraction(number)).find_root(Fraction(1, 2)) for number in (2, 3, 6)}
    quarter = Fraction(1, 4)
    values = [
        ZERO,
        (roots[6] - roots[2]).scale(quarter),
        _HALF,
        roots[2].scale(Fraction(1, 2)),
        roots[3].scale(Fraction(1, 2)),
        (roots[6] + roots[2]).scale(quarter),
        ONE,
    ]
    return {Fraction(place, 12): value for place, value in enumerate(values)}


_EIGHTH = Fraction(1, 4)
_SINES = _make_sines()
_ANGLES = {value: part for part, value in _SINES.items()}


def sin(form: Form) -> Form:
    """Return the sine of an angle in radians."""
    part = _find_part_of_pi(form)
    if part is None:
        _check_angle(form)
        negative = bool(form.terms) and form.terms[0][1] < 0
        return -make_form("sin", -form) if negative else make_form("sin", form)
    part %= 2
    if part >= 1:
        return -sin(PI.scale(part - 1))
    part = min(part, 1 - part)
    if part in _SINES:
        return _SINES[part]
    # Of two angles that make a right one, both are written by the smaller.
    return make_form("sin", PI.scale(part)) if part < _EIGHTH else make_form("cos", PI.scale(2 * _EIGHTH - part))


def cos(form: Form) -> Form:
    """Return the cosine of an angle in radians."""
    if _find_part_of_pi(form) is not None:
        return sin(PI.scale(Fraction(1, 2)) - form)
    _check_angle(form)
    return make_form("cos", -form if form.terms[0][1] < 0 else form)


def tan(form: Form) -> Form:
    """Return the tangent of an angle in radians.

    Raises:
        InvalidInput: it has none, as pi/2 has none.
    """
    below = cos(form)
    if below == ZERO:
        raise make_error("tan has no value at a quarter turn", "use another angle than pi/2")
    return sin(form) / below


def _find_part_of_pi(form: Form) -> Fraction | None:
    return _find_ratio_to_pi(form) if form.terms else Fraction(0)


def _find_ratio_to_pi(form: Form) -> Fraction | None:
    ((monomial, coefficient), *more) = form.terms
    return coefficient if not more and monomial == PI.terms[0][0] else None


def _check_angle(form: Form) -> None:
    if form.rational is not None and abs(form.rational) >= Fraction(10) ** LARGEST_ANGLE:
        raise make_error(f"an angle is out of range: it has over {LARGEST_ANGLE} digits", "use smaller angles")


def asin(form: Form) -> Form:
    """Return the angle of a sine, in radians.

    Raises:
        InvalidInput: the number is not from -1 to 1.
    """
    if (ONE - form * form).find_sign() < 0:
        raise make_error("the result is not a real number: it is not a sine or cosine", "use a number from -1 to 1")
    known = _find_angle(form, _ANGLES)
    return make_form("asin", form) if known is None else known


def acos(form: Form) -> Form:
    """Return the angle of a cosine, in radians; see `asin`."""
    return PI.scale(Fraction(1, 2)) - asin(form)


def atan(form: Form) -> Form:
    """Return the angle of a tangent, in radians."""
    known = _find_angle(form, _TANGENTS)
    return make_form("atan", form) if known is None else known


def _find_angle(form: Form, table: dict[Form, Fraction]) -> Form | None:
    for sign in (1, -1):
        part = table.get(form.scale(Fraction(sign)))
        if part is not None:
            return PI.scale(part * sign)
    return None


_TANGENTS = {tan(PI.scale(part)): part for part in _SINES if part != Fraction(1, 2)}


def compute_floor(form: Form) -> int:
    """Return the largest whole number that is not above.

    Raises:
        InvalidInput: it can't be decided, or the number is too large.
    """
    if form.rational is not None:
        return math.floor(form.rational)

    def ask(found: Interval) -> int | None:
        if found.largest.adjusted() > MAX_DIGITS:
            raise make_range_error()
        low = math.floor(found.low)
        return low if low == math.floor(found.high) else None

    return form.settle(ask)


def make_whole(form: Form, what: str) -> int:
    """Return the number if it is whole.

    Raises:
        InvalidInput: it is not, or that can't be decided.
    """
    value = compute_floor(form)
    if form.rational != value:
        raise make_error(f"{what} must be a whole number", "use an integer")
    return value


def floor(form: Form) -> Form:
    """Return the largest whole number that is not above."""
    return make_constant(Fraction(compute_floor(form)))


def ceil(form: Form) -> Form:
    """Return the smallest whole number that is not below."""
    return -floor(-form)


def round_half_away(form: Form, places: Form = ZERO) -> Form:
    """Return the nearest number of so many decimal places; of two the one farther from zero."""
    digits = make_whole(places, "the number of places")
    if abs(digits) > _MAX_PLACES:
        raise make_error(f"round takes -{_MAX_PLACES} to {_MAX_PLACES} places", "use fewer places")
    unit = Fraction(10) ** -digits
    moved = form.scale(1 / unit)
    # The sign of an irrational number need not be known: it is never a half.
    if moved.rational is not None and moved.rational < 0:
        return -floor(-moved + _HALF).scale(unit)
    return floor(moved + _HALF).scale(unit)


def divide_whole(one: Form, two: Form) -> Form:
    """Return the quotient, rounded down."""
    return floor(one / two)


def find_remainder(one: Form, two: Form) -> Form:
    """Return what is left of a quotient that is rounded down; it has the divisor's sign."""
    return one - divide_whole(one, two) * two


def factorial(form: Form) -> Form:
    """Return the product of all whole numbers from 1."""
    number = make_whole(form, "a factorial's number")
    if not 0 <= number <= _MAX_FACTORIAL:
        raise make_error(f"factorial takes 0 to {_MAX_FACTORIAL}", "use a smaller number")
    return make_constant(Fraction(math.factorial(number)))


def find_largest(*forms: Form) -> Form:
    """Return the largest number."""
    return reduce(lambda one, two: two if (two - one).find_sign() > 0 else one, forms)


def find_smallest(*forms: Form) -> Form:
    """Return the smallest number."""
    return reduce(lambda one, two: two if (two - one).find_sign() < 0 else one, forms)


def _sum(*forms: Form) -> Form:
    return collect(term for form in forms for term in form.terms)


@dataclass(frozen=True)
class Function:
    """A function of the calculator with the number of arguments it takes."""

    compute: Callable[..., Form]
    least: int = 1
    most: int = 1


FUNCTIONS: Final = {
    "abs": Function(lambda x: -x if x.find_sign() < 0 else x),
    "acos": Function(acos),
    "asin": Function(asin),
    "atan": Function(atan),
    "ceil": Function(ceil),
    "cos": Function(cos),
    "degrees": Function(lambda x: x.scale(Fraction(180)) / PI),
    "exp": Function(exp),
    "factorial": Function(factorial),
    "floor": Function(floor),
    "ln": Function(ln),
    "log": Function(log, 1, 2),
    "max": Function(find_largest, 1, _MANY),
    "mean": Function(lambda *xs: _sum(*xs).scale(Fraction(1, len(xs))), 1, _MANY),
    "min": Function(find_smallest, 1, _MANY),
    "mod": Function(find_remainder, 2, 2),
    "radians": Function(lambda x: x * PI.scale(Fraction(1, 180))),
    "round": Function(round_half_away, 1, 2),
    "sin": Function(sin),
    "sqrt": Function(square_root),
    "sum": Function(_sum, 1, _MANY),
    "tan": Function(tan),
}
CONSTANTS: Final = {"pi": PI, "e": E}
