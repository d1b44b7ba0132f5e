"""Read JSON that a model or a provider wrote, and say what is wrong with it.

Python's reader takes NaN, lets the last of two equal keys win and nests without bound. Arguments of a tool call read
that way could mean one thing to a validator and another to a tool.
"""

import json
from typing import Any

from pentad.domain.reading.json_text import MAX_DEPTH as MAX_DEPTH
from pentad.domain.reading.json_text import find_problem as find_problem
from pentad.domain.reading.json_text import read_marked_json

MAX_COUNT = 10**9
"""Tokens of one request: no window is so large."""
_MOST_DIGITS = 9


def read(text: str | bytes) -> Any:
    """Return the value; an object with equal keys is marked, so that `find_problem` can tell.

    Half of a surrogate pair, as a model that is cut inside an emoji writes it, is read as U+FFFD. So are bytes that are
    no text: the reply is paid, and all else in it can be read.

    Raises:
        ValueError: it is not JSON, is cut, or nests beyond what can be read.
    """
    words = text if isinstance(text, str) else text.decode(json.detect_encoding(text), errors="replace")
    return read_marked_json(words)


def get_section(value: Any, name: str) -> dict[str, Any]:
    """Return an object inside an object; an empty one where there is none, or something else."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def read_count(value: Any, name: str) -> int | None:
    """Return a count inside an object; None where there is none, or something that is no count.

    A whole number in another form (``"50"``, ``50.0``) has one meaning.
    """
    found = value.get(name) if isinstance(value, dict) else None
    if isinstance(found, str) and len(found) <= _MOST_DIGITS and found.isascii() and found.isdecimal():
        return int(found)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found <= MAX_COUNT:
        return None
    return int(found) if found == int(found) else None


def get_count(value: Any, name: str) -> int:
    """Return a count inside an object; 0 where there is none, or something that is no count."""
    return read_count(value, name) or 0


def find_absurd_count(usage: Any) -> str:
    """Return which count of tokens in a provider's usage can be none: negative, broken or beyond any request; or "".

    Its sections are looked at too. A count that is null is not there.
    """
    if not isinstance(usage, dict):
        return ""
    for section in (usage, *(value for value in usage.values() if isinstance(value, dict))):
        for name, value in section.items():
            if not name.endswith("tokens") or value is None or read_count(section, name) is not None:
                continue
            return f"the reported usage is absurd: {name[:40]} is {_describe_count(value)}"
    return ""


def _describe_count(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "no number"
    # No float holds a whole number of 310 digits: to format it would raise.
    return f"{value:.6g}" if isinstance(value, float) or abs(value) <= MAX_COUNT else "beyond any request"


def is_list_of_objects(value: Any) -> bool:
    """Tell if a value is a list of nothing but objects."""
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def read_arguments(text: str) -> tuple[dict[str, Any] | None, str]:
    """Return a tool call's arguments and "", or None and what is wrong with them."""
    try:
        value = read(text) if text.strip() else {}
    except ValueError:
        return None, "are not valid JSON"
    return validate_arguments(value)


def validate_arguments(value: Any) -> tuple[dict[str, Any] | None, str]:
    """Return arguments that were read already and "", or None and what is wrong with them.

    No arguments, null and an empty text are none; an object that was written as text once more is that object.
    """
    if value is None:
        return {}, ""
    if isinstance(value, str):
        try:
            value = read(value) if value.strip() else {}
        except ValueError:
            return None, "are not a JSON object"
    if not isinstance(value, dict):
        return None, "are not a JSON object"
    found = find_problem(value)
    return (None, found) if found else (value, "")
