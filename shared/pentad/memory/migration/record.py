"""Keep what a migration has copied, so that a later one tells what was deleted since from what is new."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, Final

from pentad.domain.errors import InvalidInput

_LONGEST_LINE: Final = 4_096
"""Bytes: a hash, a blank and an id of a vector."""


class MigrationRecord:
    """What a copy brought into the other store, in a file: a line for each vector, the last one of it holds.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, str]:
        """Return what was copied.

        Raises:
            InvalidInput: there is no record.
        """
        try:
            lines = self._path.read_text(encoding="utf-8").split("\n")
        except FileNotFoundError as error:
            raise InvalidInput(
                f"no record of the copy before the switch in '{self._path}', and without it what was deleted since "
                "would come back",
                field="--record",
                fix="name the folder that has it",
            ) from error
        # What stands behind the last line's end was cut off while it was written.
        return {name: digest for digest, _, name in (line.partition(" ") for line in lines[:-1])}

    def add(self, copied: Mapping[str, str]) -> None:
        """Keep some more of what was copied, at once: the run may be broken off."""
        if not copied:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a+b") as file:
            _drop_cut_line(file)
            file.write("".join(f"{digest} {name}\n" for name, digest in sorted(copied.items())).encode())
            file.flush()
            os.fsync(file.fileno())

    def write(self, copied: Mapping[str, str]) -> None:
        """Keep what was copied, whole or not at all."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_suffix(".part")
        part.write_text("".join(f"{digest} {name}\n" for name, digest in sorted(copied.items())), encoding="utf-8")
        part.replace(self._path)


def _drop_cut_line(file: BinaryIO) -> None:
    """Take off what stands behind the last line's end: it is part of a name, which may be another's."""
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - _LONGEST_LINE)
    file.seek(start)
    tail = file.read(_LONGEST_LINE)
    file.truncate(start + tail.rfind(b"\n") + 1)
    file.seek(0, os.SEEK_END)
