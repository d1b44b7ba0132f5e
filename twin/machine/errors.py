"""Names of errors, and which of them an `ErrorEquals` list catches."""

from typing import Final

_ALL: Final = "States.ALL"


_TASK_FAILED: Final = "States.TaskFailed"


_TIMEOUT: Final = "States.Timeout"


_HEARTBEAT: Final = "States.HeartbeatTimeout"


RUNTIME: Final = "States.Runtime"


def match_error(names: set[str | None], error: str | None) -> bool:
    """Whether an `ErrorEquals` list catches an error.

    Source: AWS, "Handling errors in Step Functions workflows": `States.TaskFailed` matches any known error but
    `States.Timeout` (and `States.Runtime`, which nothing catches by a wildcard; no recording tells otherwise);
    `States.ALL` does not match `States.Runtime`; a missed heartbeat has a name of its own, while
    recordings report it as `States.Timeout`. The page says that `States.ALL` does not match
    `States.DataLimitExceeded` either; histories that were recorded on AWS show that it does, so it does here.
    """
    if error in names:
        return True
    if error == _TIMEOUT and _HEARTBEAT in names:
        return True
    if _ALL in names:
        return error != RUNTIME
    return _TASK_FAILED in names and error not in (_TIMEOUT, RUNTIME)
