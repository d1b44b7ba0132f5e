"""A process with modules already imported, of which functions' processes are copies.

A function's process imports some 700 modules before it asks for work: about a second of a core. Most functions of an
assembly have the same layers, so that second is spent once, here, and each of them is forked off.

Run by path in a bare interpreter (`python -S -P fork_server.py ...`) as the launcher is, so it may import the standard
library only. Linux only.

Arguments: host pid, bytecode folder, site-packages folders, layer folders and modules to import (each joined by the
path separator), and the descriptor of a socket (`SOCK_SEQPACKET`) to the host.

Messages, one packet each: from here, the names of what was imported (JSON list; an empty one: there is nothing to fork
here); from the host, the function's arguments, environment and folder (JSON) with two descriptors, for its output and
for its exit status; from here, the process id. The exit status is four bytes, little-endian, as `Popen.returncode`.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import importlib.util
import json
import os
import select
import signal
import socket
import sys
import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:  # as in the launcher
    from types import ModuleType
    from typing import Any

_ARG_START = 48 - 3
"""Place of `arg_start` in proc_pid_stat(5), counted from the field after the name; `arg_end` follows."""
PACKET_BYTES = 256 * 1024
STATUS_BYTES = 4


def load_launcher() -> ModuleType:
    """Load the launcher under a name that no function's module has."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "launcher.py")  # noqa: PTH118, PTH120, PTH100
    spec = importlib.util.spec_from_file_location("_twin_launcher", path)
    assert spec is not None and spec.loader is not None  # noqa: S101 - it lies beside this file
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def import_modules(names: list[str], layers: list[str], sites: list[str]) -> list[str]:
    """Import what there is of `names`, as a function with these layers would; return what came, by top-level name.

    A module that fails is left out: the function that imports it says so in its log.
    """
    before, path = set(sys.modules), list(sys.path)
    sys.path[:0] = layers
    sys.path.extend(sites)
    for name in names:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    sys.path[:] = path
    return sorted({name.partition(".")[0] for name in set(sys.modules) - before})


def show_as(*words: str) -> None:
    """Let lists of processes show words in place of this process's command line, as far as there is room."""
    with open("/proc/self/stat") as told, open("/proc/self/cmdline", "rb") as shown:  # noqa: PTH123 - as in the launcher
        fields, before = told.read().rpartition(")")[2].split(), shown.read()
    start, end = int(fields[_ARG_START]), int(fields[_ARG_START + 1])
    if len(before) == end - start and ctypes.string_at(start, end - start) == before:
        text = "\0".join(words).encode()[: end - start - 1]
        ctypes.memmove(start, text.ljust(end - start, b"\0"), end - start)


class ForkServer:
    """Forks, and tells the host how what was forked has ended."""

    def __init__(self, host: socket.socket, launcher: ModuleType) -> None:
        self._host = host
        self._launcher = launcher
        self._statuses: dict[int, int] = {}
        self._wake, self._woken = os.pipe()
        for end in (self._wake, self._woken):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._woken, warn_on_full_buffer=False)

    def serve(self) -> None:
        """Fork until the host closes the socket, and then wait for what still runs: it would end with this process."""
        poll = select.poll()
        poll.register(self._host, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        is_open = True
        while is_open or self._statuses:
            ready = {descriptor for descriptor, _ in poll.poll()}
            if self._wake in ready:
                os.read(self._wake, 4096)
                self._reap()
            if is_open and self._host.fileno() in ready and not self._answer():
                poll.unregister(self._host)
                is_open = False

    def _reap(self) -> None:
        while self._statuses:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            report = self._statuses.pop(pid)
            code = os.waitstatus_to_exitcode(status)
            with contextlib.suppress(OSError):
                os.write(report, code.to_bytes(STATUS_BYTES, "little", signed=True))
            os.close(report)

    def _answer(self) -> bool:
        packet, descriptors, *_ = socket.recv_fds(self._host, PACKET_BYTES, 2)
        if not packet:
            return False
        plan = json.loads(packet)
        output, report = descriptors
        set_up, told = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(set_up)
            self._become(plan, output, told)
        os.close(told)
        os.close(output)
        os.read(set_up, 1)  # until it leads its own group: the host may kill that at once
        os.close(set_up)
        self._statuses[pid] = report
        self._host.send(str(pid).encode())
        return True

    def _become(self, plan: dict[str, Any], output: int, told: int) -> None:
        """Turn the fork into the function's process; never returns."""
        code = 1
        try:
            os.setsid()
            os.write(told, b"1")
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.dup2(output, 1)
            os.dup2(output, 2)
            self._close(output, told)
            os.environ.clear()
            os.environ.update(plan["environment"])
            show_as(plan["environment"].get("AWS_LAMBDA_FUNCTION_NAME", ""), plan["arguments"][-1])
            time.tzset()
            os.chdir(plan["folder"])
            sys.path[:0] = plan["path"]
            self._launcher.main(["launcher", str(os.getppid()), *plan["arguments"]])
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def _close(self, *descriptors: int) -> None:
        for descriptor in (*descriptors, self._wake, self._woken, *self._statuses.values()):
            os.close(descriptor)
        self._host.close()


def main(argv: list[str]) -> None:
    """Import the modules, say which came, and fork."""
    host_pid, bytecode, sites, layers, modules, descriptor = argv[1:7]
    launcher = load_launcher()
    launcher.bind_to_host(int(host_pid), "signal")
    folders = layers.split(os.pathsep)
    launcher.cache_assets(tuple(folders), bytecode)
    found = import_modules(modules.split(os.pathsep), folders, sites.split(os.pathsep))
    gc.collect()
    gc.freeze()  # or each fork's first search for garbage would copy every page
    with socket.socket(fileno=int(descriptor)) as host:
        forkable = threading.active_count() == 1  # a fork has none of the other threads, but their locks
        host.send(json.dumps(found if forkable else []).encode())
        if forkable and found:
            ForkServer(host, launcher).serve()


if __name__ == "__main__":
    main(sys.argv)
