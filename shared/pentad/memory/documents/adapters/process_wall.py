"""What keeps the process that reads a document away from the one that started it, which has credentials."""

import ctypes
import sys
from typing import Final

_PR_SET_DUMPABLE: Final = 4  # linux/prctl.h


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
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_DUMPABLE) was refused")
    return True
