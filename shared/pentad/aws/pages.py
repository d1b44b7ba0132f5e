"""Cursors of paged lists: where a query ended, opaque to the caller and bound to the partition it came from."""

import base64
import binascii
import json

from pentad.aws.table import Item
from pentad.domain.errors import NotFound
from pentad.domain.reading.json_text import read_json

_LONGEST = 4_000
"""Of a cursor: of two keys, each of at most 1,024 bytes."""


def encode_cursor(position: Item | None) -> str | None:
    """Return a cursor, or None at the end of a list."""
    if position is None:
        return None
    return base64.urlsafe_b64encode(json.dumps(position, ensure_ascii=False).encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, pk: str, *, attribute: str = "pk") -> Item | None:
    """Return the position a cursor stands for.

    Args:
        cursor: what a client sent.
        pk: the partition the list is in: a cursor of another tenant's list is refused.
        attribute: the name of the partition attribute: ``pk``, or ``gsi1pk`` for the index.

    Raises:
        NotFound: it is not a cursor of this list.
    """
    if cursor is None:
        return None
    if len(cursor) > _LONGEST:
        raise _make_unknown()
    try:
        position = read_json(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as error:
        raise _make_unknown() from error
    if not isinstance(position, dict) or not all(isinstance(part, str) for part in position.values()):
        raise _make_unknown()
    if position.get(attribute) != pk:
        raise _make_unknown()
    return position


def _make_unknown() -> NotFound:
    return NotFound(
        "the list has no page of this cursor", field="cursor", fix="send a cursor exactly as you received it"
    )
