"""The fork servers of a host: processes with modules imported, off which functions' are forked (see `fork_server`).

A fork server is made for layers that a second process is started for, off its path: until it is ready, processes start
in interpreters of their own, as they do where nothing is to be imported beforehand, where a function's own code hides
a module that was, and on other systems than Linux.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from select import POLLIN, poll
from typing import Final

from twin.host.processes.environment import FunctionStart

logger = logging.getLogger(__name__)

PROGRAM: Final = Path(__file__).with_name("fork_server.py")
MOST_SERVERS: Final = 4
"""Of so many sets of layers, a process of 100 MB each: those that were used last, after an update the new ones."""
FORK_SECONDS: Final = 30.0
_ALIKE: Final = ("AWS_EXECUTION_ENV", "LANG", "PATH", "PYTHONUTF8", "TZ")
"""Variables that the processes of all functions have alike."""
_READY_BYTES: Final = 256 * 1024
_STATUS: Final = struct.Struct("<i")
_KILLED: Final = -9


@dataclass(slots=True, eq=False)
class ForkedProcess:
    """A process forked off a fork server, as far as `subprocess.Popen` is used of one. Thread-safe."""

    pid: int
    _status: int
    returncode: int | None = None
    stdin: None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def poll(self) -> int | None:
        """Return the exit status once it has ended."""
        return self._read(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit status.

        Raises:
            subprocess.TimeoutExpired: it still runs after `timeout` seconds.
        """
        code = self._read(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return code

    def _read(self, seconds: float | None) -> int | None:
        with self._lock:
            if self.returncode is None:
                waiting = poll()
                waiting.register(self._status, POLLIN)
                if waiting.poll(None if seconds is None else seconds * 1_000):
                    told = os.read(self._status, _STATUS.size)
                    os.close(self._status)
                    # Without a word its server has ended, and it with that.
                    self.returncode = _STATUS.unpack(told)[0] if len(told) == _STATUS.size else _KILLED
            return self.returncode


@dataclass(slots=True, eq=False)
class _ForkServer:
    process: subprocess.Popen[bytes]
    socket: socket.socket
    names: frozenset[str] | None = None

    def is_ready(self) -> bool:
        """Tell whether it can fork; what it has imported is known then.

        Raises:
            OSError: it has ended.
        """
        if self.names is None:
            waiting = poll()
            waiting.register(self.socket, POLLIN)
            if not waiting.poll(0):
                return False
            packet = self.socket.recv(_READY_BYTES)
            self.names = frozenset(json.loads(packet or b"[]"))
        if not self.names:
            raise ConnectionError("the fork server has nothing to fork, or has ended")
        return True

    def close(self) -> None:
        """End it, and with it what was forked off it."""
        self.process.kill()
        self.process.wait()
        self.socket.close()


class ForkServers:
    """Makes fork servers, and forks processes off them. For one thread, on which they live (see `spawner`)."""

    def __init__(self, modules: Sequence[str]) -> None:
        self._modules = tuple(modules) if sys.platform == "linux" else ()
        self._seen: set[tuple[str, ...]] = set()
        self._servers: dict[tuple[str, ...], _ForkServer | None] = {}
        self._retired: list[subprocess.Popen[bytes]] = []

    def fork(self, start: FunctionStart, environment: Mapping[str, str], output: int) -> ForkedProcess | None:
        """Fork a function's process, or return None where it has to start by itself.

        Args:
            start: what runs, and of which folders.
            environment: the process's whole environment.
            output: descriptor for both of its outputs.
        """
        if not self._modules or not start.layers or any(name.startswith("PYTHON") for name in start.own_variables):
            return None
        server = self._find(start, environment)
        if server is None:
            return None
        try:
            if not server.is_ready() or _hides(start.code, server.names or frozenset()):
                return None
            return self._ask(server, start, environment, output)
        except OSError as exc:
            logger.warning("functions start by themselves from now on: %s", exc)
            server.close()
            self._servers[start.layers] = None
            return None

    def stop(self) -> None:
        """End the fork servers, and with them what was forked off them."""
        for server in self._servers.values():
            if server is not None:
                server.close()
        for process in self._retired:
            process.kill()
            process.wait()
        self._servers.clear()
        self._modules = ()

    def _find(self, start: FunctionStart, environment: Mapping[str, str]) -> _ForkServer | None:
        if start.layers in self._servers:
            self._servers[start.layers] = self._servers.pop(start.layers)  # the one that was used last comes last
        elif start.layers in self._seen:
            self._retire_oldest()
            self._servers[start.layers] = self._make(start, environment)
        else:
            self._seen.add(start.layers)
        return self._servers.get(start.layers)

    def _retire_oldest(self) -> None:
        """Make room for one more: what was forked off the least recently used one goes on, and it ends with that."""
        self._retired = [process for process in self._retired if process.poll() is None]
        live = [(layers, server) for layers, server in self._servers.items() if server is not None]
        for layers, server in live[: max(0, len(live) + 1 - MOST_SERVERS)]:
            server.socket.close()
            self._retired.append(server.process)
            del self._servers[layers]
            self._seen.discard(layers)

    def _make(self, start: FunctionStart, environment: Mapping[str, str]) -> _ForkServer:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - this interpreter and our program
                [
                    *(sys.executable, "-S", "-P", str(PROGRAM), str(os.getpid()), start.bytecode, start.sites),
                    *(os.pathsep.join(start.layers), os.pathsep.join(self._modules), str(theirs.fileno())),
                ],
                env={name: environment[name] for name in _ALIKE if name in environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        ours.settimeout(FORK_SECONDS)
        return _ForkServer(process, ours)

    def _ask(
        self, server: _ForkServer, start: FunctionStart, environment: Mapping[str, str], output: int
    ) -> ForkedProcess:
        status, report = os.pipe()
        plan = {
            "environment": dict(environment),
            "folder": str(start.code),
            "path": [str(start.code), *start.layers],
            "arguments": start.arguments,
        }
        try:
            socket.send_fds(server.socket, [json.dumps(plan).encode()], [output, report])
            told = server.socket.recv(64)
            if not told:
                raise ConnectionError("the fork server has ended")
        except OSError:
            os.close(status)
            raise
        finally:
            os.close(report)
        return ForkedProcess(int(told), status)


def _hides(code: Path, names: frozenset[str]) -> bool:
    """Tell whether a function's own folder, which goes before all others, has a module of such a name."""
    return any(entry.split(".", 1)[0] in names for entry in os.listdir(code))  # noqa: PTH208 - names are enough
