"""Names of a client's tools, as the gateway's tools are named, and back.

OpenAI takes letters of both cases, dashes and up to 64 characters; ours are stricter. A name that is ours already
stays. Another gets one made of it alone, so it is the same in each request, and a provider's prompt cache holds.
"""

import hashlib
import re
from collections.abc import Iterable

from pentad.domain.ids import TOOL_PATTERN

NAME_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
_OURS = re.compile(TOOL_PATTERN)
_LONGEST = 40
_DIGITS = 8


def make_name(name: str, salt: int = 0) -> str:
    """Return a name of ours for another: readable, then digits that tell it from others like it."""
    digest = hashlib.sha256(f"{name}\x00{salt}".encode()).hexdigest()[:_DIGITS]
    words = re.sub(r"[^a-z0-9_]", "_", name.lower())
    if not words[:1].isalpha():
        words = f"t_{words}"
    return f"{words[: _LONGEST - _DIGITS - 1]}_{digest}"


class ToolNames:
    """Both ways between a request's names and ours; no two share one.

    Args:
        names: all names of the request: of its tools and of earlier calls.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._inner: dict[str, str] = {}
        self._outer: dict[str, str] = {}
        given = sorted(set(names))
        for name in [name for name in given if _OURS.fullmatch(name)]:
            self._add_pair(name, name)
        for name in [name for name in given if name not in self._inner]:
            salt = 0
            while make_name(name, salt) in self._outer:
                salt += 1
            self._add_pair(name, make_name(name, salt))

    def _add_pair(self, name: str, ours: str) -> None:
        self._inner[name], self._outer[ours] = ours, name

    def to_inner(self, name: str) -> str:
        """Return our name of the client's.

        Raises:
            KeyError: it is not one of the request's.
        """
        return self._inner[name]

    def to_outer(self, name: str) -> str:
        """Return the client's name of ours; a name that is not known stays as it is."""
        return self._outer.get(name, name)
