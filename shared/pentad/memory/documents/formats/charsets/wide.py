"""Tell UTF-16 and UTF-32 without a byte order mark from text in single bytes."""

import re

_HEAD_BYTES = 4096
UNWRITTEN = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
"""Bytes that no text has that is written in single bytes or UTF-8, but for a stray one."""
_LEAST_WIDE_BYTES = 16
_SCRIPTS = (
    (("\u0370", "\u03ff"),),
    (("\u0400", "\u04ff"),),
    (("\u0530", "\u05ff"),),
    (("\u0600", "\u06ff"),),
    (("\u0900", "\u0dff"),),
    (("\u0e00", "\u0e7f"),),
    (("\u3000", "\u30ff"), ("\u4e00", "\u9fff"), ("\uff00", "\uffef")),
    (("\uac00", "\ud7a3"),),
)


def detect_wide(data: bytes) -> str | None:
    """Return UTF-16 or UTF-32 of text without a mark: ASCII in it leaves zeros on one side."""
    if (script := _detect_wide_script(data)) is not None:
        return script
    others = data[:_HEAD_BYTES].replace(b"\x00", b"")
    if len(data) % 2 or (others.isascii() and len(others) > 0.6 * len(data[:_HEAD_BYTES])):
        return None  # ASCII with some zeros in it
    head = data[: _HEAD_BYTES * 4]
    head = head[: len(head) // 4 * 4] or head
    zeros = [sum(byte == 0 for byte in head[offset::4]) * 4 / len(head) for offset in range(4)]
    if len(data) % 4 == 0 and min(zeros[2:]) > 0.9 and zeros[0] < 0.5:
        return "utf-32-le"
    if len(data) % 4 == 0 and min(zeros[:2]) > 0.9 and zeros[3] < 0.5:
        return "utf-32-be"
    even, odd = zeros[0] + zeros[2], zeros[1] + zeros[3]
    codec = "utf-16-le" if odd > even else "utf-16-be"
    if min(even, odd) > 0.05 * max(even, odd):
        return None
    try:
        text = head[: len(head) // 2 * 2].decode(codec, "ignore")
    except UnicodeDecodeError:
        return None
    return (
        codec if sum(map(str.isprintable, text)) + text.count("\n") * 2 + text.count("\t") >= 0.95 * len(text) else None
    )


def _detect_wide_script(data: bytes) -> str | None:
    """Return UTF-16 without a mark of text in another script than Latin, where zeros tell little."""
    head = data[: _HEAD_BYTES * 2]
    if len(data) % 2 or len(head) < _LEAST_WIDE_BYTES or len(UNWRITTEN.findall(head)) * 50 < len(head):
        return None
    shares = {codec: _measure_script(head.decode(codec, "replace")) for codec in ("utf-16-le", "utf-16-be")}
    best, other = sorted(shares, key=lambda codec: -shares[codec])
    return best if shares[best] > 0.95 and shares[best] - shares[other] > 0.1 else None


def _measure_script(text: str) -> float:
    """Return which share of the characters is of one script beside Latin, or common to all; 0 of Latin alone."""
    counts = [sum(low <= one <= high for one in text for low, high in ranges) for ranges in _SCRIPTS]
    common = sum(" " <= one <= "~" or one in "\t\n\r" or "\u2010" <= one <= "\u203a" for one in text)
    return (max(counts) + common) / len(text) if max(counts) > common else 0.0
