"""Names through the system's resolver, in a thread: it has no time limit of its own."""

import queue
import socket
import threading
from collections.abc import Sequence

from pentad.tools.egress.ports import NameUnknown, WireTimeout


class SystemResolver:
    """`Resolver` by `getaddrinfo`."""

    def resolve(self, host: str, port: int, *, seconds: float) -> Sequence[str]:
        """See `Resolver`."""
        answers: queue.SimpleQueue[Sequence[str] | None] = queue.SimpleQueue()
        # A thread that is too late ends with the system's own time limit, and nobody waits for it.
        threading.Thread(target=_look_up, args=(host, port, answers), daemon=True).start()
        try:
            found = answers.get(timeout=seconds)
        except queue.Empty:
            raise WireTimeout from None
        if not found:
            raise NameUnknown
        return found


def _look_up(host: str, port: int, answers: "queue.SimpleQueue[Sequence[str] | None]") -> None:
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        # An address with a zone ("fe80::1%eth0") keeps it, and is refused by whoever parses it.
        answers.put(tuple(dict.fromkeys(str(info[4][0]) for info in infos)))
    except (OSError, UnicodeError):
        answers.put(None)
