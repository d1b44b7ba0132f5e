"""Send OTLP by HTTP with the standard library: no redirect is followed, since it would take the key elsewhere."""

import contextlib
import gzip
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from pentad.domain.errors import ConfigurationError, PentadError, ToolThrottled, ToolUnavailable
from pentad.observability.export.otlp import read_rejected
from pentad.observability.export.ports import Receipt
from pentad.observability.export.targets import Addressed

_SECONDS = 10.0
"""Of a request in all: a target that sends a byte now and then is as good as none."""
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_LONGEST_REPLY = 65_536
_SUCCESS, _THROTTLED, _SERVER_ERROR = range(200, 300), 429, 500
_TIMEOUTS = frozenset({408, 425})
_NOT_FOUND, _TOO_LARGE = 404, 413
_MALFORMED = frozenset({400, 422})


class HttpSender:
    """An `OtlpSender` over HTTP.

    Args:
        loopback: allow plain HTTP to this machine, for a twin.
        credentials: returns AWS's, for requests that are signed; None where there are none.
        region: AWS's.
        seconds: of a request in all.
    """

    def __init__(
        self,
        *,
        loopback: bool,
        credentials: Callable[[], Any] = lambda: None,
        region: str = "",
        seconds: float = _SECONDS,
    ) -> None:
        self._loopback = loopback
        self._credentials = credentials
        self._region = region
        self._seconds = seconds

    def send(self, to: Addressed, body: bytes) -> Receipt:
        """See the port."""
        packed = gzip.compress(body, mtime=0)
        headers = {"content-type": "application/x-protobuf", "content-encoding": "gzip", **to.headers}
        if to.signed_for is not None:
            headers = self._sign(to.url, headers, packed, to.signed_for)
        answer = self._post(to, headers, packed)
        if answer.status == _TOO_LARGE:
            return Receipt(too_large=True)
        if answer.status in _MALFORMED:
            return Receipt(malformed=True)
        _check(answer)
        return Receipt(rejected=read_rejected(answer.body))

    def send_json(self, to: Addressed, body: Mapping[str, Any]) -> bool:
        """See the port."""
        answer = self._post(to, {"content-type": "application/json", **to.headers}, json.dumps(body).encode())
        if answer.status == _NOT_FOUND:
            return False
        _check(answer)
        return True

    def _post(self, to: Addressed, headers: dict[str, str], packed: bytes) -> "_Answer":
        connection, path = self._connect(to.url)
        ending: threading.Timer | None = None
        try:
            connection.connect()
            ending = threading.Timer(self._seconds, _shut, (connection.sock,))
            ending.daemon = True
            ending.start()
            connection.request("POST", path, packed, headers)
            answer = connection.getresponse()
            return _Answer(answer.status, answer.getheader("retry-after"), answer.read(_LONGEST_REPLY))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise ToolUnavailable(f"the traces' target did not answer: {type(error).__name__}") from error
        finally:
            if ending is not None:
                ending.cancel()
            connection.close()

    def _connect(self, url: str) -> tuple[http.client.HTTPConnection, str]:
        parts = urlsplit(url)
        host, path = parts.hostname or "", (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if parts.scheme == "https" and host:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, parts.port, timeout=self._seconds, context=context), path
        if parts.scheme == "http" and host in _LOOPBACK and self._loopback:
            return http.client.HTTPConnection(host, parts.port, timeout=self._seconds), path
        raise ConfigurationError(
            "the traces' target has no https address", field="endpoint", fix="name one that begins with https://"
        )

    def _sign(self, url: str, headers: dict[str, str], body: bytes, service: str) -> dict[str, str]:
        request = AWSRequest("POST", url, headers=headers, data=body)
        SigV4Auth(self._credentials(), service, self._region).add_auth(request)
        return dict(request.headers.items())


class _Answer(NamedTuple):
    status: int
    retry_after: str | None
    body: bytes


def _shut(connection: socket.socket) -> None:
    """End a request from another thread: who waits for its answer gets none."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _check(answer: _Answer) -> None:
    failure = _judge(answer.status, answer.retry_after)
    if failure is not None:
        raise failure


def _judge(status: int, retry_after: str | None) -> PentadError | None:
    """Return what went wrong; None where the target took the spans. Nothing of the reply is told: it may have keys."""
    if status in _SUCCESS:
        return None
    if status == _THROTTLED:
        seconds = float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else None
        return ToolThrottled("the traces' target takes no more now (429)", retry_after=seconds)
    if status >= _SERVER_ERROR or status in _TIMEOUTS:
        return ToolUnavailable(f"the traces' target failed ({status})")
    return ConfigurationError(
        f"the traces' target refused the request ({status})", fix="check its endpoint, its project and its secret"
    )
