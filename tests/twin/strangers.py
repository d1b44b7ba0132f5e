"""Act as another user of this machine: a child process of the user `nobody`. Only root can make one."""

import os
import pwd
import select
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

SECONDS = 20.0
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")


def run_as_other_user(act: Callable[[], bytes]) -> bytes:
    """Return what a function returns to another user. It may import nothing: the user may not read the packages."""
    other = pwd.getpwnam("nobody")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(other.pw_gid)
            os.setuid(other.pw_uid)
            os.write(writer, act())
        except BaseException as error:  # the parent asserts on it
            os.write(writer, f"failed: {error!r}".encode())
        finally:
            os._exit(0)
    os.close(writer)
    said = b""
    try:
        while select.select([reader], [], [], SECONDS)[0] and (data := os.read(reader, 65536)):
            said += data
    finally:
        os.close(reader)
        os.waitpid(child, 0)
    return said


def talk(port: int, data: bytes) -> bytes:
    """Send bytes to a port of this machine and return the answer, or how the connection ended."""
    with socket.socket() as client:
        client.settimeout(SECONDS)
        answer = b""
        try:
            client.connect(("127.0.0.1", port))
            client.sendall(data)
            while got := client.recv(65536):
                answer += got
        except OSError as error:
            return answer or f"failed: {type(error).__name__}".encode()
        return answer


def talk_as_other_user(port: int, data: bytes) -> bytes:
    """Send bytes as another user, and return the answer."""
    return run_as_other_user(lambda: talk(port, data))


def list_readable(folder: Path) -> list[str]:
    """Return what others may read, write or enter in a folder, by the mode of each file."""
    paths = [folder, *folder.rglob("*")]
    return [f"{path} {path.lstat().st_mode & 0o777:o}" for path in paths if path.lstat().st_mode & 0o077]
