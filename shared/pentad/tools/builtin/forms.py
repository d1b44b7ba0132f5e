"""Real numbers as sums of products of known constants, so that what is equal is seen to be equal.

``sqrt(8) - 2*sqrt(2)`` is 2**(1/2) twice with coefficients 2 and -2, so it is zero, exactly. A form is always the true
value. Equal values have equal forms where roots, logarithms, powers of e and multiples of pi cancel; where they are
equal for another reason, intervals of up to 1,060 digits can't tell them apart, and what depends on it is refused.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import DecimalException
from fractions import Fraction
from typing import Final, TypeVar
from weakref import WeakValueDictionary

from pentad.domain.errors import InvalidInput
from pentad.tools.builtin.intervals import SMALL_POWER, Interval, OutOfRange, Precision, TooFewDigits, get_precision
from pentad.tools.builtin.primes import factor
from pentad.tools.builtin.work import spend_work

MAX_DIGITS: Final = 1_000
_MAX_BITS = 20_000
_MAX_PRODUCTS = 256
_MAX_TERMS = 64
_MAX_EXPANDED = 16
_MAX_DEPTH = 60
_LADDER = (50, 110, 250, 520, 1_060)

T = TypeVar("T")
Exponents = Mapping["Atom", Fraction]
Monomial = tuple[tuple["Atom", Fraction], ...]


def make_error(what: str, fix: str) -> InvalidInput:
    """Return the error of an expression: what is wrong with it and what to write instead."""
    return InvalidInput(what, field="expression", fix=fix)


def make_range_error() -> InvalidInput:
    """Return the error of a value that is too large, or too near to zero, to be written down."""
    return make_error(f"a value is out of range: it has more than {MAX_DIGITS:,} digits", "use smaller numbers")


class Atom:
    """A constant that forms are made of: of one kind and argument there is one object.

    Args:
        kind: how it is computed: see `_COMPUTE`.
        argument: of what.
    """

    __slots__ = ("__weakref__", "_found", "argument", "depth", "kind", "serial")
    _serials = itertools.count()

    def __init__(self, kind: str, argument: "Form") -> None:
        self.kind, self.argument = kind, argument
        self.serial = next(self._serials)
        self.depth: int = 1 + max((atom.depth for monomial, _ in argument.terms for atom, _ in monomial), default=0)
        self._found: dict[int, Interval] = {}
        if self.depth > _MAX_DEPTH:
            raise make_error(f"functions are nested deeper than {_MAX_DEPTH}", "use simpler steps")

    def enclose(self, digits: int) -> Interval:
        """Return an interval of its value; see `Form.enclose`."""
        found = self._found.get(digits)
        if found is None:
            inner = self.argument.enclose(digits)
            spend_work(digits, heavy=self.kind in _HEAVY)
            found = self._found[digits] = _COMPUTE[self.kind](get_precision(digits + 10), inner)
        return found


_COMPUTE: Final[dict[str, Callable[[Precision, Interval], Interval]]] = {
    "number": lambda precision, inner: inner,
    "sum": lambda precision, inner: inner,
    "opaque": lambda precision, inner: inner,
    "pi": lambda precision, inner: precision.pi(),
    "e": Precision.exp,
    "exp": Precision.exp,
    "ln": Precision.ln,
    "sin": Precision.sin,
    "cos": Precision.cos,
    "atan": Precision.atan,
    "asin": Precision.asin,
}
"""``number``: a rational, to a power that is not rational or too long; ``sum``: several terms, to such a power;
``opaque``: what would have too many terms. The others are functions."""
_HEAVY = ("e", "exp", "ln")
_POSITIVE = ("number", "pi", "e", "exp")
_atoms: "WeakValueDictionary[tuple[str, Form], Atom]" = WeakValueDictionary()


def make_atom(kind: str, argument: "Form") -> Atom:
    """Return the atom of a kind and an argument."""
    atom = _atoms.get((kind, argument))
    if atom is None:
        atom = _atoms[kind, argument] = Atom(kind, argument)
    return atom


@dataclass(frozen=True)
class Form:
    """A sum of products of powers of atoms, in a fixed order; the empty sum is zero.

    Args:
        terms: products with their coefficients, none of them zero.
    """

    terms: tuple[tuple[Monomial, Fraction], ...] = ()

    @property
    def rational(self) -> Fraction | None:
        """The value, if the form shows that it is rational."""
        if not self.terms:
            return Fraction(0)
        return self.terms[0][1] if len(self.terms) == 1 and not self.terms[0][0] else None

    def __add__(self, other: "Form") -> "Form":
        return collect((*self.terms, *other.terms))

    def __neg__(self) -> "Form":
        return self.scale(Fraction(-1))

    def __sub__(self, other: "Form") -> "Form":
        return self + -other

    def __mul__(self, other: "Form") -> "Form":
        if len(self.terms) * len(other.terms) > _MAX_PRODUCTS:
            return assemble(
                Fraction(1), merge({make_atom("opaque", self): Fraction(1)}, {make_atom("opaque", other): Fraction(1)})
            )
        return _cancel(self, other) or _cancel(other, self) or self._multiply_out(other)

    def _multiply_out(self, other: "Form") -> "Form":
        products = (
            assemble(one * two, merge(dict(left), dict(right)))
            for left, one in self.terms
            for right, two in other.terms
        )
        return collect(term for product in products for term in product.terms)

    def __truediv__(self, other: "Form") -> "Form":
        ratio = _find_ratio(self, other)
        return self * other.invert() if ratio is None else make_constant(ratio)

    def scale(self, factor: Fraction) -> "Form":
        """Return it times a rational number."""
        return collect((monomial, coefficient * factor) for monomial, coefficient in self.terms)

    def invert(self) -> "Form":
        """Return one divided by it.

        Raises:
            InvalidInput: it is zero, or can't be told from zero.
        """
        if self.find_sign() == 0:
            raise make_error("division by zero", "divide by something else")
        if len(self.terms) == 1:
            monomial, coefficient = self.terms[0]
            return assemble(1 / coefficient, {atom: -exponent for atom, exponent in monomial})
        if len(self.terms) == 2:
            conjugate = Form(self.terms[:1]) - Form(self.terms[1:])
            norm = self * conjugate
            if len(norm.terms) == 1:
                return conjugate * norm.invert()
        scale = self.terms[0][1]
        return assemble(1 / scale, {make_atom("sum", self.scale(1 / scale)): Fraction(-1)})

    def raise_to(self, exponent: int) -> "Form":
        """Return a power with a whole exponent.

        Raises:
            InvalidInput: zero to a negative power.
        """
        if exponent < 0:
            return self.invert().raise_to(-exponent)
        if len(self.terms) == 1:
            monomial, coefficient = self.terms[0]
            powers = {atom: power * exponent for atom, power in monomial}
            return raise_rational(coefficient, Fraction(exponent)) * assemble(Fraction(1), powers)
        if exponent > _MAX_EXPANDED:
            return assemble(Fraction(1), {make_atom("opaque", self): Fraction(exponent)}) if self.terms else self
        result = make_constant(Fraction(1))
        for bit in f"{exponent:b}":
            result = result * result
            result = result * self if bit == "1" else result
        return result

    def find_root(self, exponent: Fraction) -> "Form":
        """Return a power with any rational exponent of a form that is above zero."""
        if exponent.denominator == 1:
            return self.raise_to(exponent.numerator)
        if len(self.terms) == 1 and all(is_positive(atom) for atom, _ in self.terms[0][0]):
            monomial, coefficient = self.terms[0]
            powers = {atom: power * exponent for atom, power in monomial}
            return raise_rational(coefficient, exponent) * assemble(Fraction(1), powers)
        scale = abs(self.terms[0][1])
        kept = make_atom("sum", self.scale(1 / scale))
        return raise_rational(scale, exponent) * assemble(Fraction(1), {kept: exponent})

    def enclose(self, digits: int) -> Interval:
        """Return an interval that holds the value for certain.

        Args:
            digits: computed with so many; where numbers cancel, fewer are left.

        Raises:
            TooFewDigits: something within can't be told from zero.
        """
        precision = get_precision(digits + 10)
        total = precision.enclose(Fraction(0))
        for monomial, coefficient in self.terms:
            product = precision.enclose(coefficient)
            for atom, exponent in monomial:
                if exponent.denominator != 1 != 2 * exponent or abs(exponent) > SMALL_POWER:
                    spend_work(digits, heavy=True)  # its logarithm
                    spend_work(digits, heavy=True)  # and the exponential of that
                product = precision.multiply(product, precision.power(atom.enclose(digits), exponent))
            total = precision.add(total, product)
        return total

    def settle(self, ask: Callable[[Interval], T | None]) -> T:
        """Return the answer to a question about the value, asked with more and more digits.

        Args:
            ask: returns the answer, or None where an interval is too wide to tell.

        Raises:
            InvalidInput: 1,060 digits do not tell, or the value is out of range.
        """
        large: Exception | None = None
        for digits in _LADDER:
            try:
                answer = ask(self.enclose(digits))
            except TooFewDigits:
                continue
            except (DecimalException, OutOfRange) as error:
                large = error  # with more digits it may be smaller: (1 + 1e-400)^1e400
                continue
            if answer is not None:
                return answer
        if large is not None:
            raise make_range_error() from large
        raise make_error(
            f"it can't be decided: two values are equal or closer than {MAX_DIGITS:,} digits can distinguish",
            "simplify the expression, or round a part of it, such as round(x, 20)",
        )

    def find_sign(self) -> int:
        """Return -1, 0 or 1.

        Raises:
            InvalidInput: it can't be told from zero.
        """
        if self.rational is not None:
            return (self.rational > 0) - (self.rational < 0)
        return self.settle(lambda found: 1 if found.low > 0 else -1 if found.high < 0 else None)


def make_constant(value: Fraction) -> Form:
    """Return a rational number as a form."""
    return collect([((), value)])


def make_form(kind: str, argument: Form) -> Form:
    """Return the form of a single atom."""
    return assemble(Fraction(1), {make_atom(kind, argument): Fraction(1)})


def collect(terms: Iterable[tuple[Monomial, Fraction]]) -> Form:
    """Return the sum of terms: equal products added, zeros dropped, in order.

    Raises:
        InvalidInput: a coefficient is too long.
    """
    found: dict[Monomial, Fraction] = {}
    for monomial, coefficient in terms:
        found[monomial] = found.get(monomial, Fraction(0)) + coefficient
    while _cancel_whole_sum(found):
        pass
    kept = [(monomial, coefficient) for monomial, coefficient in found.items() if coefficient]
    if any(max(c.numerator.bit_length(), c.denominator.bit_length()) > _MAX_BITS for _, c in kept):
        raise make_range_error()
    form = Form(tuple(sorted(kept, key=lambda term: [(atom.serial, exponent) for atom, exponent in term[0]])))
    if len(kept) <= _MAX_TERMS:
        return form
    return assemble(Fraction(1), {make_atom("opaque", form): Fraction(1)})


def _cancel_whole_sum(found: dict[Monomial, Fraction]) -> bool:
    """Write a multiple of a sum over that sum as the multiple: ln(2) and ln(5), each over ln(2) + ln(5), are 1."""
    for monomial in found:
        logarithms = {((atom, exponent),) for atom, exponent in monomial if atom.kind == "ln"}
        for atom, exponent in monomial if logarithms else ():
            if atom.kind != "sum" or exponent > -1 or atom.argument.terms[0][0] not in logarithms:
                continue
            base = merge(dict(monomial), {part: -power for part, power in atom.argument.terms[0][0]})
            whole = [(_make_monomial(merge(base, dict(part))), share) for part, share in atom.argument.terms]
            shares = {found.get(part, Fraction(0)) / share for part, share in whole}
            if len(shares) == 1 and (share := shares.pop()):
                rest = _make_monomial(merge(base, {atom: Fraction(1)}))
                found.update((part, Fraction(0)) for part, _ in whole)
                found[rest] = found.get(rest, Fraction(0)) + share
                return True
    return False


def _make_monomial(exponents: Exponents) -> Monomial:
    return tuple(sorted(((one, power) for one, power in exponents.items() if power), key=lambda item: item[0].serial))


def merge(one: Exponents, two: Exponents) -> dict[Atom, Fraction]:
    """Return the exponents of a product."""
    return {atom: one.get(atom, Fraction(0)) + two.get(atom, Fraction(0)) for atom in (*one, *two)}


def assemble(coefficient: Fraction, exponents: Exponents) -> Form:
    """Return a product of powers.

    Whole powers of numbers and of sums are multiplied out where they stay short, and the square of a cosine is written
    by the sine.
    """
    kept: dict[Atom, Fraction] = {}
    outside: list[Form] = []
    for atom, exponent in exponents.items():
        whole = exponent.numerator // exponent.denominator
        if atom.kind == "number" and whole:
            value = atom.argument.rational or Fraction(1)
            if _is_short(value, whole):
                coefficient, exponent = coefficient * value**whole, exponent - whole
        elif atom.kind == "sum" and 1 <= whole <= _MAX_EXPANDED:
            outside.append(atom.argument.raise_to(whole))
            exponent -= whole
        elif atom.kind == "cos" and 2 <= whole <= _MAX_EXPANDED:
            sine = make_form("sin", atom.argument)
            outside.append((make_constant(Fraction(1)) - sine * sine).raise_to(whole // 2))
            exponent -= whole // 2 * 2
        if exponent:
            kept[atom] = exponent
    form = collect([(_make_monomial(kept), coefficient)])
    for factor_ in outside:
        form = form * factor_
    return form


def raise_rational(base: Fraction, exponent: Fraction) -> Form:
    """Return a power of a rational number; a whole one of any, another of one above zero.

    Raises:
        InvalidInput: zero to a negative power.
    """
    if base == 0 and exponent < 0:
        raise make_error("division by zero: zero has no negative power", "use a positive exponent")
    whole = exponent.denominator == 1
    if base in (0, 1) or not exponent:
        return make_constant(base if exponent else Fraction(1))
    if whole and _is_short(base, exponent.numerator):
        return make_constant(base**exponent.numerator)
    # A fraction's large powers are kept whole: those of its two sides alone may be out of range.
    kept = whole and base.denominator != 1 != abs(base.numerator)
    split = [(abs(base), 1)] if kept else factor(abs(base))
    primes = [(prime, exponent * times) for prime, times in split]
    sign = Fraction(-1 if base < 0 and exponent.numerator % 2 else 1)
    return assemble(sign, {make_atom("number", make_constant(Fraction(prime))): power for prime, power in primes})


def _is_short(base: Fraction, exponent: int) -> bool:
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    return bits * abs(exponent) <= _MAX_BITS


def is_positive(atom: Atom) -> bool:
    """Return whether an atom is known to be above zero."""
    if atom.kind in _POSITIVE:
        return True
    return Form(((((atom, Fraction(1)),), Fraction(1)),)).find_sign() > 0


def _cancel(one: Form, two: Form) -> Form | None:
    """Return the product where a sum meets a power below zero of itself, of which it takes one away."""
    if len(one.terms) < 2:
        return None
    scale = one.terms[0][1]
    atom = _atoms.get(("sum", one.scale(1 / scale)))
    if atom is None or not any(dict(monomial).get(atom, 0) < 0 for monomial, _ in two.terms):
        return None
    meets = [term for term in two.terms if dict(term[0]).get(atom, 0) < 0]
    kept = Form(tuple(term for term in two.terms if term not in meets))
    whole = {atom: Fraction(1)}
    products = [assemble(coefficient * scale, merge(dict(monomial), whole)) for monomial, coefficient in meets]
    return collect(term for product in (*products, one * kept) for term in product.terms)


def _find_ratio(one: Form, two: Form) -> Fraction | None:
    """Return the quotient of two forms that are multiples of each other."""
    if not two.terms or [monomial for monomial, _ in one.terms] != [monomial for monomial, _ in two.terms]:
        return None
    ratios = {top / bottom for (_, top), (_, bottom) in zip(one.terms, two.terms, strict=True)}
    # Of what may be zero no quotient is taken: the sign has to be known.
    return ratios.pop() if len(ratios) == 1 and two.find_sign() else None
