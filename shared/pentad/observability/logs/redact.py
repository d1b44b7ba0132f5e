"""Take secrets out of what is logged: by the form of a value, and by the name of the field that holds it."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from pentad.domain.secrets import MASK, is_secret_name, mask_secrets

MAX_TEXT = 8_192
_MAX_DEPTH = 12
_MAX_ITEMS = 200


def redact(value: Any, *, emails: bool = False, depth: int = 0) -> Any:
    """Return a value of a log record without secrets, bounded in depth, width and length of text.

    Args:
        value: anything; what is not JSON becomes text.
        emails: mask e-mail addresses too.
        depth: how deep the value lies.
    """
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        # Masked before it is cut, since half a key is not recognised; the bound on the work is generous.
        # A lone surrogate would break the stream that the line is written to.
        masked = mask_secrets(value[: 4 * MAX_TEXT], emails=emails).encode(errors="replace").decode()
        return masked if len(masked) <= MAX_TEXT and len(value) <= 4 * MAX_TEXT else f"{masked[:MAX_TEXT]}[cut]"
    if depth >= _MAX_DEPTH:
        return "[deep]"
    if isinstance(value, Mapping):
        return {
            str(name): MASK
            if isinstance(part, str) and is_secret_name(str(name))
            else redact(part, emails=emails, depth=depth + 1)
            for name, part in list(value.items())[:_MAX_ITEMS]
        }
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return [redact(part, emails=emails, depth=depth + 1) for part in value[:_MAX_ITEMS]]
    return redact(str(value), emails=emails, depth=depth)


class RedactingFilter(logging.Filter):
    """Masks the records of loggers that are not ours: a library's, or the runtime's own.

    Put it on a handler: a filter on a logger does not see the records of its children.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the message and the traceback; every record passes."""
        if not isinstance(record.msg, Mapping):
            record.msg, record.args = redact(record.getMessage()), ()
        if record.exc_info and record.exc_info[0] is not None and not record.exc_text:
            record.exc_text = mask_secrets(logging.Formatter().formatException(record.exc_info))
        return True
