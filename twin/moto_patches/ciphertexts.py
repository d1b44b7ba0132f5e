"""KMS Decrypt: of a ciphertext that the named key did not make, moto says AccessDeniedException.

AWS says InvalidCiphertextException of what is no ciphertext, and IncorrectKeyException of one that another key made
(KMS API reference, Decrypt, "Errors"). AccessDeniedException is of callers.
"""

from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.kms.exceptions import AccessDeniedException, InvalidCiphertextException
from moto.kms.models import KmsBackend
from moto.kms.utils import _deserialize_ciphertext_blob

from twin.moto_patches.patching import Patches


def apply(patches: Patches) -> None:
    """Answer as AWS does."""
    original = KmsBackend.decrypt

    def decrypt(
        self: Any, ciphertext_blob: bytes, encryption_context: dict[str, str], key_id: str | None = None
    ) -> Any:
        try:
            return original(self, ciphertext_blob, encryption_context, key_id)
        except AccessDeniedException as error:
            maker = _deserialize_ciphertext_blob(ciphertext_blob=ciphertext_blob).key_id
            if key_id is None or maker not in self.keys:
                raise InvalidCiphertextException() from error
            message = "The key ID in the request does not identify a CMK that can perform this operation."
            raise JsonRESTError("IncorrectKeyException", message) from error

    patches.set_attribute(KmsBackend, "decrypt", decrypt)
