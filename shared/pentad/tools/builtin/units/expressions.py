"""Arithmetic with units, exactly: ``5 km + 3 m``, ``3 kg * 2``, ``6 l/100km``, ``(2 h + 30 min) * 80 km/h``.

sum      = product (+ or - product)*
product  = measure (* or / or per measure)*
measure  = atom atom*: a number and its units, which belong together more closely than / does
atom     = number | unit with its power (m^2, m²) | (sum)
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from pentad.domain.errors import InvalidInput
from pentad.tools.builtin.quantities import Quantity, make_number
from pentad.tools.builtin.units.convert import name_dimension, prepare_unit, read_part, read_unit
from pentad.tools.builtin.units.table import Dimension
from pentad.tools.builtin.work import limited_work

MAX_LENGTH = 1_000
_MAX_NESTING = 50
_MAX_POWER = 30
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]{1,3}(?![\w.]))?)"
    r"|(?P<unit>(?:°[CFR]|%|‰|[^\W\d][^\W\d]*)(?:\^?-?[1-9](?![\w.]))?)|(?P<sign>[-+*/()\u00b7\u00d7]))"
)
_FUEL_BY_WAY: Dimension = (("length", 2),)
_WAY_BY_FUEL: Dimension = (("length", -2),)
_FIX = "write numbers with units, + - * / and parentheses: 5 km + 3 m, 80 km/h * 2.5 h"


@dataclass(frozen=True)
class Measure:
    """A number of base units.

    Args:
        number: how many.
        dimension: what they measure.
    """

    number: Quantity
    dimension: Dimension

    def add(self, other: "Measure", *, sign: int) -> "Measure":
        """Return the sum or the difference.

        Raises:
            InvalidInput: they measure different things.
        """
        if self.dimension != other.dimension:
            raise _refuse(
                f"{name_dimension(self.dimension)} and {name_dimension(other.dimension)} can't be added",
                "add what measures the same",
            )
        return Measure(self.number + (other.number if sign > 0 else -other.number), self.dimension)

    def multiply(self, other: "Measure", *, inverse: bool = False) -> "Measure":
        """Return the product or the quotient.

        Raises:
            InvalidInput: it divides by zero, or a power is too large.
        """
        powers = dict(self.dimension)
        for name, power in other.dimension:
            powers[name] = powers.get(name, 0) + (-power if inverse else power)
        if any(abs(power) > _MAX_POWER for power in powers.values()):
            raise _refuse("a power of a unit is too large", "use fewer units")
        number = self.number / other.number if inverse else self.number * other.number
        return Measure(number, tuple(sorted((name, power) for name, power in powers.items() if power)))


def evaluate_measure(text: str) -> Measure:
    """Return the value of an expression with units.

    Raises:
        InvalidInput: it can't be read, adds what measures different things, or passes a bound.
    """
    if len(text) > MAX_LENGTH:
        raise _refuse(f"it has {len(text):,} characters", f"use at most {MAX_LENGTH:,}")
    plain = prepare_unit(text, "value").replace("\u2212", "-")
    with limited_work():
        return _MeasureReader(_split(plain)).read()


def convert_expression(value: str, target: str) -> tuple[str, bool]:
    """Return the value of an expression with units in one unit, and whether the text is exactly it.

    Fuel by way becomes way by fuel where the target asks for it: ``6 l/100km`` in ``mi/us_gal``.

    Raises:
        InvalidInput: see `evaluate_measure`; or the target measures something else, or has a zero of its own.
    """
    found, unit = evaluate_measure(value), read_unit(target, "target")
    if unit.offset:
        raise InvalidInput(
            f"'{target}' has its own zero point, and sums have none", field="target", fix="name K, or give 'source'"
        )
    if {found.dimension, unit.dimension} == {_FUEL_BY_WAY, _WAY_BY_FUEL}:
        found = Measure(make_number(Fraction(1)), ()).multiply(found, inverse=True)
    if found.dimension != unit.dimension:
        raise InvalidInput(
            f"the value is {name_dimension(found.dimension)} and '{target}' is {name_dimension(unit.dimension)}",
            field="target",
            fix="name a unit that measures the same; 1 for a number",
        )
    return (found.number / make_number(unit.factor)).show()


def _split(text: str) -> list[tuple[str, str]]:
    tokens, place = [], 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise _refuse(f"{text[place:].strip()[:20]!r} is neither a number nor a unit", _FIX)
        kind, word = match.lastgroup, match[match.lastgroup]
        tokens.append(("sign", "/") if word == "per" else (kind, "*" if word in "\u00b7\u00d7" else word))
        place = match.end()
    return [*tokens, ("end", "")]


class _MeasureReader:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._place = 0
        self._depth = 0

    def read(self) -> Measure:
        found = self._read_sum()
        if self._tokens[self._place][0] != "end":
            raise _refuse(f"{self._tokens[self._place][1]!r} is not expected", _FIX)
        return found

    def _take(self, *signs: str) -> str | None:
        kind, word = self._tokens[self._place]
        if kind != "sign" or word not in signs:
            return None
        self._place += 1
        return word

    def _read_sum(self) -> Measure:
        self._depth += 1
        if self._depth > _MAX_NESTING:
            raise _refuse(f"it is nested deeper than {_MAX_NESTING}", "use fewer parentheses")
        found = self._read_product()
        while (sign := self._take("+", "-")) is not None:
            found = found.add(self._read_product(), sign=1 if sign == "+" else -1)
        self._depth -= 1
        return found

    def _read_product(self) -> Measure:
        found = self._read_measure()
        while (sign := self._take("*", "/")) is not None:
            found = found.multiply(self._read_measure(), inverse=sign == "/")
        return found

    def _read_measure(self) -> Measure:
        negative = False
        while (sign := self._take("+", "-")) is not None:
            negative ^= sign == "-"
        found = self._read_atom()
        while self._tokens[self._place][0] == "unit":
            found = found.multiply(self._read_atom())
        return Measure(-found.number, found.dimension) if negative else found

    def _read_atom(self) -> Measure:
        kind, word = self._tokens[self._place]
        self._place += 1
        if kind == "number":
            return Measure(make_number(Fraction(word)), ())
        if kind == "unit":
            unit, power = read_part(word, "value", alone=False)
            dimension = tuple((name, times * power) for name, times in unit.dimension)
            return Measure(make_number(unit.factor**power), dimension)
        if (kind, word) == ("sign", "("):
            found = self._read_sum()
            if self._take(")") is None:
                raise _refuse("a ')' is missing", "close parentheses")
            return found
        raise _refuse(f"a number or a unit is missing before {word or 'the end'!r}", _FIX)


def _refuse(message: str, fix: str) -> InvalidInput:
    return InvalidInput(message, field="value", fix=fix)
