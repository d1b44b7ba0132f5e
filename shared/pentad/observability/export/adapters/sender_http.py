"""Send OTLP by HTTP with the standard library: no redirect is followed, since it would take the key elsewhere."""

import gzip
import http.client
import json
import ssl
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from pentad.domain.errors import ConfigurationError, PentadError, ToolThrottled, ToolUnavailable
from pentad.observability.export.targets import Addressed

_SECONDS = 10.0
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_LONGEST_REPLY = 65_536
_SUCCESS, _THROTTLED, _SERVER_ERROR = range(200, 300), 429, 500
_TIMEOUTS = frozenset({408, 425})
_NOT_FOUND = 404


class HttpSender:
    """An `OtlpSender` over HTTP.

    Args:
        loopback: allow plain HTTP to this machine, for a twin.
        credentials: returns AWS's, for requests that are signed; None where there are none.
        region: AWS's.
    """

    def __init__(self, *, loopback: bool, credentials: Callable[[], Any] = lambda: None, region: str = "") -> None:
        self._loopback = loopback
        self._credentials = credentials
        self._region = region

    def send(self, to: Addressed, body: bytes) -> None:
        """See the port."""
        packed = gzip.compress(body, mtime=0)
        headers = {"content-type": "application/x-protobuf", "content-encoding": "gzip", **to.headers}
        if to.signed_for is not None:
            headers = self._sign(to.url, headers, packed, to.signed_for)
        self._post(to, headers, packed, _judge)

    def send_json(self, to: Addressed, body: Mapping[str, Any]) -> None:
        """See the port."""
        self._post(to, {"content-type": "application/json", **to.headers}, json.dumps(body).encode(), _judge_annotation)

    def _post(self, to: Addressed, headers: dict[str, str], packed: bytes, judge: "_Judge") -> None:
        connection, path = self._connect(to.url)
        try:
            connection.request("POST", path, packed, headers)
            answer = connection.getresponse()
            answer.read(_LONGEST_REPLY)
        except (OSError, http.client.HTTPException) as error:
            raise ToolUnavailable(f"the traces' target did not answer: {type(error).__name__}") from error
        finally:
            connection.close()
        failure = judge(answer.status, answer.getheader("retry-after"))
        if failure is not None:
            raise failure

    def _connect(self, url: str) -> tuple[http.client.HTTPConnection, str]:
        parts = urlsplit(url)
        host, path = parts.hostname or "", (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if parts.scheme == "https" and host:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, parts.port, timeout=_SECONDS, context=context), path
        if parts.scheme == "http" and host in _LOOPBACK and self._loopback:
            return http.client.HTTPConnection(host, parts.port, timeout=_SECONDS), path
        raise ConfigurationError(
            "the traces' target has no https address", field="endpoint", fix="name one that begins with https://"
        )

    def _sign(self, url: str, headers: dict[str, str], body: bytes, service: str) -> dict[str, str]:
        request = AWSRequest("POST", url, headers=headers, data=body)
        SigV4Auth(self._credentials(), service, self._region).add_auth(request)
        return dict(request.headers.items())


_Judge = Callable[[int, str | None], PentadError | None]


def _judge_annotation(status: int, retry_after: str | None) -> PentadError | None:
    """Return what went wrong. A product that does not know the span may have it later: shares have no order."""
    if status == _NOT_FOUND:
        return ToolUnavailable(f"the traces' target does not know the span, or not yet ({status})")
    return _judge(status, retry_after)


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
