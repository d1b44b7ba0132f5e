"""Convert a quantity from one unit to another, exactly: ``km/h`` to ``m/s``, ``kWh`` to ``MJ``, ``°F`` to ``°C``."""

import difflib
import re
from fractions import Fraction

from pentad.domain.errors import InvalidInput
from pentad.tools.builtin.arithmetic import evaluate
from pentad.tools.builtin.quantities import Quantity, apply, make_number
from pentad.tools.builtin.units.table import AMBIGUOUS, UNITS, Dimension, Unit

MAX_UNIT_LENGTH = 80
_MAX_PARTS = 8
_MAX_POWER = 9
_PART = re.compile(r"(?P<name>[^\W\d]\w*?|°[CFR]|%|‰)(?:\^?(?P<power>-?[1-9]))?", re.UNICODE)
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_SIGNS = {"%": "percent", "‰": "permille"}
_CURRENCIES = frozenset(
    "usd eur gbp chf jpy cny inr aud cad nzd sek nok dkk pln czk huf ron try brl mxn zar sgd hkd krw thb idr myr php "
    "aed sar ils egp ngn kes btc eth dollar dollars euro euros yen yuan rupee rupees franc francs rouble rubles "
    "peso pesos krona kronor zloty lira bitcoin rub pound_sterling".split()
)
_CURRENCY_SIGNS = frozenset("$€£¥₹₽₩₺₿")


def convert_units(value: str, source: str, target: str) -> tuple[str, bool]:
    """Return a quantity in another unit, and whether the text is exactly it.

    Args:
        value: a number, or an expression that the calculator takes.
        source: the unit it is in.
        target: the unit it becomes.

    Raises:
        InvalidInput: a unit is not known or has several meanings, or the two measure different things.
    """
    number = evaluate(value)
    first, second = read_unit(source, "source"), read_unit(target, "target")
    if first.dimension != second.dimension:
        raise InvalidInput(
            f"'{source}' is {name_dimension(first.dimension)} and '{target}' is {name_dimension(second.dimension)}",
            field="target",
            fix="name two units that measure the same",
        )
    # Scales with a zero of their own are moved to the absolute zero and back.
    if first.offset is not None and second.offset is not None:
        absolute = number + make_number(first.offset)
        if apply("floor", [absolute]).value < 0:
            raise InvalidInput(
                f"'{value[:40]}' {source} is below absolute zero", field="value", fix="give a temperature above it"
            )
        return _scale(absolute, first.factor / second.factor, -second.offset).show()
    return _scale(number, first.factor / second.factor, Fraction(0)).show()


def _scale(number: Quantity, factor: Fraction, moved: Fraction) -> Quantity:
    return number * make_number(factor) + make_number(moved)


def read_unit(text: str, field: str) -> Unit:
    """Return a unit, or a product of units: ``kg*m/s^2``, ``m²``, ``km/h``, ``kilometres per hour``.

    Args:
        text: the unit.
        field: the parameter, for messages.

    Raises:
        InvalidInput: it can't be read.
    """
    plain = prepare_unit(text, field)
    named = UNITS.get(plain.replace(" ", "_"))
    if named is not None:
        return named
    factors = re.split(r"\s*(\*|\u00b7|\u00d7|/|\bper\b)\s*", plain)
    if len(factors) > 2 * _MAX_PARTS:
        raise InvalidInput(f"'{field}' has too many units", field=field, fix=f"use at most {_MAX_PARTS}")
    factor, powers = Fraction(1), dict[str, int]()
    offset = None
    for place in range(0, len(factors), 2):
        inverse = place > 0 and factors[place - 1] in ("/", "per")
        if factors[place].strip() == "1":  # 1/s, and 1 for a number
            continue
        unit, power = read_part(factors[place], field, alone=len(factors) == 1)
        power = -power if inverse else power
        factor *= unit.factor**power
        offset = unit.offset if len(factors) == 1 and power == 1 else None
        for name, times in unit.dimension:
            powers[name] = powers.get(name, 0) + times * power
    return Unit(factor, tuple(sorted((name, power) for name, power in powers.items() if power)), offset)


