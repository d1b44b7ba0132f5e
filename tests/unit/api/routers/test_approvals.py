"""Every decision through the API, who may take it, and what is refused."""

from typing import Any

import pytest

from pentad.domain.declarations.agents import AgentSpec, Catalog, HumansSpec, ToolSpec
from pentad.domain.runs import Run
from tests.unit.api.client import Client
from tests.unit.orchestration.world import TENANT, World

SCHEMA = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
CATALOG = Catalog(
    agents={
        "clerk": AgentSpec(
            name="clerk",
            description="asks",
            prompt="You ask.",
            tools=("notes",),
            humans=HumansSpec(group="clerks", escalate_to=("leads",), may_ask=True),
        )
    },
    tools={
        "notes": ToolSpec(name="notes", description="n", input_schema=SCHEMA, effects="external", approval="always")
    },
)


def _asked(*calls: tuple[str, dict[str, Any]]) -> tuple[Client, Run, str]:
    world = World(CATALOG)
    world.model.script = [list(calls)]
    run = world.begin(agent="clerk", session="s1")
    world.turn(run)
    return Client(world), run, world.asking.ask_for_step(TENANT, run.run_id, 1, "token-1").approval_id


NOTE = ("notes", {"title": "a"})
QUESTION = ("ask_human", {"question": "How many?"})


def test_the_view_shows_what_a_human_needs_to_decide() -> None:
    client, _, name = _asked(QUESTION)
    view = client("GET", f"/v1/approvals/{name}").json
    assert (view["kind"], view["text"], view["group"], view["escalate_to"]) == (
        "question",
        "How many?",
        "clerks",
        ["leads"],
    )
    assert (view["votes"], view["quorum"], view["arguments_hash_required"]) == ([], 1, False)


def test_a_call_is_edited_by_its_index() -> None:
    client, run, name = _asked(NOTE)
    reply = client("POST", f"/v1/approvals/{name}", {"decision": "edit", "arguments": {"0": {"title": "b"}}})
    assert (reply.status, reply.json["status"]) == (200, "approved")
    assert reply.json["calls"][0] | {"arguments_hash": ""} == {
        "index": 0,
        "tool": "notes",
        "arguments": {"title": "b"},
        "arguments_hash": "",
        "edited": True,
        "reasons": ["This tool asks each time."],
        "outside": [],
        "taint": [],
    }
    assert client.world.runs.get_call(TENANT, run.run_id, 1, 0).arguments == {"title": "b"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"decision": "approve", "text": "x"}, "text"),
        ({"decision": "reject", "arguments": {"0": {}}}, "arguments"),
        ({"decision": "answer", "text": "x", "group": "leads"}, "group"),
        ({"decision": "escalate", "allow_tool_for_run": True}, "allow_tool_for_run"),
        ({"decision": "edit", "arguments": {"0": {"title": 1}}}, "arguments.0.title"),
        ({"decision": "escalate", "group": "No Group"}, "group"),
    ],
)
def test_what_does_not_go_with_a_decision_is_refused_by_its_field(body: dict[str, Any], field: str) -> None:
    client, _, name = _asked(NOTE)
    reply = client("POST", f"/v1/approvals/{name}", body)
    assert (reply.status, reply.json["field"]) == (400, field)
    assert client("GET", f"/v1/approvals/{name}").json["status"] == "pending"


def test_an_answer_goes_to_the_question() -> None:
    client, run, name = _asked(QUESTION)
    reply = client("POST", f"/v1/approvals/{name}", {"decision": "answer", "text": "Two."})
    assert (reply.status, reply.json["status"], reply.json["reply"]) == (200, "answered", "Two.")
    assert client.world.runs.get_call(TENANT, run.run_id, 1, 0).result == "Two."


@pytest.mark.parametrize(
    ("groups", "status"), [("*", 200), ("clerks", 200), ("leads clerks", 200), ("leads", 403), ("", 403)]
)
def test_a_credential_of_groups_decides_for_those_only(groups: str, status: int) -> None:
    client, _, name = _asked(NOTE)
    assert client("POST", f"/v1/approvals/{name}", {"decision": "approve"}, groups=groups).status == status


def test_pending_approvals_are_filtered_by_group_and_kind() -> None:
    client, _, name = _asked(NOTE)
    for query, found in (("group=clerks", 1), ("group=leads", 0), ("kind=calls", 1), ("kind=question", 0)):
        assert len(client("GET", f"/v1/approvals?{query}").json["items"]) == found, query
    client("POST", f"/v1/approvals/{name}", {"decision": "escalate"})
    assert [one["approval"] for one in client("GET", "/v1/approvals?group=leads").json["items"]] == [name]
    assert client("GET", "/v1/approvals?kind=maybe").status == 400


def test_a_filtered_list_comes_in_whole_pages() -> None:
    world = World(CATALOG)
    world.model.script = [[NOTE], [QUESTION]] * 4
    for _ in range(8):
        run = world.begin(agent="clerk")
        world.turn(run)
        world.asking.ask_for_step(TENANT, run.run_id, 1, "token")
        world.clock.advance(1)
    client = Client(world)
    first = client("GET", "/v1/approvals?kind=question&limit=3").json
    second = client("GET", f"/v1/approvals?kind=question&limit=3&cursor={first['cursor']}").json
    assert (len(first["items"]), len(second["items"]), second["cursor"]) == (3, 1, None)


def test_a_run_that_asks_names_its_approval_whatever_it_asks() -> None:
    client, run, name = _asked(QUESTION)
    assert client("GET", f"/v1/runs/{run.run_id}").json["pending_approval"] == name
    events = client("GET", f"/v1/runs/{run.run_id}/events").json["events"]
    assert [one["detail"]["approval"] for one in events if one["type"] == "approval"] == [name]
