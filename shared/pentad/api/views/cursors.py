"""Cursors of lists that are counted: a place, as text."""

from pentad.domain.errors import InvalidInput


def parse_cursor(cursor: str | None) -> int:
    """Return the place that a cursor stands for; 0 where there is none.

    Raises:
        InvalidInput: it is not a cursor of such a list.
    """
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit()):
        raise InvalidInput("the cursor is not valid", field="cursor", fix="send a cursor exactly as you received it")
    return int(cursor)
