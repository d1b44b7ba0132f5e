"""What a tool asks of the outside: the value of a secret that it declares, and answers of hosts that it declares."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pentad.domain.errors import ToolFailed


@dataclass(frozen=True, repr=False)
class Credential:
    """The value of a secret. Its forms for readers show nothing of it.

    Args:
        text: the secret's SecretString as it is stored.
    """

    text: str

    def __repr__(self) -> str:
        return "Credential([masked])"

    @property
    def fields(self) -> Mapping[str, str]:
        """The strings of the secret's JSON object by their names; nothing where it is no JSON object."""
        try:
            value = json.loads(self.text)
        except (ValueError, RecursionError):
            return {}
        if not isinstance(value, dict):
            return {}
        return {name: one for name, one in value.items() if isinstance(one, str)}


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


@dataclass(frozen=True)
class HttpAnswer:
    """What a host answered.

    Args:
        status: HTTP's status code; an error of the host is an answer too.
        headers: by their names in small letters.
        body: as it came, decompressed.
        url: the address that answered, after redirects.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    url: str

    @property
    def text(self) -> str:
        """The body as UTF-8; what is none is replaced."""
        return self.body.decode("utf-8", errors="replace")

    def json(self) -> Any:
        """Return the body's JSON.

        Raises:
            ToolFailed: it is none.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise ToolFailed(f"the host answered {self.status} with what is no JSON") from error


class HttpClient(Protocol):
    """Speaks HTTP to the hosts that the tool declares, and to no other."""

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        body: bytes | str | None = None,
        timeout: float | None = None,
        max_bytes: int | None = None,
    ) -> HttpAnswer:
        """Return a host's answer, whatever its status.

        Args:
            method: GET, POST, ...
            url: http or https, of a host that the tool declares.
            headers: beside those that every request has.
            params: appended to the address.
            json: sent as JSON; not with ``body``.
            body: sent as it is.
            timeout: seconds for all of it; the client's own where None.
            max_bytes: the most that is read of the answer; the client's own where None.

        Raises:
            PolicyDenied: the host is not declared, or its address may not be reached.
            ToolUnavailable: it did not answer; what it was asked may have been done.
            ToolThrottled: it asks to be left alone for a while, and did nothing.
            ToolFailed: anything else that another try does not mend, such as an answer that is too large.
        """
        ...
