"""API keys: ``ptd.<tenant>.<key id>.<secret>``. The table holds a hash of the secret, never the secret.

The hash is plain SHA-256. Slow hashes exist to make guessing a human's password dear; this secret is 256 random bits,
which nobody guesses at any speed, and a fast hash keeps the authorizer fast.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime

from pentad.api.identity.api_key import KEY_ID_PATTERN, ApiKey
from pentad.api.identity.caller import ALL_GROUPS, SCOPES, Caller
from pentad.api.identity.ports import KeyStore
from pentad.domain.declarations.asking import GROUP_PATTERN
from pentad.domain.errors import InvalidInput, NotAuthenticated
from pentad.domain.ids import TENANT_PATTERN, check_id

_TOKEN = re.compile(rf"ptd\.({TENANT_PATTERN[1:-1]})\.({KEY_ID_PATTERN[1:-1]})\.([A-Za-z0-9_-]{{43}})")
_NAME = re.compile(rf"ptd\.({TENANT_PATTERN[1:-1]})\.({KEY_ID_PATTERN[1:-1]})")
_LONGEST = 200
LEAST_SCOPES = ("runs:read",)
"""What a key may do where nobody says more."""
OWNER_CHARACTERS = 200


def hash_secret(secret: str) -> str:
    """Return what is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def create_key(
    store: KeyStore,
    tenant_id: str,
    *,
    now: datetime,
    scopes: Sequence[str] = LEAST_SCOPES,
    user_id: str | None = None,
    groups: Sequence[str] = (),
    owner: str | None = None,
    name: str = "",
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key and return it with its token: the only time that the token can be seen.

    Args:
        store: where keys are kept.
        tenant_id: whose data it opens.
        now: the time.
        scopes: what it may do.
        user_id: binds it to one user.
        groups: those that it may decide for; ``*`` alone is all of them.
        owner: the person who answers for it: a user's id, or the name that the account knows them by.
        name: what it is for.
        expires_at: from when on it is refused; None is never.

    Raises:
        InvalidInput: the tenant, user or a group is not well formed, or a scope is not known.
    """
    check_id("tenant", tenant_id)
    if user_id is not None:
        check_id("user", user_id)
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise InvalidInput(
            f"unknown scopes: {', '.join(unknown)}" if unknown else "no scopes given",
            field="scopes",
            fix=f"use some of {', '.join(SCOPES)}",
        )
    _check_groups(groups)
    if owner is not None and not 0 < len(owner) <= OWNER_CHARACTERS:
        raise InvalidInput(f"'owner' must have 1 to {OWNER_CHARACTERS} characters", field="owner")
    secret = secrets.token_urlsafe(32)
    key = ApiKey(
        tenant_id=tenant_id,
        key_id=secrets.token_hex(6),
        secret_hash=hash_secret(secret),
        scopes=tuple(sorted(set(scopes))),
        user_id=user_id,
        groups=tuple(sorted(set(groups))),
        owner=owner,
        name=name,
        created_at=now,
        expires_at=expires_at,
    )
    store.put(key)
    return key, f"ptd.{tenant_id}.{key.key_id}.{secret}"


def _check_groups(groups: Sequence[str]) -> None:
    if tuple(groups) == (ALL_GROUPS,):
        return
    wrong = [group for group in groups if not re.fullmatch(GROUP_PATTERN, group)]
    if wrong:
        raise InvalidInput(
            f"the group '{wrong[0]}' is not valid",
            field="group",
            fix=f"use a name that matches {GROUP_PATTERN}, or '{ALL_GROUPS}' alone for all groups",
        )


def revoke_key(store: KeyStore, tenant_id: str, key_id: str, *, now: datetime) -> ApiKey:
    """Disable a key. The API's authorizer may remember it for up to a minute.

    Raises:
        NotFound: there is no such key.
    """
    return store.disable(tenant_id, key_id, now)


def list_keys(store: KeyStore, tenant_id: str) -> list[ApiKey]:
    """Return a tenant's keys."""
    return store.list(check_id("tenant", tenant_id))


def has_key_prefix(token: str) -> bool:
    """Tell whether a bearer token is meant to be one of our keys."""
    return token.startswith("ptd.")


class KeyAuthenticator:
    """Checks API keys.

    Args:
        store: where keys are kept.
        now: the clock.
    """

    def __init__(self, store: KeyStore, *, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    def __call__(self, token: str) -> Caller:
        """Return whose key it is.

        Raises:
            NotAuthenticated: not well formed, unknown, disabled, expired, or of a wrong secret; it does not say which.
            StoreUnavailable: the store did not answer.
        """
        name, secret = split_token(token)
        key = self.find_valid(*parse_key_name(name))
        # Compared even where there is no such key, so that the time tells nothing of which ids exist.
        right = hmac.compare_digest(hash_secret(secret), key.secret_hash if key else hash_secret(""))
        if key is None or not right:
            raise _build_refusal()
        return to_caller(key)

    def find_valid(self, tenant_id: str, key_id: str) -> ApiKey | None:
        """Return a key that is neither disabled nor expired, or None.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        key = self._store.get(tenant_id, key_id)
        if key is None or key.disabled_at is not None:
            return None
        return None if key.expires_at is not None and key.expires_at <= self._now() else key


def split_token(token: str) -> tuple[str, str]:
    """Return the name of a key, ``ptd.<tenant>.<key id>``, and its secret.

    Raises:
        NotAuthenticated: the token is not well formed.
    """
    match = _TOKEN.fullmatch(token) if len(token) <= _LONGEST else None
    if match is None:
        raise _build_refusal()
    return f"ptd.{match[1]}.{match[2]}", match[3]


def parse_key_name(name: str) -> tuple[str, str]:
    """Return tenant and key id of a key's name.

    Raises:
        NotAuthenticated: it is not well formed.
    """
    match = _NAME.fullmatch(name) if len(name) <= _LONGEST else None
    if match is None:
        raise _build_refusal()
    return match[1], match[2]


def to_caller(key: ApiKey) -> Caller:
    """Return who calls with a key."""
    return Caller(
        tenant_id=key.tenant_id,
        key_id=key.key_id,
        user_id=key.user_id,
        scopes=frozenset(key.scopes),
        groups=None if key.groups == (ALL_GROUPS,) else frozenset(key.groups),
        owner=key.owner,
    )


def _build_refusal() -> NotAuthenticated:
    return NotAuthenticated("the API key is not valid", fix="create one with `pentad keys create`")
