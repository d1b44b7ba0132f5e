"""From `pentad up` to ready, each time in a fresh process."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from benchmarks.timing import Spread, spread
from twin.running import state_file as twin_file

_READY_SECONDS = 60.0
_STOP_SECONDS = 20.0
_REUSED = "unchanged, reused"
"""What `pentad up` says of a cdk.out that it takes as it is."""
_REAL_PROVIDERS = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY")


class StartFailed(Exception):
    """The twin did not come up; the message is what it said."""


@dataclass(frozen=True)
class Start:
    """One start, in seconds.

    Attributes:
        total: from the new process to its line that says it is ready.
        phases: the twin's own, by name.
        stop: from the signal to the end of the process.
        warm: whether cdk.out was reused; sources that change meanwhile have it made anew.
    """

    total: float
    phases: dict[str, float]
    stop: float
    warm: bool = True


def start_once(root: Path) -> Start:
    """Start the twin as `pentad up` does, wait until it is ready, and stop it.

    Raises:
        StartFailed: it did not come up in time, or not at all.
    """
    environment = {name: value for name, value in os.environ.items() if name not in _REAL_PROVIDERS}
    with tempfile.TemporaryDirectory(prefix="pentad-bench-") as folder, tempfile.TemporaryFile("w+") as errors:
        command = [sys.executable, "-m", "pentad.cli.main", "--json", "up", "--state", folder]
        began = time.monotonic()
        process = subprocess.Popen(
            command, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
        )
        try:
            _wait_ready(process, Path(folder), errors)
            total = time.monotonic() - began
            facts = twin_file.read(Path(folder)) or {}
            stop = _stop(process)
            errors.seek(0)
            warm = _REUSED in errors.read()
        finally:
            _end(process)
    return Start(round(total, 3), _phases(total, facts), round(stop, 3), warm)


def _phases(total: float, facts: dict[str, Any]) -> dict[str, float]:
    timings: dict[str, float] = facts.get("timings", {})
    outside = round(total - sum(timings.values()), 3)
    return {"python, command line, fingerprint, key": outside, **timings}


def _wait_ready(process: subprocess.Popen[bytes], folder: Path, errors: IO[str]) -> None:
    """Wait for the line on standard output; a process that hangs is ended so that the reading ends too."""
    watchdog = threading.Timer(_READY_SECONDS, lambda: _end(process))
    watchdog.start()
    try:
        assert process.stdout is not None
        content = ""
        for line in process.stdout:
            content += line.decode()
            if _complete(content):
                return
    finally:
        watchdog.cancel()
    errors.seek(0)
    raise StartFailed(f"the twin did not come up:\n{errors.read()[-2000:]}{content[-500:]}")


def _complete(content: str) -> bool:
    try:
        return "ready_seconds" in json.loads(content)
    except ValueError:
        return False


def _stop(process: subprocess.Popen[bytes]) -> float:
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise StartFailed(f"the twin did not stop within {_STOP_SECONDS:g} s") from error
    return time.monotonic() - began


def _end(process: subprocess.Popen[bytes]) -> None:
    """Leave nothing behind: the process leads its own group, with its functions' processes in it."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(_STOP_SECONDS)
    if process.stdout is not None:
        process.stdout.close()


def several(root: Path, most: int, seconds: float) -> list[Start]:
    """Start at most so many times, and no further time once so many seconds have passed."""
    deadline = time.monotonic() + seconds
    found: list[Start] = []
    for _ in range(most):
        found.append(start_once(root))
        if time.monotonic() > deadline:
            break
    return found


def by_phase(starts: list[Start]) -> dict[str, Spread]:
    """Return the spread of each phase and of the whole, in seconds, over the warm starts."""
    starts = [one for one in starts if one.warm]
    columns = {name: [one.phases.get(name, 0.0) for one in starts] for name in (starts[0].phases if starts else {})}
    columns |= {"start to ready": [one.total for one in starts], "stop": [one.stop for one in starts]}
    return {name: found for name, samples in columns.items() if (found := spread(samples)) is not None}
