"""The tool that converts units of measurement."""

from typing import Annotated

from pydantic import BaseModel, Field

from pentad.tools.builtin.arithmetic import MAX_LENGTH
from pentad.tools.builtin.units.convert import MAX_UNIT_LENGTH
from pentad.tools.builtin.units.convert import convert_units as compute
from pentad.tools.declare import tool

_Unit = Annotated[str, Field(min_length=1, max_length=MAX_UNIT_LENGTH)]


class ConvertedUnits(BaseModel):
    """What the conversion answers."""

    result: str
    unit: str
    exact: bool = Field(description="false where the result is rounded to 28 digits")


@tool(effects="none", timeout_seconds=10)
def convert_units(
    value: Annotated[str, Field(min_length=1, max_length=MAX_LENGTH, description="a number or an expression: 98.6")],
    source: Annotated[_Unit, Field(description="the unit it is in, such as km/h, lb, °F, us_gallon, kWh, GiB")],
    target: Annotated[_Unit, Field(description="the unit it becomes, such as m/s, kg, °C, l, MJ, MB")],
) -> ConvertedUnits:
    """Convert a quantity between units, exactly.

    Knows length, area, volume, mass, time, speed, force, pressure, energy, power, temperature, frequency, angle,
    electricity and data, and products of units (kg*m/s^2, W/m²). A name that means several units (ton, gallon, cup, kb)
    is refused, and its meanings are named. Currencies are refused: their rates change.
    """
    result, exact = compute(value, source, target)
    return ConvertedUnits(result=result, unit=target, exact=exact)
