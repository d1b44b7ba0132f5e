"""The tool for durations."""

from fractions import Fraction
from typing import Annotated

from pydantic import Field

from pentad.tools.builtin.durations import Duration, describe_duration, read_duration
from pentad.tools.declare import tool

_Durations = Annotated[list[Annotated[str, Field(max_length=80)]], Field(min_length=1, max_length=200)]


@tool(effects="none", timeout_seconds=10)
def durations(
    add: Annotated[_Durations, Field(description="durations to add up: P1DT2H30M, PT90M, 1:30 (hours:minutes)")],
    subtract: Annotated[
        list[Annotated[str, Field(max_length=80)]], Field(max_length=200, description="durations to take away")
    ] = [],  # noqa: B006 - pydantic copies the default of a parameter
) -> dict[str, str | int | bool]:
    """Add up durations (ISO 8601, or hours:minutes:seconds) and tell the sum in weeks, days, hours, minutes, seconds.

    With one duration it converts it. A day has 24 hours here. Months and years are kept apart, since they have no fixed
    length: to add them to a date, use the tool for dates.
    """
    total = sum((read_duration(text, "add") for text in add), Duration(0, Fraction(0)))
    for text in subtract:
        total += -read_duration(text, "subtract")
    return describe_duration(total)
