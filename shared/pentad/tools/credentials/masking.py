"""Mask what a tool has read of its secrets in whatever it answers: results, undo data, errors."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from pentad.domain.reading.json_text import read_json
from pentad.domain.secrets import KNOWN, MASK, is_known_number
from pentad.domain.secrets.known import MOST_OF_ONE, SHORTEST

PUBLIC_FIELDS: Final = frozenset(
    "account account_id audience auth client_id database dbname domain email engine expires_at from grant "
    "host hostname kind mailbox masterarn name port region scheme scope sender server ssl_mode sslmode tenant "
    "tenant_id tls token_url type user user_id username".split()
)
"""Fields of a secret's JSON object that say where to use it, and are no secret themselves."""
_MAX_DEPTH: Final = 80
_logger = logging.getLogger(__name__)
_SHORTEST_LINE: Final = 16
"""Characters: shorter lines of a value are words, or the ends of a key."""
_NO_SECRET_LINE: Final = ("-----BEGIN ", "-----END ")


def register_secret(text: str, *, name: str = "a secret") -> int:
    """Mask a secret from now on, wherever this process shows it.

    Of a secret in JSON its values are masked, at every depth; one whose name only says where to use the secret is not.
    Of a value with blanks around it, with lines, or that is an address with a password, these parts are masked too.

    Args:
        text: as it is stored.
        name: of the secret, for the log.

    Returns:
        How many of its values and their parts are not masked on their own, since it has too many: `MOST_OF_ONE` are.
        The log says so too.
    """
    try:
        value = read_json(text)
    except ValueError:
        value = text
    found = list(dict.fromkeys(_list_values(value if isinstance(value, dict | list | str) else text)))
    # Whole values before the lines of one: the first ones are masked where there are too many.
    parts = (part for one in found for part in _list_parts(one))
    wanted = [one for one in dict.fromkeys((*found, *parts)) if len(one) >= SHORTEST and one != text]
    left = max(0, len(wanted) - MOST_OF_ONE)
    if left:
        _logger.warning(
            "'%s' has %d values and lines, and only %d are masked in results and logs: store it as several secrets",
            name,
            len(wanted),
            MOST_OF_ONE,
        )
    KNOWN.add(*reversed(wanted[:MOST_OF_ONE]), text)
    return left


def _list_values(value: Any, name: str = "", depth: int = 0) -> Iterator[str]:
    """Return the strings and numbers of JSON that are secret: all but those that say where to use them."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        if name.lower() not in PUBLIC_FIELDS:
            yield str(value)
    elif depth > _MAX_DEPTH:
        yield json.dumps(value)
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _list_values(one, key, depth + 1)
    elif isinstance(value, list):
        for one in value:
            yield from _list_values(one, name, depth + 1)


def _list_parts(value: str) -> Iterator[str]:
    """Return what of a value is secret on its own: without the blanks around, its lines, the password of an address."""
    plain = value.strip()
    if plain != value:
        yield plain
    if "://" in plain:
        yield _find_password(plain)
    lines = [line.strip() for line in plain.splitlines()]
    if len(lines) > 1:
        yield from (one for one in lines if len(one) >= _SHORTEST_LINE and not one.startswith(_NO_SECRET_LINE))


def _find_password(url: str) -> str:
    """Return the password in an address, as ``postgresql://user:password@host`` has it; nothing where it has none."""
    try:
        return unquote(urlsplit(url).password or "")
    except ValueError:
        return ""


def mask_known(value: Any, *, show: Callable[[str], str] = str, depth: int = 0) -> Any:
    """Return JSON's types with every known value of a secret replaced, names of fields and whole numbers included.

    Args:
        value: of any of these types.
        show: what will be made of its texts before they are read: a secret that only then stands there is masked too,
            and any other text is left as it is.
        depth: how deep it stands.
    """
    if isinstance(value, str):
        return _mask_text(value, show)
    if isinstance(value, int | float):
        return MASK if is_known_number(value) else value
    if depth > _MAX_DEPTH:
        return MASK
    if isinstance(value, list | tuple):
        return [mask_known(part, show=show, depth=depth + 1) for part in value]
    if isinstance(value, dict):
        masked = (
            (_mask_text(name, show), mask_known(part, show=show, depth=depth + 1)) for name, part in value.items()
        )
        return dict(masked)
    return value


def _mask_text(text: str, show: Callable[[str], str]) -> str:
    masked = KNOWN.mask(text, MASK)
    shown = show(masked)
    again = KNOWN.mask(shown, MASK)
    return masked if again == shown else again
