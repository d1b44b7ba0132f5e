"""Secrets that nobody else keeps a copy of: a password or a key is made anew, and that is all."""

import json
import secrets
import string
from typing import Any, Final

from pentad.domain.errors import ConfigurationError
from pentad.domain.reading.json_text import read_json

_LETTERS: Final = string.ascii_letters + string.digits
_PASSWORD_LENGTH: Final = 40
_KEY_BYTES: Final = 32


class GeneratedSecret:
    """`Rotator` of what only the stack's own parts use, such as the key of a signature.

    Args:
        key: make 256 bits in hex in the place of a password.
    """

    def __init__(self, *, key: bool = False) -> None:
        self._key = key

    def make(self, current: str, field: str) -> str:
        """See `Rotator`; a secret that is no JSON object is replaced as a whole."""
        value = secrets.token_hex(_KEY_BYTES) if self._key else make_password()
        return replace_field(current, field, value)

    def set(self, pending: str, current: str, previous: str | None) -> None:
        """Do nothing: no service has to be told."""

    def test(self, value: str) -> None:
        """Do nothing: there is no service to try it with."""


def make_password() -> str:
    """Return a password of letters and digits: 238 bits that need no escaping anywhere."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_PASSWORD_LENGTH))


def replace_field(text: str, field: str, value: str) -> str:
    """Return a secret with a field replaced; one that is no JSON object is the value itself.

    Raises:
        ConfigurationError: the object has no such field.
    """
    try:
        found: Any = read_json(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return value
    if field not in found:
        raise ConfigurationError(
            f"the secret has no field '{field}'", field=field, fix="store one, or name the field: rotate: {field: ...}"
        )
    return json.dumps(found | {field: value})
