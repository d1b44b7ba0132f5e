"""JSON as AWS writes it: compact, UTF-8 not escaped, limits counted in bytes of that form."""

import json
from datetime import date, datetime
from typing import Any, Final

MAX_BYTES: Final = 256 * 1024
"""Largest input, output or result of a state. Source: AWS Step Functions quotas."""


def _encode_other(value: Any) -> str:
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def dump_json(value: Any, separators: tuple[str, str] | None = None) -> str:
    """Return compact JSON; `separators` is accepted because moto's callers pass it."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=_encode_other)
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which only an escape can carry
        return json.dumps(value, separators=(",", ":"), default=_encode_other)
    return text


def is_within_quota(value: Any) -> bool:
    """Whether a value is within the payload limit."""
    text = value if isinstance(value, str) else dump_json(value)
    return len(text.encode("utf-8", "surrogatepass")) <= MAX_BYTES


def to_iso(moment: datetime) -> str:
    """Return a time as the context object has it: UTC, milliseconds, `Z`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
