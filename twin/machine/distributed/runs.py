"""Map Runs: what DescribeMapRun says of each, its tolerance, and the child executions that are kept.

Sources: DescribeMapRun of the Step Functions API reference; "Setting failure thresholds for Distributed Map states".
"""

import threading
import uuid
import weakref
from collections import Counter, deque
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final

MOST_AT_ONCE: Final = 100
"""Child executions that run at once at most; AWS takes 10,000. Each has a thread here."""
KEPT: Final = 200
"""Ended child executions of a run that can be described, and as many again that failed; AWS keeps all for 90 days."""
_ENDS: Final = {"SUCCEEDED": "succeeded", "FAILED": "failed", "TIMED_OUT": "timedOut", "ABORTED": "aborted"}
_COUNTS: Final = ("aborted", "failed", "pending", "resultsWritten", "running", "succeeded", "timedOut", "total")

_known: "weakref.WeakValueDictionary[str, MapRun]" = weakref.WeakValueDictionary()

Json = dict[str, Any]


def find_run(map_run_arn: str) -> "MapRun | None":
    """Return a Map Run of this process, or None; it lives as long as its execution is kept."""
    return _known.get(map_run_arn)


class MapRun:
    """One Map Run.

    Args:
        parent: the execution whose state runs it.
        label: of the state; None for one that is made up.
        max_concurrency: 0 for as many as run at once at most.
        tolerated_count: items that may fail; None where no number is given.
        tolerated_percentage: of all items that may fail; None where no share is given.

    Attributes:
        results: of what has succeeded; a redrive adds to them.
        failures: child executions that a redrive goes on with, by their place; what is over `KEPT` begins anew.
    """

    def __init__(
        self,
        parent: Any,
        label: str | None,
        *,
        max_concurrency: int,
        tolerated_count: int | None,
        tolerated_percentage: float | None,
    ) -> None:
        machine_arn = parent.state_machine.arn
        self.label = label or str(uuid.uuid4())
        self.run_id = str(uuid.uuid4())
        self.map_run_arn = f"{machine_arn.replace(':stateMachine:', ':mapRun:')}/{self.label}:{self.run_id}"
        self.machine_arn = f"{machine_arn}/{self.label}"
        self.execution_arn = parent.exec_arn
        self.max_concurrency = max_concurrency
        self.tolerated_count = tolerated_count
        self.tolerated_percentage = tolerated_percentage
        self.status = "RUNNING"
        self.start_date = datetime.now(UTC)
        self.stop_date: datetime | None = None
        self.changed = threading.Condition()
        self.running: dict[str, Any] = {}
        self.results: Any = None
        self.failures: dict[int, Any] = {}
        self.redrive_count = 0
        self.redrive_date: datetime | None = None
        self._ended: deque[Any] = deque(maxlen=KEPT)
        self._failed: deque[Any] = deque(maxlen=KEPT)
        self._items: Counter[str] = Counter()
        self._executions: Counter[str] = Counter()
        _known[self.map_run_arn] = self

    @property
    def limit(self) -> int:
        """How many child executions may run at once."""
        return min(self.max_concurrency or MOST_AT_ONCE, MOST_AT_ONCE)

    def expect(self, items: int) -> None:
        """Note how many items there are."""
        self._items["total"] = items
        self._items["pending"] = items - self._items["succeeded"]

    def redrive(self) -> None:
        """Run again: what has not succeeded is no longer counted."""
        with self.changed:
            self.status, self.stop_date = "RUNNING", None
            self.redrive_count, self.redrive_date = self.redrive_count + 1, datetime.now(UTC)
            for field in ("failed", "timedOut", "aborted"):
                self._executions["total"] -= self._executions[field]
                self._items[field] = self._executions[field] = 0

    def begin(self, child: Any, items: int) -> None:
        """Note that a child execution runs, with so many items."""
        with self.changed:
            if child in self._failed:
                self._failed.remove(child)
            self.running[child.exec_arn] = child
            self._items.update(running=items, pending=-items)
            self._executions.update(running=1, total=1)

    def end(self, index: int, child: Any, items: int, *, written: bool) -> None:
        """Note that a child execution has ended, and whether its result is written; ``index`` is its place."""
        field = _ENDS.get(str(child.status), "failed")  # an execution that the engine itself could not end
        with self.changed:
            self.running.pop(child.exec_arn, None)
            if field != "succeeded" and len(self.failures) < KEPT:
                self.failures[index] = child
            (self._ended if field == "succeeded" else self._failed).append(child)
            for counts, number in ((self._items, items), (self._executions, 1)):
                counts["running"] -= number
                counts[field] += number
                counts["resultsWritten"] += number * written
            self.changed.notify_all()

    def is_over_tolerance(self) -> bool:
        """Tell whether more items failed or timed out than are tolerated: none, where the state says nothing."""
        failed = self._items["failed"] + self._items["timedOut"]
        if self.tolerated_count is None and self.tolerated_percentage is None:
            return failed > 0
        if self.tolerated_count is not None and failed > self.tolerated_count:
            return True
        share = 100.0 * failed / max(1, self._items["total"])
        return self.tolerated_percentage is not None and share > self.tolerated_percentage

    def stop(self, status: str) -> None:
        """Note the end of the run."""
        with self.changed:
            if self.stop_date is None:
                self.status, self.stop_date = status, datetime.now(UTC)

    def update(self, max_concurrency: int | None, count: int | None, percentage: float | None) -> None:
        """Change what the run goes by from now on; None leaves a value as it is."""
        with self.changed:
            self.max_concurrency = self.max_concurrency if max_concurrency is None else max_concurrency
            self.tolerated_count = self.tolerated_count if count is None else count
            self.tolerated_percentage = self.tolerated_percentage if percentage is None else percentage
            self.changed.notify_all()

    def iter_children(self) -> Iterator[Any]:
        """Yield the child executions that are kept, the newest first."""
        with self.changed:
            found = list(chain(self.running.values(), self._ended, self._failed))
        yield from sorted(found, key=lambda child: child.start_date, reverse=True)

    def describe(self) -> Json:
        """Return what DescribeMapRun answers."""
        with self.changed:
            return {
                **self.list_item(),
                "status": self.status,
                "maxConcurrency": self.max_concurrency,
                "toleratedFailureCount": self.tolerated_count or 0,
                "toleratedFailurePercentage": self.tolerated_percentage or 0.0,
                "itemCounts": _read_counts(self._items),
                "executionCounts": _read_counts(self._executions),
                "redriveCount": self.redrive_count,
                **({} if self.redrive_date is None else {"redriveDate": self.redrive_date}),
            }

    def list_item(self) -> Json:
        """Return the entry of ListMapRuns."""
        found = {
            "mapRunArn": self.map_run_arn,
            "executionArn": self.execution_arn,
            "stateMachineArn": self.machine_arn,
            "startDate": self.start_date,
        }
        return found if self.stop_date is None else found | {"stopDate": self.stop_date}


def _read_counts(counts: Counter[str]) -> dict[str, int]:
    return {name: counts[name] for name in _COUNTS} | {"failuresNotRedrivable": 0, "pendingRedrive": 0}
