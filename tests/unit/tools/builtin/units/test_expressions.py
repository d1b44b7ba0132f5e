"""Arithmetic with units: exact, bounded, and refused where it would add what measures different things."""

import pytest

from pentad.domain.errors import InvalidInput
from pentad.tools.builtin.units.convert import convert_units
from pentad.tools.builtin.units.expressions import convert_expression


@pytest.mark.parametrize(
    ("value", "target", "result"),
    [
        ("5 km + 3 m", "m", "5003"),
        ("5 km - 3 m", "km", "4.997"),
        ("3 kg * 2", "g", "6000"),
        ("2 * (1 h + 30 min)", "min", "180"),
        ("80 km/h * 2.5 h", "km", "200"),
        ("5 km / 2 h", "km/h", "2.5"),
        ("5 km per 2 h", "km/h", "2.5"),
        ("6 l/100km", "l/km", "0.06"),
        ("100 km / 5 l", "km/l", "20"),
        ("5 l / 100 km", "km/l", "20"),
        ("9 kg*m/s^2", "N", "9"),
        ("2 m² * 3 m", "m^3", "6"),
        ("-3 m + 1 km", "m", "997"),
        ("15% * 240 m", "m", "36"),
        ("1 m / 50 cm", "1", "2"),
        ("3 · 2 m", "m", "6"),
        ("0.1 m + 0.2 m", "m", "0.3"),
        ("1e3 m", "km", "1"),
        ("5 %", "1", "0.05"),
        ("3 Hz * 2 s", "1", "6"),
        ("2 GiB + 1 MB", "B", "2148483648"),
    ],
)
def test_an_expression_with_units_is_calculated_exactly(value: str, target: str, result: str) -> None:
    assert convert_expression(value, target) == (result, True)


def test_fuel_by_way_becomes_way_by_fuel() -> None:
    text, exact = convert_expression("6 l/100km", "mi/us_gal")
    assert (text[:7], exact) == ("39.2024", False)
    assert convert_expression("20 km/l", "l/km") == ("0.05", True)


@pytest.mark.parametrize(
    ("value", "target", "told"),
    [
        ("5 km + 3 kg", "m", "can't be added"),
        ("5 km + 3", "m", "can't be added"),
        ("5 km", "kg", "a unit of length"),
        ("5", "m", "a number"),
        ("20 °C + 1 K", "K", "zero point"),
        ("20 K", "°C", "zero point"),
        ("6 l/100km", "mpg", "more than one meaning"),
        ("1 m / 0", "m", "zero"),
        ("3 $", "€", "currency"),
        ("5 km 3 m", "m", "not expected"),
        ("(5 m", "m", "')'"),
        ("5 m +", "m", "missing before"),
        ("", "m", "missing before"),
        ("(" * 200 + "1 m" + ")" * 200, "m", "nested deeper"),
        ("m * " * 200 + "m", "m", "power"),
        ("1" * 1_001, "m", "characters"),
        ("5 m; 3 m", "m", "neither a number nor a unit"),
        ("5 m^99", "m", "neither a number nor a unit"),
        ("__import__", "m", ""),
        ("5 ton", "kg", "more than one meaning"),
    ],
)
def test_what_has_no_value_says_why(value: str, target: str, told: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        convert_expression(value, target)
    assert told in str(caught.value) and caught.value.fix


@pytest.mark.parametrize(
    ("value", "source"), [("-300", "°C"), ("-1", "K"), ("-460", "°F"), ("-0.01", "K"), ("-273.16", "celsius")]
)
def test_a_temperature_below_absolute_zero_is_refused(value: str, source: str) -> None:
    with pytest.raises(InvalidInput, match="below absolute zero"):
        convert_units(value, source, "K")


def test_numbers_and_ones_are_units_too() -> None:
    assert convert_units("-273.15", "°C", "K") == ("0", True)
    assert convert_units("5", "Hz", "1/s") == ("5", True)
    assert convert_units("5", "%", "1") == ("0.05", True)
