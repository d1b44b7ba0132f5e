"""JSON texts on disk: a run's items and results may be many more than memory should hold."""

import tempfile
from collections.abc import Iterator
from typing import IO, Any, Final

_IN_MEMORY: Final = 65_536
"""So many bytes are kept without a file."""


class JsonSpool:
    """JSON texts in their order, one a line, in a file that goes with its last user."""

    def __init__(self) -> None:
        # A file once it is large: failed runs keep what has succeeded for a redrive, and files are few.
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)
        self.count = 0

    def append(self, text: str) -> None:
        """Add a JSON text without line ends, as compact JSON has none."""
        self._file.seek(0, 2)
        self._file.write(text.encode("utf-8", "surrogatepass") + b"\n")
        self.count += 1

    def iter_texts(self) -> Iterator[str]:
        """Yield all texts; more may be added meanwhile."""
        place = 0
        while True:
            self._file.seek(place)
            line = self._file.readline()
            if not line:
                return
            place = self._file.tell()
            yield line[:-1].decode("utf-8", "surrogatepass")

    def open_as(self, kind: str) -> IO[bytes]:
        """Return a file of all texts, as a JSON array or as JSON Lines.

        Args:
            kind: ``JSON`` or ``JSONL``.
        """
        found: IO[bytes] = tempfile.TemporaryFile()
        between, begin, end = (b",", b"[", b"]") if kind == "JSON" else (b"\n", b"", b"")
        found.write(begin)
        for index, text in enumerate(self.iter_texts()):
            found.write((between if index else b"") + text.encode("utf-8", "surrogatepass"))
        found.write(end)
        found.seek(0)
        return found

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def __del__(self) -> None:
        """Give the file back that nobody has closed: results that no redrive asked for."""
        self._file.close()

    def __enter__(self) -> "JsonSpool":
        """Use it in a block."""
        return self

    def __exit__(self, *_: Any) -> None:
        """Give the file back."""
        self.close()
