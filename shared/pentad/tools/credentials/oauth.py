"""Access tokens by OAuth 2.0 (RFC 6749): client credentials and refresh tokens.

An access token is kept in the process until shortly before it ends, by the version of its secret. One thread asks for
it while the others wait. Where the vendor gives a new refresh token with each use, and so takes the old one once only,
the new one is stored before anything else happens, and one process of all renews at a time:

* a process claims the renewal of a version of the secret by storing a version of an id that follows from it and from
  the minute: the store takes one text for an id, so one process has it;
* the others wait until the label AWSCURRENT has moved, and use the access token that is stored with the refresh token;
* AWSCURRENT moves only from the version that was renewed: what an operator has stored meanwhile stays.

A process that dies between the vendor's answer and the store loses the refresh token, as with any client; the vendor's
console issues a new one.
"""

import base64
import json
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

from pentad.domain.errors import ConfigurationError, ToolFailed, ToolUnavailable
from pentad.domain.reading.json_text import read_json
from pentad.domain.secrets import KNOWN
from pentad.tools.credentials.ports import SecretStore, StoredSecret
from pentad.tools.outside.ports import Credential, HttpAnswer, HttpClient

_SPARE_SECONDS: Final = 60.0
_DEFAULT_SECONDS: Final = 300.0
_LONGEST_SECONDS: Final = 86_400.0
_CLAIM_SECONDS: Final = 30.0
"""A claim older than this is of a process that died."""
_BUCKET_SECONDS: Final = 60
_POLLS: Final = 16
_POLL_SECONDS: Final = 0.5
_MOST: Final = 64
_CLAIMED: Final = "PENTAD_RENEWING"
_RENEWED: Final = "PENTAD_RENEWED"
_SPACE: Final = uuid.UUID("6f0f6b6e-5d1c-5a55-9d0b-7b8f7f2f9a11")
_ERRORS: Final = frozenset(
    {
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "unauthorized_client",
        "unsupported_grant_type",
    }
)
"""RFC 6749, 5.2. Nothing else of an answer is told: it may repeat what was sent."""
_SLACKS: Final = frozenset({"bad_client_secret", "invalid_client_id", "invalid_refresh_token", "token_expired"})
"""Slack refuses with HTTP 200 and ``"ok": false`` (https://docs.slack.dev/reference/methods/oauth.v2.access)."""
_REFUSALS: Final = frozenset({400, 401, 403})


class TokenRefused(Exception):
    """The vendor did not accept the client or its refresh token."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class AccessToken:
    """What a vendor gave.

    Args:
        value: goes into the header ``Authorization: Bearer``.
        until: seconds since 1970.
        refresh_token: where it gave a new one.
    """

    value: str = field(repr=False)
    until: float
    refresh_token: str | None = field(default=None, repr=False)


class TokenCache:
    """Access tokens of this process."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], AccessToken] = OrderedDict()
        self._locks: OrderedDict[str, threading.Lock] = OrderedDict()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        """Return how many are kept, never what."""
        return f"TokenCache({len(self._kept)} kept)"

    def get_lock(self, secret_id: str) -> threading.Lock:
        """Return what one thread holds while it asks for a token."""
        with self._lock:
            lock = self._locks.setdefault(secret_id, threading.Lock())
            self._locks.move_to_end(secret_id)
            while len(self._locks) > 4 * _MOST:
                self._locks.popitem(last=False)
            return lock

    def get(self, secret_id: str, version_id: str) -> AccessToken | None:
        """Return the token that a version of a secret gave, whether it is still valid or not."""
        with self._lock:
            return self._kept.get((secret_id, version_id))

    def keep(self, secret_id: str, version_id: str, token: AccessToken) -> None:
        """Keep a token."""
        with self._lock:
            self._kept[secret_id, version_id] = token
            self._kept.move_to_end((secret_id, version_id))
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)

    def drop(self, secret_id: str) -> None:
        """Ask for another token next time, whatever version of the secret gave this one."""
        with self._lock:
            for key in [one for one in self._kept if one[0] == secret_id]:
                del self._kept[key]


def fetch_token(credential: Credential, name: str, http: HttpClient, *, clock: Callable[[], float]) -> AccessToken:
    """Ask a vendor for an access token.

    Args:
        credential: the secret ``{token_url, client_id, client_secret, refresh_token?, scope?, audience?, auth?}``;
            ``auth`` is ``body`` (the default) or ``basic``.
        name: of the secret, for messages.
        http: reaches the token_url.
        clock: ``time.time``.

    Raises:
        TokenRefused: the vendor did not accept what the secret holds.
        ConfigurationError: the secret has not what is needed.
        ToolUnavailable, ToolThrottled: the vendor did not answer.
        ToolFailed: it answered with what is no token.
    """
    values = credential.fields
    missing = [one for one in ("token_url", "client_id", "client_secret") if not values.get(one)]
    if missing:
        raise ConfigurationError(
            f"the secret '{name}' has no {' and no '.join(missing)}",
            field=missing[0],
            fix='store {"token_url", "client_id", "client_secret", "refresh_token"} as JSON',
        )
    form = {one: values[one] for one in ("scope", "audience") if values.get(one)}
    if values.get("refresh_token"):
        form |= {"grant_type": "refresh_token", "refresh_token": values["refresh_token"]}
    else:
        form |= {"grant_type": "client_credentials"}
    headers = {"accept": "application/json", "content-type": "application/x-www-form-urlencoded"}
    if values.get("auth") == "basic":
        headers["authorization"] = _make_basic(values["client_id"], values["client_secret"])
    else:
        form |= {"client_id": values["client_id"], "client_secret": values["client_secret"]}
    answer = http.request(
        "POST", values["token_url"], headers=headers, body=urlencode(form), redirects=0, changes=False
    )
    return _read_token(answer, name, values.get("refresh_token"), clock())


