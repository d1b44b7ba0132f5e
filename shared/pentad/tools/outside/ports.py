"""What a tool asks of the outside: the value of a secret that it declares, and answers of hosts that it declares."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pentad.domain.errors import ToolFailed, ToolThrottled, ToolUnavailable
from pentad.domain.reading.json_text import read_json
from pentad.tools.outside.retry_after import read_retry_after

_THROTTLED, _SERVER_ERROR, _TIMEOUTS = 429, 500, frozenset({408, 425})


@dataclass(frozen=True, repr=False)
class Credential:
    """The value of a secret. Its forms for readers show nothing of it.

    Args:
        text: the secret's SecretString as it is stored.
        version_id: of the secret, as the store names it.
    """

    text: str
    version_id: str = ""

    def __repr__(self) -> str:
        return "Credential([masked])"

    @property
    def fields(self) -> Mapping[str, str]:
        """The strings and whole numbers of the secret's JSON object by their names; nothing where it is none.

        RDS stores the port as a number.
        """
        try:
            value = read_json(self.text)
        except ValueError:
            return {}
        if not isinstance(value, dict):
            return {}
        return {
            name: str(one) for name, one in value.items() if isinstance(one, str | int) and not isinstance(one, bool)
        }


class ToolSecrets(Protocol):
    """Reads the secrets of tools when a call asks for one, and keeps a value for minutes at most."""

    def get(self, tenant_id: str, name: str) -> Credential:
        """Return a secret's value as it is now.

        Args:
            tenant_id: whose call it is, for a secret of which tenants have their own.
            name: as the tool declares it.

        Raises:
            ConfigurationError: there is no such secret, or it has no text.
            ToolUnavailable: the store of secrets did not answer.
        """
        ...

    def renew(self, tenant_id: str, name: str, refused: Credential) -> Credential:
        """Return another value than one that was refused, which may have been rotated since it was read.

        Args:
            tenant_id: as in `get`.
            name: as in `get`.
            refused: what `get` returned.

        Raises:
            ToolFailed: the store has no other one.
            ConfigurationError: as in `get`.
            ToolUnavailable: as in `get`.
        """
        ...

    def forget_used(self) -> None:
        """Read anew, in the next call, whatever this one has used: somebody has refused it."""
        ...

    def get_token(self, tenant_id: str, name: str, http: "HttpClient", *, refused: str = "") -> str:
        """Return a valid access token of OAuth, by the client or the refresh token that a secret holds.

        Args:
            tenant_id: as in `get`.
            name: as in `get`; the secret is ``{token_url, client_id, client_secret, refresh_token?, scope?}``.
            http: reaches the token_url.
            refused: a token that the vendor did not take.

        Raises:
            ToolFailed: the vendor does not accept what the secret holds.
            ConfigurationError: as in `get`, or something is missing in the secret.
            ToolUnavailable: the vendor did not answer, or as in `get`.
        """
        ...


@dataclass(frozen=True)
class HttpAnswer:
    """What a server answered, whatever its status.

    Args:
        status: HTTP's.
        headers: by name in lower case; a header that came more than once is joined by ``", "``.
        body: decompressed.
        url: of the last request: where redirects led.
        host: the server, for messages.
        may_repeat: nothing was changed by this call so far, so that a refusal for the rate may begin it again.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    url: str = field(repr=False)
    host: str = ""
    may_repeat: bool = True

    @property
    def text(self) -> str:
        """The body in the charset that its type names, else UTF-8; what can't be decoded is replaced."""
        _, _, after = self.headers.get("content-type", "").lower().partition("charset=")
        try:
            return self.body.decode(after.split(";")[0].strip(" \"'") or "utf-8", "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")

    @property
    def _name(self) -> str:
        return f"'{self.host}'" if self.host else "the host"

    @property
    def retry_after(self) -> float | None:
        """Seconds that the server asks to wait, if it does."""
        return read_retry_after(self.headers)

    def json(self) -> Any:
        """Return the body's JSON.

        Raises:
            ToolFailed: it is none. Nothing of the body is in the message.
        """
        try:
            return read_json(self.body)
        except ValueError:
            raise ToolFailed(f"{self._name} answered {self.status} with something that is not JSON") from None

    def check(self, what: str | None = None) -> "HttpAnswer":
        """Return this answer if its status is below 400.

        Args:
            what: who answered, for the message: "HubSpot"; by default the host.

        Raises:
            ToolThrottled: 429: nothing was done, and the state machine tries again.
            ToolUnavailable: 408, 425, 5xx; or 429 where an earlier request of this call has changed something.
            ToolFailed: any other status. Nothing of the body is in the message.
        """
        if self.status < 400:
            return self
        name = what or self._name
        if self.status == _THROTTLED:
            kind = ToolThrottled if self.may_repeat else ToolUnavailable
            raise kind(f"{name} asks to wait (429)", retry_after=self.retry_after)
        if self.status >= _SERVER_ERROR or self.status in _TIMEOUTS:
            raise ToolUnavailable(f"{name} failed ({self.status})", retry_after=self.retry_after)
        raise ToolFailed(f"{name} refused the request ({self.status})")


class HttpClient(Protocol):
    """HTTP for one call of a tool. It asks once: who tries again is the state machine."""

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None,
        json: Any = None,
        body: bytes | str | None = None,
        timeout: float | None = None,
        max_bytes: int | None = None,
        redirects: int = 5,
        changes: bool | None = None,
        until: Callable[[bytes], bool] | None = None,
    ) -> HttpAnswer:
        """Send a request and return the answer, whatever its status.

        Args:
            method: GET, POST, ...
            url: http or https; its host has to be in the tool's allowlist.
            headers: beyond what the client sends itself.
            params: added to the URL's query; None as a value leaves the parameter out.
            json: sent as JSON.
            body: sent as it is; not together with ``json``.
            timeout: seconds for all of it, redirects included; by default 20, and never more than the call has left.
            max_bytes: of the answer's body after decompression; by default 5,000,000.
            redirects: how many are followed, 5 at most. None follows one with a body to another host.
            changes: whether the request changes something at the server; by default all but GET, HEAD, OPTIONS,
                PROPFIND and REPORT do. Say False for a search that is a POST.
            until: given the body so far, tells that no more of it is needed, as of a stream that does not end by
                itself; all of it is read where None.

        Raises:
            PolicyDenied: the host is not declared, or leads to an address that may not be reached.
            ToolUnavailable: the server could not be reached, or did not answer in time.
            ToolFailed: the address can't be read, the certificate is not valid, the answer is too large or broken.
        """
        ...
