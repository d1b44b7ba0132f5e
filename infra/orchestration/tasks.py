"""Tasks of state machines: a function's invocation, and what is retried."""

from collections.abc import Sequence
from typing import Any

from pentad.domain.errors import transient_names

State = dict[str, Any]

SNAP_START_ERRORS = (
    "Lambda.SnapStartException",
    "Lambda.SnapStartNotReadyException",
    "Lambda.SnapStartTimeoutException",
)
"""What an invocation fails with while Lambda makes a new snapshot: it drops one that nobody used for 14 days, and
replaces snapshots now and then. Source: "Improving startup performance with Lambda SnapStart" of the Lambda developer
guide, and the errors of Invoke in its API reference.
"""
LAMBDA_ERRORS = (
    *SNAP_START_ERRORS,
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Sandbox.Timedout",
)
ENGINE_ERRORS = (
    "Sfn.SdkClientException",
    "Sfn.SfnException",
    "StepFunctions.AWSStepFunctionsException",
    "StepFunctions.ExecutionLimitExceededException",
    "StepFunctions.SdkClientException",
)
"""What starting an execution may fail with for a time; a started one that fails is States.TaskFailed."""
THROTTLED = "Lambda.TooManyRequestsException"
"""What Lambda answers when its concurrency is used up; no try has run, so waiting costs nothing but time."""
MODELS_THROTTLED = "ModelThrottled"
TOOL_BUSY = "ToolBusy"
"""What the tool runner answers where Lambda has no concurrency for the tool's function: nothing of the call was begun.
"""
INVOKE = "arn:aws:states:::lambda:invoke"


def retry(attempts: int, *, also: Sequence[str] = LAMBDA_ERRORS, waits_for: Sequence[str] = ()) -> list[State]:
    """Return the retry rules of a task.

    Args:
        attempts: retries after the first try; throttles of Lambda are not counted among them (see `retry_throttled`).
        also: errors of the service that the task calls.
        waits_for: errors of the function that are waited out as Lambda's throttles are; each has tries of its own.
    """
    names = [name for name in transient_names() if name not in waits_for]
    rule = {
        "ErrorEquals": [*names, *(name for name in also if name != THROTTLED)],
        "IntervalSeconds": 1,
        "BackoffRate": 2,
        "MaxDelaySeconds": 20,
        "MaxAttempts": attempts,
        "JitterStrategy": "FULL",
    }
    waiting = [THROTTLED] if THROTTLED in also else []
    return [*(retry_throttled(error) for error in (*waiting, *waits_for)), rule]


def retry_throttled(error: str) -> State:
    """Return the rule that waits until there is room again: nine minutes at most, half of it on average.

    The waits are spread (full jitter), so that runs that were throttled together do not come back together.

    Args:
        error: what to wait for, alone, so that nothing else uses its tries up: Lambda's concurrency for the function or
            for the tool's that it invokes (`TOOL_BUSY`), or the gateway, while the tenant's calls hold all of its share
            or every provider says 429. None costs anything but time. `pentad.orchestration.turn.think` ends the wait
            for providers earlier.
    """
    return {
        "ErrorEquals": [error],
        "IntervalSeconds": 5,
        "BackoffRate": 2,
        "MaxDelaySeconds": 120,
        "MaxAttempts": 8,
        "JitterStrategy": "FULL",
    }


def retry_snapshot() -> State:
    """Return the retry rule of a function that is restored from a snapshot: it waits six minutes in all.

    A snapshot is made in a minute or two. There is no jitter: it would halve the wait, and nobody queues for a quota.
    """
    return {
        "ErrorEquals": list(SNAP_START_ERRORS),
        "IntervalSeconds": 10,
        "BackoffRate": 2,
        "MaxDelaySeconds": 60,
        "MaxAttempts": 8,
        "JitterStrategy": "NONE",
    }


def invoke(
    function_arn: str,
    payload: str,
    *,
    seconds: int,
    attempts: int = 3,
    proof: str | None = None,
    snapshot: bool = False,
    waits_for: Sequence[str] = (),
) -> State:
    """Return a task that invokes a function.

    Args:
        function_arn: the function, or an expression that yields it.
        payload: a JSONata expression without its braces.
        seconds: the task's timeout; a little more than the function's own.
        attempts: retries.
        proof: a field that every answer has; without it the execution fails, instead of ending as if all were well.
        snapshot: the function is restored from a snapshot, which may have to be made first.
        waits_for: see `retry`.
    """
    answer = "$states.result.Payload"
    if proof is not None:
        answer = f"$exists({answer}.{proof}) ? {answer} : $error('the function returned no {proof}')"
    return {
        "Type": "Task",
        "Resource": INVOKE,
        "Arguments": {"FunctionName": function_arn, "Payload": f"{{% {payload} %}}"},
        "Output": f"{{% {answer} %}}",
        "TimeoutSeconds": seconds,
        "Retry": [*([retry_snapshot()] if snapshot else []), *retry(attempts, waits_for=waits_for)],
    }
