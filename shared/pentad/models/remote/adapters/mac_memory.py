"""Message authentication codes by a key in memory: for tests."""

import hashlib
import hmac


class MemoryMacKey:
    """A `pentad.models.remote.ports.MacKey`.

    Args:
        key: the key.
    """

    def __init__(self, key: bytes = b"a key for tests") -> None:
        self._key = key

    def make_code(self, message: bytes) -> bytes:
        """See `MacKey`."""
        return hmac.digest(self._key, message, hashlib.sha256)

    def has_code(self, message: bytes, code: bytes) -> bool:
        """See `MacKey`."""
        return hmac.compare_digest(self.make_code(message), code)
