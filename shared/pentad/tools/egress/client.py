"""The HTTP client of tools: it checks where a request leads, connects to just that, and again for each redirect."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pentad.domain.errors import PentadError, PolicyDenied, ToolFailed, ToolUnavailable
from pentad.tools.egress.addresses import Address, judge_address, parse_address
from pentad.tools.egress.allowlist import Allowlist, EgressEntry
from pentad.tools.egress.bodies import ENCODINGS, build_body, decode_body
from pentad.tools.egress.headers import check_headers, join_headers, keep_for_origin
from pentad.tools.egress.ports import (
    AnswerTooLarge,
    CertificateRefused,
    NameUnknown,
    NotConnected,
    RequestNotValid,
    Resolver,
    Wire,
    WireAnswer,
    WireBroken,
    WireError,
    WireRequest,
    WireTimeout,
)
from pentad.tools.egress.urls import Destination, join_url, parse_url
from pentad.tools.outside.ports import HttpAnswer

SECONDS: Final = 20.0
MAX_BYTES: Final = 5_000_000
MOST_REDIRECTS: Final = 5
_MOST_BYTES: Final = 50_000_000
_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "PROPFIND", "REPORT"})
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT"})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_UNAUTHORISED: Final = 401
_MOST_ADDRESSES: Final = 16
_TRIED_ADDRESSES: Final = 3
_AGENT: Final = "pentad"


@dataclass(frozen=True)
class _Sent:
    """A request as it is sent next."""

    method: str
    place: Destination
    headers: Mapping[str, str]
    body: bytes
    until: Callable[[bytes], bool] | None = None


class EgressClient:
    """`HttpClient` for one call of a tool.

    Args:
        allowlist: what the tool may reach.
        resolver: finds addresses.
        wire: sends requests.
        remaining_seconds: seconds left of the call.
        on_refused: called when a server answers 401: a credential may have been rotated.
        monotonic: seconds that only go forward.
    """

    def __init__(
        self,
        allowlist: Allowlist,
        *,
        resolver: Resolver,
        wire: Wire,
        remaining_seconds: Callable[[], float] = lambda: SECONDS,
        on_refused: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._allowlist = allowlist
        self._resolver = resolver
        self._wire = wire
        self._remaining_seconds = remaining_seconds
        self._on_refused = on_refused
        self._monotonic = monotonic
        self._changed = False

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
        redirects: int = MOST_REDIRECTS,
        changes: bool | None = None,
        until: Callable[[bytes], bool] | None = None,
    ) -> HttpAnswer:
        """See `HttpClient`."""
        verb = method.upper()
        if verb not in _METHODS:
            raise ToolFailed(
                f"the method {method!r:.40} is not supported", fix=f"use one of {', '.join(sorted(_METHODS))}"
            )
        data, typed = build_body(json, body, check_headers(headers))
        limit = min(MAX_BYTES if max_bytes is None else max_bytes, _MOST_BYTES)
        seconds = min(SECONDS if timeout is None else timeout, max(0.1, self._remaining_seconds() - 0.5))
        deadline = self._monotonic() + seconds
        may_repeat = not self._changed
        sent = _Sent(verb, parse_url(url, params), typed, data, until)
        # Until the server has refused it, what is sent may have changed something, whatever becomes of the answer.
        self._changed = not may_repeat or (verb not in _READING if changes is None else changes)
        sent, answer = self._send_on(sent, limit, deadline, max(0, min(redirects, MOST_REDIRECTS)))
        if 400 <= answer.status < 500:
            self._changed = not may_repeat
        if answer.status == _UNAUTHORISED:
            self._on_refused()
        found = join_headers(answer.headers)
        content = self._decode(sent, answer, found, limit)
        return HttpAnswer(answer.status, found, content, sent.place.url, sent.place.host, may_repeat)

    def _send_on(self, sent: _Sent, limit: int, deadline: float, redirects: int) -> tuple[_Sent, WireAnswer]:
        """Send a request and what redirects ask for; return the last one with its answer."""
        for left in range(redirects, -1, -1):
            answer = self._send(sent, limit, deadline)
            location = join_headers(answer.headers).get("location")
            if answer.status not in _REDIRECTS or not location or redirects == 0:
                return sent, answer
            if left:
                sent = _follow(sent, answer.status, location)
        raise ToolFailed(f"'{sent.place.host}' led through more than {redirects} redirects", field="url")

    def _decode(self, sent: _Sent, answer: WireAnswer, headers: Mapping[str, str], limit: int) -> bytes:
        if sent.method == "HEAD":
            return b""
        try:
            return decode_body(answer.body, headers.get("content-encoding", ""), limit)
        except WireError as error:
            raise _make_failure(error, sent.place.host, limit) from None

    def _send(self, sent: _Sent, limit: int, deadline: float) -> WireAnswer:
        place = sent.place
        try:
            addresses = self._find_addresses(place, deadline)
            return self._send_to(addresses, sent, limit, deadline)
        except WireError as error:
            raise _make_failure(error, place.host, limit) from None

    def _find_addresses(self, place: Destination, deadline: float) -> list[Address]:
        """Return the addresses of a place, all of which may be connected to."""
        entries = self._allowlist.find(place)
        if not entries:
            raise PolicyDenied(
                f"the tool may not reach '{place.scheme}://{place.authority}'",
                field="url",
                fix=f"its egress is {self._allowlist.describe()}",
            )
        if place.address is not None:
            found = [place.address]
        else:
            seconds = deadline - self._monotonic()
            if seconds <= 0:
                raise WireTimeout
            texts = list(self._resolver.resolve(place.host, place.port, seconds=seconds))[:_MOST_ADDRESSES]
            parsed = [parse_address(text) for text in texts]
            found = [address for address in parsed if address is not None]
            if not found or len(found) < len(parsed):
                raise NameUnknown
        for address in found:
            _check_address(place, address, entries)
        return found

    def _send_to(self, addresses: Sequence[Address], sent: _Sent, limit: int, deadline: float) -> WireAnswer:
        """Send to the first address that takes a connection; after one was made, to no other."""
        place, tried = sent.place, addresses[:_TRIED_ADDRESSES]
        headers = [("Host", place.authority), *(_default_headers(sent) | dict(sent.headers)).items()]
        request = WireRequest(
            method=sent.method,
            scheme=place.scheme,
            host=place.host,
            port=place.port,
            address="",
            target=place.target,
            headers=headers,
            body=sent.body,
            max_bytes=limit,
            deadline=deadline,
            until=sent.until,
        )
        for number, address in enumerate(tried, start=1):
            try:
                return self._wire.send(replace(request, address=str(address)), monotonic=self._monotonic)
            except NotConnected:
                if number == len(tried):
                    raise
        raise NotConnected


def _default_headers(sent: _Sent) -> dict[str, str]:
    encodings = ENCODINGS if sent.until is None else "identity"  # a part of what is compressed can't be read
    defaults = {"user-agent": _AGENT, "accept": "*/*", "accept-encoding": encodings, "connection": "close"}
    if sent.body or sent.method in ("POST", "PUT", "PATCH"):
        defaults["content-length"] = str(len(sent.body))
    return defaults


def _check_address(place: Destination, address: Address, entries: Sequence[EgressEntry]) -> None:
    if any(entry.allows(address) for entry in entries):
        return
    standing, what = judge_address(address)
    fix = "only public addresses are reached"
    if standing in ("private", "loopback"):
        fix += f"; to allow this one, write '{place.host}:{place.port}' into egress"
    raise PolicyDenied(f"'{place.host}' leads to an address that is not public ({what})", field="url", fix=fix)


def _follow(sent: _Sent, status: int, location: str) -> _Sent:
    """Return the request that a redirect asks for."""
    place = join_url(sent.place, location)
    if sent.place.scheme == "https" and place.scheme != "https":
        raise ToolFailed(f"'{sent.place.host}' redirects from https to http", field="url")
    method, body, headers = sent.method, sent.body, dict(sent.headers)
    if status == 303 or (status in (301, 302) and method == "POST"):
        method, body = ("HEAD" if method == "HEAD" else "GET"), b""
        headers.pop("content-type", None)
    if place.origin != sent.place.origin:
        if body or method not in _READING:
            raise ToolFailed(
                f"'{sent.place.host}' redirects what is sent to another host, '{place.host}'; it was not sent there",
                field="url",
                fix="use the address that the service has now",
            )
        headers = keep_for_origin(headers)
    return replace(sent, method=method, place=place, headers=headers, body=body)


def _make_failure(error: WireError, host: str, limit: int) -> PentadError:
    """Return what a tool is told: the host, and nothing else of the request."""
    match error:
        case NameUnknown():
            return ToolUnavailable(f"no address found for '{host}'")
        case NotConnected():
            return ToolUnavailable(f"'{host}' refused the connection")
        case WireTimeout():
            return ToolUnavailable(f"'{host}' did not answer in time")
        case CertificateRefused():
            return ToolFailed(f"the certificate of '{host}' is not valid: {error}", field="url")
        case AnswerTooLarge():
            return ToolFailed(f"the answer of '{host}' has more than {limit:,} bytes", fix="ask for less")
        case RequestNotValid():
            return ToolFailed("the request can't be sent: a header or the address is not valid", field="headers")
        case WireBroken() if error.args:
            return ToolFailed(f"the answer of '{host}' can't be used: {error}")
        case _:
            return ToolUnavailable(f"the connection to '{host}' broke")
