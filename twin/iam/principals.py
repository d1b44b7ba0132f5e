"""Who holds which credentials: keys are issued to roles, and a call is traced back to its role by its key."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

from twin.iam.model import ACCOUNT_ID, ADMINISTRATOR, Credentials, Principal, PrincipalKind, UnknownCredentials

MAX_SESSIONS: Final = 10_000


class Principals:
    """Issues credentials and knows whose they are. Thread-safe; sessions that nobody uses are forgotten first."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self._sessions: OrderedDict[str, tuple[Principal, Credentials, float]] = OrderedDict()
        self.administrator = self._generate_credentials("AKIA")
        self._administrator_key = self.administrator.access_key_id

    def issue(
        self,
        role_arn: str,
        session_name: str | None = None,
        tags: Sequence[tuple[str, str]] = (),
        *,
        policy: str | None = None,
        seconds: float = float("inf"),
    ) -> Credentials:
        """Return new credentials of a role, as AssumeRole does; the session name shows in denials."""
        credentials = self._generate_credentials("ASIA")
        self.add_session(
            credentials, role_arn, session_name or secrets.token_hex(8), tags, policy=policy, seconds=seconds
        )
        return credentials

    def add_session(
        self,
        credentials: Credentials,
        role_arn: str,
        session_name: str,
        tags: Sequence[tuple[str, str]] = (),
        *,
        policy: str | None = None,
        seconds: float = float("inf"),
    ) -> None:
        """Take credentials that something else made (STS) for a role's.

        Args:
            credentials: the keys.
            role_arn: whose.
            session_name: shows in denials.
            tags: of the session: names and values.
            policy: of the session: it narrows what the role's own policies allow.
            seconds: how long they count; what a function has counts as long as the function runs.
        """
        name = role_arn.rsplit("/", 1)[-1]
        arn = f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/{name}/{session_name}"
        principal = Principal(PrincipalKind.ROLE, arn, role_arn=role_arn, tags=tuple(tags), session_policy=policy)
        with self._lock:
            self._sessions[credentials.access_key_id] = (principal, credentials, self._clock() + seconds)
            while len(self._sessions) > MAX_SESSIONS:
                self._sessions.popitem(last=False)

    def authenticate(self, access_key_id: str | None, session_token: str | None = None) -> Principal:
        """Return whose key this is; a role's key counts only with its session token.

        Raises:
            UnknownCredentials: The key was not issued here, the token is not the key's, or its time is over.
        """
        if access_key_id is None:
            raise UnknownCredentials("the request carries no credentials")
        if access_key_id == self._administrator_key:
            return ADMINISTRATOR
        with self._lock:
            found = self._sessions.get(access_key_id)
            if found is not None:
                self._sessions.move_to_end(access_key_id)  # what is used is not forgotten
        if found is None:
            raise UnknownCredentials("The security token included in the request is invalid.")
        principal, credentials, ends = found
        if not hmac.compare_digest((session_token or "").encode(), credentials.session_token.encode()):
            raise UnknownCredentials("The security token included in the request is invalid.")
        if self._clock() >= ends:
            raise UnknownCredentials("The security token included in the request is expired")
        return principal

    def find_secret(self, access_key_id: str | None) -> str | None:
        """Return the secret key behind an access key, or None."""
        if access_key_id == self._administrator_key:
            return self.administrator.secret_access_key
        with self._lock:
            found = self._sessions.get(access_key_id or "")
        return found[1].secret_access_key if found is not None else None

    @staticmethod
    def _generate_credentials(prefix: str) -> Credentials:
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
        key = prefix + "".join(secrets.choice(alphabet) for _ in range(16))
        return Credentials(key, secrets.token_urlsafe(30), secrets.token_urlsafe(48))


def service_principal(service: str) -> Principal:
    """Return an AWS service, such as events.amazonaws.com, that acts by a resource policy."""
    return Principal(PrincipalKind.SERVICE, service, service=service)
