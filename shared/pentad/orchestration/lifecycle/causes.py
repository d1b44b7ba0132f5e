"""What the cause of a failed state says: a function's message, or a state's own words."""

import json
import re

_MESSAGE = re.compile(r'"errorMessage"\s*:\s*("(?:[^"\\]|\\.)*")')


def message_of(cause: str) -> str:
    """Return what an error said; empty where it says nothing that can be read.

    Args:
        cause: as Step Functions gives it: the JSON of a function's error (definitions cut it, behind the message, in
            the middle of a traceback), or the words of a Fail state.
    """
    match = _MESSAGE.search(cause)
    if match is not None:
        try:
            return str(json.loads(match[1]))
        except ValueError:
            return ""
    return "" if cause.startswith("{") else cause
