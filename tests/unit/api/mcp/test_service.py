"""The server over in-memory services, asked with plain requests: hostile ones, repeats, tasks, other people's runs."""

import json
from typing import Any

import pytest

from pentad.api.mcp.listing import Listing
from pentad.api.mcp.protocol import (
    DENIED,
    INVALID_PARAMS,
    INVALID_REQUEST,
    META_CAPABILITIES,
    META_CLIENT,
    META_VERSION,
    METHOD_NOT_FOUND,
    MISSING_CAPABILITY,
    MODERN,
    NOT_YET,
    PARSE_ERROR,
    TASKS,
    THROTTLED,
)
from pentad.domain.declarations.serving import CHECK_RUN, ServedSpec
from pentad.domain.errors import ModelThrottled
from pentad.domain.runs import RunStatus
from pentad.tools.results.handles import make_handle, make_key
from pentad.tools.results.read import READ_RESULT
from tests.unit.api.client import Reply
from tests.unit.api.served import ServedClient
from tests.unit.orchestration.world import TENANT

Json = dict[str, Any]
WITH_TASKS: Json = {"extensions": {TASKS: {}}, "elicitation": {"form": {}}}
ADD: Json = {"name": "add", "arguments": {"a": 1, "b": 2}}
_NAMES = ("name", "taskId")


def ask(
    client: ServedClient,
    method: str,
    params: Json | None = None,
    *,
    request_id: Any = 1,
    can: Json | None = None,
    headers: dict[str, str] | None = None,
    who: str = "one",
    **more: Any,
) -> Reply:
    """Ask as a client of 2026-07-28 does."""
    given = dict(params or {})
    meta = {META_VERSION: MODERN, META_CAPABILITIES: can or {}, META_CLIENT: {"name": who, "version": "1"}}
    named = next((given[name] for name in _NAMES if name in given), None)
    sent = {"mcp-protocol-version": MODERN, "mcp-method": method} | ({"mcp-name": str(named)} if named else {})
    body = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": given | {"_meta": meta}}
    return client("POST", "/mcp", body, headers=sent | (headers or {}), **more)


def ask_in_session(client: ServedClient, method: str, params: Json | None = None, request_id: Any = 1) -> Reply:
    """Ask as a client of 2025-11-25 does."""
    headers = {"mcp-protocol-version": "2025-11-25", "mcp-session-id": "s1"}
    body = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params or {}}
    return client("POST", "/mcp", body, headers=headers)


def text_of(reply: Reply) -> str:
    [block] = reply.json["result"]["content"]
    return str(block["text"])


def test_nothing_is_served_unless_it_is_named() -> None:
    client = ServedClient()
    nothing = client.services.catalog.model_copy(update={"served": ()})
    listing = Listing(nothing)
    assert listing.list_page(None, tasks=False) == {"tools": []}


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "https://desk.example.evil"])
def test_a_page_of_another_origin_is_refused(origin: str) -> None:
    reply = ask(ServedClient(), "tools/list", headers={"origin": origin})
    assert (reply.status, reply.json["error"]["code"]) == (403, DENIED)


def test_a_page_of_the_stages_own_origins_may_ask() -> None:
    assert ask(ServedClient(), "tools/list", headers={"origin": "https://desk.example"}).status == 200


def test_an_unknown_method_is_404() -> None:
    for method in ("resources/list", "prompts/list", "sampling/createMessage", "initialize", "ping"):
        reply = ask(ServedClient(), method)
        assert (reply.status, reply.json["error"]["code"], reply.json["id"]) == (404, METHOD_NOT_FOUND, 1)


