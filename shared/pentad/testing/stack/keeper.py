"""Runs a twin for tests: ``python -m pentad.testing.stack.keeper --assembly cdk.out --state FOLDER --owner PID``.

It ends at a signal, and by itself once the process that owns it is gone: a test session that crashes, or is killed,
leaves nothing behind.
"""

import argparse
import atexit
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from pentad.cli.commands.twin.options import make_options
from twin.running import state_file as twin_file
from twin.running.command import wait_for_signal
from twin.running.twin import Twin

START_SECONDS = 120.0
STOP_SECONDS = 120.0  # a twin that served a whole session has much to close, on a busy machine
_PRIVATE = frozenset(("AWS_PROFILE", "AWS_SESSION_TOKEN", "ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY"))
_started: dict[int, subprocess.Popen[bytes]] = {}  # Held, since a forgotten child is a warning.


@atexit.register
def _hand_over() -> None:
    """Let go of twins that others of the session still use, and will end: a child that runs would be a warning."""
    for process in _started.values():
        if process.poll() is None:
            process.returncode = 0


class TwinNotStarted(Exception):
    """A twin did not come up; the message is what it wrote."""


def main() -> int:
    """Run the twin until a signal comes or the owner is gone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assembly", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--owner", type=int, required=True)
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    threading.Thread(target=_end_with, args=(psutil.Process(given.owner),), daemon=True).start()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        with Twin.start(given.assembly, given.state, options=make_options()):
            # Not a sleep: a signal that another thread is handed would not wake it.
            wait_for_signal()
    except KeyboardInterrupt:
        return 0
    return 0


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _end_with(owner: psutil.Process) -> None:
    owner.wait()
    os.kill(os.getpid(), signal.SIGTERM)


def start(assembly: Path, state: Path, owner: int) -> dict[str, Any]:
    """Start a twin in a process of its own and return its facts (`twin.running.state_file`) once it is ready.

    Args:
        assembly: what it runs.
        state: the folder of its files.
        owner: the process that it ends with.

    Raises:
        TwinNotStarted: it ended or is not ready in time; the message is what it wrote.
    """
    state.mkdir(parents=True, exist_ok=True)
    log = state / "keeper.log"
    command = [sys.executable, "-m", __name__, "--assembly", str(assembly), "--state", str(state)]
    with log.open("w") as output:
        process = subprocess.Popen(  # noqa: S603 - our own module
            [*command, "--owner", str(owner)],
            env=_build_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        facts = twin_file.read(state)
        if facts is not None and facts.get("ready"):
            _started[process.pid] = process
            return facts
        time.sleep(0.05)
    process.kill()
    process.wait()
    raise TwinNotStarted(log.read_text())


def _build_environment() -> dict[str, str]:
    """Return the environment of a twin: this process's imports, and nobody's credentials."""
    kept = {name: value for name, value in os.environ.items() if name not in _PRIVATE}
    return kept | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def stop(facts: dict[str, Any]) -> None:
    """End a twin, whoever started it.

    Raises:
        AssertionError: processes were left, and are killed now.
    """
    try:
        process = psutil.Process(facts["pid"])
        children = process.children(recursive=True)
        process.terminate()
    except psutil.NoSuchProcess:
        return
    end = time.monotonic() + STOP_SECONDS
    while (alive := [one for one in (process, *children) if lives(one)]) and time.monotonic() < end:
        time.sleep(0.05)
    for left in alive:
        left.kill()
    if facts["pid"] in _started:
        _started.pop(facts["pid"]).wait()
    if alive:
        raise AssertionError(f"the twin left processes behind: {alive}")


def lives(process: psutil.Process) -> bool:
    """Tell whether a process runs; one that ended and that another process has not reaped yet does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextmanager
def running(assembly: Path, state: Path) -> Iterator[dict[str, Any]]:
    """Run a twin of one's own for the length of a with block."""
    facts = start(assembly, state, os.getpid())
    try:
        yield facts
    finally:
        stop(facts)


if __name__ == "__main__":
    raise SystemExit(main())
