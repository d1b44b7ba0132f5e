"""What the tools for files do: bounded reads of text, conditional writes, and their undo."""

import base64
import binascii
import hashlib
import mimetypes
from typing import Literal

from pydantic import BaseModel, Field

from pentad.domain.errors import InvalidInput, NotFound, ToolFailed
from pentad.tools.files.paths import check_path
from pentad.tools.files.ports import FileStore, FoundFile

MAX_READ_BYTES = 48_000
"""Less than the 64 KB of a result that the model reads at once."""
MAX_WRITE_CHARACTERS = 200_000
MAX_RESTORED_BYTES = 25_000_000
MAX_LISTED = 200
IfExists = Literal["fail", "replace", "append"]


class ReadFile(BaseModel):
    """A file, or a part of one."""

    path: str
    size: int = Field(description="bytes of the whole file")
    etag: str
    content_type: str
    text: str | None = Field(default=None, description="what was read, where the file is text")
    base64: str | None = Field(default=None, description="the same as bytes, where that was asked for")
    start: int
    next_start: int | None = Field(default=None, description="read on from here; None at the end")
    note: str | None = None


class WrittenFile(BaseModel):
    """A file that was stored."""

    path: str
    size: int
    etag: str
    replaced: bool


class ListedFiles(BaseModel):
    """Files below a folder."""

    files: list[dict[str, str | int]]
    more_after: str | None = Field(default=None, description="give it as 'after' for the next page; None at the end")


class FileToRestore(BaseModel):
    """What undoing needs: what stands there after the call, and the version before it. No words of the user."""

    path: str
    etag: str | None = Field(description="of what the call left; None: it left no file")
    version: str | None = Field(description="what was there before; None: nothing was")


