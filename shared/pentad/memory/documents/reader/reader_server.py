"""The process that documents are read by: it has the parsers loaded, and forks off a process for each document.

Run as ``python -m pentad.memory.documents.reader.reader_server DESCRIPTOR``. Python and its modules take a third of a
second of CPU time, more than most documents; they are loaded once, here. This process looks at no document: it gets a
document's open files, hands them to the process that it forks off, waits for that, and ends it when its time is over.
Neither of the two can be looked into by the other.

What a document has started ends with it, also in a session of its own: on Linux this process is the parent of all that
is left behind. Elsewhere only what stayed in the document's group is ended.

Its messages: `pentad.memory.documents.reader.messages`.
"""

import contextlib
import gc
import os
import select
import signal
import socket
import sys
from pathlib import Path
from typing import Final

from pentad.memory.documents.formats.parse import load_parser
from pentad.memory.documents.reader import reader_main
from pentad.memory.documents.reader.messages import REPLY, REQUEST, TIMED_OUT
from pentad.memory.documents.reader.process_wall import adopt_orphans, end_with_parent, hide_process

_MOST_ENDED: Final = 1_000
"""Processes that are ended after one document: what starts them faster than they end is not followed for ever."""


def main(descriptor: int) -> int:
    """Read documents until whoever asks for them ends, and return the exit code."""
    hide_process()
    adopt_orphans()
    gc.freeze()  # what is there is shared by all processes that are forked off
    with socket.socket(fileno=descriptor) as asking:
        while True:
            message, files, _, _ = socket.recv_fds(asking, REQUEST.size, 2)
            if len(message) < REQUEST.size:
                return 0
            seconds, ending = REQUEST.unpack(message)
            with contextlib.suppress(Exception):  # the document's own process says what is wrong
                load_parser(ending.rstrip(b"\0").decode())
            code = _read_in_fork(asking, files, seconds)
            if code is None:
                return 0
            asking.sendall(REPLY.pack(code))


def _read_in_fork(asking: socket.socket, files: list[int], seconds: float) -> int | None:
    """Return how the process of a document ended; None where nobody waits for it any more."""
    alive, held = os.pipe()  # the document's process alone holds the other end: it closes when that ends
    child = os.fork()
    if child == 0:
        _become_reader(asking, files)
    for one in (held, *files):
        os.close(one)
    try:
        ready, _, _ = select.select([alive, asking.fileno()], [], [], seconds)
    finally:
        os.close(alive)
    if alive not in ready:
        os.kill(child, signal.SIGKILL)  # it may have no group yet
    _, status = os.waitpid(child, 0)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # what it has started: nothing of a document goes on after it
    _end_orphans()
    if alive in ready:
        return os.waitstatus_to_exitcode(status)
    return TIMED_OUT if not ready else None


def _end_orphans() -> None:
    """End what a document has left behind in other groups and sessions."""
    for _ in range(_MOST_ENDED):
        try:
            ended, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return  # as nearly always: there is none
        if ended:
            continue
        orphans = _list_children()
        if not orphans:
            return
        for one in orphans:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        os.waitpid(-1, 0)  # the children of what has ended are this process's then


def _list_children() -> list[int]:
    """Return the processes that this one is the parent of; none where there is no ``/proc``."""
    found = list[int]()
    for place in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            # proc(5): pid, the name in brackets, state, the parent's pid; a name may hold brackets and blanks.
            fields = place.read_text(errors="replace").rpartition(")")[2].split()
            if int(fields[1]) == os.getpid():
                found.append(int(place.parent.name))
    return found


def _become_reader(asking: socket.socket, files: list[int]) -> None:
    """Read the document in this process, and end it."""
    code = 1
    try:
        os.setsid()
        end_with_parent()
        asking.close()
        for place, one in enumerate(files):
            os.dup2(one, place)
            os.close(one)
        code = reader_main.main()
    finally:
        os._exit(code)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
