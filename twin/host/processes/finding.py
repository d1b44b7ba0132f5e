"""The processes of a twin's functions."""

from collections.abc import Collection

import psutil


def find_processes(pid: int, names: Collection[str]) -> list[psutil.Process]:
    """Return the live processes of functions.

    Args:
        pid: of the twin's process.
        names: the functions' names, in full.
    """
    found = []
    for process in psutil.Process(pid).children(recursive=True):
        try:
            # What was forked off another process has that one's environment there, and its name as its command.
            if not {process.environ().get("AWS_LAMBDA_FUNCTION_NAME"), *process.cmdline()[:1]}.isdisjoint(names):
                found.append(process)
        except psutil.Error:
            continue  # It ended while we looked.
    return found
