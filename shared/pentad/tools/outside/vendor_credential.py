"""The credential of a vendor's API, for one call: a token, a login, or what an access token is asked for with."""

import base64
from typing import Protocol

from pentad.tools.outside.ports import Credential


class ReadsSecrets(Protocol):
    """What a tool's context does with secrets; see `ToolContext`."""

    def secret(self, name: str) -> Credential:
        """Return a secret's value."""
        ...

    def renew_secret(self, name: str, refused: Credential) -> Credential:
        """Return another value than the refused one."""
        ...

    def access_token(self, name: str, *, refused: str = "") -> str:
        """Return an access token of OAuth 2.0."""
        ...


class VendorCredential:
    """What one secret gives: by OAuth 2.0 where it has a ``token_url``, else as it stands.

    Args:
        context: of the call.
        name: of the secret.
    """

    def __init__(self, context: ReadsSecrets, name: str) -> None:
        self._context = context
        self._name = name
        self._credential = context.secret(name)
        self._token = ""

    def __repr__(self) -> str:
        return "VendorCredential([masked])"

    @property
    def token(self) -> str:
        """The access token: asked for, or the secret's field ``token``, or all of a secret that is no JSON object."""
        if self._by_oauth:
            self._token = self._token or self._context.access_token(self._name)
            return self._token
        return self._credential.fields.get("token", self._credential.text).strip()

    @property
    def login(self) -> tuple[str, str]:
        """The secret's ``username`` and ``password``."""
        fields = self._credential.fields
        return fields.get("username", ""), fields.get("password", "")

    @property
    def authorization(self) -> str:
        """The header ``Authorization``: a token, or a login where the secret has a ``username``."""
        if "username" not in self._credential.fields:
            return f"Bearer {self.token}"
        return f"Basic {base64.b64encode(':'.join(self.login).encode()).decode()}"

    def renew(self) -> None:
        """Take another value, since this one was refused: it may have been rotated in this minute.

        Raises:
            ToolFailed: there is no other one.
            ToolUnavailable, ConfigurationError: see `ToolContext`.
        """
        if self._by_oauth:
            self._token = self._context.access_token(self._name, refused=self._token)
            return
        self._credential = self._context.renew_secret(self._name, self._credential)

    @property
    def _by_oauth(self) -> bool:
        return "token_url" in self._credential.fields
