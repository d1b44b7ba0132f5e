"""Keep what a migration has copied, so that a later one tells what was deleted since from what is new."""

from collections.abc import Mapping
from pathlib import Path

from pentad.domain.errors import InvalidInput


class MigrationRecord:
    """What a copy brought into the other store, in a file: a line for each vector.

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
            lines = self._path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError as error:
            raise InvalidInput(
                f"no record of the copy before the switch in '{self._path}', and without it what was deleted since "
                "would come back",
                field="--record",
                fix="name the folder that has it",
            ) from error
        return {name: digest for digest, _, name in (line.partition(" ") for line in lines)}

    def write(self, copied: Mapping[str, str]) -> None:
        """Keep what was copied, whole or not at all."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_suffix(".part")
        part.write_text("".join(f"{digest} {name}\n" for name, digest in sorted(copied.items())), encoding="utf-8")
        part.replace(self._path)
