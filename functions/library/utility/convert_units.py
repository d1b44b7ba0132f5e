"""The tool that converts units of measurement."""

from typing import Annotated

from pydantic import BaseModel, Field

from pentad.tools.builtin.arithmetic import MAX_LENGTH
from pentad.tools.builtin.units.convert import MAX_UNIT_LENGTH
from pentad.tools.builtin.units.convert import convert_units as compute
from pentad.tools.builtin.units.expressions import convert_expression
from pentad.tools.declare import tool

_Unit = Annotated[str, Field(min_length=1, max_length=MAX_UNIT_LENGTH)]


class ConvertedUnits(BaseModel):
    """What the conversion answers."""

    result: str
    unit: str
    exact: bool = Field(description="false where the result is rounded to 28 digits")


@tool(effects="none", timeout_seconds=10)
def convert_units(
    value: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MAX_LENGTH,
            description="a number or an expression, in source: 98.6; without source with units: 5 km + 3 m",
        ),
    ],
    target: Annotated[_Unit, Field(description="the unit it becomes, such as m/s, kg, °C, l, MJ, MB; 1 for a number")],
    source: Annotated[
        _Unit | None,
        Field(description="the unit it is in, such as km/h, lb, °F, us_gallon, kWh; null if value has its units"),
    ] = None,
) -> ConvertedUnits:
    """Convert a quantity between units, or calculate with units (80 km/h * 2.5 h, 3 kg * 2, 6 l/100km), exactly.

    Knows length, area, volume, mass, time, speed, force, pressure, energy, power, temperature, frequency, angle,
    electricity and data, and products of units (kg*m/s^2, W/m²). A name that means several units (ton, gallon, cup, kb)
    is refused, and its meanings are named. Currencies are refused: their rates change.
    """
    result, exact = convert_expression(value, target) if source is None else compute(value, source, target)
    return ConvertedUnits(result=result, unit=target, exact=exact)