def test_an_unknown_method_of_a_session_is_an_answer() -> None:
    reply = ask_in_session(ServedClient(), "resources/list")
    assert (reply.status, reply.json["error"]["code"]) == (200, METHOD_NOT_FOUND)


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        ("{", 400, PARSE_ERROR),
        ("[" * 300, 400, PARSE_ERROR),
        ("[]", 400, INVALID_REQUEST),
        ('{"jsonrpc":"2.0"}', 400, INVALID_REQUEST),
        (json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping", "x": "y" * 2_000_000}), 413, INVALID_REQUEST),
    ],
)
def test_what_cannot_be_read_is_a_json_rpc_error(raw: str, status: int, code: int) -> None:
    reply = ServedClient()("POST", "/mcp", raw=raw)
    assert (reply.status, reply.json["error"]["code"], reply.json["id"]) == (status, code, None)


def test_another_method_of_http_is_not_allowed() -> None:
    for method in ("GET", "DELETE", "PUT"):
        reply = ServedClient()(method, "/mcp")
        assert (reply.status, reply.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("modern", [True, False])
def test_a_notification_is_accepted_without_a_body(modern: bool) -> None:
    headers = {"mcp-protocol-version": MODERN if modern else "2025-11-25"}
    body = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}
    reply = ServedClient()("POST", "/mcp", body, headers=headers)
    assert (reply.status, reply.text) == (202, "")


def test_reading_is_no_right_to_start() -> None:
    client = ServedClient()
    assert ask(client, "tools/list", scopes="runs:read").status == 200
    reply = ask(client, "tools/call", ADD, scopes="runs:read")
    assert reply.json["result"]["isError"]
    assert "runs:write" in text_of(reply)
    assert client.get_runs() == []


@pytest.mark.parametrize("arguments", ["x", [1], 7, None])
def test_arguments_that_are_no_object_start_nothing(arguments: Any) -> None:
    client = ServedClient()
    reply = ask(client, "tools/call", {"name": "add", "arguments": arguments})
    assert (reply.status, reply.json["error"]["code"]) == (400, INVALID_PARAMS)
    assert client.get_runs() == []


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"message": ""},
        {"message": "  "},
        {"message": 5},
        {"message": "x" * 100_001},
        {"message": "hi", "agent": "sesame"},
        {"message": "hi", "user_id": "sesame"},
        {"message": "hi", "session_id": "sesame/../../x"},
    ],
)
def test_what_an_agent_does_not_take_is_told_without_the_value(arguments: Json) -> None:
    client = ServedClient()
    reply = ask(client, "tools/call", {"name": "assistant", "arguments": arguments})
    assert reply.json["result"]["isError"]
    assert "sesame" not in reply.text
    assert client.get_runs() == []


def test_a_tool_gets_no_half_of_a_character() -> None:
    client = ServedClient()
    ask(client, "tools/call", {"name": "add", "arguments": {"a": "cut \ud83d", "\udfff": ['{"b": "\\ud83d"}']}})
    assert client.executed == [{"a": "cut \ufffd", "\ufffd": ['{"b": "\\ud83d"}']}]


def test_the_same_request_again_runs_once() -> None:
    client = ServedClient()
    first, second = (ask(client, "tools/call", ADD) for _ in range(2))
    assert first.text == second.text
    assert len(client.executed) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"request_id": 2},
        {"request_id": "1"},
        {"who": "another"},
        {"params": {"name": "add", "arguments": {"a": 1, "b": 3}}},
        {"user_id": "ann"},
    ],
)
def test_another_request_is_another_run(changed: Json) -> None:
    client = ServedClient()
    ask(client, "tools/call", ADD)
    ask(client, "tools/call", **{"params": ADD, **changed})
    assert len(client.executed) == 2


def test_a_count_that_begins_anew_later_is_another_call() -> None:
    client = ServedClient()
    ask(client, "tools/call", ADD)
    client.world.clock.advance(61)
    ask(client, "tools/call", ADD)
    assert len(client.executed) == 2


def test_a_repeat_across_the_turn_of_the_minute_runs_once() -> None:
    client = ServedClient()
    client.world.clock.advance(59.5)
    ask(client, "tools/call", ADD)
    client.world.clock.advance(1)
    ask(client, "tools/call", ADD)
    assert len(client.executed) == 1


