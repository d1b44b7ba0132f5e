"""What telling alerts asks of others: a client for hosts on a list, secrets, and what was sent already."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol


class AlertAnswer(Protocol):
    """What a target answers."""

    @property
    def status(self) -> int:
        """HTTP's."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """By name in lower case."""
        ...

    @property
    def body(self) -> bytes:
        """As it is, decompressed."""
        ...


class AlertClient(Protocol):
    """An HTTP client that reaches the hosts of an allowlist and no other. It asks once."""

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        timeout: float | None = None,
        max_bytes: int | None = None,
        redirects: int = 0,
    ) -> AlertAnswer:
        """Send a request and return the answer, whatever its status.

        Raises:
            PolicyDenied: the host is not on the list, or leads to an address that may not be reached.
            ToolUnavailable: the server could not be reached, or did not answer in time.
            ToolFailed: the address can't be read, the certificate is not valid, the answer is too large or broken.
        """
        ...


MakeClient = Callable[[Sequence[str]], AlertClient]
"""Returns a client that reaches the hosts of an allowlist and no other."""


class AlertSecrets(Protocol):
    """Where the targets' addresses are kept: they are credentials."""

    def get_json(self, secret_id: str) -> Mapping[str, Any]:
        """Return a secret that is a JSON object.

        Raises:
            ConfigurationError: there is none, it may not be read, or it is no JSON object.
            StoreUnavailable: the store did not answer.
        """
        ...

    def forget(self, secret_id: str) -> None:
        """Read the secret anew next time: it may have been changed."""
        ...


class AlertLog(Protocol):
    """Which alerts were sent to which target, so that a message that is delivered twice pages once."""

    def acquire(self, alert_id: str, target: str) -> bool:
        """Claim the sending of an alert to a target; False where it was sent already.

        Raises:
            StoreUnavailable: another instance is sending it, or the store did not answer: again is safe.
        """
        ...

    def mark_sent(self, alert_id: str, target: str) -> None:
        """Keep that it was sent.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def release(self, alert_id: str, target: str) -> None:
        """Give a claim back: it was not sent.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...
