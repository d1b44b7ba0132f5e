"""A record's value as it is stored: JSON with its keys in their order, and a hash that does not depend on it."""

import hashlib
import json

from pentad.domain.canonical import canonical_json
from pentad.domain.display.unicode_text import replace_halves
from pentad.tools.records.ports import Value


def encode_value(value: Value) -> str:
    """Return the text that is stored.

    Raises:
        ValueError: the value holds NaN or an infinity.
        TypeError: it is not made of JSON's types.
    """
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return replace_halves(text)


def decode_value(text: str) -> Value:
    """Return the value of a stored text."""
    value: Value = json.loads(text)
    return value


def copy_value(value: Value) -> Value:
    """Return a value that shares nothing with the given one."""
    return decode_value(encode_value(value))


def compute_digest(value: Value) -> str:
    """Return the SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(replace_halves(canonical_json(value)).encode()).hexdigest()