def test_an_id_that_is_random_names_its_call_for_good() -> None:
    client, name = ServedClient(), "6f1c3f0e-6f0a-4c55-9d6c-9a4b3c2d1e0f"
    ask(client, "tools/call", ADD, request_id=name)
    client.world.clock.advance(3600)
    ask(client, "tools/call", ADD, request_id=name)
    assert len(client.executed) == 1
    other = ask(client, "tools/call", ADD | {"arguments": {"a": 9, "b": 9}}, request_id=name)
    assert (other.status, other.json["error"]["code"]) == (400, INVALID_REQUEST)


def test_a_key_names_a_call_whatever_its_id() -> None:
    client = ServedClient()
    for number in range(3):
        ask(client, "tools/call", ADD, request_id=number, headers={"idempotency-key": "k1"})
    assert len(client.executed) == 1


def test_an_id_of_a_session_names_its_call() -> None:
    client = ServedClient()
    first, second = (ask_in_session(client, "tools/call", ADD) for _ in range(2))
    assert first.text == second.text
    assert len(client.executed) == 1


def test_only_calls_count_against_the_rate() -> None:
    client = ServedClient()
    ask(client, "tools/list")
    ask(client, "server/discover")
    assert client.services.admitted == []
    ask(client, "tools/call", ADD)
    assert len(client.services.admitted) == 1


def test_a_call_beyond_the_rate_is_429() -> None:
    client = ServedClient()

    def refuse(caller: Any) -> None:
        raise ModelThrottled("this key may make 1 such request in a minute", retry_after=30)

    client.services.refuse_calls = refuse
    reply = ask(client, "tools/call", ADD)
    assert (reply.status, reply.json["error"]["code"], reply.headers["retry-after"]) == (429, THROTTLED, "30")


def test_a_long_call_is_a_task_that_is_polled() -> None:
    client = ServedClient(slow=True)
    seed = ask(client, "tools/call", ADD, can=WITH_TASKS).json["result"]
    assert (seed["resultType"], seed["status"]) == ("task", "working")
    task = {"taskId": seed["taskId"]}
    assert ask(client, "tasks/get", task, can=WITH_TASKS).json["result"]["status"] == "working"
    client.go_on()
    done = ask(client, "tasks/get", task, can=WITH_TASKS).json["result"]
    assert (done["resultType"], done["status"]) == ("complete", "completed")
    assert done["result"]["content"] == [{"type": "text", "text": "3"}]


def test_a_tools_error_completes_its_task() -> None:
    client = ServedClient(slow=True)
    wrong = {"name": "add", "arguments": {"a": "x"}}
    task = {"taskId": ask(client, "tools/call", wrong, can=WITH_TASKS).json["result"]["taskId"]}
    client.go_on()
    done = ask(client, "tasks/get", task, can=WITH_TASKS).json["result"]
    assert (done["status"], done["result"]["isError"]) == ("completed", True)


def test_a_task_is_cancelled() -> None:
    client = ServedClient(slow=True)
    task = {"taskId": ask(client, "tools/call", ADD, can=WITH_TASKS).json["result"]["taskId"]}
    for _ in range(2):
        assert ask(client, "tasks/cancel", task, can=WITH_TASKS).status == 200
    assert ask(client, "tasks/get", task, can=WITH_TASKS).json["result"]["status"] == "cancelled"
    [run] = client.get_runs()
    assert run.status is RunStatus.CANCELLED
    assert len(client.services.acts.list_for(TENANT, run.run_id)) > 0


def test_methods_of_tasks_need_the_extension() -> None:
    for method in ("tasks/get", "tasks/update", "tasks/cancel"):
        reply = ask(ServedClient(), method, {"taskId": "x"})
        assert (reply.status, reply.json["error"]["code"]) == (400, MISSING_CAPABILITY)
        assert TASKS in reply.json["error"]["data"]["requiredCapabilities"]["extensions"]


