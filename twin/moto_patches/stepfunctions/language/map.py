"""Map states: bounded workers; the others stop when one iteration fails.

What moto gets wrong: iterations that are still running when one has failed go on running; a finished time limit counts
as a succeeded iteration; one worker calls itself once per item, so that a thousand items exhaust the stack; a worker is
started for each item, however many there are; a distributed Map has neither child executions nor batches, reads JSON
and CSV only, tolerates every failure, and writes no results.
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
from moto.stepfunctions.parser.asl.eval.program_state import ProgramEnded, ProgramError

from twin.machine.distributed.state import run_distributed_map
from twin.machine.events import add_event, event_details
from twin.machine.lifecycle import AbandonedError, close_with
from twin.moto_patches.patching import Patches
from twin.moto_patches.stepfunctions.language.attempts import (
    attempt_branches,
)

MAX_INLINE_CONCURRENCY: Final = 40
"""Most iterations that an inline Map runs at once. Source: AWS, "Using Map state in Inline mode"."""


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
    if env.progress.is_finished:  # before a redrive
        job.job_output = env.progress.output
        return
    details = MapIterationEventDetails(name=self._work_name, index=job.job_index)
    started = event_details(mapIterationStartedEventDetails=details)
    add_event(env, HistoryEventType.MapIterationStarted, started)
    try:
        output = _run_iteration(self, env, job)
    except Exception as exc:  # an iteration never ends its worker; the Map state decides about the error
        output = exc
    job.job_output = output
    if not isinstance(output, Exception):
        env.progress.finish(output)
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
    frame = self.worker_frame
    job = self._job_pool.next_job()
    while job is not None:
        job_frame = frame.open_inner_frame()
        job_frame.progress = frame.progress.get_part(job.job_index)
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


def _run_map_state(self: Any, env: Any) -> None:
    attempt_branches(self, env, HistoryEventType.MapStateFailed, lambda: None)


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    run_inline_state: Any = StateMap._eval_execution

    def run_state(self: Any, env: Any) -> None:
        (run_distributed_map if hasattr(self, "distributed") else run_inline_state)(self, env)

    patches.set_attribute(StateMap, "_eval_execution", run_state)
    patches.set_attribute(IterationWorker, "_eval_job", _eval_job)
    patches.set_attribute(IterationWorker, "eval", _run_worker)
    patches.set_attribute(InlineIterationComponent, "_eval_body", _run_inline_map)
    patches.set_attribute(StateMap, "_eval_state", _run_map_state)
