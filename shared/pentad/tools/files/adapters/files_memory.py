"""Files in memory: for tests, and for trying a tool without AWS."""

import hashlib
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from pentad.tools.files.paths import check_key
from pentad.tools.files.ports import FileEntry, FoundFile


class MemoryFiles:
    """Files of all tenants, with their versions.

    Args:
        now: the clock, UTC.
    """

    def __init__(self, now: Callable[[], datetime] = lambda: datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = now
        self._versions: dict[str, list[FoundFile | None]] = {}
        self._lock = threading.Lock()

    def get_store(self, tenant_id: str) -> "TenantFiles":
        """Return the files of one tenant."""
        return TenantFiles(self, f"files/{tenant_id}/")

    def find(self, key: str, version: str | None) -> FoundFile | None:
        """Return a file by its key."""
        versions = self._versions.get(key, [None])
        if version is None:
            return versions[-1]
        return next((one for one in versions if one is not None and one.version == version), None)

    def replace(
        self, key: str, if_etag: str | None, make: Callable[[str], FoundFile | None]
    ) -> FoundFile | bool | None:
        """Put a new version in the place of one with that etag; False if another one stands there.

        Args:
            key: of the file.
            if_etag: of what stands there; None: nothing does.
            make: is given the new version's name.
        """
        with self._lock:
            current = self.find(key, None)
            if (None if current is None else current.entry.etag) != if_etag:
                return False
            versions = self._versions.setdefault(key, [])
            made = make(f"v{len(versions) + 1}")
            versions.append(made)
            return made

    def list_keys(self, begins: str) -> list[str]:
        """Return the keys of files that are there, sorted as S3 sorts them: by their bytes."""
        found = [key for key in self._versions if key.startswith(begins) and self.find(key, None) is not None]
        return sorted(found, key=str.encode)

    def tell_time(self) -> str:
        """Return the time as ISO 8601."""
        return self._now().isoformat(timespec="seconds")


class TenantFiles:
    """`FileStore` of one tenant."""

    def __init__(self, files: MemoryFiles, prefix: str) -> None:
        self._files = files
        self._prefix = prefix

    def read(
        self, path: str, *, start: int = 0, length: int | None = None, version: str | None = None
    ) -> FoundFile | None:
        """See `FileStore`."""
        found = self._files.find(check_key(self._prefix, path), version)
        if found is None:
            return None
        end = None if length is None else start + length
        data = b"" if length == 0 else found.data[start:end]
        start = 0 if start >= len(found.data) else start
        return FoundFile(found.entry, data, start, found.version, found.content_type, found.marks)

    def write(
        self, path: str, data: bytes, *, content_type: str, marks: dict[str, str], if_etag: str | None
    ) -> str | None:
        """See `FileStore`."""
        etag = hashlib.sha256(data).hexdigest()
        entry = FileEntry(path, len(data), etag, self._files.tell_time())
        key = check_key(self._prefix, path)
        done = self._files.replace(
            key, if_etag, lambda version: FoundFile(entry, data, 0, version, content_type, dict(marks))
        )
        return etag if done else None

    def delete(self, path: str, *, if_etag: str) -> bool:
        """See `FileStore`."""
        return self._files.replace(check_key(self._prefix, path), if_etag, lambda version: None) is None

    def list(self, folder: str, *, limit: int, after: str | None = None) -> tuple[list[FileEntry], bool]:
        """See `FileStore`."""
        keys = self._files.list_keys(self._prefix + folder)
        begins = (self._prefix + (after or "")).encode()
        paths = [key for key in keys if after is None or key.encode() > begins]
        found = [one.entry for key in paths[:limit] if (one := self._files.find(key, None)) is not None]
        return found, len(paths) > limit
