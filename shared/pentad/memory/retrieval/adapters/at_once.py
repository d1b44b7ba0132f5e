"""Two requests at once, where a store answers one question by two searches."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
Search = Callable[[], Sequence[T]]


def search_both(nearest: Search[T] | None, worded: Search[T] | None) -> tuple[Sequence[T], Sequence[T]]:
    """Return what a search by meaning and one by words find; of one that is None, nothing.

    The one by words runs in a thread of its own. Both have ended when this returns or raises; where both fail, the
    error of the first is raised.
    """
    if nearest is None or worded is None:
        return () if nearest is None else nearest(), () if worded is None else worded()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(worded)
        return nearest(), running.result()
