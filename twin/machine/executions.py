"""The executions of this process: found by ARN, and stopped together."""

import threading
import weakref
from datetime import UTC, datetime, timedelta
from typing import Any, Final

STOP_SECONDS: Final = 10.0

lock = threading.RLock()
known: "weakref.WeakValueDictionary[str, Any]" = weakref.WeakValueDictionary()
running: set[Any] = set()


def find(execution_arn: str) -> Any:
    """Return an execution of this process, or None."""
    with lock:
        return known.get(execution_arn)


def stop_all(timeout: float = STOP_SECONDS) -> int:
    """Stop every running execution and wait for their ends; return how many were running."""
    with lock:
        found = list(running)
    for execution in found:
        execution.stop(stop_date=datetime.now(UTC), error=None, cause="The local twin was stopped.")
    deadline = datetime.now(UTC) + timedelta(seconds=timeout)
    for execution in found:
        execution.finished.wait(max(0.0, (deadline - datetime.now(UTC)).total_seconds()))
    return len(found)
