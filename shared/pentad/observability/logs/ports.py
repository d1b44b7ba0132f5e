"""What reading logs asks of others."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol


class StoredLine(NamedTuple):
    """A line as it is kept.

    Attributes:
        line_id: what the store knows it by; a line that is read again has the same.
        at: when it was written.
        group: its log group.
        text: the line.
    """

    line_id: str
    at: datetime
    group: str
    text: str


class TooManyPages(Exception):
    """A log group gives its lines in more pages than are read."""


class LogSource(Protocol):
    """Where log lines are kept."""

    def list_groups(self, prefix: str) -> list[str]:
        """Return the names of the log groups that begin so, sorted; at most 500.

        Raises:
            PolicyDenied: the caller may not list them.
            StoreUnavailable: the store did not answer.
        """
        ...

    def iter_lines(
        self, group: str, words: Sequence[str], *, since: datetime, until: datetime | None = None
    ) -> Iterator[StoredLine]:
        """Yield the lines that have one of these words, as they stand in them; a group that is not there has none.

        Args:
            group: the log group.
            words: letters, digits, ``_`` and ``-``; at most 20.
            since: no line before it.
            until: no line after it.

        Raises:
            PolicyDenied: the caller may not read the group.
            TooManyPages: those of the first pages were yielded.
            StoreUnavailable: the store did not answer.
        """
        ...
