"""Bodies: what a request sends, and what an answer holds after decompression, both bounded."""

import json
import zlib
from collections.abc import Mapping
from typing import Any, Final

from pentad.domain.display.unicode_text import replace_halves
from pentad.domain.errors import ToolFailed
from pentad.tools.egress.ports import AnswerTooLarge, WireBroken

MOST_SENT: Final = 10_000_000
"""Bytes of a request's body."""
ENCODINGS: Final = "gzip, deflate"
_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS
_RAW: Final = -zlib.MAX_WBITS
_MEMBERS: Final = 1_000


def build_body(value: Any, body: bytes | str | None, headers: Mapping[str, str]) -> tuple[bytes, dict[str, str]]:
    """Return the bytes of a request's body, and the headers with their type.

    Args:
        value: sent as JSON, where it is not None.
        body: sent as it is; half of a surrogate pair in either is U+FFFD.
        headers: of the tool.

    Raises:
        ToolFailed: both are given, or it is too large or no JSON.
    """
    if value is not None and body is not None:
        raise ToolFailed("a request has json or body, not both", field="body", fix="leave one of them out")
    typed = dict(headers)
    if value is not None:
        try:
            body = json.dumps(value, ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            raise ToolFailed("'json' is not valid JSON", field="json") from None
        typed.setdefault("content-type", "application/json")
    data = replace_halves(body).encode() if isinstance(body, str) else body or b""
    if len(data) > MOST_SENT:
        raise ToolFailed(f"the request has {len(data):,} bytes", field="body", fix=f"send at most {MOST_SENT:,}")
    return data, typed


def decode_body(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """Return an answer's body decompressed.

    Args:
        body: as it came.
        encoding: the header Content-Encoding.
        max_bytes: the most that is taken; no more is decompressed.

    Raises:
        AnswerTooLarge: it has more.
        WireBroken: it can't be decompressed, or is encoded in a way that was not asked for.
    """
    name = encoding.strip().lower()
    if name in ("", "identity") or not body:
        if len(body) > max_bytes:
            raise AnswerTooLarge
        return body
    if name not in ("gzip", "x-gzip", "deflate"):
        raise WireBroken(f"it is encoded as {name!r:.40}, which was not requested")
    try:
        return _inflate(body, max_bytes, _GZIP_OR_ZLIB)
    except zlib.error:
        if name != "deflate":
            raise WireBroken("it can't be decompressed") from None
    try:  # what some servers call deflate has no header
        return _inflate(body, max_bytes, _RAW)
    except zlib.error:
        raise WireBroken("it can't be decompressed") from None


def _inflate(body: bytes, max_bytes: int, window: int) -> bytes:
    found, size, rest = [], 0, body
    for _ in range(_MEMBERS):
        machine = zlib.decompressobj(window)
        part = machine.decompress(rest, max_bytes - size + 1)
        size += len(part)
        if size > max_bytes:
            raise AnswerTooLarge
        found.append(part)
        if not machine.eof:
            raise WireBroken("it ends in the middle of what is compressed")
        rest = machine.unused_data
        # Bytes after the end that begin no further member are padding.
        if not rest.startswith(b"\x1f\x8b"):
            return b"".join(found)
    raise AnswerTooLarge