def test_a_question_to_the_human_is_in_the_task_and_its_answer_goes_on() -> None:
    client = ServedClient(slow=True)
    notes = {"name": "notes", "arguments": {"t": "x"}}
    task = {"taskId": ask(client, "tools/call", notes, can=WITH_TASKS).json["result"]["taskId"]}
    client.go_on()
    shown = ask(client, "tasks/get", task, can=WITH_TASKS).json["result"]
    assert shown["status"] == "input_required"
    [(key, form)] = shown["inputRequests"].items()
    assert form["method"] == "elicitation/create"
    assert '"t": "x"' in form["params"]["message"]
    answer = {key: {"action": "accept", "content": {"approve": True}}}
    for _ in range(2):
        reply = ask(client, "tasks/update", task | {"inputResponses": answer}, can=WITH_TASKS)
        assert reply.json["result"]["resultType"] == "complete"
    client.go_on()
    assert client.executed == [{"t": "x"}]
    assert ask(client, "tasks/get", task, can=WITH_TASKS).json["result"]["status"] == "completed"


@pytest.mark.parametrize(
    ("scopes", "groups"), [("runs:read runs:write", "*"), ("runs:read runs:write approvals:write", "clerks")]
)
def test_who_may_not_decide_is_not_asked_and_decides_nothing(scopes: str, groups: str) -> None:
    client = ServedClient(slow=True)
    notes = {"name": "notes", "arguments": {}}
    terms: Json = {"can": WITH_TASKS, "scopes": scopes, "groups": groups}
    task = {"taskId": ask(client, "tools/call", notes, **terms).json["result"]["taskId"]}
    client.go_on()
    shown = ask(client, "tasks/get", task, **terms).json["result"]
    assert (shown["status"], "inputRequests" in shown) == ("working", False)
    assert "operators" in shown["statusMessage"]
    [key] = ask(client, "tasks/get", task, can=WITH_TASKS).json["result"]["inputRequests"]
    answer = {"inputResponses": {key: {"action": "accept", "content": {"approve": True}}}}
    reply = ask(client, "tasks/update", task | answer, **terms)
    assert (reply.status, reply.json["error"]["code"]) == (403, DENIED)
    client.go_on()
    assert client.executed == []


@pytest.mark.parametrize(
    "response",
    [
        "yes",
        {"action": "yes"},
        {"action": "accept"},
        {"action": "accept", "content": {"approve": "true"}},
        {"action": "accept", "content": {"approve": 1}},
        {"action": "accept", "content": [True]},
    ],
)
def test_an_answer_that_is_none_approves_nothing(response: Any) -> None:
    client = ServedClient(slow=True)
    task = {"taskId": ask(client, "tools/call", {"name": "notes"}, can=WITH_TASKS).json["result"]["taskId"]}
    client.go_on()
    [key] = ask(client, "tasks/get", task, can=WITH_TASKS).json["result"]["inputRequests"]
    reply = ask(client, "tasks/update", task | {"inputResponses": {key: response}}, can=WITH_TASKS)
    assert (reply.status, reply.json["error"]["code"]) == (400, INVALID_PARAMS)
    client.go_on()
    assert client.executed == []


def test_an_answer_to_what_is_not_asked_is_passed_over() -> None:
    client = ServedClient(slow=True)
    task = {"taskId": ask(client, "tools/call", {"name": "notes"}, can=WITH_TASKS).json["result"]["taskId"]}
    client.go_on()
    [key] = ask(client, "tasks/get", task, can=WITH_TASKS).json["result"]["inputRequests"]
    name, _, shown = key.rpartition(".")
    yes = {"action": "accept", "content": {"approve": True}}
    for other in (name, f"{name}.{shown[:-1]}x", "x", f"apr_{'0' * 26}_00001.{shown}"):
        assert ask(client, "tasks/update", task | {"inputResponses": {other: yes}}, can=WITH_TASKS).status == 200
    client.go_on()
    assert client.executed == []


