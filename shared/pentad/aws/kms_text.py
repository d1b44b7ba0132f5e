"""Text under a KMS key: what it was encrypted for is its encryption context, without which nobody reads it."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from pentad.aws.errors import code_of, translate_errors

MOST_BYTES: Final = 4_096
"""What KMS encrypts directly."""


class NotSealed(Exception):
    """It was not encrypted by this key for this context."""


class KmsText:
    """Encrypts and decrypts texts.

    Args:
        client: a low-level KMS client.
        key: ARN of the key.
    """

    def __init__(self, client: Any, key: str) -> None:
        self._client = client
        self._key = key

    def encrypt(self, text: str, context: Mapping[str, str]) -> str:
        """Return a text of at most `MOST_BYTES`, encrypted, in base64.

        Raises:
            StoreUnavailable: the key service did not answer.
        """
        with translate_errors("the key service"):
            reply = self._client.encrypt(KeyId=self._key, Plaintext=text.encode(), EncryptionContext=dict(context))
        return base64.b64encode(reply["CiphertextBlob"]).decode()

    def decrypt(self, sealed: str, context: Mapping[str, str]) -> str:
        """Return what `encrypt` was given.

        Raises:
            NotSealed: it is none of the key's, or of another context.
            StoreUnavailable: the key service did not answer.
        """
        try:
            blob = base64.b64decode(sealed.encode(), validate=True)
        except (binascii.Error, UnicodeEncodeError) as error:
            raise NotSealed from error
        with translate_errors("the key service"):
            try:
                reply = self._client.decrypt(KeyId=self._key, CiphertextBlob=blob, EncryptionContext=dict(context))
            except ClientError as error:
                if code_of(error) not in {"InvalidCiphertextException", "IncorrectKeyException"}:
                    raise
                raise NotSealed from error
        plain: bytes = reply["Plaintext"]
        return plain.decode()
