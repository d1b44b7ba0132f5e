"""The client against servers that lie, hang, forget, change or say too much."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from pentad.domain.errors import EffectUncertain, PentadError, ToolFailed, ToolThrottled, ToolUnavailable
from pentad.tools.mcp.client import MOST_PAGES, MOST_TOOLS, Connection, McpClient
from pentad.tools.mcp.contents import read_result
from pentad.tools.mcp.messages import MODERN, EventWatch, build_argument_headers, encode_header
from pentad.tools.outside.ports import HttpAnswer
from tests.unit.tools.mcp.hostile import ADD, ScriptedServer, answer, error, result

Json = dict[str, Any]


def make_client(
    server: ScriptedServer, connection: Connection | None = None, seconds: float = 30.0, renew: Any = None
) -> McpClient:
    return McpClient(
        server,
        "https://mcp.example.com/mcp",
        {"Authorization": "Bearer t"},
        connection or Connection(),
        remaining_seconds=lambda: seconds,
        renew=renew,
        clock=lambda: 100.0,
        sleep=lambda _: None,
    )


def call(server: ScriptedServer, **terms: Any) -> str:
    return read_result(make_client(server, **terms).call_tool("add", {"a": 1, "b": 2}, {}), None)


@pytest.mark.parametrize("modern", [True, False])
def test_a_call_says_its_revision_and_credential(modern: bool) -> None:
    server = ScriptedServer(modern=modern)
    assert call(server) == "3"
    _, message, headers = server.asked[-1]
    assert headers["Authorization"] == "Bearer t"
    assert headers["MCP-Protocol-Version"] == (MODERN if modern else "2025-11-25")
    assert ("_meta" in message["params"]) is modern
    assert headers.get("Mcp-Name") == ("add" if modern else None)
    assert headers.get("Mcp-Session-Id") == (None if modern else "s1")
    handshake = ["server/discover", "initialize", "notifications/initialized"]
    assert server.methods == [*(handshake[:1] if modern else handshake), "tools/call"]


def test_nothing_is_offered_to_the_server() -> None:
    for modern in (True, False):
        server = ScriptedServer(modern=modern)
        call(server)
        shown = json.dumps([message for _, message, _ in server.asked])
        assert not any(word in shown for word in ("sampling", "elicitation", "roots", "tasks"))


def test_what_was_agreed_on_is_kept() -> None:
    server, connection = ScriptedServer(), Connection()
    for _ in range(3):
        call(server, connection=connection)
    assert server.methods == ["server/discover"] + ["tools/call"] * 3


def test_a_forgotten_session_is_begun_anew_once() -> None:
    lost = [answer("{}", status=404), None]

    def say(message: Json, headers: Mapping[str, str]) -> HttpAnswer:
        return lost.pop(0) or result(message, {"content": []})

    server = ScriptedServer(call=say, modern=False)
    assert call(server) == "done"
    assert server.methods.count("initialize") == 2
    always = ScriptedServer(call=lambda message, headers: answer("{}", status=404), modern=False)
    with pytest.raises(ToolUnavailable, match="drops"):
        call(always)
    assert always.methods.count("tools/call") == 2


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (answer("", status=500), ToolUnavailable),
        (answer("", status=503), ToolUnavailable),
        (answer("", status=408), ToolUnavailable),
        (answer("", status=429), ToolThrottled),
        (error({"id": 2}, -32005, status=429), ToolThrottled),
        (answer("", status=401), ToolFailed),
        (answer("", status=403), ToolFailed),
        (answer("", status=302, more={"location": "https://evil.example"}), ToolFailed),
        (answer("", status=202), ToolFailed),
        (answer("<html>", kind="text/html"), ToolFailed),
        (answer("not json"), ToolFailed),
        (answer("[]"), ToolFailed),
        (answer("[" * 100_000), ToolFailed),
        (answer('{"jsonrpc":"2.0","id":2,"result":{"content":[],"structuredContent":{"a":NaN}}}'), ToolFailed),
        (answer('{"jsonrpc":"2.0","id":2,"result":' + '{"a":' * 300 + "1" + "}" * 301), ToolFailed),
        (answer('{"jsonrpc":"2.0","id":999,"result":{"content":[]}}'), ToolFailed),
        (answer('{"jsonrpc":"2.0","id":true,"result":{"content":[]}}'), ToolFailed),
        (answer('{"id":2,"result":{"content":[]}}'), ToolFailed),
        (answer('{"jsonrpc":"2.0","id":2,"result":[]}'), ToolFailed),
        (answer('{"jsonrpc":"2.0","id":2,"error":"x"}'), ToolFailed),
        (answer('{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no"}}', status=400), ToolFailed),
        (answer(b"\xff\xfe\x00", kind="application/json"), ToolFailed),
        (answer("data: {}\n\n", kind="text/event-stream"), ToolFailed),
        (answer("", kind="text/event-stream"), ToolFailed),
    ],
)
def test_an_answer_that_is_none_is_an_error_that_says_so(given: HttpAnswer, kind: type[PentadError]) -> None:
    with pytest.raises(kind) as found:
        call(ScriptedServer(call=lambda message, headers: given))
    assert type(found.value) is kind


@pytest.mark.parametrize("method", ["server/discover", "tools/list", "tools/call"])
def test_a_refusal_is_one_whatever_its_body_says(method: str) -> None:
    def refuse(status: int) -> ScriptedServer:
        return ScriptedServer(more={method: lambda message, headers: error(message, -32000, status=status)})

    for status, kind, told in ((401, ToolFailed, "credential"), (429, ToolThrottled, "wait")):
        client = make_client(refuse(status))
        with pytest.raises(kind, match=told):
            client.list_tools()
            client.call_tool("add", {}, {})


def test_how_long_to_wait_is_what_the_server_says() -> None:
    limited = answer("", status=429, more={"retry-after": "7"})
    with pytest.raises(ToolThrottled) as found:
        call(ScriptedServer(call=lambda message, headers: limited))
    assert found.value.retry_after == 7


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_an_answer_comes_in_a_stream_of_events(end: str) -> None:
    def say(message: Json, headers: Mapping[str, str]) -> HttpAnswer:
        said = {
            "jsonrpc": "2.0",
            "id": message["id"],
            "result": {"content": [{"type": "text", "text": "a\u2028\x85b"}]},
        }
        lines = [
            ": a comment",
            "",
            "event: message",
            'data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1}}',
            "",
            "id: 7",
            "event: message",
            f"data: {json.dumps(said, ensure_ascii=False)}",
            "",
            "",
        ]
        return answer(end.join(lines), kind="text/event-stream; charset=utf-8")

    assert call(ScriptedServer(call=say)) == "a\u2028\x85b"


@pytest.mark.parametrize("method", ["sampling/createMessage", "elicitation/create", "roots/list", "x/y"])
def test_a_server_that_asks_for_something_is_refused(method: str) -> None:
    asks = json.dumps({"jsonrpc": "2.0", "id": 5, "method": method, "params": {}})
    with pytest.raises(ToolFailed, match="refused"):
        call(ScriptedServer(call=lambda message, headers: answer(f"data: {asks}\n\n", kind="text/event-stream")))
    inputs = {"resultType": "input_required", "inputRequests": {"k": {"method": method, "params": {}}}}
    with pytest.raises(ToolFailed, match="refused"):
        call(ScriptedServer(call=lambda message, headers: result(message, inputs)))


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r"])
@pytest.mark.parametrize(
    ("last", "enough"),
    [
        ({"id": 7, "result": {}}, True),
        ({"id": 7, "error": {}}, True),
        ({"id": 9, "method": "elicitation/create"}, True),
        ({"id": 8, "result": {}}, False),
        ({"method": "notifications/progress"}, False),
        ({"id": True, "result": {}}, False),
    ],
)
def test_a_stream_is_read_until_the_answer_or_a_question_is_there(end: bytes, last: Json, enough: bool) -> None:
    watch, line = EventWatch(7), end[: len(end) // 2]
    events = [b": ping", b'data: {"method": "notifications/progress"}', b"data: " + json.dumps(last).encode()]
    content, told = b"", []
    for part in end.join(line.join([b"event: message", event]) for event in events) + end:
        content += bytes([part])
        told.append(watch(content))
    assert told[-1] is enough
    assert not any(told[:-2])


@pytest.mark.parametrize("content", [b'{"id": 7, "result": {}}\n\n', b"", b"\n\n", b"<html>\n\n"])
def test_what_is_no_stream_is_read_to_its_end(content: bytes) -> None:
    assert not EventWatch(7)(content)


def test_a_long_stream_is_looked_at_once() -> None:
    watch = EventWatch(7)
    event = b'data: {"method": "notifications/progress"}\n\n'
    content = event * 50_000
    assert not watch(content)
    assert watch(content + b'data: {"id": 7, "result": {}}\n\n')


def test_a_server_that_asks_to_come_again_is_asked_so_often_and_no_more() -> None:
    wait = {"resultType": "input_required", "requestState": "s"}
    server = ScriptedServer(call=lambda message, headers: result(message, wait))
    with pytest.raises(ToolUnavailable, match="did not finish"):
        call(server)
    assert server.methods.count("tools/call") == 10
    assert server.asked[-1][1]["params"]["requestState"] == "s"


def _take_no_other() -> Mapping[str, str]:
    raise ToolFailed("there is no other one")


def _reach_nothing() -> Mapping[str, str]:
    raise ToolUnavailable("the store of secrets did not answer", retry_after=3.0)


WAIT = {"resultType": "input_required", "requestState": "s"}


@pytest.mark.parametrize("waits", [1, 3])
@pytest.mark.parametrize(
    ("refused", "renew", "before", "after"),
    [
        (401, _reach_nothing, ToolThrottled, ToolUnavailable),
        (401, _take_no_other, ToolFailed, EffectUncertain),
        (401, None, ToolFailed, EffectUncertain),
        (401, lambda: {"Authorization": "Bearer also refused"}, ToolFailed, EffectUncertain),
        (403, None, ToolFailed, EffectUncertain),
        (429, None, ToolThrottled, ToolUnavailable),
        (503, None, ToolUnavailable, ToolUnavailable),
    ],
)
def test_a_refusal_after_the_server_has_begun_a_call_does_not_say_that_nothing_was_done(
    refused: int, renew: Any, before: type[PentadError], after: type[PentadError], waits: int
) -> None:
    for rounds, kind in ((0, before), (waits, after)):
        left = [WAIT] * rounds

        def say(message: Json, headers: Mapping[str, str], left: list[Json] = left) -> HttpAnswer:
            return result(message, left.pop()) if left else answer("", status=refused)

        with pytest.raises(PentadError) as found:
            make_client(ScriptedServer(call=say), renew=renew).call_tool("add", {"a": 1, "b": 2}, {})
        assert type(found.value) is kind
        assert ("may have been done" in found.value.message) is (rounds > 0 and refused != 503)
        assert "nothing was called" not in found.value.message or rounds == 0


def test_a_session_that_is_lost_in_the_middle_of_a_call_does_not_begin_the_call_anew() -> None:
    said = [WAIT]

    def say(message: Json, headers: Mapping[str, str]) -> HttpAnswer:
        return result(message, said.pop()) if said else answer("{}", status=404)

    server = ScriptedServer(call=say, modern=False)
    with pytest.raises(ToolUnavailable, match="may have been done"):
        call(server)
    assert server.methods.count("tools/call") == 2 and server.methods.count("initialize") == 1


def test_a_credential_that_is_renewed_in_a_later_round_goes_on_with_the_call() -> None:
    said = [WAIT, None, {"content": [{"type": "text", "text": "3"}]}]

    def say(message: Json, headers: Mapping[str, str]) -> HttpAnswer:
        found = said.pop(0)
        return answer("", status=401) if found is None else result(message, found)

    server = ScriptedServer(call=say)
    client = make_client(server, renew=lambda: {"Authorization": "Bearer new"})
    assert read_result(client.call_tool("add", {"a": 1, "b": 2}, {}), None) == "3"
    assert [message["params"].get("requestState") for _, message, _ in server.asked[1:]] == [None, "s", "s"]


@pytest.mark.parametrize("kind", ["task", "x", 7, None])
def test_a_kind_of_result_that_nobody_asked_for_is_refused(kind: Any) -> None:
    value = {"resultType": kind, "taskId": "t", "content": []}
    with pytest.raises(ToolFailed, match="not requested"):
        call(ScriptedServer(call=lambda message, headers: result(message, value)))


def test_a_server_that_changes_its_revision_is_agreed_with_anew() -> None:
    server = ScriptedServer(call=lambda message, headers: error(message, -32022, data={"supported": ["2030-01-01"]}))
    for connection in (Connection(hint=MODERN), Connection(version="2025-11-25", session_id="s1")):
        with pytest.raises(ToolUnavailable, match="revision"):
            call(server, connection=connection)
        assert (connection.version, connection.hint, connection.session_id) == (None, None, None)


def test_a_server_of_an_unknown_revision_is_told() -> None:
    shaken = {"initialize": lambda message, headers: result(message, {"protocolVersion": "1999-01-01"})}
    with pytest.raises(ToolFailed, match="unknown revision"):
        call(ScriptedServer(modern=False, more=shaken))


def test_an_error_of_the_server_is_told_and_bounded() -> None:
    with pytest.raises(ToolFailed) as found:
        call(ScriptedServer(call=lambda message, headers: error(message, -32602, "x" * 100_000)))
    assert "-32602" in found.value.message
    assert len(found.value.message) < 700


def test_a_list_comes_in_pages_and_each_name_counts_once() -> None:
    pages: list[Json] = [
        {"tools": [ADD], "nextCursor": "2"},
        {"tools": [ADD | {"description": "other"}, {"name": "b"}, 7, {}]},
    ]
    server = ScriptedServer(more={"tools/list": lambda message, headers: result(message, pages.pop(0))})
    tools = make_client(server).list_tools()
    assert tools == {"add": ADD, "b": {"name": "b"}}
    assert server.asked[-1][1]["params"]["cursor"] == "2"


def test_a_list_without_an_end_ends() -> None:
    count = iter(range(10**6))
    page = {"tools/list": lambda message, headers: result(message, {"tools": [], "nextCursor": str(next(count))})}
    server = ScriptedServer(more=page)
    with pytest.raises(ToolFailed, match="does not end"):
        make_client(server).list_tools()
    assert server.methods.count("tools/list") == MOST_PAGES


def test_a_list_that_turns_round_ends() -> None:
    page = {"tools/list": lambda message, headers: result(message, {"tools": [ADD], "nextCursor": "same"})}
    server = ScriptedServer(more=page)
    assert set(make_client(server).list_tools()) == {"add"}
    assert server.methods.count("tools/list") == 2


def test_a_list_of_too_many_tools_is_refused() -> None:
    server = ScriptedServer(tools=[ADD | {"name": f"t{number}"} for number in range(MOST_TOOLS + 1)])
    with pytest.raises(ToolFailed, match="more than"):
        make_client(server).list_tools()


@pytest.mark.parametrize("tools", [None, {}, "x", 7])
def test_a_list_that_is_none_is_refused(tools: Any) -> None:
    page = {"tools/list": lambda message, headers: result(message, {"tools": tools})}
    with pytest.raises(ToolFailed, match="list of tools is not valid"):
        make_client(ScriptedServer(more=page)).list_tools()


@pytest.mark.parametrize(("ttl", "asked"), [(0, 2), (60_000, 1), (-5, 2), (10**15, 1), (10**400, 1)])
def test_the_list_is_kept_as_long_as_it_says(ttl: int, asked: int) -> None:
    server, connection = ScriptedServer(ttl_ms=ttl), Connection()
    for _ in range(2):
        assert make_client(server, connection).get_tool("add") == ADD
    assert server.methods.count("tools/list") == asked
    assert connection.fresh_until <= 100 + 3600


def test_without_time_nothing_is_asked() -> None:
    server = ScriptedServer()
    with pytest.raises(ToolUnavailable, match="no time"):
        call(server, seconds=0)
    assert server.asked == []


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("Berlin", "Berlin"),
        (" x", "=?base64?IHg=?="),
        ("größe", "=?base64?Z3LDtsOfZQ==?="),
        ("a\r\nX-Evil: 1", "=?base64?YQ0KWC1FdmlsOiAx?="),
        ("=?base64?eA==?=", "=?base64?PT9iYXNlNjQ/ZUE9PT89?="),
    ],
)
def test_a_value_in_a_header_is_one_line_of_ascii(value: str, sent: str) -> None:
    assert encode_header(value) == sent


def test_arguments_are_repeated_in_headers_as_the_schema_says() -> None:
    pinned = {"region": "Region", "at/zone": "Zone", "dry": "Dry", "none": "None", "list": "List"}
    arguments = {"region": "eu", "at": {"zone": 7}, "dry": True, "none": None, "list": [1]}
    assert build_argument_headers(pinned, arguments) == {
        "Mcp-Param-Region": "eu",
        "Mcp-Param-Zone": "7",
        "Mcp-Param-Dry": "true",
    }
