"""Redrives: which executions may be redriven, and what is known of those that were.

Source: RedriveExecution of the API reference, and "Restarting state machine executions with redrive" of the developer
guide.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from moto.core.exceptions import AWSError

from twin.machine import lifecycle

PERIOD: Final = timedelta(days=14)
"""From the end of an execution."""
_OPEN: Final = timedelta(days=365)
_TOKENS: Final = 10
_TOKEN_LIFETIME: Final = timedelta(minutes=15)


class NotRedrivableError(AWSError):
    """The execution cannot be redriven."""

    TYPE = "ExecutionNotRedrivable"
    STATUS = 400


class Redrives:
    """The redrives of one execution."""

    def __init__(self) -> None:
        self.count = 0
        self.date: datetime | None = None
        self._tokens: dict[str, datetime] = {}

    def add(self, token: str | None) -> datetime:
        """Count a redrive, and return when it was."""
        self.count += 1
        self.date = datetime.now(UTC)
        if token:
            self._tokens[token] = self.date
            for oldest in list(self._tokens)[:-_TOKENS]:
                del self._tokens[oldest]
        return self.date

    def find(self, token: str | None) -> datetime | None:
        """Return when a client's token has redriven the execution, if that is less than 15 minutes ago."""
        found = self._tokens.get(token) if token else None
        return found if found is not None and datetime.now(UTC) - found < _TOKEN_LIFETIME else None

    def describe(self, execution: Any, status: str) -> dict[str, Any]:
        """Return the fields of DescribeExecution and of status changes that tell of redrives."""
        reason = find_reason(execution, status)
        told = {"redriveCount": self.count, "redriveDate": self.date}
        if reason is None:
            return told | {"redriveStatus": "REDRIVABLE", "redriveStatusReason": None}
        return told | {"redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": reason}


def find_reason(execution: Any, status: str) -> str | None:
    """Return why an execution cannot be redriven, in AWS's words; None if it can."""
    now = datetime.now(UTC)
    if status in ("RUNNING", "SUCCEEDED"):
        return f"Execution is {status} and cannot be redriven"
    if count_events(execution) >= lifecycle.max_events - 1:
        return "Execution history event limit exceeded"
    if now - execution.start_date > _OPEN:
        return "Execution has exceeded the max execution time"
    if execution.stop_date is not None and now - execution.stop_date > PERIOD:
        return "Execution redrivable period exceeded"
    return None


def count_events(execution: Any) -> int:
    """Return how many events an execution's history has."""
    env = execution.exec_worker.env if execution.exec_worker else None
    return 0 if env is None else len(env.event_manager._history_event_list)
