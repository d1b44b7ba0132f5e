"""Read JSON that somebody else wrote, and take only what can be passed on, hashed and stored."""

import json
import math
from typing import Any

from pydantic_core import from_json

from pentad.domain.display.unicode_text import mend_escapes


def read_strict_json(text: str) -> Any:
    """Return a text's JSON value.

    Python's own reader raises RecursionError for what nests deep, and takes NaN and numbers beyond a float, of which
    there is no JSON. Half of a surrogate pair stays: see `pentad.domain.display.unicode_text`.

    Raises:
        ValueError: it is no JSON, nests deeper than 200, or has a number that is none or too large.
    """
    # The first refuses NaN, integers of more than 4,300 digits and what nests deep; the second floats without end.
    from_json(mend_escapes(text), allow_inf_nan=False)
    return json.loads(text, parse_float=_parse_float)


def _parse_float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError("a number is too large")
    return value
