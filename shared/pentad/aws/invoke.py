"""Invoke a function, and wait while Lambda says that it can't run it yet."""

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from pentad.aws.errors import SNAP_START, code_of
from pentad.aws.jitter import draw

THROTTLED = "TooManyRequestsException"
"""What Invoke answers while all of the concurrency is in use."""
SNAPSHOT_SECONDS = 15.0
"""The longest wait between two looks whether a snapshot is ready."""
USEFUL_SECONDS = 2.0
"""What is left for the call at least, after a wait."""
_TRIES = 24
"""After five minutes, longer than any function of ours that calls the gateway runs."""


def invoke_when_ready(
    client: Any,
    function: str,
    payload: bytes,
    *,
    deadline: float,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Any:
    """Invoke, and wait while Lambda makes the snapshot that the function is restored from, or has no concurrency.

    Lambda answers both at once, and nothing was run or billed: so these errors alone are tried again here. A
    snapshot takes a minute or two; whoever has less time gets the error, and comes back. Callers that were
    throttled together come back at different times (full jitter).

    Args:
        client: boto3's client of lambda.
        function: ARN or name of the function or its alias.
        payload: JSON.
        deadline: seconds since the epoch; no wait ends later.
        clock: ``time.time``.
        sleep: ``time.sleep``.

    Returns:
        What boto3's ``invoke`` returns.

    Raises:
        ClientError: another error, or one of these to the end.
    """
    for number in range(_TRIES):
        try:
            return client.invoke(FunctionName=function, Payload=payload)
        except ClientError as error:
            code, seconds = code_of(error), min(SNAPSHOT_SECONDS, 2.0**number)
            if code == THROTTLED:
                seconds *= draw()
            if code not in {*SNAP_START, THROTTLED} or clock() + seconds + USEFUL_SECONDS >= deadline:
                raise
            sleep(seconds)
    return client.invoke(FunctionName=function, Payload=payload)
