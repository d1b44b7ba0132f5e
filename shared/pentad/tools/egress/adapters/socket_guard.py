"""Hold a process to an allowlist: whatever opens sockets by Python's own module is asked before it does.

CPython raises an event of `sys.audit` before it resolves a name, connects, or sends to an address, and does none of it
if a hook raises. A hook can't be removed, and sees the whole process, whichever thread or event loop acts. It is not
told what a name was resolved to; that is taken from the one function by which Python resolves names for sockets.

A tool that runs inside another one's process, as a graph's do, is held to its own rules besides (`hold_caller`): they
go with the thread and the task that it runs in, and with the threads and tasks that these start.

It sees nothing of code that has sockets of its own: C extensions (libpq, gRPC, uvloop), `ctypes`, other processes. And
code that sets out to get past it can: it runs in the same process.
"""

import _socket
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from pentad.domain.errors import PolicyDenied
from pentad.tools.egress.connections import ConnectionRules

_FREE_FAMILIES: Final = frozenset(getattr(socket, name) for name in ("AF_UNIX", "AF_NETLINK") if hasattr(socket, name))
"""They reach this machine only."""
_read_family: Final = vars(_socket.socket)["family"].__get__
"""Read where C keeps it: a subclass may say something else."""
_rules: ConnectionRules | None = None
_callers: ContextVar[ConnectionRules | None] = ContextVar("callers_rules", default=None)
_installed = False


def hold_process(rules: ConnectionRules | None) -> None:
    """From now on hold this process to some rules, all of its threads; None holds it to nothing."""
    global _rules
    if rules is not None:
        _install()
    _rules = rules


@contextmanager
def hold(rules: ConnectionRules | None) -> Iterator[None]:
    """Hold this process to some rules inside, and then to those of before."""
    before = _rules
    hold_process(rules)
    try:
        yield
    finally:
        hold_process(before)


@contextmanager
def hold_caller(rules: ConnectionRules | None) -> Iterator[None]:
    """Hold what runs inside to some rules besides the process's; what runs beside it is not held to them."""
    if rules is not None:
        _install()
    token = _callers.set(rules if rules is not None else _callers.get())
    try:
        yield
    finally:
        _callers.reset(token)


def _iter_rules() -> Iterator[ConnectionRules]:
    for rules in (_rules, _callers.get()):
        if rules is not None:
            yield rules


def _install() -> None:
    global _installed
    if _installed:
        return
    _installed = True
    # `socket.getaddrinfo` calls this one, wherever it was imported to; the two others are called by what uses them.
    vars(_socket)["getaddrinfo"] = _remember_infos(_socket.getaddrinfo)
    for name in ("gethostbyname", "gethostbyname_ex"):
        vars(socket)[name] = _remember_host(getattr(_socket, name))
    # A task has the rules of who made it by itself; a thread has not.
    threading.Thread.start = _hand_on_rules(threading.Thread.start)  # type: ignore[method-assign, assignment]
    sys.addaudithook(_watch)


def _watch(event: str, args: tuple[Any, ...]) -> None:
    check = _CHECKS.get(event)
    if check is not None:
        for rules in _iter_rules():
            check(rules, *args)


def _hand_on_rules(start: Callable[[threading.Thread], None]) -> Callable[[threading.Thread], None]:
    def start_held(self: threading.Thread) -> None:
        rules = _callers.get()
        if rules is not None:
            run = self.run

            def run_held() -> None:
                with hold_caller(rules):
                    run()

            self.run = run_held  # type: ignore[method-assign]
        start(self)

    return start_held


def _remember_infos(resolve: Callable[..., Any]) -> Callable[..., Any]:
    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        infos = resolve(host, *args, **kwargs)
        for rules in _iter_rules() if host else ():
            rules.remember(_to_text(host), [str(info[4][0]) for info in infos])
        return infos

    return getaddrinfo


def _remember_host(resolve: Callable[..., Any]) -> Callable[..., Any]:
    def gethostbyname(hostname: Any) -> Any:
        found = resolve(hostname)
        for rules in _iter_rules():
            rules.remember(_to_text(hostname), [found] if isinstance(found, str) else found[2])
        return found

    return gethostbyname


def _check_resolved(rules: ConnectionRules, host: Any, port: Any = None, *_: Any) -> None:
    # Without a host it is this machine, to listen on; smtplib and others ask for this machine's own name.
    if host and _to_text(host) != socket.gethostname():
        text = str(port) if not isinstance(port, bytes) else port.decode("ascii", "replace")
        rules.check_name(_to_text(host), int(text) if text.isdecimal() else None)


def _check_connected(rules: ConnectionRules, sock: Any, address: Any) -> None:
    try:
        _check_sent(rules, sock, address)
    except PolicyDenied:
        # It is no `OSError`, which libraries retry or wrap. So they do not expect it, and would leave the socket open.
        sock.close()
        raise


def _check_sent(rules: ConnectionRules, sock: Any, address: Any) -> None:
    if address is None or _read_family(sock) in _FREE_FAMILIES:
        return  # without an address it goes where the socket was connected to
    if not isinstance(address, tuple) or len(address) < 2 or not isinstance(address[1], int):
        rules.check_address(repr(address), 0)  # of another family, or wrong: no entry is about it
    else:
        rules.check_address(_to_text(address[0]), address[1])


def _check_reverse(rules: ConnectionRules, asked: Any) -> None:
    text = _to_text(asked[0] if isinstance(asked, tuple) else asked)
    if text != socket.gethostname():
        rules.check_reverse(text)


def _to_text(host: Any) -> str:
    """Return a host as it is looked up: Python's sockets write other letters by its codec, in which ß is ss."""
    if isinstance(host, bytes | bytearray):
        return bytes(host).decode("ascii", "replace")
    text = str(host)
    try:
        return text if text.isascii() else text.encode("idna").decode("ascii")
    except UnicodeError:
        return text  # it is not looked up either


_CHECKS: Final[dict[str, Callable[..., None]]] = {
    "socket.getaddrinfo": _check_resolved,
    "socket.gethostbyname": _check_resolved,
    "socket.gethostbyaddr": _check_reverse,
    "socket.getnameinfo": _check_reverse,
    "socket.connect": _check_connected,
    "socket.sendto": _check_sent,
    "socket.sendmsg": _check_sent,
}
