"""What tools do with files of a tenant."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class FileEntry:
    """A file as it stands in a list.

    Args:
        path: from the tenant's root.
        size: bytes.
        etag: the same while the content is.
        modified_at: ISO 8601.
    """

    path: str
    size: int
    etag: str
    modified_at: str


@dataclass(frozen=True)
class FoundFile:
    """A file, or a part of one.

    Args:
        entry: what a list says of it.
        data: the bytes asked for.
        start: where they begin in the file.
        version: of the content, by which it can be read later.
        content_type: as it was stored.
        marks: what was noted with it when it was written.
    """

    entry: FileEntry
    data: bytes = field(repr=False)
    start: int
    version: str
    content_type: str
    marks: dict[str, str]


class FileStore(Protocol):
    """Files of one tenant, as far as a tool may reach them. Paths are checked by `pentad.tools.files.paths`."""

    def read(
        self, path: str, *, start: int = 0, length: int | None = None, version: str | None = None
    ) -> FoundFile | None:
        """Return bytes of a file, or None where there is none.

        Args:
            path: the file.
            start: of which byte.
            length: bytes at most; None: all of it; 0: nothing but what is known of it.
            version: an older content.

        Raises:
            PolicyDenied: the tool may not read it.
            ToolUnavailable: the store did not answer.
        """
        ...

    def write(
        self,
        path: str,
        data: bytes,
        *,
        content_type: str,
        marks: dict[str, str],
        if_etag: str | None,
    ) -> str | None:
        """Store a file and return its etag; None if it is not, or no longer, as expected, and nothing was stored.

        Args:
            path: the file.
            data: its content.
            content_type: its media type.
            marks: noted with it.
            if_etag: only over this content; None: only where there is no file.

        Raises:
            PolicyDenied: the tool may not write it.
            ToolUnavailable: the store did not answer.
        """
        ...

    def delete(self, path: str, *, if_etag: str) -> bool:
        """Delete a file that has this content, and tell whether it did. Older contents stay, for a while.

        Raises:
            PolicyDenied: the tool may not delete it.
            ToolUnavailable: the store did not answer.
        """
        ...

    def list(self, folder: str, *, limit: int, after: str | None = None) -> tuple[list[FileEntry], bool]:
        """Return files below a folder in the order of their paths, and whether there are more.

        Args:
            folder: with its slash; empty: all that the tool may reach.
            limit: at most so many.
            after: the last path of the page before.

        Raises:
            PolicyDenied: the tool may not read it.
            ToolUnavailable: the store did not answer.
        """
        ...
