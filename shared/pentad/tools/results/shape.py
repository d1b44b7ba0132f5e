"""Show a long text within a limit: its head, its tail, and between them a line that says what is left out. Pure.

JSON keeps its structure visible: a line in front names what is at its top, with sizes. Offsets are bytes of UTF-8 of
the text as it is kept, and no character is ever cut in two.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from pentad.domain.reading.json_text import read_json

MAX_SHOWN_BYTES: Final = 65_536
"""Of a result, as a model reads it."""
_LEAST_BYTES: Final = 400
"""Of a smaller limit there is no room for a note, a head and a tail."""
_HEAD_SHARE: Final = 0.7
_LINE: Final = "\n"
_LINE_SHARE: Final = 0.2
"""So much of a head or tail is given up at most so that it ends with a line."""
_MAX_PARSED: Final = 4_000_000
_MAX_NAMED: Final = 30
_MAX_OUTLINE: Final = 2_000
_MAX_NAME: Final = 60


class Fit(Protocol):
    """Makes a text fit: shows a part of it, and may keep the whole."""

    def __call__(self, text: str, limit: int, value: Any = None) -> str:
        """Return a text of at most ``limit`` bytes.

        Args:
            text: cleaned.
            limit: bytes of UTF-8.
            value: what the text is the JSON of, where that is known.
        """
        ...


def shape_text(text: str, limit: int = MAX_SHOWN_BYTES, value: Any = None, *, handle: str | None = None) -> str:
    """Return a text as it is, or its head and tail within the limit with a line between them.

    Args:
        text: cleaned.
        limit: bytes of UTF-8 that are shown at most.
        value: what the text is the JSON of, where that is known.
        handle: the name under which the whole can be read; None where it is not kept.
    """
    data = text.encode()
    if len(data) <= limit:
        return text
    if limit < _LEAST_BYTES:
        note = f"\n[cut: {len(data):,} bytes]"
        return _cut_end(data, max(0, limit - len(note))) + note[:limit]
    outline = _describe_json(text, len(data), value, min(_MAX_OUTLINE, limit // 4))
    lines = data.count(b"\n") + 1
    # A note of the largest numbers is as long as any.
    longest = _make_note((len(data), len(data), len(data)), (lines, lines, lines), handle)
    room = limit - len(outline.encode()) - len(longest.encode())
    head = _end_with_line(data[: int(room * _HEAD_SHARE)])
    tail = _begin_with_line(data[len(data) - (room - len(head)) :])
    start, end = len(head), len(data) - len(tail)
    first, last = data.count(b"\n", 0, start) + 1, data.count(b"\n", 0, end - 1) + 1
    note = _make_note((start, end, len(data)), (first, last, lines), handle)
    shown = head.decode()
    return f"{outline}{shown}{note.removeprefix(shown[-1:]) if shown.endswith(_LINE) else note}{tail.decode()}"


def _make_note(size: tuple[int, int, int], lines: tuple[int, int, int], handle: str | None) -> str:
    """Return the line in a gap: its begin, its end, and all there is, in bytes and in lines."""
    kept = "not kept" if handle is None else f'kept: read them with read_result, handle "{handle}"'
    return (
        f"\n[cut: bytes {size[0]:,} to {size[1]:,} of {size[2]:,} (lines {lines[0]:,} to {lines[1]:,} of {lines[2]:,}) "
        f"are left out here and {kept}]\n"
    )


def _cut_end(data: bytes, size: int) -> str:
    return data[:size].decode(errors="ignore")


def _end_with_line(data: bytes) -> bytes:
    """Return a beginning without half a character, up to the end of a line where one is near."""
    whole = data.decode(errors="ignore").encode()
    line = whole.rfind(b"\n", int(len(whole) * (1 - _LINE_SHARE)))
    return whole if line < 0 else whole[: line + 1]


def _begin_with_line(data: bytes) -> bytes:
    """Return an end without half a character, from the beginning of a line where one is near."""
    start = 0
    while start < min(4, len(data)) and data[start] & 0xC0 == 0x80:
        start += 1
    whole = data[start:]
    line = whole.find(b"\n", 0, int(len(whole) * _LINE_SHARE))
    return whole if line < 0 else whole[line + 1 :]


def _describe_json(text: str, size: int, value: Any, limit: int) -> str:
    """Return a line that says what stands at the top of a JSON value; "" for what is none."""
    if value is None or isinstance(value, str):
        if size > _MAX_PARSED or text[:1] not in ("{", "["):
            return ""
        try:
            value = read_json(text)
        except ValueError:
            return ""
    if isinstance(value, Mapping):
        parts = [f"{_name(key)} {_describe_part(part)}" for key, part in list(value.items())[:_MAX_NAMED]]
        return _join_outline(f"JSON object of {size:,} bytes", parts, len(value), limit)
    if isinstance(value, Sequence) and not isinstance(value, str):
        kind = f"JSON array of {len(value):,} items, {size:,} bytes"
        first = value[0] if value else None
        names = list(map(_name, first))[:_MAX_NAMED] if isinstance(first, Mapping) else []
        return _join_outline(f"{kind}; the first has" if names else kind, names, len(first or ()), limit)
    return ""


def _join_outline(kind: str, parts: Sequence[str], count: int, limit: int) -> str:
    shown: list[str] = []
    room = limit - len(kind) - 40
    for part in parts:
        room -= len(part.encode()) + 2
        if room < 0:
            break
        shown.append(part)
    more = f", and {count - len(shown):,} more" if shown and count > len(shown) else ""
    return f"[{kind}: {', '.join(shown)}{more}]\n" if shown else f"[{kind.removesuffix('; the first has')}]\n"


def _name(key: Any) -> str:
    return json.dumps(str(key)[:_MAX_NAME], ensure_ascii=False)


def _describe_part(part: Any) -> str:
    size = f"{len(json.dumps(part, ensure_ascii=False).encode(errors='replace')):,} bytes"
    if isinstance(part, Mapping):
        return f"(object of {len(part):,}, {size})"
    if isinstance(part, str):
        return f"(text, {size})"
    return f"(array of {len(part):,}, {size})" if isinstance(part, Sequence) else f"({size})"
