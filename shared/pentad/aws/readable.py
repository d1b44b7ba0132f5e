"""Read what is stored, and raise one error, which never holds the content, where that fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from pydantic import BaseModel

from pentad.domain.errors import Unreadable

Stored = TypeVar("Stored", bound=BaseModel)


def from_stored(kind: type[Stored], body: str | bytes) -> Stored:
    """Return a model from its stored JSON; what this version does not know of it is left out.

    Two versions share the tables while one is rolled out, and after it was rolled back: a field that the newer one has
    added must not keep the older one from its runs.

    Args:
        kind: the model.
        body: as `pydantic.BaseModel.model_dump_json` wrote it.

    Raises:
        pydantic.ValidationError: it is none of that kind; see `readable`.
    """
    return kind.model_validate_json(body, extra="ignore")


@contextmanager
def check_readable(what: str) -> Iterator[None]:
    """Read what is stored.

    Args:
        what: names it, such as ``step 3 of the run``.

    Raises:
        Unreadable: an attribute is missing, or what it holds is not what was written.
    """
    try:
        yield
    except (KeyError, ValueError) as error:  # pydantic's ValidationError is a ValueError
        raise Unreadable(f"{what} can't be read: the stored data is not in the expected form") from error
