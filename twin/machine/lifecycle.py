"""How an execution waits and how it ends: every environment has a `closed` event, and every wait watches it."""

import threading
from collections.abc import Callable
from typing import Any, Final

MAX_WAIT: Final = 366 * 24 * 3600.0
"""Seconds; AWS ends a Standard execution after one year."""

LIFETIME: Final = 300.0
"""Seconds; then an Express execution is timed out."""

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
    env.closed.wait(max(0.0, min(seconds, MAX_WAIT)) * _scale)


def close(env: Any) -> None:
    """End an environment: whoever waits in it is woken, and what was to run at its end runs."""
    with env._state_mutex:
        if env.closed.is_set():
            return
        env.closed.set()
        actions, env.closers = env.closers, []
    for action in actions:
        action()


def set_time_scale(scale: float) -> float:
    """Set the factor on the seconds of Wait states and retries, and return the former one.

    1 is real time. Timeouts are never scaled.
    """
    global _scale
    former, _scale = _scale, scale
    return former


def limit_lifetime(execution: Any, seconds: float = LIFETIME) -> None:
    """Time an Express execution out at the end of its life."""
    timer = threading.Timer(seconds, execution.exec_worker.env.set_timed_out)
    timer.daemon = True
    timer.start()
    execution.add_done_callback(timer.cancel)
