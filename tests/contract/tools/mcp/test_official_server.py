"""Our client against the official server, of both eras, over HTTP; by the HTTP client of tools and by the command's."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_socket import enable_socket

from pentad.domain.errors import ToolFailed
from pentad.runtime.wiring.ground.egress import make_http_client
from pentad.tools.mcp.client import Connection, McpClient
from pentad.tools.mcp.contents import read_result
from pentad.tools.mcp.messages import MODERN
from pentad.tools.mcp.pinning import pin_tool
from pentad.tools.outside.adapters.http_httpx import HttpxClient
from pentad.tools.outside.ports import HttpClient

ERAS = [None, MODERN, "2025-11-25"]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    enable_socket()
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    path = Path(__file__).with_name("official_server.py")
    with subprocess.Popen([sys.executable, str(path), str(port)], stderr=subprocess.DEVNULL) as process:
        try:
            _await_port(port, process)
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            process.kill()


def _await_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        assert process.poll() is None, "the server has ended"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the server does not listen")


@pytest.fixture
def http(url: str) -> HttpClient:
    place = url.removeprefix("http://").partition("/")[0]
    return make_http_client([f"http://{place}"], time.time() + 60, None)


def make_client(http: HttpClient, url: str, hint: str | None = None) -> McpClient:
    return McpClient(http, url, {}, Connection(hint=hint), remaining_seconds=lambda: 30.0)


@pytest.mark.parametrize("hint", ERAS)
def test_tools_are_listed_and_called(http: HttpClient, url: str, hint: str | None) -> None:
    client = make_client(http, url, hint)
    tools = client.list_tools()
    assert client.version == (hint or MODERN)
    assert set(tools) == {"add", "forecast", "fail", "mixed", "talk", "ask"}
    assert read_result(client.call_tool("add", {"a": 2, "b": 3}, {}), tools["add"]["outputSchema"]) == "5"


def test_the_command_line_lists_the_same_tools(http: HttpClient, url: str) -> None:
    assert make_client(HttpxClient(), url).list_tools() == make_client(http, url).list_tools()


@pytest.mark.parametrize("hint", ERAS[1:])
def test_arguments_that_a_header_repeats_and_types_by_reference(http: HttpClient, url: str, hint: str) -> None:
    client = make_client(http, url, hint)
    tool = pin_tool("weather", client.list_tools()["forecast"])
    assert tool.pinned.headers == {"region": "Region"}
    assert "$ref" not in str(tool.input_schema)
    arguments: dict[str, Any] = {"city": {"name": "Köln", "degrees": 20.5}, "region": "Rhein­land ☂"}
    result = client.call_tool("forecast", arguments, tool.pinned.headers)
    assert "Köln in Rhein" in read_result(result, tool.pinned.output_schema)


@pytest.mark.parametrize("hint", ERAS[1:])
def test_all_kinds_of_content_and_answers_as_streams(http: HttpClient, url: str, hint: str) -> None:
    client = make_client(http, url, hint)
    text = read_result(client.call_tool("mixed", {}, {}), None)
    assert "words" in text
    assert "[image, image/png" in text
    assert "inside" in text
    assert read_result(client.call_tool("talk", {}, {}), None) == "told\u2028all"


@pytest.mark.parametrize("hint", ERAS[1:])
def test_what_the_tool_says_of_its_failure_is_told(http: HttpClient, url: str, hint: str) -> None:
    client = make_client(http, url, hint)
    with pytest.raises(ToolFailed):
        read_result(client.call_tool("fail", {"why": "no wind"}, {}), None)
    with pytest.raises(ToolFailed):
        read_result(client.call_tool("nothing", {}, {}), None)


@pytest.mark.parametrize("hint", ERAS[1:])
def test_a_question_to_the_user_is_refused_at_once(http: HttpClient, url: str, hint: str) -> None:
    # The server of sessions asks in the stream of its answer, though nobody offered to be asked, and waits.
    client = make_client(http, url, hint)
    with pytest.raises(ToolFailed, match="elicitation" if hint == MODERN else "to ask its user"):
        read_result(client.call_tool("ask", {}, {}), None)
