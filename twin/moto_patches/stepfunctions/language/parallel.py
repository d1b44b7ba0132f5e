"""Parallel states: the other branches stop when one fails.

What moto gets wrong: branches that are still running when one has failed go on running.
"""

import threading
from datetime import UTC, datetime
from typing import Any, Final

from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.state_map import StateMap
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.branches_decl import BranchesDecl
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.state_parallel import StateParallel
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task import StateTask
from moto.stepfunctions.parser.asl.component.state.wait.state_wait import StateWait
from moto.stepfunctions.parser.asl.eval.program_state import ProgramEnded, ProgramError

from twin.machine.events import add_event, event_details
from twin.machine.lifecycle import AbandonedError
from twin.moto_patches.patching import Patches
from twin.moto_patches.stepfunctions.language.attempts import (
    attempt_branches,
)

_ABORTED: Final[tuple[tuple[type, HistoryEventType], ...]] = (
    (StateTask, HistoryEventType.TaskStateAborted),
    (StateWait, HistoryEventType.WaitStateAborted),
    (StateMap, HistoryEventType.MapStateAborted),
    (StateParallel, HistoryEventType.ParallelStateAborted),
)


class _Branch:
    """One branch of a Parallel state in a thread of its own."""

    def __init__(self, program: Any, frame: Any, ended: threading.Condition) -> None:
        self.frame = frame
        self.error: Any = None
        self.over = frame.progress.is_finished
        self._program = program
        self._ended = ended
        self.thread = threading.Thread(target=self._run, name="parallel branch", daemon=True)

    def _run(self) -> None:
        try:
            self._program.eval(self.frame)
        finally:
            end = self.frame.program_state()
            if isinstance(end, ProgramEnded):
                self.frame.progress.finish(self.frame.states.get_input())
            with self._ended:
                self.error = (end.error or {}) if isinstance(end, ProgramError) else None
                self.over = True
                self._ended.notify_all()

    def start(self) -> None:
        """Run it, unless it has succeeded before a redrive."""
        if not self.over:
            self.thread.start()

    def join(self) -> None:
        """Wait for its end."""
        if self.thread.ident is not None:
            self.thread.join()

    def record_abort(self) -> None:
        """Record that the branch ended within a state; recordings have this for the branch that failed, too."""
        for kind, event_type in _ABORTED:
            if isinstance(self.frame.current_state, kind):
                add_event(self.frame, event_type, source=False)


def _run_branches(self: Any, env: Any) -> None:
    value = env.stack.pop()
    ended = threading.Condition()
    branches = []
    for index, program in enumerate(self.programs):
        frame = env.open_inner_frame()
        frame.progress = env.progress.get_part(index)
        frame.states.reset(input_value=value)
        branches.append(_Branch(program, frame, ended))
    for branch in branches:
        branch.start()
    with ended:
        ended.wait_for(lambda: any(b.error is not None for b in branches) or all(b.over for b in branches))
    failed = next((b for b in branches if b.error is not None), None)
    if failed is not None:
        for branch in branches:
            branch.frame.set_stop(stop_date=datetime.now(UTC), cause=None, error=None)
    for branch in branches:
        branch.join()
        if failed is not None:
            branch.record_abort()
        env.close_frame(branch.frame)
    if not env.is_running():
        raise AbandonedError
    if failed is not None:
        raise FailureEventException(
            failure_event=FailureEvent(
                env=env,
                error_name=CustomErrorName(error_name=failed.error.get("error")),
                event_type=HistoryEventType.ExecutionFailed,
                event_details=event_details(executionFailedEventDetails=failed.error),
            )
        )
    env.stack.append([branch.frame.progress.output for branch in branches])


def _run_parallel_state(self: Any, env: Any) -> None:
    if self.parargs is not None:
        self.parargs.eval(env=env)
    value = env.stack.pop()
    attempt_branches(self, env, HistoryEventType.ParallelStateFailed, lambda: env.stack.append(value))


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    patches.set_attribute(BranchesDecl, "_eval_body", _run_branches)
    patches.set_attribute(StateParallel, "_eval_state", _run_parallel_state)
