"""Read JSON that somebody else wrote, and take only what can be passed on, hashed and stored."""

import json
import math
from typing import Any

from pydantic_core import from_json

from pentad.domain.display.unicode_text import mend_escapes
from pentad.domain.errors import InvalidInput

MAX_DEPTH = 32
"""Levels of a value that is passed on."""
_MOST_DIGITS = 4_300
"""Of an integer: Python's own limit, since reading more takes time by the square of their number."""
_MOST_LEVELS = 200
"""Of a value that is looked at: what pydantic's reader takes."""


def read_json(text: str | bytes) -> Any:
    """Return a text's JSON value as Python's reader takes it, NaN and halves of surrogate pairs too.

    For whatever may be no JSON. Python's own reader raises RecursionError for what nests deep, which is no ValueError,
    and from 3.12 on only far beyond what Python's other functions can go through.

    Raises:
        ValueError: it is no JSON or no UTF-8, nests deeper than 200, or has an integer of more than 4,300 digits.
    """
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise ValueError("the JSON nests too deep") from error
    if isinstance(value, dict | list) and _is_deep(value):
        raise ValueError("the JSON nests too deep")
    return value


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_MOST_LEVELS):
        parts = (part for one in level for part in (one.values() if isinstance(one, dict) else one))
        level = [part for part in parts if isinstance(part, dict | list)]
        if not level:
            return False
    return True


def read_message_body(body: str) -> dict[str, Any]:
    """Return the object in a message of a queue; half of a surrogate pair is read as U+FFFD.

    Raises:
        InvalidInput: it is no JSON that can be passed on (`read_strict_json`), or no object.
    """
    try:
        content = read_strict_json(mend_escapes(body))
    except ValueError as error:
        raise InvalidInput("the message is not valid JSON", field="body", fix="send one JSON object") from error
    if not isinstance(content, dict):
        raise InvalidInput("the message is not a JSON object", field="body", fix="send one JSON object")
    return content


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


class Duplicated(dict[str, Any]):
    """An object in which a key stood twice."""


def _make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    return made if len(made) == len(pairs) else Duplicated(made)


def read_marked_json(text: str) -> Any:
    """Return a text's JSON value for `find_problem`: an object with equal keys is a `Duplicated`, numbers may be none.

    Half of a surrogate pair is read as U+FFFD, an integer of more digits than Python takes as infinity: one such number
    makes the rest no less readable.

    Raises:
        ValueError: it is not JSON, is cut, or nests beyond what can be read.
    """
    try:
        return json.loads(mend_escapes(text), object_pairs_hook=_make_object, parse_int=_parse_int)
    except RecursionError as error:
        raise ValueError("the JSON nests too deep") from error


def _parse_int(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


def find_problem(value: Any, depth: int = MAX_DEPTH) -> str | None:
    """Return what makes a value unfit to be passed on, or None."""
    if depth < 0:
        return f"nests deeper than {MAX_DEPTH}"
    if isinstance(value, Duplicated):
        return "has the same key twice in one object"
    if isinstance(value, float) and not math.isfinite(value):
        return "holds NaN or Infinity"
    children: Any = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((found for child in children if (found := find_problem(child, depth - 1))), None)
