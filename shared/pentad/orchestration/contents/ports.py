"""What writing contents asks of others: a log of its own, and who finds names in text."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from pentad.domain.ids import hash_user

ContentLine = Mapping[str, Any]
"""A line: ``line`` is its id, which is the same however often it is written."""


def begin_streams(tenant_id: str, user_id: str | None) -> str:
    """Return what the names of a user's streams begin with: by it an erasure finds them, whatever is left of the runs.

    Args:
        tenant_id: the tenant.
        user_id: the user; None for the streams of runs that are nobody's.
    """
    return f"{tenant_id}/{'-' if user_id is None else hash_user(user_id)}/"


class ContentLog(Protocol):
    """Where contents go."""

    def write(self, stream: str, lines: Sequence[ContentLine]) -> int:
        """Write the lines of a run that are not there yet, and return how many those were.

        Args:
            stream: the run's place in the log.
            lines: in order; each is less than 256 KB as JSON.

        Raises:
            StoreUnavailable: the log did not answer; again is safe.
            ConfigurationError: it refuses.
        """
        ...

    def remove(self, stream: str) -> None:
        """Remove a run's place in the log with all that is in it; again is safe.

        Raises:
            StoreUnavailable: the log did not answer.
            ConfigurationError: it refuses.
        """
        ...


class NameFinder(Protocol):
    """Finds personal data that has no form, such as names and addresses, by reading language."""

    def mask(self, text: str) -> str:
        """Return the text with what was found replaced by its kind: ``[name]``.

        Raises:
            StoreUnavailable: the service did not answer.
            ConfigurationError: it refuses.
        """
        ...
