"""Starts processes from one thread that lives as long as the host.

On Linux "die with the parent" means the parent's *thread*: a process started from a short-lived worker thread
would be killed when that worker ends.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from twin.host.model import HostStopped
from twin.host.processes.environment import FunctionStart
from twin.host.processes.fork_servers import ForkedProcess, ForkServers

WATCH: Final = "signal" if sys.platform == "linux" else "stdin"
FunctionProcess = subprocess.Popen[bytes] | ForkedProcess
SPAWN_SECONDS: Final = 30.0
STOP_SECONDS: Final = 5.0
BACKLOG: Final = 1_000


@dataclass(frozen=True, slots=True)
class ProcessPlan:
    """What to start, its environment, and the descriptor for both outputs."""

    start: FunctionStart
    environment: Mapping[str, str]
    output: int


class Spawner:
    """One thread that starts the processes of a host."""

    def __init__(self, modules: Sequence[str] = ()) -> None:
        """Args: modules: what processes may be forked with, imported already (see `fork_servers`)."""
        self._fork_servers = ForkServers(modules)
        self._plans: queue.Queue[tuple[ProcessPlan, Future[FunctionProcess]] | None] = queue.Queue(BACKLOG)
        self._thread = threading.Thread(target=self._serve, name="function-spawner", daemon=True)
        self._thread.start()

    def spawn(self, plan: ProcessPlan) -> FunctionProcess:
        """Start a process.

        Raises:
            OSError: The process cannot be started.
            HostStopped: The spawner has ended.
        """
        if not self._thread.is_alive():
            raise HostStopped("the function host is stopped")
        future: Future[FunctionProcess] = Future()
        self._plans.put((plan, future), timeout=SPAWN_SECONDS)
        return future.result(SPAWN_SECONDS)

    def stop(self) -> None:
        """End the thread. On Linux this also kills what it started and is still running."""
        self._plans.put(None, timeout=SPAWN_SECONDS)
        self._thread.join(STOP_SECONDS)

    def _serve(self) -> None:
        while (item := self._plans.get()) is not None:
            plan, future = item
            try:
                forked = self._fork_servers.fork(plan.start, plan.environment, plan.output)
                future.set_result(forked or _start(plan))
            except (OSError, ValueError) as exc:
                future.set_exception(exc)
        self._fork_servers.stop()


def _start(plan: ProcessPlan) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - the command is this interpreter and our launcher
        plan.start.command,
        env=dict(plan.environment),
        cwd=plan.start.code,
        stdin=subprocess.PIPE if plan.start.watch == "stdin" else subprocess.DEVNULL,
        stdout=plan.output,
        stderr=plan.output,
        start_new_session=True,  # Ctrl-C in the terminal is the host's to handle; the group is killed as one
    )


def kill_group(process: FunctionProcess) -> None:
    """Kill a process and all that it started, and reap it."""
    if process.returncode is None:  # not reaped, so the id cannot have been given to another process
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    if process.stdin is not None:
        process.stdin.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