@pytest.mark.parametrize("method", ["tasks/get", "tasks/update", "tasks/cancel"])
@pytest.mark.parametrize("other", [{"user_id": "bob"}, {"tenant_id": "other"}])
def test_anothers_task_is_like_one_that_is_not_there(method: str, other: Json) -> None:
    client = ServedClient(slow=True)
    task = ask(client, "tools/call", ADD, can=WITH_TASKS, user_id="ann").json["result"]["taskId"]
    replies = [
        ask(client, method, {"taskId": task_id, "inputResponses": {}}, can=WITH_TASKS, **other)
        for task_id in (task, "run_" + "0" * 26, "x", "../x")
    ]
    assert len({reply.text for reply in replies}) == 1
    assert (replies[0].status, replies[0].json["error"]["code"]) == (400, INVALID_PARAMS)
    told = ask(client, "tools/call", {"name": CHECK_RUN, "arguments": {"run_id": task}}, **other)
    assert told.json["result"]["isError"]


def test_a_run_that_no_client_may_start_is_no_task() -> None:
    client = ServedClient(slow=True)
    run = client.world.begin(agent="plain")
    assert ask(client, "tasks/get", {"taskId": run.run_id}, can=WITH_TASKS).json["error"]["code"] == INVALID_PARAMS


@pytest.mark.parametrize("state", ["x", "run_1.x", "..", 7, {}, "run_" + "0" * 26 + ".1"])
def test_a_state_that_was_not_given_goes_on_with_nothing(state: Any) -> None:
    client = ServedClient()
    reply = ask(client, "tools/call", ADD | {"requestState": state})
    assert (reply.status, reply.json["error"]["code"]) == (400, INVALID_PARAMS)
    assert client.get_runs() == []


def test_a_task_of_a_session_has_the_names_of_its_revision() -> None:
    client = ServedClient(slow=True)
    made = ask_in_session(client, "tools/call", ADD | {"task": {"ttl": 60_000}}).json["result"]["task"]
    assert (made["status"], "ttl" in made, "pollInterval" in made) == ("working", True, True)
    task = {"taskId": made["taskId"]}
    assert ask_in_session(client, "tasks/result", task, 2).json["error"]["code"] == NOT_YET
    client.go_on()
    assert ask_in_session(client, "tasks/get", task, 3).json["result"]["status"] == "completed"
    assert text_of(ask_in_session(client, "tasks/result", task, 4)) == "3"
    assert ask_in_session(client, "tasks/cancel", task, 5).json["error"]["code"] == INVALID_PARAMS


def test_initialize_gives_a_session_and_a_revision_that_is_served() -> None:
    for wanted, got in (("2025-06-18", "2025-06-18"), ("2024-11-05", "2025-11-25"), (MODERN, "2025-11-25")):
        body = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": wanted}}
        replies = [ServedClient()("POST", "/mcp", body) for _ in range(2)]
        assert replies[0].json["result"]["protocolVersion"] == got
        assert len({reply.headers["mcp-session-id"] for reply in replies}) == 2


def test_a_long_list_comes_in_pages() -> None:
    client = ServedClient()
    many = tuple(ServedSpec(name=f"agent-{number:03}", kind="agent", runs="assistant") for number in range(120))
    listing = Listing(client.services.catalog.model_copy(update={"served": many}))
    names: list[str] = []
    cursor = None
    for _ in range(3):
        page = listing.list_page(cursor, tasks=False)
        names += [tool["name"] for tool in page["tools"]]
        cursor = page.get("nextCursor")
    assert cursor is None
    assert names == [one.name for one in many] + [CHECK_RUN, READ_RESULT]


