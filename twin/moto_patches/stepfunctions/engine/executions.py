"""Executions: what is known of each, and its end.

What moto gets wrong: nobody can wait for the end of an execution; the status is set before the output; the error and
cause that a stop was given are dropped; none can be redriven.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from moto.stepfunctions.parser.api import (
    ExecutionStatus,
)
from moto.stepfunctions.parser.asl.eval.program_state import (
    ProgramEnded,
    ProgramError,
    ProgramStopped,
    ProgramTimedOut,
)
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution

from twin.machine import status
from twin.machine.executions import known, lock, running
from twin.machine.operations.progress import Progress
from twin.machine.operations.redrive import Redrives
from twin.moto_patches.patching import Patches

_STATUS: Final[dict[type, ExecutionStatus]] = {
    ProgramEnded: ExecutionStatus.SUCCEEDED,
    ProgramStopped: ExecutionStatus.ABORTED,
    ProgramTimedOut: ExecutionStatus.TIMED_OUT,
}


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    init: Any = Execution.__init__
    original_start: Any = Execution.start

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        self.finished, self.settled = threading.Event(), threading.Event()
        self.watchers = []
        self.redrives = Redrives()
        self.version_arn = self.alias_arn = None
        init(self, *args, **kwargs)
        known[self.exec_arn] = self

    def add_done_callback(self: Any, action: Callable[[], None]) -> None:
        with lock:
            if not self.finished.is_set():
                self.watchers.append(action)
                return
        action()

    def start(self: Any) -> None:
        with lock:
            running.add(self)
        status.notify(self, "RUNNING")
        original_start(self)

    patches.set_attribute(Execution, "__init__", __init__)
    patches.set_attribute(Execution, "add_done_callback", add_done_callback)
    patches.set_attribute(Execution, "start", start)
    patches.set_attribute(Execution, "redrive", _redrive)
    patches.set_attribute(BaseExecutionWorkerCommunication, "terminated", _handle_termination)


def _handle_termination(self: Any) -> None:
    """Record the end of an execution, and tell of it."""
    execution = self.execution
    try:
        _record_end(self)
    finally:
        with lock:
            execution.finished.set()
            watchers, execution.watchers = execution.watchers, []
            running.discard(execution)
        for watcher in watchers:
            watcher()
        status.notify(execution, str(execution.status))
        execution.settled.set()


def _redrive(self: Any, token: str | None) -> datetime:
    """Go on with an execution that has ended, and return when; the caller has found that it may, and holds the lock."""
    self.exec_worker.env.progress.prepare(self.error)
    self.finished, self.settled = threading.Event(), threading.Event()
    self.exec_status, self.stop_date, self.error, self.cause = ExecutionStatus.RUNNING, None, None, None
    date: datetime = self.redrives.add(token)
    running.add(self)
    status.notify(self, "RUNNING")
    self.exec_worker.redrive(self.redrives.count, date)
    return date


def _record_end(self: Any) -> None:
    """Record the end. moto sets the status before the output, and drops the error and cause that a stop was given."""
    execution = self.execution
    end = execution.exec_worker.env.program_state()
    execution.stop_date = datetime.now(UTC)
    status = _STATUS.get(type(end), ExecutionStatus.FAILED)
    if status == ExecutionStatus.SUCCEEDED:
        execution.output = execution.exec_worker.env.states.get_input()
        execution.exec_worker.env.progress = Progress()  # nothing goes on: let go of the outputs of its iterations
    elif status == ExecutionStatus.ABORTED:
        execution.error, execution.cause = end.error, end.cause
    elif isinstance(end, ProgramError):
        execution.error, execution.cause = (end.error or {}).get("error"), (end.error or {}).get("cause")
    execution.exec_status = status
