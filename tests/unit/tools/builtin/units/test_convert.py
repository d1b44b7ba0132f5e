"""Units: exact factors, products of units, and names that are refused since they mean several things."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentad.domain.errors import InvalidInput
from pentad.tools.builtin.units.convert import convert_units, read_unit
from pentad.tools.builtin.units.table import AMBIGUOUS, UNITS


@pytest.mark.parametrize(
    ("value", "source", "target", "result"),
    [
        ("98.6", "°F", "°C", "37"),
        ("-40", "C", "F", "-40"),
        ("0", "K", "celsius", "-273.15"),
        ("90", "km/h", "m/s", "25"),
        ("90", "kilometres per hour", "metres per second", "25"),
        ("1", "kWh", "MJ", "3.6"),
        ("1", "GiB", "MB", "1073.741824"),
        ("50", "Mbit/s", "MB/s", "6.25"),
        ("1", "acre", "m²", "4046.8564224"),
        ("12", "square feet", "m^2", "1.11483648"),
        ("1", "us gallon", "l", "3.785411784"),
        ("1", "kg*m/s^2", "N", "1"),
        ("1/3", "h", "min", "20"),
        ("1", "lbf", "N", "4.4482216152605"),
        ("15%", "percent", "ppm", "1500"),
        ("2 * 3", "ft", "in", "72"),
    ],
)
def test_a_quantity_is_converted_exactly(value: str, source: str, target: str, result: str) -> None:
    assert convert_units(value, source, target) == (result, True)


def test_what_is_rounded_is_said() -> None:
    assert convert_units("1", "km/h", "m/s") == ("0.2777777777777777777777777778", False)


@given(st.sampled_from(sorted(UNITS)), st.sampled_from(sorted(UNITS)), st.fractions(-100, 100, max_denominator=50))
def test_there_and_back_is_the_same(source: str, target: str, value: Fraction) -> None:
    first, second = UNITS[source], UNITS[target]
    if first.dimension != second.dimension:
        with pytest.raises(InvalidInput, match="and"):
            convert_units("1", source, target)
        return
    value = value if first.offset is None else abs(value)  # there is nothing below the absolute zero
    there, exact = convert_units(f"{value.numerator}/{value.denominator}", source, target)
    if exact:
        assert Fraction(convert_units(there, target, source)[0]) == pytest.approx(value)


@pytest.mark.parametrize("name", sorted(AMBIGUOUS))
def test_a_name_with_several_meanings_is_refused_with_them(name: str) -> None:
    with pytest.raises(InvalidInput, match="more than one meaning") as caught:
        read_unit(name, "source")
    assert AMBIGUOUS[name] in (caught.value.fix or "")


@pytest.mark.parametrize("currency", ["USD", "eur", "$", "€", "dollars", "BTC"])
def test_currencies_are_refused_with_the_reason(currency: str) -> None:
    with pytest.raises(InvalidInput, match="rates change"):
        read_unit(currency, "source")


@pytest.mark.parametrize("text", ["", "m^", "m^10", "m*" * 20, "__import__('os')", "°C/m", "mm\x00", "x" * 80, "m**2"])
def test_what_is_no_unit_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_unit(text, "source")


def test_a_name_that_is_nearly_one_is_told() -> None:
    with pytest.raises(InvalidInput, match="did you mean kilometre"):
        read_unit("kilometr", "source")
