"""Which user of this machine is at the other end of a connection over the loopback interface.

Linux answers that for one connection at once (sock_diag). Elsewhere it is not told, and None is returned.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from functools import cache
from typing import Final

_SOCK_DIAG_BY_FAMILY: Final = 20
_NETLINK_SOCK_DIAG: Final = 4
_NLM_F_REQUEST: Final = 1
_ESTABLISHED: Final = 1
_ANY_COOKIE: Final = 0xFFFFFFFF
_HEADER: Final = struct.Struct("=IHHII")
_WANTED: Final = struct.Struct("=BBBBI")
_ADDRESSES: Final = struct.Struct("!HH16s16s")
_REST: Final = struct.Struct("=III")
_UID_OFFSET: Final = _HEADER.size + 4 + _ADDRESSES.size + _REST.size + 12
_SECONDS: Final = 1.0

GONE: Final = -1
"""The other end is closed, so nobody can tell whose it was."""


def find_peer_user(connection: socket.socket) -> int | None:
    """Return the user id of a connection's other end, `GONE`, or None where the system does not tell."""
    return _ask(connection) if can_tell() else None


@cache
def can_tell() -> bool:
    """Return whether this system tells: asked once, of a connection that is known to be this process's own."""
    if sys.platform != "linux":
        return False
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as client:
        listener.settimeout(_SECONDS)
        client.connect(listener.getsockname())
        accepted, _ = listener.accept()
        with accepted:
            return _ask(accepted) == os.geteuid()


def _ask(connection: socket.socket) -> int:
    try:
        (peer, peer_port), (own, own_port) = connection.getpeername(), connection.getsockname()
        addresses = _ADDRESSES.pack(peer_port, own_port, socket.inet_aton(peer), socket.inet_aton(own))
        asked = _WANTED.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, 0, 0xFFFFFFFF) + addresses
        asked += _REST.pack(0, _ANY_COOKIE, _ANY_COOKIE)
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as kernel:
            kernel.settimeout(_SECONDS)
            kernel.send(_HEADER.pack(_HEADER.size + len(asked), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 1, 0) + asked)
            answer = kernel.recv(8192)
    except OSError:
        return GONE
    # A socket that is closing has no owner any more and would show as root's.
    known = _HEADER.unpack_from(answer)[1] == _SOCK_DIAG_BY_FAMILY and answer[_HEADER.size + 1] == _ESTABLISHED
    return int(struct.unpack_from("=I", answer, _UID_OFFSET)[0]) if known else GONE


def may_connect(user: int | None) -> bool:
    """Whether a peer's user may use this process's servers: the same user, root, or one that is not told."""
    return user is None or user in (0, os.getuid(), os.geteuid())
