"""Names of errors, and which of them an `ErrorEquals` list catches."""

from typing import Final

_ALL: Final = "States.ALL"


_TASK_FAILED: Final = "States.TaskFailed"


_TIMEOUT: Final = "States.Timeout"


_HEARTBEAT: Final = "States.HeartbeatTimeout"


RUNTIME: Final = "States.Runtime"
_TERMINAL: Final = frozenset({RUNTIME, "States.DataLimitExceeded"})


def match_error(names: set[str | None], error: str | None) -> bool:
    """Whether an `ErrorEquals` list catches an error.

    Source: AWS, "Handling errors in Step Functions workflows": `States.TaskFailed` matches every task error but
    `States.Timeout`; `States.ALL` matches neither `States.Runtime` nor `States.DataLimitExceeded`; a missed heartbeat
    has a name of its own, while recordings report it as `States.Timeout`.
    """
    if error in names:
        return True
    if error == _TIMEOUT and _HEARTBEAT in names:
        return True
    if _ALL in names:
        return error not in _TERMINAL
    return _TASK_FAILED in names and not (error or "").startswith("States.")
