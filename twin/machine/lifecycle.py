"""How an execution waits and how it ends: closing environments, timeouts, waits and retries that can be interrupted.

moto starts several threads for every state, sleeps where nothing can wake it, and lets a task that was given up go on
writing events. Here every environment has a `closed` event, every wait watches it, and a task that was given up is
cut off from the history.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.common.retry.max_attempts_decl import MaxAttemptsOutcome
from moto.stepfunctions.parser.asl.component.common.retry.retrier_outcome import RetrierOutcome
from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import EvalTimeoutError
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task import StateTask
from moto.stepfunctions.parser.asl.component.state.state import CommonStateField
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.timestamp import Timestamp
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager

from twin.machine.patching import Patches

_MAX_WAIT: Final = 366 * 24 * 3600.0
"""Seconds; AWS ends a Standard execution after one year."""

max_events = 25_000
"""Most events of one history. Source: AWS Step Functions quotas."""
_scale = 1.0


class AbandonedError(BaseException):
    """Control signal: what is running here was stopped or timed out from outside. Never an error of the definition."""


class HistoryLimitError(RuntimeError):
    """The history is full; the execution fails."""

    def __init__(self) -> None:
        super().__init__(f"The execution reached the maximum number of history events ({max_events}).")


def close_with(env: Any, action: Callable[[], None]) -> None:
    """Run `action` when the environment ends, or at once where it has ended."""
    with env._state_mutex:
        if not env.closed.is_set():
            env.closers.append(action)
            return
    action()


def sleep(env: Any, seconds: float) -> None:
    """Wait in definition seconds (scaled) until they are over or the environment is closed."""
    env.closed.wait(max(0.0, min(seconds, _MAX_WAIT)) * _scale)


def _close(env: Any) -> None:
    with env._state_mutex:
        if env.closed.is_set():
            return
        env.closed.set()
        actions, env.closers = env.closers, []
    for action in actions:
        action()


def _patch_environment(patches: Patches) -> None:
    """Moto's program-state event is set and cleared at once, so a wait that starts a moment later is never woken.

    Its frames also lose `$states.context.Map`.
    """
    init, open_frame, open_inner = (
        Environment.__init__,
        Environment.open_frame,
        Environment.open_inner_frame,
    )

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        self.closed = threading.Event()
        self.closers = []
        self.pending_assign = {}
        self.current_state = None
        self.entered_event_id = 0
        self.before_event_id = 0
        init(self, *args, **kwargs)

    def wrap_open(original: Callable[..., Any]) -> Callable[..., Any]:
        def open_(self: Any, *args: Any, **kwargs: Any) -> Any:
            with self._state_mutex:
                frame = original(self, *args, **kwargs)
                frame.entered_event_id, frame.before_event_id = self.entered_event_id, self.before_event_id
                here, there = (e.states.context_object.context_object_data for e in (self, frame))
                if "Map" in here:
                    there["Map"] = here["Map"]
                if self.closed.is_set():
                    _close(frame)
                return frame

        return open_

    patches.set_attribute(Environment, "__init__", __init__)
    patches.set_attribute(Environment, "open_frame", wrap_open(open_frame))
    patches.set_attribute(Environment, "open_inner_frame", wrap_open(open_inner))
    for name in ("set_ended", "set_error", "set_timed_out", "set_stop"):
        patches.set_attribute(Environment, name, _wrap_end(getattr(Environment, name)))


def _wrap_end(original: Callable[..., None]) -> Callable[..., None]:
    """Moto overwrites the end of an execution with a later one; the first end counts."""

    def set_end(self: Any, *args: Any, **kwargs: Any) -> None:
        with self._state_mutex:
            if self._program_state is not None and not self.is_running():
                return
            original(self, *args, **kwargs)
        _close(self)

    return set_end


def _patch_events(patches: Patches) -> None:
    """A task that was given up keeps running in moto and writes events after its execution has ended.

    moto also lets a history grow without bound.
    """
    add_event = EventManager.add_event
    one_at_a_time = threading.Lock()  # iterations of a Map write side by side, and each looks whether there is room

    def add(self: Any, context: Any, event_type: Any, *args: Any, **kwargs: Any) -> Any:
        if getattr(context, "abandoned", False):
            raise AbandonedError
        is_end = str(event_type.value).startswith("Execution")
        with one_at_a_time:
            if len(self._history_event_list) >= max_events - 1 and not is_end:
                raise HistoryLimitError
            return add_event(self, context, event_type, *args, **kwargs)

    patches.set_attribute(EventManager, "add_event", add)


class _TaskCall:
    """One attempt of a task state in a thread of its own, so that it can be left behind."""

    def __init__(self, state: Any, frame: Any) -> None:
        self._state = state
        self._frame = frame
        self._lock = threading.Lock()
        self._left = False
        self._finished = False
        self.wake = threading.Event()
        self.output: list[Any] = []
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            self._state._eval_execution(self._frame)
            self.output.extend(self._frame.stack)
        except AbandonedError:
            return
        except Exception as exc:  # the state's own retry and catch decide about any error of an attempt
            self.error = exc
        with self._lock:
            self._finished = True
        self.wake.set()

    def cancel(self) -> bool:
        """Give the attempt up; false where it finished first."""
        with self._lock:
            if not self._finished:
                self._left = True
                self._frame.event_history_context.abandoned = True
            return self._left


def _run_task(self: Any, env: Any, frame: Any, seconds: float) -> Any:
    call = _TaskCall(self, frame)
    close_with(frame, call.wake.set)
    threading.Thread(target=call.run, name=f"task {self.name}", daemon=True).start()
    in_time = call.wake.wait(min(seconds, _MAX_WAIT))
    left = call.cancel()
    frame.set_ended()
    env.close_frame(frame)
    if left:
        if in_time or not env.is_running():
            raise AbandonedError
        raise EvalTimeoutError
    if call.error is not None:
        raise call.error
    return call.output.pop()


def _run_inline(self: Any, env: Any, frame: Any) -> Any:
    """Evaluate a Map or Parallel state; these have no time limit of their own, so they need no thread."""
    try:
        self._eval_execution(frame)
        if not frame.is_running():
            raise AbandonedError
        return frame.stack.pop()
    except Exception as exc:
        if not env.is_running():
            raise AbandonedError from exc
        raise
    finally:
        frame.set_ended()
        env.close_frame(frame)


def _evaluate_with_timeout(self: Any, env: Any) -> None:
    """Run one attempt. moto waits without watching for the end of the execution."""
    env.pending_assign.clear()
    self.timeout.eval(env=env)
    seconds = env.stack.pop()
    frame = env.open_frame()
    frame.states.reset(input_value=env.states.get_input())
    frame.stack = list(env.stack)
    output = _run_task(self, env, frame, seconds) if isinstance(self, StateTask) else _run_inline(self, env, frame)
    env.stack.append(output)
    if not self._is_language_query_jsonpath():
        env.states.set_result(output)
    if self.assign_decl:
        self.assign_decl.eval(env=env)
    if self.result_selector:
        self.result_selector.eval(env=env)
    if self.result_path:
        self.result_path.eval(env)
    else:
        env.states.reset(input_value=env.stack.pop())


def _patch_waits(patches: Patches) -> None:
    """Moto's retries sleep where a stop cannot reach them, and its timestamps are read in local time."""

    def wait_interval(self: Any, env: Any, wait_seconds: float) -> None:
        sleep(env, wait_seconds)

    def run_retrier(self: Any, env: Any) -> None:
        self.error_equals.eval(env)
        if not env.stack.pop():
            env.stack.append(RetrierOutcome.Skipped)
            return
        self.max_attempts.eval(env=env)
        if env.stack.pop() == MaxAttemptsOutcome.EXHAUSTED:
            env.stack.append(RetrierOutcome.Failed)
            return
        for part in (self.interval_seconds, self.backoff_rate, self.max_delay_seconds, self.jitter_strategy):
            part.eval(env=env)
        sleep(env, env.stack.pop())
        env.stack.append(RetrierOutcome.Executed)

    def get_wait_seconds(self: Any, env: Any) -> float:
        self.string.eval(env=env)
        text = env.stack.pop()
        moment = self._from_timestamp_string(timestamp=text)
        if moment is None:
            raise FailureEventException(self._create_failure_event(env, text))
        return float((moment.replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds())

    patches.set_attribute(WaitFunction, "_wait_interval", wait_interval)
    patches.set_attribute(retrier_decl.RetrierDecl, "_eval_body", run_retrier)
    patches.set_attribute(Timestamp, "_get_wait_seconds", get_wait_seconds)


def _patch_program(patches: Patches) -> None:
    """Moto runs each program in an extra thread only to be able to time it out; a timer is enough, where one is set."""
    state_eval = CommonStateField.eval

    def run_program(self: Any, env: Any) -> None:
        if env.closed.is_set():
            return
        env.next_state_name = self.start_at.start_at_name
        timer = None
        if self.timeout_seconds is not None and not env.is_frame():
            timer = threading.Timer(self.timeout_seconds.timeout_seconds, env.set_timed_out)
            timer.daemon = True
            timer.start()
        try:
            self._eval_body(env)
        finally:
            if timer is not None:
                timer.cancel()

    def run_state(self: Any, env: Any) -> None:
        try:
            state_eval(self, env)
        except AbandonedError:
            if env.is_running():
                raise RuntimeError("a state was abandoned in a running execution") from None

    patches.set_attribute(Program, "eval", run_program)
    patches.set_attribute(CommonStateField, "eval", run_state)


def apply(patches: Patches, *, time_scale: float) -> None:
    """Install the patches of this module.

    Args:
        patches: Where to record them.
        time_scale: Factor on the seconds of Wait states and retries; 1 is real time. Timeouts are never scaled.
    """
    global _scale
    _scale = time_scale
    _patch_environment(patches)
    _patch_events(patches)
    _patch_waits(patches)
    _patch_program(patches)
    patches.set_attribute(ExecutionState, "_evaluate_with_timeout", _evaluate_with_timeout)
