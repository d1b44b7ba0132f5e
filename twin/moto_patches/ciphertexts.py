"""KMS: what a key may do, and errors of decryption.

What moto gets wrong: keys that are disabled or wait for their deletion encrypt and decrypt; those that wait for it are
enabled, disabled, tagged, and scheduled for it once more, and some of this fails for a key named by its ARN; keys for
MACs encrypt; and of a ciphertext that the named key did not make it says AccessDeniedException. AWS says
InvalidCiphertextException of what is no ciphertext, and IncorrectKeyException of one that another key made (KMS API
reference, "Errors" of each operation; developer guide, "Key states of AWS KMS keys"). AccessDeniedException is of
callers.
"""

from collections.abc import Callable
from typing import Any, Final

from moto.core.exceptions import JsonRESTError
from moto.kms.exceptions import AccessDeniedException, InvalidCiphertextException
from moto.kms.models import KmsBackend
from moto.kms.utils import _deserialize_ciphertext_blob

from twin.moto_patches.patching import Patches


def _check_key(backend: Any, key_id: str, usage: str) -> None:
    """Refuse a key that does not do what it is asked for; what there is not, moto tells of.

    Raises:
        JsonRESTError: it is disabled, waits for its deletion, or is for something else.
    """
    key = backend.keys.get(key_id)
    if key is None:
        return
    if key.key_state == "Disabled":
        raise JsonRESTError("DisabledException", f"{key.arn} is disabled.")
    if key.key_state != "Enabled":
        told = {"PendingDeletion": "pending deletion", "PendingImport": "pending import"}.get(key.key_state)
        raise JsonRESTError("KMSInvalidStateException", f"{key.arn} is {told or 'not in a valid state'}.")
    if (key.key_usage or "ENCRYPT_DECRYPT") != usage:
        raise JsonRESTError("InvalidKeyUsageException", f"{key.arn} key usage is {key.key_usage} which is not valid.")


def _wrap_encrypt(original: Any) -> Any:
    def encrypt(self: Any, key_id: str, plaintext: bytes, encryption_context: dict[str, str]) -> Any:
        _check_key(self, self.any_id_to_key_id(key_id), "ENCRYPT_DECRYPT")
        return original(self, key_id, plaintext, encryption_context)

    return encrypt


def _wrap_generate_mac(original: Any) -> Any:
    def generate_mac(self: Any, message: bytes, key_id: str, *args: Any, **named: Any) -> Any:
        _check_key(self, self.any_id_to_key_id(key_id), "GENERATE_VERIFY_MAC")
        return original(self, message, key_id, *args, **named)

    return generate_mac


def _wrap_decrypt(original: Any) -> Any:
    def decrypt(
        self: Any, ciphertext_blob: bytes, encryption_context: dict[str, str], key_id: str | None = None
    ) -> Any:
        try:
            maker: str = _deserialize_ciphertext_blob(ciphertext_blob=ciphertext_blob).key_id
        except Exception as error:  # boundary: moto unpacks bytes of any kind
            raise InvalidCiphertextException() from error
        _check_key(self, maker, "ENCRYPT_DECRYPT")
        try:
            return original(self, ciphertext_blob, encryption_context, key_id)
        except AccessDeniedException as error:
            if key_id is None or maker not in self.keys:
                raise InvalidCiphertextException() from error
            message = "The key ID in the request does not identify a CMK that can perform this operation."
            raise JsonRESTError("IncorrectKeyException", message) from error

    return decrypt


_OF_LIVING_KEYS: Final = (
    "disable_key",
    "enable_key",
    "schedule_key_deletion",
    "create_alias",
    "enable_key_rotation",
    "disable_key_rotation",
    "update_key_description",
    "tag_resource",
    "untag_resource",
)
"""What is refused of a key that waits for its deletion; the first operand names the key."""


def _wrap_change(original: Callable[..., Any]) -> Callable[..., Any]:
    def change(self: Any, key_id: str, *args: Any, **named: Any) -> Any:
        key = self.keys.get(self.any_id_to_key_id(key_id))
        if key is not None and key.key_state == "PendingDeletion":
            raise JsonRESTError("KMSInvalidStateException", f"{key.arn} is pending deletion.")
        return original(self, key_id if key is None else key.id, *args, **named)

    return change


def _wrap_cancel_key_deletion(original: Callable[..., Any]) -> Callable[..., Any]:
    def cancel_key_deletion(self: Any, key_id: str) -> Any:
        key = self.keys.get(self.any_id_to_key_id(key_id))
        if key is not None and key.key_state != "PendingDeletion":
            raise JsonRESTError("KMSInvalidStateException", f"{key.arn} is not pending deletion.")
        return original(self, key_id if key is None else key.id)

    return cancel_key_deletion


def apply(patches: Patches) -> None:
    """Answer as AWS does."""
    patches.set_attribute(KmsBackend, "encrypt", _wrap_encrypt(KmsBackend.encrypt))
    patches.set_attribute(KmsBackend, "decrypt", _wrap_decrypt(KmsBackend.decrypt))
    patches.set_attribute(KmsBackend, "generate_mac", _wrap_generate_mac(KmsBackend.generate_mac))
    for name in _OF_LIVING_KEYS:
        patches.set_attribute(KmsBackend, name, _wrap_change(getattr(KmsBackend, name)))
    patches.set_attribute(KmsBackend, "cancel_key_deletion", _wrap_cancel_key_deletion(KmsBackend.cancel_key_deletion))
