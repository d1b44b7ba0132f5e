"""The file `twin.json` in the state folder: how other processes find a running twin, and who holds the folder."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twin.private_files import make_private_folder

NAME = "twin.json"


class TwinRunning(Exception):
    """Another live process runs a twin in this state folder."""

    def __init__(self, folder: Path, pid: int) -> None:
        super().__init__(
            f"a twin is already running in {folder} (process {pid}): stop it, or name another state folder"
        )
        self.pid = pid


def read(folder: Path) -> dict[str, Any] | None:
    """Return what the twin of `folder` wrote, or None where none has or the file is unreadable."""
    try:
        facts = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return facts if isinstance(facts, dict) else None


def acquire(folder: Path) -> None:
    """Take the folder for this process; a file whose process is gone is replaced.

    Raises:
        TwinRunning: another live process holds it.
        PermissionError: the folder is another user's.
    """
    make_private_folder(folder)
    path = folder / NAME
    for _ in range(3):
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            holder = find_holder(folder)
            if holder is not None:
                raise TwinRunning(folder, holder) from None
            path.unlink(missing_ok=True)
            continue
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"pid": os.getpid(), "ready": False}, file)
        return
    raise TwinRunning(folder, 0)


def write(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write the file as a whole, readable by its owner only: it holds credentials."""
    descriptor, temporary = tempfile.mkstemp(prefix=f".{NAME}.", dir=folder)  # made with mode 0600
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"pid": os.getpid(), **facts}, file, indent=2)
        file.write("\n")
    Path(temporary).replace(folder / NAME)


def release(folder: Path) -> None:
    """Remove the file if it is this process's own."""
    facts = read(folder)
    if facts is not None and facts.get("pid") == os.getpid():
        (folder / NAME).unlink(missing_ok=True)


def find_holder(folder: Path) -> int | None:
    """Return the live process that holds the folder, or None."""
    facts = read(folder)
    pid = facts.get("pid") if facts is not None else None
    if not isinstance(pid, int):
        return None
    if pid == os.getpid():
        return pid
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return pid
    return pid
