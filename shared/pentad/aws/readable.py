"""What is stored and can't be read any more: one error, that names the thing and never its content."""

from collections.abc import Iterator
from contextlib import contextmanager

from pentad.domain.errors import Unreadable


@contextmanager
def readable(what: str) -> Iterator[None]:
    """Read what is stored.

    Args:
        what: names it, such as ``step 3 of the run``.

    Raises:
        Unreadable: an attribute is missing, or what it holds is not what was written.
    """
    try:
        yield
    except (KeyError, ValueError) as error:  # pydantic's ValidationError is a ValueError
        raise Unreadable(f"{what} can't be read: it is not as it was stored") from error
