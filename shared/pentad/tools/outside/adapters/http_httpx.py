"""`HttpClient` of the command line: reads what a developer names on the developer's machine."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import httpx

from pentad.domain.errors import ToolFailed, ToolUnavailable
from pentad.tools.outside.ports import HttpAnswer

_SECONDS = 30.0
_MAX_BYTES = 10_000_000


class HttpxClient:
    """Asks once; follows no redirect, and takes no proxy from the environment."""

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None,
        json: Any = None,
        body: bytes | str | None = None,
        timeout: float | None = None,
        max_bytes: int | None = None,
        redirects: int = 0,
        changes: bool | None = None,
        until: Callable[[bytes], bool] | None = None,
    ) -> HttpAnswer:
        """See `HttpClient`."""
        seconds, most = timeout or _SECONDS, max_bytes or _MAX_BYTES
        end = time.monotonic() + seconds
        pairs = None if params is None else httpx.QueryParams(list(_iter_pairs(params)))
        try:
            with (
                httpx.Client(trust_env=False, follow_redirects=False, timeout=seconds) as client,
                client.stream(method, url, headers=headers, params=pairs, json=json, content=body) as answer,
            ):
                content = bytearray()
                for part in answer.iter_bytes():
                    content += part
                    if len(content) > most:
                        raise ToolFailed(f"the answer has more than {most:,} bytes")
                    if until is not None and until(bytes(content)):
                        break
                    if time.monotonic() > end:
                        raise ToolUnavailable("the server did not finish in time")
                found = {name.lower(): value for name, value in answer.headers.items()}
                return HttpAnswer(answer.status_code, found, bytes(content), str(answer.url))
        except httpx.TransportError as error:
            raise ToolUnavailable(f"the server did not answer: {type(error).__name__}") from error
        except (httpx.InvalidURL, ValueError) as error:
            raise ToolFailed("the request can't be sent: the address or a header is not valid") from error


def _iter_pairs(params: Mapping[str, Any] | Sequence[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    for name, value in params.items() if isinstance(params, Mapping) else params:
        yield name, str(value)
