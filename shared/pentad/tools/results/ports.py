"""What is asked of the store of whole results."""

from collections.abc import Iterator
from typing import Protocol

from pydantic import Field

from pentad.domain.values import FrozenValue


class WholePlace(FrozenValue):
    """Where a tool's function may put one result that is too large for its answer.

    Args:
        handle: the result's name for the model.
        url: an address that takes one object with PUT, until the call's deadline; a credential.
    """

    handle: str
    url: str = Field(repr=False)


class WholeResults(Protocol):
    """Results as they are, each under the key of its call; a call that is tried again replaces its own."""

    def put(self, key: str, data: bytes) -> None:
        """Store a result.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def get_size(self, key: str) -> int | None:
        """Return the bytes of a result, or None where there is none.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def iter_blocks(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from ``start`` to before ``end`` in blocks of bounded size; nothing where there is none.

        Raises:
            StoreUnavailable: the store did not answer, or stopped.
        """
        ...

    def sign_put(self, key: str, *, seconds: float) -> str:
        """Return an address that takes this one object with PUT for so long."""
        ...


class PutWhole(Protocol):
    """Puts a whole result to an address that was signed for it."""

    def __call__(self, url: str, data: bytes) -> None:
        """Store the bytes.

        Raises:
            StoreUnavailable: they were not taken.
        """
        ...
