"""Encrypt task tokens: by KMS in the account, by nothing but encoding in memory."""

import base64
import binascii
import json

from pentad.aws.kms_text import KmsText, NotSealed
from pentad.domain.errors import PolicyDenied
from pentad.domain.reading.json_text import read_json


class KmsCipher:
    """Encrypts under a KMS key, with the tenant and the approval as encryption context.

    A Step Functions task token is at most 2,048 characters, and KMS encrypts up to 4,096 bytes directly.

    Args:
        text: encrypts.
    """

    def __init__(self, text: KmsText) -> None:
        self._text = text

    def encrypt(self, token: str, *, tenant_id: str, approval_id: str) -> str:
        """See `TokenCipher`."""
        return self._text.encrypt(token, {"tenant": tenant_id, "approval": approval_id})

    def decrypt(self, sealed: str, *, tenant_id: str, approval_id: str) -> str:
        """See `TokenCipher`."""
        try:
            return self._text.decrypt(sealed, {"tenant": tenant_id, "approval": approval_id})
        except NotSealed as error:
            raise PolicyDenied("the task token belongs to another approval") from error


class MemoryCipher:
    """Binds a token to its approval without a key: for tests, where there is nothing to protect."""

    def encrypt(self, token: str, *, tenant_id: str, approval_id: str) -> str:
        """See `TokenCipher`."""
        return base64.b64encode(json.dumps([token, tenant_id, approval_id]).encode()).decode()

    def decrypt(self, sealed: str, *, tenant_id: str, approval_id: str) -> str:
        """See `TokenCipher`."""
        try:
            token, *context = read_json(base64.b64decode(sealed))
        except (binascii.Error, ValueError) as error:
            raise PolicyDenied("the task token is not valid") from error
        if context != [tenant_id, approval_id]:
            raise PolicyDenied("the task token belongs to another approval")
        return str(token)
