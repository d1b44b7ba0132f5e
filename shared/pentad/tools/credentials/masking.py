"""Mask what a tool has read of its secrets in whatever it answers: results, undo data, errors."""

from typing import Any, Final
from urllib.parse import unquote, urlsplit

from pentad.domain.secrets import KNOWN, MASK

PUBLIC_FIELDS: Final = frozenset(
    "account account_id audience auth client_id database dbname domain email engine expires_at from grant "
    "host hostname kind mailbox masterarn name port region scheme scope sender server ssl_mode sslmode tenant "
    "tenant_id tls token_url type user user_id username".split()
)
"""Fields of a secret's JSON object that say where to use it, and are no secret themselves."""
_MAX_DEPTH: Final = 80


def register_secret(text: str, fields: dict[str, str]) -> None:
    """Mask a secret from now on, wherever this process shows it.

    Args:
        text: as it is stored.
        fields: of its JSON object; one that only says where to use the secret is not masked.
    """
    hidden = (
        [value for name, value in fields.items() if name.lower() not in PUBLIC_FIELDS] if fields else [text.strip()]
    )
    passwords = [_find_password(value) for value in hidden if "://" in value]
    KNOWN.add(*hidden, *passwords, text)


def _find_password(url: str) -> str:
    """Return the password in an address, as ``postgresql://user:password@host`` has it; nothing where it has none."""
    try:
        return unquote(urlsplit(url).password or "")
    except ValueError:
        return ""


def mask_known(value: Any, *, depth: int = 0) -> Any:
    """Return JSON's types with every known value of a secret replaced, names of fields included."""
    if isinstance(value, str):
        return KNOWN.mask(value, MASK)
    if depth > _MAX_DEPTH:
        return MASK
    if isinstance(value, list | tuple):
        return [mask_known(part, depth=depth + 1) for part in value]
    if isinstance(value, dict):
        return {mask_known(name, depth=depth + 1): mask_known(part, depth=depth + 1) for name, part in value.items()}
    return value
