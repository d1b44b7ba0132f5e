"""What is asked of the key that proves for whom a call is."""

from typing import Protocol


class MacKey(Protocol):
    """A key that makes and checks message authentication codes; nobody ever sees it."""

    def make_code(self, message: bytes) -> bytes:
        """Return the code of a message of at most 4,096 bytes.

        Raises:
            StoreUnavailable: the key service did not answer.
        """
        ...

    def has_code(self, message: bytes, code: bytes) -> bool:
        """Tell whether a code is the message's.

        Raises:
            StoreUnavailable: the key service did not answer.
        """
        ...
