"""Lambda's own error payloads: what AWS answers when the runtime itself could not."""

from __future__ import annotations

import json
import signal

from twin.host.model import RESPONSE_BYTES

_SIGNALS = {
    signal.SIGKILL: "killed",
    signal.SIGTERM: "terminated",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGABRT: "aborted",
    signal.SIGBUS: "bus error",
    signal.SIGINT: "interrupt",
}

EXIT_ERROR = "Runtime.ExitError"
TIMED_OUT = "Sandbox.Timedout"


def _dump(error_type: str, message: str) -> bytes:
    return json.dumps({"errorType": error_type, "errorMessage": message}).encode()


def build_timeout_error(request_id: str, seconds: float) -> bytes:
    """Payload of a function that was killed at its time limit."""
    return _dump(TIMED_OUT, f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds")


def exit_reason(returncode: int) -> str:
    """Say how the process ended, in AWS's words; `returncode` as in subprocess (negative: a signal)."""
    if returncode == 0:
        return "Runtime exited without providing a reason"
    if returncode > 0:
        return f"Runtime exited with error: exit status {returncode}"
    try:
        name = _SIGNALS.get(signal.Signals(-returncode), f"signal {-returncode}")
    except ValueError:
        name = f"signal {-returncode}"
    return f"Runtime exited with error: signal: {name}"


def build_exit_error(request_id: str, returncode: int) -> bytes:
    """Payload of a process that ended before it answered."""
    return _dump(EXIT_ERROR, f"RequestId: {request_id} Error: {exit_reason(returncode)}")


def build_too_large_error() -> bytes:
    """Payload when the function returned more than Lambda passes on."""
    return _dump(
        "Function.ResponseSizeTooLarge",
        f"Response payload size exceeded maximum allowed payload size ({RESPONSE_BYTES} bytes).",
    )
