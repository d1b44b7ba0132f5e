"""Take secrets and personal data out of what is logged: by the form of a value, and by the name of its field."""

import json
import logging
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pentad.domain.secrets import KNOWN, MASK, is_secret_value, mask_secrets
from pentad.observability.logs.cards import CARD, is_card
from pentad.observability.logs.personal import mask_personal

CUT: Final = "[cut]"
MAX_TEXT: Final = 8_192
"""Characters of one text."""
MAX_LINE: Final = 240_000
"""Bytes of a line: Lambda hands on no more than 256 KB of one."""
_MAX_DEPTH: Final = 12
_MAX_ITEMS: Final = 200
_MAX_TRACEBACK: Final = 32_768
_SMALLER: Final = ((1_024, 100), (200, 20), (40, 8))
"""Characters of a text and items of a list, where a line is too large."""
# What would end a line for some readers, and C1 controls; JSON itself escapes those below a blank.
_BREAKS: Final = re.compile("[\x7f-\x9f\u2028\u2029]")
# A time, an id or the name of an event has no personal data in it, and most texts are one.
_PLAIN: Final = re.compile(
    r"[A-Za-z]?[a-z_]{0,23}(?:[.-][A-Za-z]?[a-z_]{1,23}){0,6}"
    # 16 digits may be a card's, and "be" with 14 of them an IBAN of Belgium.
    # And 16 digits as hex are 32.
    r"|(?=[0-9]{0,15}[a-f])(?!be[0-9]{14})[0-9a-f]{16}|(?!(?:3[0-9]){16})[0-9a-f]{32}"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00"
    r"|(?:run|ses|att|rev|apr|era)_[0-9a-hjkmnp-tv-z]{26}"
)
# Hashes that may be digits alone: masked, a span would belong nowhere.
_SPAN_IDS: Final = frozenset({"trace_id", "span_id", "parent_id"})
_SPAN_ID: Final = re.compile(r"[0-9a-f]{16}|[0-9a-f]{32}")


def redact(value: Any, *, most_text: int = MAX_TEXT, most_items: int = _MAX_ITEMS) -> Any:
    """Return a value of a log record without secrets and personal data, bounded in depth, width and length of text.

    Args:
        value: anything; what is not JSON becomes text.
        most_text: characters of a text.
        most_items: of a list or mapping.
    """
    return _Redaction(most_text, most_items).redact(value, 0)


class _Redaction:
    """One record's; all of its texts together are bounded too, so that no record takes seconds."""

    def __init__(self, most_text: int, most_items: int) -> None:
        self._most_text = most_text
        self._most_items = most_items
        self._left = MAX_LINE

    def redact(self, value: Any, depth: int) -> Any:
        """Return one value of it."""
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, float) and not math.isfinite(value):
            return str(value)  # NaN is no JSON: nobody could read the line
        if isinstance(value, int | float):
            return CARD if is_card(value) else value
        if isinstance(value, str):
            return self._redact_text(value)
        if depth >= _MAX_DEPTH or self._left <= 0:
            return "[deep]" if depth >= _MAX_DEPTH else CUT
        if isinstance(value, Mapping):
            some = list(value.items())[: self._most_items]
            return {self._redact_text(str(name)): self._redact_field(str(name), part, depth) for name, part in some}
        if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
            return [self.redact(part, depth + 1) for part in value[: self._most_items]]
        if isinstance(value, bytes | bytearray):
            value = bytes(value[: 4 * self._most_text]).decode(errors="replace")  # not repr(): it has escapes
        return self._redact_text(str(value))

    def _redact_field(self, name: str, value: Any, depth: int) -> Any:
        if is_secret_value(name, value):
            return MASK
        if name in _SPAN_IDS and isinstance(value, str) and _SPAN_ID.fullmatch(value):
            return value
        return self.redact(value, depth + 1)

    def _redact_text(self, text: str) -> str:
        if self._left <= 0:
            return CUT
        self._left -= min(len(text), self._most_text) + 1
        return redact_text(text, self._most_text)


def redact_text(text: str, most: int = MAX_TEXT) -> str:
    """Return a text without secrets and personal data, and no longer than ``most`` characters; ``[cut]`` ends it then.

    Args:
        text: any text.
        most: characters.
    """
    if _PLAIN.fullmatch(text):
        return KNOWN.mask(text, MASK)  # a password may be a word
    # Masked before it is cut, since half a key is not recognised; the bound on the work is generous.
    # A lone surrogate would break the stream that the line is written to.
    masked = mask_personal(mask_secrets(text[: 4 * most])).encode(errors="replace").decode()
    return masked if len(masked) <= most and len(text) <= 4 * most else f"{masked[:most]}{CUT}"


def serialize_line(record: Mapping[str, Any]) -> str:
    """Return a record as one line of JSON: redacted, without a character that ends a line, and not too large."""
    line = _dump(redact(record))
    for most_text, most_items in _SMALLER:
        if len(line) <= MAX_LINE // 4 or len(line.encode()) <= MAX_LINE:
            return line
        line = _dump(redact(record, most_text=most_text, most_items=most_items))
    if len(line.encode()) > MAX_LINE:
        plain = {name: value for name, value in record.items() if not isinstance(value, Mapping | list | tuple)}
        line = _dump(redact(plain, most_text=_SMALLER[-1][0]))
    return line


def _dump(record: Any) -> str:
    line = json.dumps(record, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return _BREAKS.sub(lambda found: f"\\u{ord(found[0]):04x}", line) if _BREAKS.search(line) else line


class RedactingFilter(logging.Filter):
    """Masks the records of loggers that are not ours: a library's, or the runtime's own.

    Put it on a handler: a filter on a logger does not see the records of its children.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the message and the traceback; every record passes."""
        if not isinstance(record.msg, Mapping):
            record.msg, record.args = redact(_get_message(record)), ()
        if record.exc_info and record.exc_info[0] is not None and not record.exc_text:
            record.exc_text = redact_text(logging.Formatter().formatException(record.exc_info), _MAX_TRACEBACK)
        return True


def _get_message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):  # arguments that do not fit: logging itself would print them as they are
        return f"{record.msg} {record.args}"


def make_safe_error(error: Exception) -> Exception | None:
    """Return what is to be raised in an error's place, where its message holds what may not be logged; else None.

    Lambda's runtime writes the message of what a handler raises into the log itself. What stands for the error has its
    class's name, which is what Step Functions matches, and its traceback.
    """
    try:
        said = str(error)
    except Exception:  # of a class whose own method fails: nobody can write its message
        return None
    safe = redact_text(said)
    if safe == said:
        return None
    made: Exception = type(type(error).__name__, (Exception,), {})(safe)
    return made.with_traceback(error.__traceback__)