@pytest.mark.parametrize("cursor", ["ä", "%", 7, {}, "====="])
def test_a_cursor_that_was_not_given_is_refused(cursor: Any) -> None:
    reply = ask(ServedClient(), "tools/list", {"cursor": cursor})
    assert (reply.status, reply.json["error"]["code"]) == (400, INVALID_PARAMS)


def test_every_answer_of_2026_names_its_kind_and_the_server() -> None:
    client = ServedClient()
    for method, params in (("server/discover", {}), ("tools/list", {}), ("tools/call", ADD)):
        result = ask(client, method, params).json["result"]
        assert result["resultType"] == "complete"
        assert result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "pentad"


def cut(client: ServedClient) -> tuple[str, str]:
    """Let a call have a result that was shown in part, and return its run and its handle."""
    made = ask(client, "tools/call", ADD)
    run_id = made.json["result"]["_meta"]["pentad/run_id"]
    handle = make_handle(TENANT, run_id, 1, 0)
    words = "".join(f"line {number}, token ghp_{'a' * 36}\n" for number in range(1, 2_000))
    client.services.whole.put(make_key(TENANT, run_id, 1, 0), words.encode())
    call = client.world.runs.get_call(TENANT, run_id, 1, 0)
    shown = f'line 1 [cut: read on with read_result, handle "{handle}"] line 1,999'
    client.world.runs._calls[TENANT, run_id, 1, 0] = call.model_copy(update={"result": shown})
    return run_id, handle


def test_a_client_reads_on_in_a_result_that_was_cut() -> None:
    client = ServedClient()
    run_id, handle = cut(client)
    told = ask(client, "tools/call", {"name": CHECK_RUN, "arguments": {"run_id": run_id}}).json["result"]["content"]
    assert handle in told[0]["text"] and run_id in told[1]["text"]
    for modern in (True, False):
        params = {
            "name": READ_RESULT,
            "arguments": {"run_id": run_id, "handle": handle, "from_line": 1_500, "lines": 2},
        }
        reply = ask(client, "tools/call", params) if modern else ask_in_session(client, "tools/call", params)
        text = text_of(reply)
        assert text.startswith("[lines 1,500 to 1,501") and "line 1500" in text and "ghp_" not in text
        assert not reply.json["result"]["isError"]
    assert len(client.get_runs()) == 1  # reading starts nothing


@pytest.mark.parametrize(
    "changes",
    [
        {"handle": "res_1_0_000000000000"},
        {"handle": "res_2_0_000000000000"},
        {"handle": "../../x"},
        {"run_id": "run_" + "0" * 26},
        {"run_id": None},
        {"run_id": 7},
        {"from_line": 0},
        {"search": "("} | {"pattern": True},
        {"more": 1},
    ],
)
def test_what_is_no_result_of_the_caller_opens_nothing(changes: Json) -> None:
    client = ServedClient()
    run_id, handle = cut(client)
    arguments = {"run_id": run_id, "handle": handle} | changes
    reply = ask(client, "tools/call", {"name": READ_RESULT, "arguments": arguments})
    assert reply.json["result"]["isError"]
    assert "token" not in text_of(reply) and "000000000000" not in text_of(reply)


def test_a_handle_of_another_call_of_the_same_run_opens_nothing() -> None:
    client = ServedClient()
    run_id, _ = cut(client)
    for step, index in ((1, 1), (2, 0)):
        client.services.whole.put(make_key(TENANT, run_id, step, index), b"another result")
        arguments = {"run_id": run_id, "handle": make_handle(TENANT, run_id, step, index)}
        reply = ask(client, "tools/call", {"name": READ_RESULT, "arguments": arguments})
        assert reply.json["result"]["isError"]
        assert "another result" not in text_of(reply)


@pytest.mark.parametrize("arguments", ["x", [1], None])
def test_reading_on_takes_an_object(arguments: Any) -> None:
    reply = ask(ServedClient(), "tools/call", {"name": READ_RESULT, "arguments": arguments})
    assert (reply.status, reply.json["error"]["code"]) == (400, INVALID_PARAMS)
