"""Speak to one remote server: agree on a revision, check that a tool is as it was reviewed, call it.

The client offers nothing: no sampling, no questions to its user, no folders. A request is sent once; whether a call is
tried again is the tool runner's to decide. In the era of sessions, one that the server has forgotten is begun anew:
the server has done nothing then. A call that the server has begun, and answers later, may have been done whatever a
later request of it comes to.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pentad.domain.errors import EffectUncertain, PentadError, ToolFailed, ToolThrottled, ToolUnavailable
from pentad.tools.mcp.messages import (
    CLIENT,
    HANDSHAKE,
    MISSING_CAPABILITY,
    MODERN,
    UNSUPPORTED_VERSION,
    EventWatch,
    RemoteError,
    SessionGone,
    build_argument_headers,
    build_headers,
    build_request,
    read_answer,
)
from pentad.tools.outside.ports import HttpAnswer, HttpClient

Json = dict[str, Any]
MOST_PAGES = 20
MOST_TOOLS = 1_000
_MAX_BYTES = 4_000_000
_ROUNDS = 10
_PAUSE = 1.0
_LONGEST_TTL_MS = 3_600_000
_SESSION_TTL = 60.0
"""A server of sessions does not say how long its list holds: it is asked again each minute."""
_SHORT = 10.0
_REFUSED = (401, 403)
_BEGUN = "the server had begun the call, so it may have been done"
_LOOK = "check whether it was done before asking again"


@dataclass
class Connection:
    """What a process keeps of a server, for one credential.

    Attributes:
        hint: the revision that the server spoke when its tools were reviewed; None where nobody has asked it.
        version: the revision; None while it is not known.
        session_id: in the era of sessions.
        tools: as they were listed last, by name.
        fresh_until: the list holds until then, by the clock of `McpClient`.
        count: of requests.
    """

    hint: str | None = None
    version: str | None = None
    session_id: str | None = None
    tools: dict[str, Json] = field(default_factory=dict)
    fresh_until: float = 0.0
    count: int = 0


class McpClient:
    """The client of one server for one call.

    Args:
        http: reaches the server and nothing else.
        url: the server's address.
        credential: headers that say who calls.
        connection: what is known of the server from earlier calls; it is changed.
        remaining_seconds: seconds left.
        renew: returns other headers than those that the server refused, or raises `ToolFailed`; asked once. None: a
            refusal is final.
        clock: seconds that only go forward.
        sleep: pauses.
    """

    def __init__(
        self,
        http: HttpClient,
        url: str,
        credential: Mapping[str, str],
        connection: Connection,
        *,
        remaining_seconds: Callable[[], float],
        renew: Callable[[], Mapping[str, str]] | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = http
        self._url = url
        self._credential = credential
        self._renew = renew
        self._connection = connection
        self._remaining_seconds = remaining_seconds
        self._clock = clock
        self._sleep = sleep
        self._status = 0
        self._is_begun = False

    @property
    def version(self) -> str:
        """The revision that was agreed on; empty before anything was asked."""
        return self._connection.version or ""

    def list_tools(self) -> dict[str, Json]:
        """Return the server's tools by name, at most `MOST_TOOLS`.

        Raises:
            ToolUnavailable: it does not answer, or is out of order.
            ToolThrottled: it asks to be left alone for a while.
            ToolFailed: it answers with what the protocol does not have, or with an error.
        """
        found: dict[str, Json] = {}
        ttl = _LONGEST_TTL_MS / 1000
        for page in self._list_pages():
            given = page.get("tools")
            if not isinstance(given, list):
                raise ToolFailed("the MCP server's list of tools is not valid MCP")
            for tool in given:
                if isinstance(tool, dict) and isinstance(tool.get("name"), str):
                    found.setdefault(tool["name"], tool)
            if len(found) > MOST_TOOLS:
                raise ToolFailed(f"the MCP server has more than {MOST_TOOLS:,} tools")
            ttl = min(ttl, self._read_ttl(page))
        self._connection.tools = found
        self._connection.fresh_until = self._clock() + ttl
        return found

    def get_tool(self, name: str) -> Json | None:
        """Return what the server says of a tool, from the list as long as that holds; None where it has no such."""
        if self._clock() >= self._connection.fresh_until:
            self.list_tools()
        return self._connection.tools.get(name)

    def call_tool(self, name: str, arguments: Json, headers: Mapping[str, str]) -> Json:
        """Call a tool and return its result.

        Args:
            name: at the server.
            arguments: of the call.
            headers: arguments that headers repeat; see `PinnedTool`.

        Raises:
            ToolUnavailable: it does not answer, or is out of order; the call may have been done.
            ToolThrottled: it asks to be left alone for a while, and did nothing.
            EffectUncertain: it refuses the credential when it has begun the call.
            ToolFailed: it answers with an error, or with what the protocol does not have.
        """
        params: Json = {"name": name, "arguments": arguments}
        for _ in range(_ROUNDS):
            result = self._ask_in_round(params, build_argument_headers(headers, arguments))
            self._is_begun = True
            state = result.get("requestState")
            waits = result.get("resultType") == "input_required" and not result.get("inputRequests")
            if not waits or not isinstance(state, str):
                return result
            if self._remaining_seconds() < _PAUSE * 2:
                break
            self._sleep(_PAUSE)
            params = {"name": name, "arguments": arguments, "requestState": state}
        raise ToolUnavailable("the MCP server did not finish in time")

    def _ask_in_round(self, params: Json, headers: Mapping[str, str]) -> Json:
        """Ask for a call's result, first or later: what refuses a later request says nothing of what was begun."""
        try:
            return self._ask("tools/call", params, headers)
        except ToolThrottled as error:
            if self._is_begun:
                raise ToolUnavailable(f"{error.message}; {_BEGUN}", retry_after=error.retry_after) from error
            raise
        except ToolFailed as error:
            if self._is_begun and self._status in _REFUSED:
                raise EffectUncertain(f"{error.message}; {_BEGUN}", fix=_LOOK) from error
            raise

    def _list_pages(self) -> Iterator[Json]:
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            page = self._ask("tools/list", {} if cursor is None else {"cursor": cursor})
            yield page
            following = page.get("nextCursor")
            if not isinstance(following, str) or following == cursor:
                return
            cursor = following
        raise ToolFailed(f"the MCP server's list of tools does not end within {MOST_PAGES} pages")

    def _read_ttl(self, page: Json) -> float:
        given = page.get("ttlMs")
        if self._connection.version != MODERN:
            return _SESSION_TTL
        if not isinstance(given, int) or isinstance(given, bool):
            return 0.0
        return max(0, min(given, _LONGEST_TTL_MS)) / 1000  # An integer may be too large for a float.

    def _ask(self, method: str, params: Json, headers: Mapping[str, str] | None = None) -> Json:
        self._connect()
        try:
            try:
                return self._send(method, params, headers)
            except SessionGone:
                self._connection.session_id, self._connection.version = None, None
                if self._is_begun:
                    raise ToolUnavailable(f"the MCP server has dropped the session; {_BEGUN}") from None
                self._connect()
                return self._send(method, params, headers)
        except SessionGone as error:
            raise ToolUnavailable("the MCP server drops its sessions immediately") from error
        except RemoteError as error:
            raise self._translate(error) from error

    def _translate(self, error: RemoteError) -> PentadError:
        if error.code == UNSUPPORTED_VERSION:
            self._connection.version, self._connection.hint, self._connection.session_id = None, None, None
            return ToolUnavailable("the MCP server no longer supports this revision of the protocol")
        if error.code == MISSING_CAPABILITY:
            return ToolFailed(
                "the MCP server requires client features that are not supported: sampling, questions or tasks"
            )
        return ToolFailed(f"the MCP server answered with an error ({error.code}): {error.message}")

    def _connect(self) -> None:
        """Agree on a revision: the newest by asking what is served, or an older one by its handshake."""
        connection = self._connection
        if connection.version is not None:
            return
        if connection.hint == MODERN:
            connection.version = MODERN
        elif connection.hint in HANDSHAKE or not self._is_modern():
            self._shake_hands()

    def _is_modern(self) -> bool:
        """Tell whether the server serves the newest revision; it is agreed on then."""
        self._connection.version = MODERN
        versions: Any = []
        try:
            versions = self._send("server/discover", {}).get("supportedVersions")
        except RemoteError as error:
            versions = _read_supported(error)
        except (ToolFailed, SessionGone):
            if self._status in _REFUSED:
                raise
        finally:
            if not isinstance(versions, list) or MODERN not in versions:
                self._connection.version = None
        return self._connection.version is not None

    def _shake_hands(self) -> None:
        params: Json = {"protocolVersion": HANDSHAKE[0], "capabilities": {}, "clientInfo": CLIENT}
        try:
            answer, request_id = self._post("initialize", params, None)
            found = read_answer(answer, request_id, session_id=None)
        except RemoteError as error:
            raise self._translate(error) from error
        version = found.get("protocolVersion")
        if version not in HANDSHAKE:
            raise ToolFailed("the MCP server speaks an unknown revision of the protocol")
        self._connection.version = version
        session = answer.headers.get("mcp-session-id")
        self._connection.session_id = session if session and session.isprintable() and len(session) <= 1000 else None
        note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        headers = build_headers(note["method"], {}, version=version, session_id=self._connection.session_id)
        self._request(note, headers)

    def _send(self, method: str, params: Json, headers: Mapping[str, str] | None = None) -> Json:
        answer, request_id = self._post(method, params, headers)
        return read_answer(answer, request_id, session_id=self._connection.session_id)

    def _post(self, method: str, params: Json, more: Mapping[str, str] | None) -> tuple[HttpAnswer, int]:
        connection = self._connection
        connection.count += 1
        modern = connection.version == MODERN
        message = build_request(method, params, connection.count, modern=modern)
        headers = build_headers(method, params, version=connection.version, session_id=connection.session_id)
        return self._request(message, headers | dict(more or {}) if modern else headers), connection.count

    def _request(self, message: Json, headers: Mapping[str, str]) -> HttpAnswer:
        """Send a message; once more with another credential, where this one was refused: that request did nothing."""
        answer = self._send_once(message, headers)
        if answer.status == 401 and self._take_other_credential():
            answer = self._send_once(message, headers)
        self._status = answer.status
        return answer

    def _take_other_credential(self) -> bool:
        renew, self._renew = self._renew, None
        if renew is None:
            return False
        try:
            self._credential = renew()
        except ToolFailed:
            return False
        except ToolUnavailable as error:
            if self._is_begun:
                raise ToolUnavailable(f"{error.message}; {_BEGUN}", retry_after=error.retry_after) from error
            raise ToolThrottled(f"{error.message}; nothing was called", retry_after=error.retry_after) from error
        return True

    def _send_once(self, message: Json, headers: Mapping[str, str]) -> HttpAnswer:
        left = self._remaining_seconds()
        if left <= 0:
            raise ToolUnavailable("there was no time left to ask the MCP server")
        seconds = left if message["method"] == "tools/call" else min(left, _SHORT)
        return self._http.request(
            "POST",
            self._url,
            headers={**headers, **self._credential},
            json=message,
            timeout=seconds,
            max_bytes=_MAX_BYTES,
            redirects=0,
            changes=message["method"] == "tools/call",
            until=EventWatch(message.get("id")),
        )


def _read_supported(error: RemoteError) -> list[Any]:
    """Return the revisions that a refusal names; none where it names none, and so knows no such request."""
    supported = error.data.get("supported") if isinstance(error.data, dict) else None
    return supported if isinstance(supported, list) and error.code == UNSUPPORTED_VERSION else []
