"""HTTP/1.1 over httpcore: a connection for each request, to the address that was checked, within one deadline."""

import functools
import logging
import socket
import ssl
from collections.abc import Callable, Iterable
from typing import Any, Final

import httpcore

from pentad.tools.egress.ports import (
    AnswerTooLarge,
    CertificateRefused,
    NotConnected,
    RequestNotValid,
    WireAnswer,
    WireBroken,
    WireRequest,
    WireTimeout,
)

_CONNECT_SECONDS: Final = 5.0
_HEAD_BYTES: Final = 300_000
"""Of heads in all, with those of interim answers; httpcore takes 100 KB for one."""
_FRAMING: Final = 3
"""An answer in the smallest useful chunks has so many bytes for one of its body."""


class HttpcoreWire:
    """`Wire` over httpcore's connections.

    httpcore reads and writes HTTP and keeps its rules (framing, sizes of heads); where a connection leads, and how long
    it may take in all, is decided here, in the network backend that httpcore asks for a connection.

    Args:
        trust: makes the context of TLS, once; by default the system's authorities and the newest rules of Python.
    """

    def __init__(self, trust: Callable[[], ssl.SSLContext] = ssl.create_default_context) -> None:
        self._trust = functools.cache(trust)
        # At DEBUG it would log the headers of answers, with their cookies.
        logging.getLogger("httpcore").setLevel(logging.INFO)

    def send(self, request: WireRequest, *, monotonic: Callable[[], float]) -> WireAnswer:
        """See `Wire`."""
        backend = _CheckedBackend(request, _Clock(request.deadline, monotonic))
        connection = httpcore.HTTPConnection(
            httpcore.Origin(request.scheme.encode(), request.host.encode(), request.port),
            ssl_context=self._trust() if request.scheme == "https" else None,
            retries=0,
            network_backend=backend,
        )
        try:
            with connection:
                return _exchange(connection, request, backend)
        except httpcore.ProtocolError as error:
            if isinstance(error, httpcore.LocalProtocolError):
                raise RequestNotValid from None  # it names the header's value
            # Who hangs up before the answer, or in the middle of it, has broken the connection and said nothing wrong.
            if any(words in str(error) for words in ("disconnected", "closed connection")):
                raise WireBroken from None
            raise WireBroken("it is not HTTP") from None
        except httpcore.NetworkError as error:
            raise WireBroken from error


def _exchange(connection: httpcore.HTTPConnection, request: WireRequest, backend: "_CheckedBackend") -> WireAnswer:
    # A tuple: httpcore and its URL take the target as it is, and read it no second time.
    url = httpcore.URL(
        scheme=request.scheme.encode(), host=request.host.encode(), port=request.port, target=request.target.encode()
    )
    headers = [(name.encode(), value.encode("latin-1")) for name, value in request.headers]
    answer = connection.handle_request(
        httpcore.Request(request.method, url, headers=headers, content=request.body or None)
    )
    backend.allowed += request.max_bytes * _FRAMING
    try:
        body = bytearray()
        for part in answer.iter_stream():
            body += part
            if len(body) > request.max_bytes:
                raise AnswerTooLarge
            if request.until is not None and request.until(bytes(body)):
                break
    finally:
        answer.close()
    found = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers]
    return WireAnswer(answer.status, found, bytes(body))


class _Clock:
    """The time that is left."""

    def __init__(self, deadline: float, monotonic: Callable[[], float]) -> None:
        self._deadline = deadline
        self._monotonic = monotonic

    def get_seconds(self) -> float:
        left = self._deadline - self._monotonic()
        if left <= 0:
            raise WireTimeout
        return left


class _CheckedBackend(httpcore.NetworkBackend):
    """Connects to the address that was checked, whatever name httpcore asks for.

    Attributes:
        allowed: bytes that may be read; so many for the head, and then more.
    """

    def __init__(self, request: WireRequest, clock: _Clock) -> None:
        self._request = request
        self._clock = clock
        self.allowed = _HEAD_BYTES

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        request = self._request
        try:
            made = socket.create_connection(
                (request.address, request.port), min(self._clock.get_seconds(), _CONNECT_SECONDS)
            )
        except OSError as error:  # the address of another family, a refusal, silence
            raise NotConnected from error
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return _BoundedStream(made, self._clock, lambda: self.allowed)


class _BoundedStream(httpcore.NetworkStream):
    """A socket whose every step has the time that is left of the whole, and which reads so many bytes."""

    def __init__(self, sock: socket.socket, clock: _Clock, limit: Callable[[], int]) -> None:
        self._socket = sock
        self._clock = clock
        self._limit = limit
        self._read = 0

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            self._socket.settimeout(self._clock.get_seconds())
            data = self._socket.recv(max_bytes)
        except TimeoutError as error:
            raise WireTimeout from error
        except OSError as error:
            raise WireBroken from error
        self._read += len(data)
        if self._read > self._limit():
            raise AnswerTooLarge
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        view = memoryview(buffer)
        while view:
            try:
                self._socket.settimeout(self._clock.get_seconds())
                view = view[self._socket.send(view) :]
            except TimeoutError as error:
                raise WireTimeout from error
            except OSError as error:
                # A server may refuse a body before it has read it: its answer is read all the same.
                raise httpcore.WriteError from error

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            self._socket.settimeout(self._clock.get_seconds())
            wrapped = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname)
        except ssl.SSLCertVerificationError as error:
            self.close()
            raise CertificateRefused(error.verify_message.rstrip(".")) from None
        except TimeoutError as error:
            self.close()
            raise WireTimeout from error
        except OSError as error:
            self.close()
            raise NotConnected from error
        return _BoundedStream(wrapped, self._clock, self._limit)

    def get_extra_info(self, info: str) -> Any:
        return None