def prepare_unit(text: str, field: str) -> str:
    """Return a text with units in plain digits and single blanks.

    Raises:
        InvalidInput: it is a currency.
    """
    plain = " ".join(text.translate(_SUPERSCRIPTS).split())
    _refuse_currency(plain, field)
    return plain


def read_part(text: str, field: str, *, alone: bool) -> tuple[Unit, int]:
    """Return one unit and its power, as in ``m^2``.

    Args:
        text: the unit.
        field: the parameter, for messages.
        alone: there is no other unit beside it, so it may have a zero of its own.

    Raises:
        InvalidInput: it is not known, has several meanings, or can't be combined.
    """
    words = text.strip().replace(" ", "_")
    power = 1
    for word, times in (("square_", 2), ("cubic_", 3)):
        if words.startswith(word):
            words, power = words.removeprefix(word), times
    match = _PART.fullmatch(words)
    if match is None:
        raise InvalidInput(
            f"'{text[:40]}' is not a unit", field=field, fix="write units such as km/h, kg*m/s^2, square metres"
        )
    unit = _find_unit(_SIGNS.get(match["name"], match["name"]), field)
    power *= int(match["power"] or 1)
    if abs(power) > _MAX_POWER:
        raise InvalidInput(f"the power of '{text[:40]}' is too large", field=field, fix=f"use at most {_MAX_POWER}")
    if unit.offset and not (alone and power == 1):
        raise InvalidInput(
            f"'{match['name']}' has its own zero point and can't be combined with other units",
            field=field,
            fix="use K, or °R, where a difference of temperatures is meant",
        )
    return unit, power


def _find_unit(name: str, field: str) -> Unit:
    singular = name.removesuffix("s")
    meanings = AMBIGUOUS.get(name) or AMBIGUOUS.get(singular)
    if meanings is not None:
        raise InvalidInput(f"'{name}' has more than one meaning", field=field, fix=f"write {meanings}")
    unit = UNITS.get(name)
    if unit is None and len(name) > 3:
        unit = UNITS.get(name.lower())
    if unit is None and name.upper() in ("C", "F"):
        unit = UNITS[f"°{name.upper()}"]
    if unit is None:
        lowered = {known.lower(): known for known in UNITS}
        near = difflib.get_close_matches(name.lower(), lowered, n=3)
        hint = f": did you mean {', '.join(lowered[one] for one in near)}?" if near else ""
        raise InvalidInput(f"no unit '{name[:40]}'{hint}", field=field, fix="use a unit's symbol or its English name")
    return unit


def _refuse_currency(text: str, field: str) -> None:
    if _CURRENCY_SIGNS & set(text) or text.lower().replace(" ", "_") in _CURRENCIES:
        raise InvalidInput(
            f"'{text[:20]}' is a currency, whose rates change every day and are not known here",
            field=field,
            fix="look the rate up, and multiply with the calculator",
        )


_NAMES: dict[Dimension, str] = {
    (): "a number",
    (("length", 2),): "an area",
    (("length", 3),): "a volume",
    (("length", 1), ("time", -1)): "a speed",
    (("length", 1), ("mass", 1), ("time", -2)): "a force",
    (("length", -1), ("mass", 1), ("time", -2)): "a pressure",
    (("length", 2), ("mass", 1), ("time", -2)): "an energy",
    (("length", 2), ("mass", 1), ("time", -3)): "a power",
    (("time", -1),): "a frequency",
}


def name_dimension(dimension: Dimension) -> str:
    """Return what a dimension measures, for messages."""
    if dimension in _NAMES:
        return _NAMES[dimension]
    if len(dimension) == 1 and dimension[0][1] == 1:
        return f"a unit of {dimension[0][0]}"
    return "of " + " ".join(name if power == 1 else f"{name}^{power}" for name, power in dimension)
