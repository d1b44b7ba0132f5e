"""Whole results in a dictionary; an address is the key itself."""

from collections.abc import Iterator

_BLOCK = 65_536


class MemoryWholeResults:
    """`WholeResults` of one process; it is its own `PutWhole`."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def __call__(self, url: str, data: bytes) -> None:
        """See `PutWhole`."""
        self.put(url.removeprefix("memory:"), data)

    def put(self, key: str, data: bytes) -> None:
        """See `WholeResults`."""
        self.kept[key] = data

    def get_size(self, key: str) -> int | None:
        """See `WholeResults`."""
        return len(self.kept[key]) if key in self.kept else None

    def iter_blocks(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """See `WholeResults`."""
        data = self.kept.get(key, b"")[start:end]
        yield from (data[at : at + _BLOCK] for at in range(0, len(data), _BLOCK))

    def sign_put(self, key: str, *, seconds: float) -> str:
        """See `WholeResults`."""
        return f"memory:{key}"
