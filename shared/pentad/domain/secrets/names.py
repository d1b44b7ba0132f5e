"""The names of fields that hold secrets, whatever the value's form."""

import re
from collections.abc import Iterable
from typing import Any, Final

MASK: Final = "[masked]"
# Names whose value is a secret whatever its form.
_NAMES: Final = frozenset(
    "accesstoken accesstokens accountkey apikey apikeys authorization authtoken awssecretaccesskey awssessiontoken "
    "bottoken clientsecret clientsecrets passwords privatekeys refreshtokens secretkeys sessiontokens "
    "connectionstring cookie idtoken passphrase passwd password privatekey proxyauthorization pwd refreshtoken secret "
    "secretaccesskey secretkey sessiontoken setcookie signingsecret tasktoken webhooksecret xamzsecuritytoken xapikey "
    "xauthtoken xgoogapikey xvaulttoken".split()
)
_HEADERS: Final = frozenset({"authorization", "proxyauthorization", "cookie", "setcookie"})
_STAND_INS: Final = frozenset(
    "test testing example sample dummy placeholder "
    "str string bytes text int integer number bool boolean any object none null true false".split()
)
"""Words that stand in for a value, or say of which kind it is."""
_PLACEHOLDER: Final = re.compile(
    r"""(?x)\\{0,7}["']?(?:[<$({\[|&*!]|%(?![0-9A-Fa-f]{2})|\.\.|…|[xX]{3,}|(?i:your|my)[_-]|undo_|arn:
    |(?i:test|example|dummy|sample)[ _-]|[A-Z]+(?:[ _-][A-Z]+)+\Z)"""
)
_NO_LETTER: Final = re.compile("[^a-z]")


def spell_plainly(name: str) -> str:
    """Return a name's letters, small: ``Set-Cookie`` and ``set_cookie`` are one."""
    return _NO_LETTER.sub("", name.lower())


def is_secret_name(name: str) -> bool:
    """Return whether a field of this name holds a secret: ``api_key``, ``Set-Cookie``, ``taskToken``."""
    return spell_plainly(name) in _NAMES


def is_secret_value(name: str, value: Any) -> bool:
    """Return whether a value of any type stands behind a secret's name; nothing, and yes or no, tell no secret."""
    return value is not None and not isinstance(value, bool) and is_secret_name(name)


def is_secret_field(name: str, value: str) -> bool:
    """Return whether a field of a tool's result holds a secret: by its name, and not a plain word in a header's field.

    ``authorization: approved`` and ``cookie: chocolate`` are words; a header's value has a digit, a scheme or a ``=``.
    """
    if not is_secret_name(name) or not value.strip():
        return False
    return (
        spell_plainly(name) not in _HEADERS or re.search(r"(?i)[\d=]|\b(?:bearer|basic|negotiate)\s", value) is not None
    )


def is_behind(names: Iterable[str], value: Any) -> bool:
    """Return whether a value of any type is a secret by one of the names above it."""
    if isinstance(value, str):
        return any(is_secret_field(name, value) for name in names)
    return any(is_secret_value(name, value) for name in names)


def is_placeholder(value: str) -> bool:
    """Return whether a value only says what is to stand there: ``<your key>``, ``$TOKEN``, ``...``, ``string``."""
    return value.lower() in _STAND_INS or value.startswith(MASK) or _PLACEHOLDER.match(value) is not None
