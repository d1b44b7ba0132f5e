"""Time limits of a state: an attempt can be left behind.

What moto gets wrong: it waits without watching for the end of the execution; a heartbeat lowers the time limit of a
task to 60 seconds.
"""

import threading
from typing import Any

from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import EvalTimeoutError, TimeoutSeconds
from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task import StateTask

from twin.host.clocks import CallClock, in_use
from twin.machine.lifecycle import MAX_WAIT, AbandonedError, close_with
from twin.moto_patches.patching import Patches


def _wrap_state_props(original: Any) -> Any:
    """Moto gives a task with a heartbeat and no time limit 60 seconds; AWS gives it the usual 99,999,999."""

    def from_state_props(self: Any, state_props: Any) -> None:
        original(self, state_props)
        timeout = self.timeout
        if isinstance(timeout, TimeoutSeconds) and timeout.is_default:
            self.timeout = TimeoutSeconds(timeout_seconds=TimeoutSeconds.DEFAULT_TIMEOUT_SECONDS)

    return from_state_props


class _TaskCall:
    """One attempt of a task state in a thread of its own, so that it can be left behind."""

    def __init__(self, state: Any, frame: Any) -> None:
        self._state = state
        self._frame = frame
        self._lock = threading.Lock()
        self._left = False
        self._finished = False
        self.wake = threading.Event()
        self.clock = CallClock()
        self.output: list[Any] = []
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            with in_use(self.clock):
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
    in_time = call.clock.wait(call.wake, min(seconds, MAX_WAIT))
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


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    patches.set_attribute(ExecutionState, "_evaluate_with_timeout", _evaluate_with_timeout)
    patches.set_attribute(ExecutionState, "from_state_props", _wrap_state_props(ExecutionState.from_state_props))
