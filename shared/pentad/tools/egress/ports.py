"""What the egress client asks of the network: addresses of names, and one exchange with one address."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol


class Resolver(Protocol):
    """Finds the addresses of a name."""

    def resolve(self, host: str, port: int, *, seconds: float) -> Sequence[str]:
        """Return all addresses of a host, IPv4 and IPv6.

        Raises:
            NameUnknown: there is no such name.
            WireTimeout: it took too long.
        """
        ...


@dataclass(frozen=True)
class WireRequest:
    """One request to one server, at an address that was checked.

    Args:
        method: HTTP's.
        scheme: http or https.
        host: for the certificate and SNI; an address without brackets.
        port: TCP's.
        address: where to connect.
        target: path and query.
        headers: all of them, Host included.
        body: what to send.
        max_bytes: of the body as it comes, before decompression.
        deadline: of `monotonic` in `Wire.send`.
        until: given the body so far, tells that no more of it is needed; all of it is read where None.
    """

    method: str
    scheme: str
    host: str
    port: int
    address: str
    target: str
    headers: Sequence[tuple[str, str]] = field(repr=False)
    body: bytes = field(repr=False)
    max_bytes: int
    deadline: float
    until: Callable[[bytes], bool] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class WireAnswer:
    """What came back, the body as it was sent."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes


class Wire(Protocol):
    """Sends one request over one connection."""

    def send(self, request: WireRequest, *, monotonic: Callable[[], float]) -> WireAnswer:
        """Return the answer.

        Raises:
            NotConnected: nobody listens there; nothing was sent.
            WireTimeout: the deadline passed.
            CertificateRefused: the certificate is not valid for the host.
            AnswerTooLarge: the body has more than ``max_bytes``, or the head more than is read.
            WireBroken: the connection ended, or what came is not HTTP.
            RequestNotValid: a header or the target can't be sent.
        """
        ...


class WireError(Exception):
    """What can go wrong on the wire; without anything of the request."""


class NameUnknown(WireError):
    """The name has no address."""


class NotConnected(WireError):
    """No connection was made."""


class WireTimeout(WireError):
    """The time is up."""


class CertificateRefused(WireError):
    """The server's certificate is not valid."""


class AnswerTooLarge(WireError):
    """The answer has more bytes than were asked for."""


class WireBroken(WireError):
    """The connection ended too early, or what came is not HTTP."""


class RequestNotValid(WireError):
    """The request can't be written as HTTP."""
