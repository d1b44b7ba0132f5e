"""The official client of the Model Context Protocol, of both eras, against the API over HTTP."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import anyio
import httpx2
import pytest
from mcp import Client as McpClient
from mcp import MCPError
from mcp.client.extension import ClaimContext, ClientExtension, ResultClaim
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, ElicitRequestParams, ElicitResult, Result, TextContent

from pentad.api.mcp.protocol import MODERN, SUPPORTED, TASKS
from pentad.domain.declarations.serving import CHECK_RUN
from pentad.tools.results.read import READ_RESULT
from tests.contract.api.wire import KEY, serve_api
from tests.unit.api.served import ServedClient
from tests.unit.orchestration.world import TENANT

ERAS = ("legacy", MODERN, "auto")
Json = dict[str, Any]


@pytest.fixture
def client() -> ServedClient:
    return ServedClient()


@pytest.fixture
def url(client: ServedClient) -> Iterator[str]:
    with serve_api(client) as address:
        yield f"{address}/mcp"


@asynccontextmanager
async def connect(url: str, mode: str, **options: Any) -> AsyncIterator[McpClient]:
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx2.AsyncClient(headers=headers, timeout=30) as http:
        async with McpClient(streamable_http_client(url, http_client=http), mode=mode, **options) as found:
            yield found


def text_of(result: CallToolResult) -> str:
    [block] = result.content
    assert isinstance(block, TextContent)
    return block.text


@pytest.mark.parametrize("mode", ERAS)
def test_the_client_of_each_era_lists_and_calls(url: str, mode: str) -> None:
    async def main() -> None:
        async with connect(url, mode) as found:
            assert found.protocol_version == ("2025-11-25" if mode == "legacy" else MODERN)
            tools = {tool.name: tool for tool in (await found.list_tools()).tools}
            assert set(tools) == {"add", "assistant", "notes", CHECK_RUN, READ_RESULT}
            assert tools["add"].input_schema["required"] == ["a", "b"]
            assert text_of(await found.call_tool("add", {"a": 2, "b": 3})) == "5"
            said = await found.call_tool("assistant", {"message": "Hello"})
            assert (text_of(said), said.is_error) == ("You said: Hello", False)

    anyio.run(main)


@pytest.mark.parametrize("mode", ERAS)
def test_what_a_tool_says_of_wrong_arguments_is_an_error_for_the_model(url: str, mode: str) -> None:
    async def main() -> None:
        async with connect(url, mode) as found:
            wrong = await found.call_tool("add", {"a": "sesame", "b": 3})
            assert wrong.is_error
            assert "sesame" not in text_of(wrong)
            unknown = await found.call_tool("assistant", {"message": "Hi", "sesame": "open"})
            assert unknown.is_error
            assert "sesame" not in text_of(unknown)
            with pytest.raises(MCPError, match="no such tool"):
                await found.call_tool("nothing", {})

    anyio.run(main)


def test_the_client_learns_which_revisions_are_served(url: str) -> None:
    async def main() -> None:
        async with connect(url, "auto") as found:
            discovered = await found.session.send_discover(MODERN)
            assert discovered["supportedVersions"] == list(SUPPORTED)

    anyio.run(main)


def test_a_client_without_tasks_comes_again_until_the_call_has_ended() -> None:
    slow = ServedClient(slow=True)
    began, sleep = slow.world.clock(), slow.services._sleep

    def work(seconds: float) -> None:
        sleep(seconds)
        if (slow.world.clock() - began).total_seconds() > 60:
            slow.go_on()

    slow.services.waiting._sleep = work

    async def main(address: str) -> None:
        async with connect(f"{address}/mcp", MODERN) as found:
            assert text_of(await found.call_tool("add", {"a": 3, "b": 4})) == "7"

    with serve_api(slow) as address:
        anyio.run(main, address)
    assert slow.executed == [{"a": 3, "b": 4}]


def test_a_client_of_sessions_is_told_how_to_learn_the_result_later() -> None:
    slow = ServedClient(slow=True)

    async def main(address: str) -> None:
        async with connect(f"{address}/mcp", "legacy") as found:
            pending = await found.call_tool("add", {"a": 3, "b": 4})
            [run] = slow.get_runs()
            assert run.run_id in text_of(pending)
            assert not pending.is_error
            slow.go_on()
            assert text_of(await found.call_tool(CHECK_RUN, {"run_id": run.run_id})) == "7"

    with serve_api(slow) as address:
        anyio.run(main, address)


@pytest.mark.parametrize("approves", [True, False])
def test_an_approval_is_asked_of_the_clients_human(client: ServedClient, url: str, approves: bool) -> None:
    shown: list[str] = []

    async def say(context: Any, params: ElicitRequestParams) -> ElicitResult:
        shown.append(params.message)
        return ElicitResult(action="accept", content={"approve": approves, "reason": "no milk"})

    async def main() -> CallToolResult:
        async with connect(url, MODERN, elicitation_callback=say) as found:
            return await found.call_tool("notes", {"title": "Milk"})

    result = anyio.run(main)
    assert "Milk" in shown[0]
    [run] = client.get_runs()
    [approval] = client.world.approvals.list_for_run(TENANT, run.run_id, limit=5)
    assert approval.status.value == ("approved" if approves else "rejected")
    assert approval.decider is not None
    assert client.executed == ([{"title": "Milk"}] if approves else [])
    assert (text_of(result), result.is_error) == ("saved", False) if approves else result.is_error
    assert approves or "no milk" in text_of(result)
    acts = client.services.acts.list_for(TENANT, run.run_id)
    assert {(act.name, act.target) for act in acts} == {("call_mcp", "/mcp")}


class TaskSeed(Result):
    """A call's answer that is a task."""

    result_type: Literal["task"]
    task_id: str
    status: str


class Tasks(ClientExtension):
    """The client's side of the tasks extension, as far as this test needs it."""

    identifier = TASKS

    def __init__(self) -> None:
        self.seen: list[TaskSeed] = []

    def claims(self) -> list[ResultClaim[Any]]:
        return [ResultClaim(result_type="task", model=TaskSeed, resolve=self._resolve)]

    async def _resolve(self, seed: TaskSeed, context: ClaimContext) -> CallToolResult:
        self.seen.append(seed)
        raise MCPError(0, "a task")


def test_a_client_with_tasks_is_given_one() -> None:
    slow, tasks = ServedClient(slow=True), Tasks()

    async def main(address: str) -> None:
        async with connect(f"{address}/mcp", MODERN, extensions=[tasks]) as found:
            with pytest.raises(MCPError, match="a task"):
                await found.call_tool("add", {"a": 1, "b": 1})

    with serve_api(slow) as address:
        anyio.run(main, address)
    [seed], [run] = tasks.seen, slow.get_runs()
    assert (seed.task_id, seed.status) == (run.run_id, "working")
