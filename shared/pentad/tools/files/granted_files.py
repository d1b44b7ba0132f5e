"""Files as far as a tool's grants reach: the same that its credentials reach, told before AWS refuses it."""

from collections.abc import Sequence
from dataclasses import dataclass

from pentad.domain.errors import PolicyDenied
from pentad.tools.files.ports import FileEntry, FileStore, FoundFile
from pentad.tools.records.grants import Grant


@dataclass(frozen=True)
class GrantedFiles:
    """`FileStore` that refuses what no grant names.

    Args:
        store: the tenant's files.
        grants: the tool's grants on files.
        tool: its name, for messages.
    """

    store: FileStore
    grants: Sequence[Grant]
    tool: str

    def read(
        self, path: str, *, start: int = 0, length: int | None = None, version: str | None = None
    ) -> FoundFile | None:
        """See `FileStore`."""
        self._check(path, "read", any(grant.reads and path.startswith(grant.keys) for grant in self.grants))
        return self.store.read(path, start=start, length=length, version=version)

    def write(
        self, path: str, data: bytes, *, content_type: str, marks: dict[str, str], if_etag: str | None
    ) -> str | None:
        """See `FileStore`."""
        self._check_write(path)
        return self.store.write(path, data, content_type=content_type, marks=marks, if_etag=if_etag)

    def delete(self, path: str, *, if_etag: str) -> bool:
        """See `FileStore`."""
        self._check_write(path)
        return self.store.delete(path, if_etag=if_etag)

    def list(self, folder: str, *, limit: int, after: str | None = None) -> tuple[list[FileEntry], bool]:
        """See `FileStore`; a tool with one folder lists it where it names none."""
        reading = [grant.keys for grant in self.grants if grant.reads]
        if not folder and len(reading) == 1:
            folder = reading[0]
        self._check(folder, "list", any(folder.startswith(keys) for keys in reading))
        return self.store.list(folder, limit=limit, after=after)

    def _check_write(self, path: str) -> None:
        self._check(path, "write", any(grant.writes and path.startswith(grant.keys) for grant in self.grants))

    def _check(self, path: str, verb: str, allowed: bool) -> None:
        if not allowed:
            granted = ", ".join(f"'{grant.keys}'" for grant in self.grants if grant.reads or verb == "write")
            raise PolicyDenied(
                f"the tool '{self.tool}' may not {verb} '{path[:80]}'", field="path", fix=f"stay below {granted}"
            )
