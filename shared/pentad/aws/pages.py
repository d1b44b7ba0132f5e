"""Cursors of paged lists: where a query ended, opaque to the caller and bound to the partition it came from."""

import base64
import binascii
import json

from pentad.aws.table import Item
from pentad.domain.errors import InvalidInput


def encode_cursor(position: Item | None) -> str | None:
    """Return a cursor, or None at the end of a list."""
    if position is None:
        return None
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, pk: str, *, attribute: str = "pk") -> Item | None:
    """Return the position a cursor stands for.

    Args:
        cursor: what a client sent.
        pk: the partition the list is in: a cursor of another tenant's list is refused.
        attribute: the name of the partition attribute: ``pk``, or ``gsi1pk`` for the index.

    Raises:
        InvalidInput: it is not a cursor of this list.
    """
    if cursor is None:
        return None
    try:
        position = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(
            "the cursor is not valid", field="cursor", fix="send a cursor exactly as you received it"
        ) from error
    if not isinstance(position, dict) or not all(isinstance(part, str) for part in position.values()):
        raise InvalidInput("the cursor is not valid", field="cursor", fix="send a cursor exactly as you received it")
    if position.get(attribute) != pk:
        raise InvalidInput(
            "the cursor belongs to another list", field="cursor", fix="send a cursor exactly as you received it"
        )
    return position
