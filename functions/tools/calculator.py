"""The calculator tool."""

from typing import Annotated

from pydantic import BaseModel, Field

from pentad.tools.builtin.arithmetic import MAX_LENGTH, evaluate
from pentad.tools.declare import tool


class Calculation(BaseModel):
    """What the calculator answers."""

    expression: str
    result: str
    exact: bool = Field(description="false where the result is rounded, as one third is")


@tool(effects="none", timeout_seconds=10)
def calculator(
    expression: Annotated[
        str,
        Field(description="such as 15% of 240, (1299.99 * 3) * 1.19, sqrt(2)^3", min_length=1, max_length=MAX_LENGTH),
    ],
) -> Calculation:
    """Calculate exactly: use it for any arithmetic instead of doing it in your head.

    Knows + - * / // (quotient, rounded down) % (remainder with the divisor's sign, -10 % 3 is 2; or percent as in
    "15% of 240") ^ and parentheses; pi and e; abs, ceil, floor, round(x, places) with halves away from zero, min, max,
    sum, mean, mod, sqrt, exp, ln, log(x) to base 10 or log(x, base), factorial; sin, cos, tan, asin, acos, atan in
    radians; degrees, radians. Numbers are written 1234.5, without separators of thousands. A result that is not exact
    has 28 correct digits.
    """
    result, exact = evaluate(expression).show()
    return Calculation(expression=expression, result=result, exact=exact)
