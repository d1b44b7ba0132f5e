"""The head of an HTTP/1.1 request, from its bytes to its fields; strict where parsers are known to differ."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from twin.servers.messages import Fields, Refused

END: Final = b"\r\n\r\n"
MAX_FIELDS: Final = 200
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]").search
_VERSIONS: Final = ("HTTP/1.1", "HTTP/1.0")


@dataclass(frozen=True, slots=True)
class Head:
    """Request line and header fields. `headers` has names in lower case, repeated ones joined by commas."""

    method: str
    target: str
    protocol: str
    fields: Fields
    headers: Mapping[str, str]

    @property
    def keeps_alive(self) -> bool:
        """Whether the connection stays open after the answer."""
        return self.protocol == "HTTP/1.1" and "close" not in self.headers.get("connection", "").lower()

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits for a word before it sends the body."""
        return self.headers.get("expect", "").strip().lower() == "100-continue"


def parse_head(data: bytes) -> Head:
    """Parse a request's head, without the empty line that ends it.

    Raises:
        Refused: 400, 431 or 505.
    """
    first, *lines = data.decode("latin-1").split("\r\n")
    if len(lines) > MAX_FIELDS:
        raise Refused(431, "too_many_headers", f"a request has {MAX_FIELDS} header fields at most, got {len(lines)}")
    parts = first.split(" ")
    if len(parts) != 3 or not _TOKEN(parts[0]) or not parts[1] or _CONTROL(first):
        raise Refused(400, "bad_request", f"not a request line: {first[:100]!r}")
    method, target, protocol = parts
    if protocol not in _VERSIONS:
        raise Refused(505, "version_not_supported", f"'{protocol[:20]}' is not supported: use HTTP/1.1")
    fields: list[tuple[str, str]] = []
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        # A folded line, or a space before the colon: two parsers may read two different requests.
        if not colon or not _TOKEN(name) or _CONTROL(value):
            raise Refused(400, "bad_request", f"not a header field: {line[:100]!r}")
        value = value.strip(" \t")
        fields.append((name, value))
        key = name.lower()
        headers[key] = f"{headers[key]}{'; ' if key == 'cookie' else ', '}{value}" if key in headers else value
    return Head(method, target, protocol, tuple(fields), headers)


def read_length(head: Head, most: int) -> int | None:
    """Return the length of the body in bytes, or None for a chunked one.

    Raises:
        Refused: 400, 413 or 501.
    """
    coding, length = head.headers.get("transfer-encoding"), head.headers.get("content-length")
    if coding is not None:
        if coding.lower() != "chunked":
            raise Refused(501, "unknown_encoding", f"the transfer encoding '{coding[:40]}' is not known: use 'chunked'")
        if length is not None:
            raise Refused(400, "bad_request", "a request has 'content-length' or 'transfer-encoding', not both")
        return None
    if length is None:
        return 0
    if not (length.isascii() and length.isdigit() and len(length) < 19):
        raise Refused(400, "bad_request", f"'content-length' is not one number: '{length[:40]}'")
    check_length(int(length), most)
    return int(length)


def check_length(length: int, most: int) -> None:
    """Refuse a body that is longer than `most` bytes.

    Raises:
        Refused: 413.
    """
    if length > most:
        raise Refused(413, "request_too_large", f"the body has {length} bytes or more; at most {most} are taken")
