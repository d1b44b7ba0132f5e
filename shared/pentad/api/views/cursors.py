"""Pages of lists: those that leave some out, and cursors of lists that are counted (a place, as text)."""

import re
from collections.abc import Callable
from typing import TypeVar

from pentad.domain.errors import NotFound
from pentad.domain.values import Page

T = TypeVar("T")
MAX_PAGES = 10
"""Pages read for one page of a list that leaves some out; what is left comes with the cursor."""


def collect_page(
    fetch: Callable[[int, str | None], Page[T]], may_show: Callable[[T], bool], *, limit: int, cursor: str | None
) -> Page[T]:
    """Return a page of what may be shown of a list; it may hold less than the limit though its cursor leads on.

    Args:
        fetch: returns a page of the list, of at most so many from a cursor on.
        may_show: tells whether one is shown.
        limit: at most so many.
        cursor: where to go on.
    """
    found: list[T] = []
    for _ in range(MAX_PAGES):
        page = fetch(limit - len(found), cursor)
        found += [one for one in page.items if may_show(one)]
        cursor = page.cursor
        if cursor is None or len(found) >= limit:
            break
    return Page(items=tuple(found), cursor=cursor)


def parse_cursor(cursor: str | None) -> int:
    """Return the place that a cursor stands for; 0 where there is none.

    Raises:
        NotFound: it is not a cursor of such a list.
    """
    if cursor is None:
        return 0
    if not re.fullmatch(r"[0-9]{1,9}", cursor):
        raise NotFound(
            "the list has no page of this cursor", field="cursor", fix="send a cursor exactly as you received it"
        )
    return int(cursor)
