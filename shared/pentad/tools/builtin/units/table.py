"""The units: each with its dimension and its exact factor to the SI base units.

Sources of factors: NIST Special Publication 811 (2008), appendix B; the BIPM's SI Brochure (9th edition); IEC 80000-13
for binary prefixes. A unit whose name means several things stands in `AMBIGUOUS`, with its meanings.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

Dimension = tuple[tuple[str, int], ...]
"""Base quantities with their powers, sorted, without zeros."""


@dataclass(frozen=True)
class Unit:
    """A unit.

    Args:
        factor: how many base units it is.
        dimension: what it measures.
        offset: kelvins between its zero and absolute zero; None where it has no zero of its own.
    """

    factor: Fraction
    dimension: Dimension
    offset: Fraction | None = None


_LENGTH: Dimension = (("length", 1),)
_AREA: Dimension = (("length", 2),)
_VOLUME: Dimension = (("length", 3),)
_MASS: Dimension = (("mass", 1),)
_TIME: Dimension = (("time", 1),)
_SPEED: Dimension = (("length", 1), ("time", -1))
_FORCE: Dimension = (("length", 1), ("mass", 1), ("time", -2))
_PRESSURE: Dimension = (("length", -1), ("mass", 1), ("time", -2))
_ENERGY: Dimension = (("length", 2), ("mass", 1), ("time", -2))
_POWER: Dimension = (("length", 2), ("mass", 1), ("time", -3))
_FREQUENCY: Dimension = (("time", -1),)
_DATA: Dimension = (("data", 1),)
_ANGLE: Dimension = (("angle", 1),)
_TEMPERATURE: Dimension = (("temperature", 1),)
_CURRENT: Dimension = (("current", 1),)
_CHARGE: Dimension = (("current", 1), ("time", 1))
_VOLTAGE: Dimension = (("current", -1), ("length", 2), ("mass", 1), ("time", -3))

# Names (the first is shown), dimension, factor as text that Fraction reads.
_PLAIN: tuple[tuple[str, Dimension, str], ...] = (
    ("in inch inches", _LENGTH, "0.0254"),
    ("ft foot feet", _LENGTH, "0.3048"),
    ("yd yard yards", _LENGTH, "0.9144"),
    ("mi mile miles", _LENGTH, "1609.344"),
    ("nmi nautical_mile nautical_miles", _LENGTH, "1852"),
    ("au astronomical_unit", _LENGTH, "149597870700"),
    ("ly light_year light_years", _LENGTH, "9460730472580800"),
    ("angstrom angstroms", _LENGTH, "0.0000000001"),
    ("ha hectare hectares", _AREA, "10000"),
    ("acre acres", _AREA, "4046.8564224"),
    ("lb lbs pound pounds", _MASS, "0.45359237"),
    ("oz ounce ounces", _MASS, "0.028349523125"),
    ("st stone", _MASS, "6.35029318"),
    ("ozt troy_ounce troy_ounces", _MASS, "0.0311034768"),
    ("ct carat carats", _MASS, "0.0002"),
    ("gr grain grains", _MASS, "0.00006479891"),
    ("t tonne tonnes metric_ton metric_tons", _MASS, "1000"),
    ("short_ton short_tons us_ton us_tons", _MASS, "907.18474"),
    ("long_ton long_tons imperial_ton imperial_tons", _MASS, "1016.0469088"),
    ("min minute minutes", _TIME, "60"),
    ("h hr hrs hour hours", _TIME, "3600"),
    ("d day days", _TIME, "86400"),
    ("week weeks wk", _TIME, "604800"),
    ("julian_year julian_years", _TIME, "31557600"),
    ("kmh kph", _SPEED, "5/18"),
    ("mph", _SPEED, "0.44704"),
    ("kn knot knots kt", _SPEED, "463/900"),
    ("us_gal us_gallon us_gallons", _VOLUME, "0.003785411784"),
    ("us_qt us_quart us_quarts", _VOLUME, "0.000946352946"),
    ("us_pt us_pint us_pints", _VOLUME, "0.000473176473"),
    ("us_cup us_cups", _VOLUME, "0.0002365882365"),
    ("us_floz us_fluid_ounce us_fluid_ounces", _VOLUME, "0.0000295735295625"),
    ("us_tbsp us_tablespoon us_tablespoons", _VOLUME, "0.00001478676478125"),
    ("us_tsp us_teaspoon us_teaspoons", _VOLUME, "0.00000492892159375"),
    ("imperial_gal imperial_gallon imperial_gallons", _VOLUME, "0.00454609"),
    ("imperial_qt imperial_quart imperial_quarts", _VOLUME, "0.0011365225"),
    ("imperial_pt imperial_pint imperial_pints", _VOLUME, "0.00056826125"),
    ("imperial_floz imperial_fluid_ounce imperial_fluid_ounces", _VOLUME, "0.0000284130625"),
    ("metric_cup metric_cups", _VOLUME, "0.00025"),
    ("metric_tbsp metric_tablespoon metric_tablespoons", _VOLUME, "0.000015"),
    ("metric_tsp metric_teaspoon metric_teaspoons", _VOLUME, "0.000005"),
    ("oil_barrel oil_barrels bbl", _VOLUME, "0.158987294928"),
    ("lbf pound_force", _FORCE, "4.4482216152605"),
    ("kgf kilogram_force", _FORCE, "9.80665"),
    ("atm atmosphere atmospheres", _PRESSURE, "101325"),
    ("torr", _PRESSURE, "101325/760"),
    ("mmhg", _PRESSURE, "133.322387415"),
    ("psi", _PRESSURE, "8896443230521/1290320000"),
    ("cal calorie calories", _ENERGY, "4.184"),
    ("kcal kilocalorie kilocalories food_calorie food_calories", _ENERGY, "4184"),
    ("btu", _ENERGY, "1055.05585262"),
    ("therm therms", _ENERGY, "105505585.262"),
    ("ev electronvolt electronvolts", _ENERGY, "0.0000000000000000001602176634"),
    ("hp horsepower", _POWER, "745.69987158227022"),
    ("metric_hp metric_horsepower ps", _POWER, "735.49875"),
    ("rpm", _FREQUENCY, "1/60"),
    ("deg degree degrees", _ANGLE, "1/360"),
    ("arcmin arcminute arcminutes", _ANGLE, "1/21600"),
    ("arcsec arcsecond arcseconds", _ANGLE, "1/1296000"),
    ("gon gons gradian gradians", _ANGLE, "1/400"),
    ("turn turns revolution revolutions", _ANGLE, "1"),
    ("percent", (), "0.01"),
    ("permille", (), "0.001"),
    ("ppm", (), "0.000001"),
)
# The same, for units that take the prefixes of the SI.
_PREFIXED: tuple[tuple[str, Dimension, str], ...] = (
    ("m metre metres meter meters", _LENGTH, "1"),
    ("g gram grams gramme grammes", _MASS, "0.001"),
    ("s sec second seconds", _TIME, "1"),
    ("l L litre litres liter liters", _VOLUME, "0.001"),
    ("N newton newtons", _FORCE, "1"),
    ("Pa pascal pascals", _PRESSURE, "1"),
    ("bar bars", _PRESSURE, "100000"),
    ("J joule joules", _ENERGY, "1"),
    ("W watt watts", _POWER, "1"),
    ("Wh watt_hour watt_hours", _ENERGY, "3600"),
    ("Hz hertz", _FREQUENCY, "1"),
    ("A ampere amperes amp amps", _CURRENT, "1"),
    ("V volt volts", _VOLTAGE, "1"),
    ("Ah amp_hour amp_hours", _CHARGE, "3600"),
    ("C_charge coulomb coulombs", _CHARGE, "1"),
)
_TEMPERATURES = (
    ("K kelvin kelvins", "1", "0"),
    ("°C degC celsius", "1", "273.15"),
    ("°F degF fahrenheit", "5/9", "459.67"),
    ("°R degR rankine", "5/9", "0"),
)
_DATA_UNITS = (("bit bits", "1"), ("B byte bytes", "8"))
_SYMBOLS = {"n": -9, "u": -6, "µ": -6, "μ": -6, "m": -3, "c": -2, "d": -1, "h": 2, "k": 3, "M": 6, "G": 9, "T": 12}
_WORDS = {"nano": -9, "micro": -6, "milli": -3, "centi": -2, "deci": -1, "hecto": 2, "kilo": 3, "mega": 6, "giga": 9,
          "tera": 12}  # fmt: skip
_LARGE_SYMBOLS = {"k": 3, "K": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_LARGE_WORDS = {"kilo": 3, "mega": 6, "giga": 9, "tera": 12, "peta": 15, "exa": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_BINARY_WORDS = {"kibi": 1, "mebi": 2, "gibi": 3, "tebi": 4, "pebi": 5, "exbi": 6}

AMBIGUOUS = {
    "ton": "tonne (1,000 kg), short_ton (2,000 lb) or long_ton (2,240 lb)",
    "gal": "us_gallon or imperial_gallon",
    "gallon": "us_gallon or imperial_gallon",
    "quart": "us_quart or imperial_quart",
    "qt": "us_quart or imperial_quart",
    "pint": "us_pint or imperial_pint",
    "pt": "us_pint or imperial_pint",
    "cup": "us_cup (236.6 ml) or metric_cup (250 ml)",
    "tbsp": "us_tablespoon or metric_tablespoon (15 ml)",
    "tablespoon": "us_tablespoon or metric_tablespoon (15 ml)",
    "tsp": "us_teaspoon or metric_teaspoon (5 ml)",
    "teaspoon": "us_teaspoon or metric_teaspoon (5 ml)",
    "fl_oz": "us_fluid_ounce or imperial_fluid_ounce",
    "floz": "us_fluid_ounce or imperial_fluid_ounce",
    "fluid_ounce": "us_fluid_ounce or imperial_fluid_ounce",
    "barrel": "oil_barrel; other barrels differ by what is in them",
    "kb": "kB (1,000 bytes), KiB (1,024 bytes) or kbit",
    "Kb": "kB (1,000 bytes), KiB (1,024 bytes) or kbit",
    "mb": "MB (bytes) or Mbit (bits)",
    "Mb": "MB (bytes) or Mbit (bits)",
    "gb": "GB (bytes) or Gbit (bits)",
    "Gb": "GB (bytes) or Gbit (bits)",
    "tb": "TB (bytes) or Tbit (bits)",
    "Tb": "TB (bytes) or Tbit (bits)",
    "b": "bit or B (byte)",
    "Cal": "kcal; 'cal' is a thousandth of it",
    "month": "d (days), which the tool for dates counts: months differ in length",
    "year": "julian_year (365.25 days), or d (days), which the tool for dates counts",
    "yr": "julian_year (365.25 days), or d (days), which the tool for dates counts",
    "rad": "deg, after degrees(...) of the calculator: a radian is not an exact share of a turn",
    "radian": "deg, after degrees(...) of the calculator: a radian is not an exact share of a turn",
    "mpg": "mi/us_gal or mi/imperial_gal: not a multiple of litres per kilometre but its inverse",
}
"""Names with several meanings or none that is fixed, with what to write instead."""


_TAKEN = ("min", "ha", "cd", "hh", "kt", "ct", "PS")
"""What a prefix and a unit would spell, and something else is, or nobody means."""


def _list_units() -> Iterator[tuple[str, Unit]]:
    for names, dimension, factor in _PLAIN:
        yield from ((name, Unit(Fraction(factor), dimension)) for name in names.split())
    for names, dimension, factor in _PREFIXED:
        for name in names.split():
            unit = Unit(Fraction(factor), dimension)
            yield name, unit
            yield from _list_prefixed(name, unit, _SYMBOLS if len(name) < 3 else _WORDS, 10)
    for names, factor in _DATA_UNITS:
        for name in names.split():
            unit, short = Unit(Fraction(factor), _DATA), name in ("B", "bit")
            yield name, unit
            yield from _list_prefixed(name, unit, _LARGE_SYMBOLS if short else _LARGE_WORDS, 10)
            yield from _list_prefixed(name, unit, _BINARY if short else _BINARY_WORDS, 1024)
    for names, factor, offset in _TEMPERATURES:
        yield from ((name, Unit(Fraction(factor), _TEMPERATURE, Fraction(offset))) for name in names.split())


def _list_prefixed(name: str, unit: Unit, prefixes: Mapping[str, int], base: int) -> Iterator[tuple[str, Unit]]:
    for prefix, power in prefixes.items():
        if f"{prefix}{name}" not in _TAKEN:
            yield f"{prefix}{name}", Unit(unit.factor * Fraction(base) ** power, unit.dimension)


def _build() -> dict[str, Unit]:
    units: dict[str, Unit] = {}
    for name, unit in _list_units():
        if name in units:
            raise ValueError(f"two units have the name '{name}'")  # a mistake in the tables above
        units[name] = unit
    return units


UNITS = _build()
"""By every name that is understood."""
