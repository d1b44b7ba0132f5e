"""Encrypt task tokens: by KMS in the account, by nothing but encoding in memory."""

import base64
import binascii
import json
from typing import Any

from botocore.exceptions import ClientError

from pentad.aws.errors import code_of, translate_errors
from pentad.domain.errors import PolicyDenied


class KmsCipher:
    """Encrypts under a KMS key, with the tenant and the approval as encryption context.

    A Step Functions task token is at most 2,048 characters, and KMS encrypts up to 4,096 bytes directly.

    Args:
        client: a low-level KMS client.
        key: ARN of the key.
    """

    def __init__(self, client: Any, key: str) -> None:
        self._client = client
        self._key = key

    def encrypt(self, token: str, *, tenant_id: str, approval_id: str) -> str:
        """See `TokenCipher`."""
        with translate_errors("the key service"):
            reply = self._client.encrypt(
                KeyId=self._key,
                Plaintext=token.encode(),
                EncryptionContext={"tenant": tenant_id, "approval": approval_id},
            )
        blob: bytes = reply["CiphertextBlob"]
        return base64.b64encode(blob).decode()

    def decrypt(self, sealed: str, *, tenant_id: str, approval_id: str) -> str:
        """See `TokenCipher`."""
        with translate_errors("the key service"):
            try:
                reply = self._client.decrypt(
                    KeyId=self._key,
                    CiphertextBlob=base64.b64decode(sealed),
                    EncryptionContext={"tenant": tenant_id, "approval": approval_id},
                )
            except ClientError as error:
                if code_of(error) != "InvalidCiphertextException":
                    raise
                raise PolicyDenied("the task token belongs to another approval") from error
        plain: bytes = reply["Plaintext"]
        return plain.decode()


class MemoryCipher:
    """Binds a token to its approval without a key: for tests, where there is nothing to protect."""

    def encrypt(self, token: str, *, tenant_id: str, approval_id: str) -> str:
        """See `TokenCipher`."""
        return base64.b64encode(json.dumps([token, tenant_id, approval_id]).encode()).decode()

    def decrypt(self, sealed: str, *, tenant_id: str, approval_id: str) -> str:
        """See `TokenCipher`."""
        try:
            token, *context = json.loads(base64.b64decode(sealed))
        except (binascii.Error, ValueError) as error:
            raise PolicyDenied("the task token is not valid") from error
        if context != [tenant_id, approval_id]:
            raise PolicyDenied("the task token belongs to another approval")
        return str(token)
