"""Filter patterns of CloudWatch Logs, of the one kind that is used: a field of a JSON line is there."""

import json
import re

_PRESENT = re.compile(r'\s*\{\s*\$\.([A-Za-z0-9_.-]+)\s*=\s*"?\*"?\s*\}\s*')


def find_path(pattern: str) -> tuple[str, ...] | None:
    """Return the names that lead to the field which a pattern asks for; None where the pattern is of another kind."""
    found = _PRESENT.fullmatch(pattern)
    return tuple(found[1].split(".")) if found else None


def match_line(pattern: str, line: str) -> bool:
    """Tell whether a line has the field of a pattern; an empty pattern takes every line.

    A line that is no JSON has no field; a field that is null, an object or a list does not match ``*``.
    """
    path = find_path(pattern)
    if path is None:
        return not pattern
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return False
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return isinstance(value, str | int | float)
