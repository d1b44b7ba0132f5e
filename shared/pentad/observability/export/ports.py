"""What the export of spans asks of others: a queue for each target's share, and a sender."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from pentad.observability.export.otlp import Rejected
from pentad.observability.export.targets import Addressed


class ShareQueue(Protocol):
    """Where each target's share of a batch waits, and is delivered again until the target has taken it."""

    def put(self, body: str) -> None:
        """Put a message of less than 256 KB into the queue.

        Raises:
            StoreUnavailable: the queue did not answer; again is safe, since spans have derived ids.
        """
        ...


class Receipt(NamedTuple):
    """What a target says of a request that it answered.

    Attributes:
        too_large: it takes no request of this size, and took nothing.
        malformed: it can not read the request (400, 422), and took nothing: one span of many may be the reason.
        rejected: the spans that it did not take of a request, and will not.
    """

    too_large: bool = False
    malformed: bool = False
    rejected: Rejected = Rejected()


class OtlpSender(Protocol):
    """Sends one OTLP request."""

    def send(self, to: Addressed, body: bytes) -> Receipt:
        """Send protobuf, packed with gzip, and return what the target says of it.

        Raises:
            ToolThrottled: the target takes no more now; ``retry_after`` as it said.
            ToolUnavailable: it did not answer, or failed: again is safe.
            ConfigurationError: it refuses the credential or the request.
        """
        ...

    def send_json(self, to: Addressed, body: Mapping[str, Any]) -> bool:
        """Send JSON that says something of a span, and tell whether the target knows the span.

        Raises:
            ToolThrottled, ToolUnavailable, ConfigurationError: as `send`.
        """
        ...


class TargetSecrets(Protocol):
    """Where the targets' credentials are kept."""

    def get_json(self, secret_id: str) -> Mapping[str, Any]:
        """Return a secret that is a JSON object.

        Raises:
            ConfigurationError: there is none, it may not be read, or it is no JSON object.
            StoreUnavailable: the store did not answer.
        """
        ...

    def forget(self, secret_id: str) -> None:
        """Read the secret anew next time: it may have been rotated."""
        ...
