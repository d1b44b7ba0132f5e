"""How much an expression may compute: logarithms of a thousand digits add up to minutes, and a tool has seconds.

What is counted is digits, not time, so that an expression has the same answer on every machine.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pentad.domain.errors import InvalidInput

MOST_WORK = 17_000_000
"""Exponentials and logarithms cost their digits squared: seven of 1,060 digits, with all that is tried before."""
_LIGHT = 8  # a series over integers is so many times faster than an exponential of the decimal module
_left: ContextVar[list[int] | None] = ContextVar("work", default=None)


@contextmanager
def limited_work(most: int = MOST_WORK) -> Iterator[None]:
    """Let what is computed within cost so much at most; without it nothing is counted."""
    token = _left.set([most])
    try:
        yield
    finally:
        _left.reset(token)


def spend_work(digits: int, *, heavy: bool) -> None:
    """Count one function of so many digits.

    Args:
        digits: how many.
        heavy: it is an exponential or a logarithm.

    Raises:
        InvalidInput: there is no work left.
    """
    left = _left.get()
    if left is None:
        return
    left[0] -= digits * digits if heavy else digits * digits // _LIGHT
    if left[0] < 0:
        raise InvalidInput(
            "the expression needs too many digits in too many places",
            field="expression",
            fix="calculate it in several steps, or with numbers that are less close to each other",
        )
