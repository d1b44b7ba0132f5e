"""The clock that schedules run by."""

from datetime import UTC, datetime
from typing import Protocol


class ScheduleClock(Protocol):
    """Tells the time of day; a test's clock stands still until it is moved."""

    def now(self) -> datetime:
        """Return the present moment in UTC."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        return datetime.now(UTC)
