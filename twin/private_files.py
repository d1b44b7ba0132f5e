"""Files and folders that only the user who runs the twin can read, whatever the umask is."""

import os
import stat
import zipfile
from pathlib import Path
from typing import IO, Final

FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600


def make_private_folder(path: Path) -> Path:
    """Make a folder for its owner only, or make an existing one so; its parents are made as usual.

    A folder that holds the home or the working folder keeps its mode: it is not the twin's alone.

    Raises:
        PermissionError: the folder is another user's, or a link.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir(mode=FOLDER_MODE)
    except FileExistsError:
        _check_owner(path)
        if _is_shared(path):
            return path
    path.chmod(FOLDER_MODE)
    return path


def write_private(path: Path, text: str) -> None:
    """Write a file for its owner only.

    Raises:
        OSError: it cannot be written, or is a link.
    """
    with open_private(path) as file:
        file.write(text.encode())


def open_private(path: Path) -> IO[bytes]:
    """Open a file for its owner only to be written anew; an existing one is made so first.

    Raises:
        OSError: it cannot be opened, or is a link.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
    file = os.fdopen(descriptor, "wb")
    os.fchmod(descriptor, FILE_MODE)
    os.ftruncate(descriptor, 0)
    return file


def touch_private(path: Path) -> None:
    """Make an empty file for its owner only, or make an existing one so, and keep what is in it.

    Raises:
        OSError: it cannot be opened, or is a link.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
    try:
        os.fchmod(descriptor, FILE_MODE)
    finally:
        os.close(descriptor)


def unpack_private(archive: zipfile.ZipFile, folder: Path) -> None:
    """Unpack a zip file into a new folder for its owner only.

    Raises:
        PermissionError: a member would be outside the folder.
    """
    root = make_private_folder(folder).resolve()
    for member in archive.infolist():
        target = (root / member.filename).resolve()
        if not target.is_relative_to(root):
            raise PermissionError(f"the archive's member '{member.filename}' is outside of its folder")
        for parent in reversed(target.relative_to(root).parents[:-1]):
            (root / parent).mkdir(mode=FOLDER_MODE, exist_ok=True)
        if member.is_dir():
            target.mkdir(mode=FOLDER_MODE, exist_ok=True)
            continue
        with archive.open(member) as source, open_private(target) as file:
            while data := source.read(1 << 20):
                file.write(data)


def _check_owner(path: Path) -> None:
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.geteuid(), 0):
        raise PermissionError(f"'{path}' is not a folder of yours: name another folder for the twin's files")


def _is_shared(path: Path) -> bool:
    here, whole = (Path.cwd(), Path.home()), path.resolve()
    return whole.stat().st_uid != os.geteuid() or any(whole == one or whole in one.parents for one in here)
