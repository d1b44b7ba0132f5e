"""The secrets of one tool: read when a call asks, kept by version for five minutes, read anew once when refused."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pentad.domain.errors import ConfigurationError, StoreUnavailable, ToolFailed, ToolUnavailable
from pentad.tools.credentials.masking import register_secret
from pentad.tools.credentials.oauth import AccessToken, SharedRenewal, TokenCache, TokenRefused, fetch_token, is_fresh
from pentad.tools.credentials.ports import SecretStore, StoredSecret
from pentad.tools.outside.places import SecretPlace
from pentad.tools.outside.ports import Credential, HttpClient

TTL_SECONDS = 300.0
_MOST = 64


@dataclass(frozen=True)
class _Kept:
    until: float
    found: StoredSecret


class SecretCache:
    """Values that this process has read, for five minutes at most.

    Args:
        ttl: seconds that a value is kept.
        clock: seconds that only go forward.
    """

    def __init__(self, *, ttl: float = TTL_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._ttl = ttl
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        """Return how many are kept, never what."""
        return f"SecretCache({len(self._kept)} kept)"

    def get(self, secret_id: str) -> StoredSecret | None:
        """Return what is kept, unless it is too old."""
        with self._lock:
            kept = self._kept.get(secret_id)
            if kept is not None and kept.until <= self._clock():
                del self._kept[secret_id]
                return None
            return None if kept is None else kept.found

    def keep(self, secret_id: str, found: StoredSecret) -> None:
        """Keep a value."""
        with self._lock:
            self._kept[secret_id] = _Kept(self._clock() + self._ttl, found)
            self._kept.move_to_end(secret_id)
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)

    def drop(self, secret_id: str) -> None:
        """Read it anew next time."""
        with self._lock:
            self._kept.pop(secret_id, None)


class DeclaredToolSecrets:
    """`ToolSecrets` of one call.

    Args:
        places: where each declared secret is.
        shared: the store as the tool's own role reaches it.
        own: the store as the call's credentials reach it, for secrets of tenants; None where there are none.
        cache: values that the process has read.
        tokens: access tokens that the process has.
        clock: ``time.time``.
        sleep: waits, in seconds.
    """

    def __init__(
        self,
        places: Mapping[str, SecretPlace],
        *,
        shared: SecretStore,
        own: SecretStore | None = None,
        cache: SecretCache | None = None,
        tokens: TokenCache | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._places = places
        self._shared = shared
        self._own = own
        self._cache = cache or SecretCache()
        self._tokens = tokens or TokenCache()
        self._clock = clock
        self._sleep = sleep
        self._used: set[str] = set()

    def get(self, tenant_id: str, name: str) -> Credential:
        """See `ToolSecrets`."""
        secret_id = self._find_place(name).find(tenant_id)
        found = self._cache.get(secret_id) or self._read(name, secret_id, tenant_id)
        return self._hand_out(secret_id, found)

    def renew(self, tenant_id: str, name: str, refused: Credential) -> Credential:
        """See `ToolSecrets`."""
        secret_id = self._find_place(name).find(tenant_id)
        self._cache.drop(secret_id)
        found = self._read(name, secret_id, tenant_id)
        if found.text == refused.text:
            # A rotation may have changed the password already, and moves the label last.
            pending = self._ask(secret_id, tenant_id, stage="AWSPENDING")
            if pending is None or pending.text == refused.text:
                raise ToolFailed(f"the credential '{name}' was refused", fix="store a valid one in Secrets Manager")
            register_secret(pending.text, name=secret_id)
            return Credential(pending.text, pending.version_id)
        return self._hand_out(secret_id, found)

    def get_token(self, tenant_id: str, name: str, http: HttpClient, *, refused: str = "") -> str:
        """See `ToolSecrets`."""
        place = self._find_place(name)
        secret_id = place.find(tenant_id)
        with self._tokens.get_lock(secret_id):
            credential = self.get(tenant_id, name)
            kept = self._tokens.get(secret_id, credential.version_id)
            if kept is not None and is_fresh(kept, self._clock(), refused):
                return kept.value
            try:
                return self._fetch_token(tenant_id, name, credential, http, refused)
            except TokenRefused:
                # It may have been rotated since it was read.
                credential = self.renew(tenant_id, name, credential)
            try:
                return self._fetch_token(tenant_id, name, credential, http, refused)
            except TokenRefused as error:
                raise ToolFailed(
                    f"the token endpoint of '{name}' refused the client ({error.code})",
                    fix="store a valid client and refresh token in Secrets Manager",
                ) from None

    def _fetch_token(self, tenant_id: str, name: str, credential: Credential, http: HttpClient, refused: str) -> str:
        place = self._find_place(name)
        secret_id = place.find(tenant_id)

        def fetch(found: Credential) -> AccessToken:
            register_secret(found.text, name=secret_id)
            return fetch_token(found, name, http, clock=self._clock)

        if place.renewed and credential.fields.get("refresh_token"):
            store = self._find_store(secret_id, tenant_id)
            renewal = SharedRenewal(store, clock=self._clock, sleep=self._sleep)
            token, version_id = renewal.renew(secret_id, fetch, refused=refused)
            self._cache.drop(secret_id)
        else:
            token, version_id = fetch(credential), credential.version_id
            if token.refresh_token is not None:
                raise ConfigurationError(
                    f"the vendor renews the refresh token of '{name}' with each use, and the tool may not store it",
                    field="secrets",
                    fix=f"write 'renewed: true' for '{name}' into the section secrets of tools.yaml, deploy, and store "
                    "a new refresh token: the old one is used up",
                )
        self._tokens.keep(secret_id, version_id, token)
        return token.value

    def forget_used(self) -> None:
        """Read anew, in the next call, whatever this one has used: somebody has refused it."""
        for secret_id in self._used:
            self._cache.drop(secret_id)
            self._tokens.drop(secret_id)

    def _hand_out(self, secret_id: str, found: StoredSecret) -> Credential:
        self._used.add(secret_id)
        credential = Credential(found.text, found.version_id)
        register_secret(found.text, name=secret_id)
        return credential

    def _read(self, name: str, secret_id: str, tenant_id: str) -> StoredSecret:
        found = self._ask(secret_id, tenant_id)
        if found is None:
            whose = "" if secret_id == self._places[name].secret else f" of the tenant '{tenant_id}'"
            raise ConfigurationError(
                f"the secret '{name}'{whose} is not stored",
                field="secrets",
                fix=f"store its text in Secrets Manager under '{secret_id}'",
            )
        self._cache.keep(secret_id, found)
        return found

    def _ask(self, secret_id: str, tenant_id: str, *, stage: str = "AWSCURRENT") -> StoredSecret | None:
        store = self._find_store(secret_id, tenant_id)
        try:
            return store.read(secret_id, stage=stage)
        except StoreUnavailable as error:
            raise ToolUnavailable("the store of secrets did not answer", retry_after=error.retry_after) from error

    def _find_store(self, secret_id: str, tenant_id: str) -> SecretStore:
        """Return the store as it is reached for a secret: a tenant's own with the credentials of the call."""
        own = secret_id not in {place.secret for place in self._places.values()}
        store = self._own if own else self._shared
        if store is None:
            raise ConfigurationError(
                f"the call has no credentials for the secrets of the tenant '{tenant_id}'",
                field="secrets",
                fix="deploy the tool and its runner again",
            )
        return store

    def _find_place(self, name: str) -> SecretPlace:
        if name not in self._places:
            raise ConfigurationError(
                f"nothing says where the secret '{name}' is", field="secrets", fix="deploy the tool again"
            )
        return self._places[name]
