"""Map and Parallel: bounded workers, the others stop when one fails, and reserved error names pass through.

What moto gets wrong: iterations that are still running when one has failed go on running; a finished time limit
counts as a succeeded iteration; one worker calls itself once per item, so that a thousand items exhaust the stack; a
worker is started for each item, however many there are.
"""

import threading
from datetime import UTC, datetime
from typing import Any, Final

from moto.stepfunctions.parser.api import HistoryEventType, MapIterationEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.inline_iteration_component import (
    InlineIterationComponent,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.iteration_worker import IterationWorker
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.job import JobPool
from moto.stepfunctions.parser.asl.component.state.exec.state_map.state_map import StateMap
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.branches_decl import BranchesDecl
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.state_parallel import StateParallel
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task import StateTask
from moto.stepfunctions.parser.asl.component.state.wait.state_wait import StateWait
from moto.stepfunctions.parser.asl.eval.program_state import ProgramEnded, ProgramError

from twin.machine.events import add_event, event_details
from twin.machine.lifecycle import AbandonedError, close_with
from twin.machine.patching import Patches
from twin.machine.states import can_retry, is_caught, set_error_output, start_counting

MAX_INLINE_CONCURRENCY: Final = 40
"""Most iterations that an inline Map runs at once. Source: AWS, "Using Map state in Inline mode"."""
_ABORTED: Final[tuple[tuple[type, HistoryEventType], ...]] = (
    (StateTask, HistoryEventType.TaskStateAborted),
    (StateWait, HistoryEventType.WaitStateAborted),
    (StateMap, HistoryEventType.MapStateAborted),
    (StateParallel, HistoryEventType.ParallelStateAborted),
)


def _run_iteration(self: Any, env: Any, job: Any) -> Any:
    """Run one item and return its output, or the failure as an exception object."""
    env.states.context_object.context_object_data["Map"] = {"Item": {"Index": job.job_index, "Value": job.job_input}}
    env.states.reset(input_value=job.job_input)
    self._eval_input(env_frame=env)
    job.job_program.eval(env)
    end = env.program_state()
    if isinstance(end, ProgramEnded):
        return env.states.get_input()
    failed = isinstance(end, ProgramError)
    details = (end.error or {}) if failed else {}
    event_type = HistoryEventType.MapIterationFailed if failed else HistoryEventType.MapIterationAborted
    return FailureEventException(
        failure_event=FailureEvent(
            env=env,
            error_name=CustomErrorName(error_name=details.get("error")),
            event_type=event_type,
            event_details=event_details(executionFailedEventDetails=details),
        )
    )


def _eval_job(self: Any, env: Any, job: Any) -> None:
    details = MapIterationEventDetails(name=self._work_name, index=job.job_index)
    started = event_details(mapIterationStartedEventDetails=details)
    add_event(env, HistoryEventType.MapIterationStarted, started)
    try:
        output = _run_iteration(self, env, job)
    except Exception as exc:  # an iteration never ends its worker; the Map state decides about the error
        output = exc
    job.job_output = output
    if not isinstance(output, Exception):
        add_event(
            env,
            HistoryEventType.MapIterationSucceeded,
            event_details(mapIterationSucceededEventDetails=details),
            source=False,
        )
        return
    event = output.failure_event if isinstance(output, FailureEventException) else None
    if event is not None and event.event_type == HistoryEventType.MapIterationAborted:
        aborted = event_details(mapIterationAbortedEventDetails=details)
        add_event(env, HistoryEventType.MapIterationAborted, aborted, source=False)
    else:
        failed = event_details(mapIterationFailedEventDetails=details)
        add_event(env, HistoryEventType.MapIterationFailed, failed, source=False)


def _run_worker(self: Any) -> None:
    """Take items until there are none, one has failed, or the worker is stopped."""
    # A distributed Map starts its workers itself and gives them no frame.
    frame = getattr(self, "worker_frame", None) or self._env.open_frame()
    job = self._job_pool.next_job()
    while job is not None:
        job_frame = frame.open_inner_frame()
        try:
            self._eval_job(env=job_frame, job=job)
        except Exception as exc:  # a full history, for one: the Map state must learn of it, or it waits for ever
            job.job_output = exc
        last = job_frame.event_history_context.last_published_event_id
        frame.close_frame(job_frame)
        failed = isinstance(job.job_output, Exception)
        following = None if failed or self.stopped() or not frame.is_running() else self._job_pool.next_job()
        if following is None:
            if not failed:
                frame.event_history_context.source_event_id = last
            self._env.close_frame(frame)
        self._job_pool.close_job(job)
        job = following
    self._env.close_frame(frame)


def _run_inline_map(self: Any, env: Any) -> None:
    eval_input = env.stack.pop()
    items = eval_input.input_items
    pool = JobPool(job_program=self._get_iteration_program(), job_inputs=items)
    limit = eval_input.max_concurrency or MAX_INLINE_CONCURRENCY
    threads = []
    frames = []
    for _ in range(min(limit, MAX_INLINE_CONCURRENCY, len(items))):
        worker = self._create_worker(env=env, eval_input=eval_input, job_pool=pool)
        worker.worker_frame = env.open_frame()
        frames.append(worker.worker_frame)
        threads.append(threading.Thread(target=worker.eval, name=f"map {eval_input.state_name}", daemon=True))
    for thread in threads:
        thread.start()
    close_with(env, pool._termination_event.set)
    pool.await_jobs()
    error = pool.get_worker_exception()
    if error is not None:
        for frame in frames:
            frame.set_stop(stop_date=datetime.now(UTC), cause=None, error=None)
    for thread in threads:
        thread.join()
    if not env.is_running():
        raise AbandonedError
    if error is not None:
        raise error
    env.stack.append([closed.job_output for closed in pool.get_closed_jobs()])


class _Branch:
    """One branch of a Parallel state in a thread of its own."""

    def __init__(self, program: Any, frame: Any, ended: threading.Condition) -> None:
        self.frame = frame
        self.error: Any = None
        self.over = False
        self._program = program
        self._ended = ended
        self.thread = threading.Thread(target=self._run, name="parallel branch", daemon=True)

    def _run(self) -> None:
        try:
            self._program.eval(self.frame)
        finally:
            end = self.frame.program_state()
            with self._ended:
                self.error = (end.error or {}) if isinstance(end, ProgramError) else None
                self.over = True
                self._ended.notify_all()

    def record_abort(self) -> None:
        """Record that the branch ended within a state; recordings have this for the branch that failed, too."""
        for kind, event_type in _ABORTED:
            if isinstance(self.frame.current_state, kind):
                add_event(self.frame, event_type, source=False)


def _run_branches(self: Any, env: Any) -> None:
    value = env.stack.pop()
    ended = threading.Condition()
    branches = []
    for program in self.programs:
        frame = env.open_inner_frame()
        frame.states.reset(input_value=value)
        branches.append(_Branch(program, frame, ended))
    for branch in branches:
        branch.thread.start()
    with ended:
        ended.wait_for(lambda: any(b.error is not None for b in branches) or all(b.over for b in branches))
    failed = next((b for b in branches if b.error is not None), None)
    if failed is not None:
        for branch in branches:
            branch.frame.set_stop(stop_date=datetime.now(UTC), cause=None, error=None)
    for branch in branches:
        branch.thread.join()
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
    env.stack.append([branch.frame.states.get_input() for branch in branches])


def _run_attempts(self: Any, env: Any, failed_event: Any, prepare: Any) -> None:
    start_counting(env)
    while env.is_running():
        try:
            prepare()
            self._evaluate_with_timeout(env)
            return
        except Exception as exc:  # any error of an attempt has a name in the states language
            event = self._from_error(env=env, ex=exc)
            set_error_output(env, event)
            if can_retry(self, env, event):
                continue
            if not env.is_running():
                return
            if failed_event == HistoryEventType.ParallelStateFailed or _has_started(event):
                add_event(env, failed_event)
            if is_caught(self, env, event):
                return
            self._handle_uncaught(env=env, failure_event=event)


def _has_started(event: Any) -> bool:
    """Whether a Map state failed in an iteration or its items, and not in a field that is read before it starts."""
    return bool(event.event_type != HistoryEventType.ExecutionFailed)


def _run_map_state(self: Any, env: Any) -> None:
    _run_attempts(self, env, HistoryEventType.MapStateFailed, lambda: None)


def _run_parallel_state(self: Any, env: Any) -> None:
    if self.parargs is not None:
        self.parargs.eval(env=env)
    value = env.stack.pop()
    _run_attempts(self, env, HistoryEventType.ParallelStateFailed, lambda: env.stack.append(value))


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    patches.set_attribute(IterationWorker, "_eval_job", _eval_job)
    patches.set_attribute(IterationWorker, "eval", _run_worker)
    patches.set_attribute(InlineIterationComponent, "_eval_body", _run_inline_map)
    patches.set_attribute(BranchesDecl, "_eval_body", _run_branches)
    patches.set_attribute(StateMap, "_eval_state", _run_map_state)
    patches.set_attribute(StateParallel, "_eval_state", _run_parallel_state)