def read_file(files: FileStore, path: str, *, start: int, as_base64: bool) -> ReadFile:
    """Return at most 48 KB of a file.

    Args:
        files: the tenant's files.
        path: the file.
        start: the byte to begin with.
        as_base64: return the bytes, whatever they are.

    Raises:
        NotFound: there is no such file.
        InvalidInput: the path is none, or the start is beyond the end.
    """
    path = check_path(path)
    found = files.read(path, start=start, length=MAX_READ_BYTES * 3 // 4 if as_base64 else MAX_READ_BYTES)
    if found is None:
        raise NotFound(f"no file '{path}'", field="path", fix="list the files")
    if start and start >= found.entry.size:
        raise InvalidInput(f"the file has {found.entry.size:,} bytes", field="start", fix="begin before its end")
    answer = ReadFile(
        path=path, size=found.entry.size, etag=found.entry.etag, content_type=found.content_type, start=found.start
    )
    if as_base64:
        end = found.start + len(found.data)
        return answer.model_copy(
            update={"base64": base64.b64encode(found.data).decode(), "next_start": end if end < answer.size else None}
        )
    return _add_text(answer, found)


def _add_text(answer: ReadFile, found: FoundFile) -> ReadFile:
    data, skipped = found.data, 0
    # A part may begin and end within a character: what is cut belongs to the part before, or to the next.
    while skipped < min(3, len(data)) and found.start and data[skipped] & 0xC0 == 0x80:
        skipped += 1
    end = found.start + len(data)
    text, used = _decode(data[skipped:], at_end=end >= answer.size)
    if text is None:
        note = "it is not text in UTF-8: ask for base64, if bytes are of use"
        return answer.model_copy(update={"note": note})
    end = found.start + skipped + used
    return answer.model_copy(
        update={"text": text, "start": found.start + skipped, "next_start": end if end < answer.size else None}
    )


def _decode(data: bytes, *, at_end: bool) -> tuple[str | None, int]:
    if b"\x00" in data:
        return None, 0
    try:
        return data.decode("utf-8"), len(data)
    except UnicodeDecodeError as error:
        if not at_end and error.start >= len(data) - 3 and error.reason == "unexpected end of data":
            return data[: error.start].decode("utf-8"), error.start
    return None, 0


def write_file(
    files: FileStore, path: str, content: str, *, if_exists: IfExists, as_base64: bool, if_etag: str | None, effect: str
) -> tuple[WrittenFile, FileToRestore]:
    """Store a file and return what undoing needs. Running it again with the same effect key changes nothing more.

    Args:
        files: the tenant's files.
        path: the file.
        content: text, or bytes in base64.
        if_exists: what to do with a file that is there.
        as_base64: the content is base64.
        if_etag: only over this content.
        effect: the effect key of the call.

    Raises:
        InvalidInput: the path or the content is none.
        ToolFailed: a file is there, or is not as it was read; nothing was stored.
    """
    path = check_path(path)
    data = _read_content(content, as_base64)
    mark = hashlib.sha256(effect.encode()).hexdigest()[:32]
    found = files.read(path, length=0)
    if found is not None and found.marks.get("effect") == mark:
        return _tell_again(found)
    _check_condition(path, found, if_exists, if_etag)
    if found is not None and if_exists == "append":
        data = _read_whole(files, found) + data
    etag = files.write(
        path,
        data,
        content_type=_guess_type(path),
        marks={"effect": mark, "before": "" if found is None else found.version},
        if_etag=None if found is None else found.entry.etag,
    )
    if etag is None:
        raise ToolFailed(f"the file '{path}' was changed meanwhile; nothing was stored", fix="read it and try again")
    kept = FileToRestore(path=path, etag=etag, version=None if found is None else found.version)
    return WrittenFile(path=path, size=len(data), etag=etag, replaced=found is not None), kept


def _check_condition(path: str, found: FoundFile | None, if_exists: IfExists, if_etag: str | None) -> None:
    if if_etag is not None and (found is None or found.entry.etag != if_etag):
        raise ToolFailed(f"the file '{path}' is not as it was read; nothing was stored", fix="read it again")
    if found is not None and if_exists == "fail" and if_etag is None:
        raise ToolFailed(
            f"the file '{path}' already exists; nothing was stored",
            fix="use another name, or say if_exists='replace' or 'append'",
        )


def _tell_again(found: FoundFile) -> tuple[WrittenFile, FileToRestore]:
    entry, before = found.entry, found.marks.get("before") or None
    kept = FileToRestore(path=entry.path, etag=entry.etag, version=before)
    return WrittenFile(path=entry.path, size=entry.size, etag=entry.etag, replaced=before is not None), kept


def _read_content(content: str, as_base64: bool) -> bytes:
    if not as_base64:
        return content.encode("utf-8", "replace")
    try:
        return base64.b64decode("".join(content.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("the content is not base64", field="content", fix="encode the bytes as base64") from error


def _read_whole(files: FileStore, found: FoundFile) -> bytes:
    if found.entry.size > MAX_RESTORED_BYTES:
        raise ToolFailed(
            f"the file has {found.entry.size:,} bytes, of at most {MAX_RESTORED_BYTES:,}", fix="write another file"
        )
    whole = files.read(found.entry.path, version=found.version or None)
    if whole is None:
        raise ToolFailed(f"the file '{found.entry.path}' was deleted meanwhile", fix="try again")
    return whole.data


def _guess_type(path: str) -> str:
    return mimetypes.guess_type(path, strict=False)[0] or "application/octet-stream"


def delete_file(files: FileStore, path: str, *, if_etag: str | None) -> tuple[str, FileToRestore]:
    """Delete a file and return a sentence, and what undoing needs.

    Raises:
        NotFound: there is no such file.
        ToolFailed: it is not as it was read; nothing was deleted.
    """
    path = check_path(path)
    found = files.read(path, length=0)
    if found is None:
        raise NotFound(f"no file '{path}'", field="path", fix="list the files")
    if (if_etag is not None and found.entry.etag != if_etag) or not files.delete(path, if_etag=found.entry.etag):
        raise ToolFailed(f"the file '{path}' is not as it was read; nothing was deleted", fix="read it again")
    return f"'{path}' is deleted.", FileToRestore(path=path, etag=None, version=found.version)


def list_files(files: FileStore, folder: str, *, after: str | None) -> ListedFiles:
    """Return at most 200 files below a folder, in the order of their paths.

    Raises:
        InvalidInput: the folder is none.
    """
    folder = check_path(folder, field="folder", folder=True)
    after = None if after is None else check_path(after, field="after")
    entries, more = files.list(folder, limit=MAX_LISTED, after=after)
    shown: list[dict[str, str | int]] = [
        {"path": one.path, "size": one.size, "etag": one.etag, "modified_at": one.modified_at} for one in entries
    ]
    return ListedFiles(files=shown, more_after=entries[-1].path if more and entries else None)


def restore_file(files: FileStore, kept: FileToRestore) -> None:
    """Put back what was there before a call, if what the call left is still there.

    Raises:
        ToolFailed: it was changed since, or the old version is gone; nothing was restored.
    """
    current = files.read(kept.path, length=0)
    if (None if current is None else current.entry.etag) != kept.etag:
        raise ToolFailed(f"the file '{kept.path}' was changed since; nothing was restored", fix="restore it by hand")
    if kept.version is None:
        if kept.etag is not None and not files.delete(kept.path, if_etag=kept.etag):
            raise ToolFailed(f"the file '{kept.path}' was changed since; nothing was restored")
        return
    old = files.read(kept.path, version=kept.version)
    if old is None:
        raise ToolFailed(f"the version of '{kept.path}' before the call is gone: it is kept for 30 days")
    marks = {**old.marks, "effect": "undo"}
    if files.write(kept.path, old.data, content_type=old.content_type, marks=marks, if_etag=kept.etag) is None:
        raise ToolFailed(f"the file '{kept.path}' was changed since; nothing was restored")
