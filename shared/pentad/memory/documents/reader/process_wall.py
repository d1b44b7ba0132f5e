"""What keeps the process that reads a document away from the one that started it, which has credentials."""

import ctypes
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_PR_SET_DUMPABLE: Final = 4
_PR_SET_CHILD_SUBREAPER: Final = 36


def hide_process() -> bool:
    """Let no other process of this user look into this one: at its environment, its memory and its open files.

    A clean environment is not enough for a child: Linux shows a process's environment below ``/proc`` to every process
    of the same user, unless it is not dumpable (proc(5), ptrace(2)). What is started afterwards is as before.

    Returns:
        False where the system is not Linux, and nothing was done.

    Raises:
        OSError: the system refused it.
    """
    if sys.platform != "linux":
        return False
    _set(_PR_SET_DUMPABLE, 0)
    return True


def end_with_parent() -> None:
    """Let the system end this process when the one that forked it off ends, where it is Linux."""
    if sys.platform == "linux":
        _set(_PR_SET_PDEATHSIG, signal.SIGKILL)


def adopt_orphans() -> None:
    """Become the parent of each descendant whose own parent ends, in whatever session it is, where it is Linux."""
    if sys.platform == "linux":
        _set(_PR_SET_CHILD_SUBREAPER, 1)


def _set(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) was refused")
