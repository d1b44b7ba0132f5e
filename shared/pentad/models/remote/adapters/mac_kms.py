"""Message authentication codes by an HMAC key of KMS; the key never leaves it."""

from typing import Any

from botocore.exceptions import ClientError

from pentad.aws.errors import code_of, translate_errors

_ALGORITHM = "HMAC_SHA_256"
_WRONG = frozenset({"KMSInvalidMacException", "ValidationException"})


class KmsMacKey:
    """A `pentad.models.remote.ports.MacKey`.

    Args:
        client: a low-level KMS client.
        key: ARN of the key.
    """

    def __init__(self, client: Any, key: str) -> None:
        self._client = client
        self._key = key

    def make_code(self, message: bytes) -> bytes:
        """See `MacKey`."""
        with translate_errors("the key service"):
            made: bytes = self._client.generate_mac(KeyId=self._key, Message=message, MacAlgorithm=_ALGORITHM)["Mac"]
        return made

    def has_code(self, message: bytes, code: bytes) -> bool:
        """See `MacKey`."""
        if not message or not code:
            return False
        with translate_errors("the key service"):
            try:
                reply = self._client.verify_mac(KeyId=self._key, Message=message, Mac=code, MacAlgorithm=_ALGORITHM)
            except ClientError as error:
                if code_of(error) in _WRONG:
                    return False
                raise
        return bool(reply["MacValid"])
