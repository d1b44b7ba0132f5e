"""Headers of requests and answers: which a tool may set, and which follow a redirect."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from pentad.domain.errors import ToolFailed

_OWN: Final = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""The client's own; with them a tool could name another server than the one that was checked."""
_EVERYWHERE: Final = frozenset({"accept", "accept-language", "user-agent"})
"""What another origin gets after a redirect; anything else may be a credential, whatever its name."""
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_VALUE: Final = re.compile(r"[\t -~\x80-\xff]{0,16384}")
_MOST: Final = 64


def check_headers(given: Mapping[str, str] | None) -> dict[str, str]:
    """Return a tool's headers by name in lower case.

    Raises:
        ToolFailed: one is the client's own, or can't be sent. Its value is not told: it may be a credential.
    """
    headers: dict[str, str] = {}
    for name, value in (given or {}).items():
        plain = str(name).lower()
        if not _NAME.fullmatch(plain) or plain in _OWN or len(headers) >= _MOST:
            raise ToolFailed(f"the header {plain!r:.60} can't be set", fix="leave it out: the client sets its own")
        if not isinstance(value, str) or not _VALUE.fullmatch(value):
            raise ToolFailed(f"the header '{plain}' has characters that can't be sent", fix="send one line of text")
        headers[plain] = value.strip()
    return headers


def keep_for_origin(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that another origin may see."""
    return {name: value for name, value in headers.items() if name in _EVERYWHERE}


def join_headers(given: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return an answer's headers by name in lower case; those of one name are joined."""
    joined: dict[str, str] = {}
    for name, value in given:
        plain = name.lower()
        joined[plain] = f"{joined[plain]}, {value}" if plain in joined else value
    return joined
