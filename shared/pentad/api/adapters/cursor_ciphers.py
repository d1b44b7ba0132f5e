"""Encrypt cursors: by KMS in the account, by nothing but encoding in memory."""

import base64
import binascii
import hashlib
import json
from typing import Final

from pentad.aws.kms_text import KmsText, NotSealed
from pentad.domain.reading.json_text import read_json

_INTO_ADDRESS: Final = str.maketrans("+/", "-_")
_FROM_ADDRESS: Final = str.maketrans("-_", "+/")


class KmsCursors:
    """A `CursorCipher` under a KMS key. The encryption context, which CloudTrail shows, has the user as a hash.

    Args:
        text: encrypts.
    """

    def __init__(self, text: KmsText) -> None:
        self._text = text

    def seal(self, cursor: str, *, tenant_id: str, user_id: str, route: str) -> str:
        """See `CursorCipher`."""
        return self._text.encrypt(cursor, _build_context(tenant_id, user_id, route)).translate(_INTO_ADDRESS)

    def open(self, sealed: str, *, tenant_id: str, user_id: str, route: str) -> str | None:
        """See `CursorCipher`."""
        try:
            return self._text.decrypt(sealed.translate(_FROM_ADDRESS), _build_context(tenant_id, user_id, route))
        except NotSealed:
            return None


class MemoryCursors:
    """Binds a cursor to its caller without a key: for tests, where there is nothing to protect."""

    def seal(self, cursor: str, *, tenant_id: str, user_id: str, route: str) -> str:
        """See `CursorCipher`."""
        return base64.urlsafe_b64encode(json.dumps([cursor, tenant_id, user_id, route]).encode()).decode()

    def open(self, sealed: str, *, tenant_id: str, user_id: str, route: str) -> str | None:
        """See `CursorCipher`."""
        try:
            cursor, *context = read_json(base64.urlsafe_b64decode(sealed))
        except (binascii.Error, ValueError, TypeError):
            return None
        return str(cursor) if context == [tenant_id, user_id, route] else None


def _build_context(tenant_id: str, user_id: str, route: str) -> dict[str, str]:
    user = hashlib.sha256(json.dumps([tenant_id, user_id]).encode()).hexdigest()
    return {"tenant": tenant_id, "cursor_of": user, "route": route}
