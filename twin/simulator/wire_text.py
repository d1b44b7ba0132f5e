"""JSON on the wire, with the halves of surrogate pairs that models write and providers refuse."""

from __future__ import annotations

import json
from typing import Any


def dump_wire(payload: Any, **options: Any) -> str:
    """Return JSON as providers send it: as it is, or escaped where it holds what no encoding takes."""
    text = json.dumps(payload, ensure_ascii=False, **options)
    return text if text.isascii() or not has_half_pair(text) else json.dumps(payload, **options)


def has_half_pair(text: str) -> bool:
    """Whether a text holds half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def holds_half_pair(body: Any) -> bool:
    """Whether a request's JSON holds half of a surrogate pair: providers' parsers refuse it."""
    return has_half_pair(json.dumps(body, ensure_ascii=False))