def _make_basic(client_id: str, client_secret: str) -> str:
    """Return the header of RFC 6749, 2.3.1: both are form-encoded before they are joined."""
    joined = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
    return f"Basic {base64.b64encode(joined.encode()).decode()}"


def _read_token(answer: HttpAnswer, name: str, refresh_token: str | None, now: float) -> AccessToken:
    if answer.status in _REFUSALS:
        raise TokenRefused(_read_error(answer))
    given = answer.check(f"the token endpoint of '{name}'").json()
    if isinstance(given, dict) and given.get("ok") is False and given.get("error") in _SLACKS:
        raise TokenRefused(str(given["error"]))
    value = given.get("access_token") if isinstance(given, dict) else None
    if not isinstance(value, str) or not value or answer.status >= 300:
        raise ToolFailed(f"the token endpoint of '{name}' answered without an access token")
    KNOWN.add(value)
    lasts = given.get("expires_in")
    try:
        seconds = float(lasts)
    except (TypeError, ValueError):
        seconds = _DEFAULT_SECONDS
    renewed = given.get("refresh_token")
    if not isinstance(renewed, str) or not renewed or renewed == refresh_token:
        renewed = None
    else:
        KNOWN.add(renewed)
    return AccessToken(value, now + min(max(seconds, 0.0), _LONGEST_SECONDS), renewed)


def _read_error(answer: HttpAnswer) -> str:
    try:
        given: Any = answer.json()
    except ToolFailed:
        given = None
    code = given.get("error") if isinstance(given, dict) else None
    return code if isinstance(code, str) and code in _ERRORS else str(answer.status)


class SharedRenewal:
    """Renews a refresh token that the vendor takes once, for all processes.

    Args:
        store: reads and writes the secret.
        clock: ``time.time``.
        sleep: waits, in seconds.
    """

    def __init__(
        self,
        store: SecretStore,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._clock = clock
        self._sleep = sleep

    def renew(
        self, secret_id: str, fetch: Callable[[Credential], AccessToken], *, refused: str = ""
    ) -> tuple[AccessToken, str]:
        """Return a valid access token and the version of the secret that it is stored in.

        Args:
            secret_id: of the secret.
            fetch: asks the vendor with a version of it.
            refused: an access token that the vendor does not take any more.

        Raises:
            TokenRefused: see `fetch_token`; and its other errors.
            ToolUnavailable: another process renews it, and has not finished.
        """
        for _ in range(_POLLS):
            current = self._read(secret_id)
            stored = _read_stored(current, self._clock(), refused)
            if stored is not None:
                return stored, current.version_id
            if self._claim(secret_id, current.version_id):
                return self._renew_claimed(secret_id, current, fetch)
            self._sleep(_POLL_SECONDS)
        raise ToolUnavailable("another call is renewing the credential, and has not finished", retry_after=5.0)

    def _renew_claimed(
        self, secret_id: str, current: StoredSecret, fetch: Callable[[Credential], AccessToken]
    ) -> tuple[AccessToken, str]:
        token = fetch(Credential(current.text, current.version_id))
        values: dict[str, Any] = json.loads(current.text)
        values |= {"access_token": token.value, "expires_at": str(int(token.until))}
        if token.refresh_token is not None:
            values["refresh_token"] = token.refresh_token
        version_id = str(uuid.uuid4())
        self._store.add(secret_id, json.dumps(values), version_id=version_id, stage=_RENEWED)
        # Where an operator has stored another value meanwhile, that one stays the current one.
        self._store.make_current(secret_id, version_id, instead_of=current.version_id)
        return token, version_id

    def _claim(self, secret_id: str, version_id: str) -> bool:
        """Return whether this process renews a version now; one process gets True until its claim is old."""
        now = self._clock()
        minute = int(now // _BUCKET_SECONDS)
        before = self._store.read(secret_id, version_id=_name_claim(version_id, minute - 1))
        if before is not None and now - _read_time(before) < _CLAIM_SECONDS:
            return False
        text = json.dumps({"claimed_at": now, "by": str(uuid.uuid4())})
        return self._store.add(secret_id, text, version_id=_name_claim(version_id, minute), stage=_CLAIMED)

    def _read(self, secret_id: str) -> StoredSecret:
        found = self._store.read(secret_id)
        if found is None:
            raise ConfigurationError(f"the secret '{secret_id}' is not stored", field="secrets", fix="store it")
        return found


def _name_claim(version_id: str, minute: int) -> str:
    return str(uuid.uuid5(_SPACE, f"{version_id}:{minute}"))


def _read_time(claim: StoredSecret) -> float:
    try:
        return float(read_json(claim.text)["claimed_at"])
    except (ValueError, KeyError, TypeError):
        return 0.0


def _read_stored(secret: StoredSecret, now: float, refused: str) -> AccessToken | None:
    """Return the access token that is stored with a refresh token, while it is valid."""
    values: Mapping[str, str] = Credential(secret.text).fields
    try:
        until = float(values.get("expires_at", ""))
    except ValueError:
        return None
    value = values.get("access_token", "")
    if not value or value == refused or until - _SPARE_SECONDS <= now:
        return None
    KNOWN.add(value)
    return AccessToken(value, until)


def is_fresh(token: AccessToken, now: float, refused: str) -> bool:
    """Return whether a token can be used for a call that takes up to a minute, and was not refused."""
    return token.value != refused and token.until - _SPARE_SECONDS > now
