"""A folder in agents/ and a file in functions/tools/ are an agent and a tool after one synth."""

import json
import re

import pytest

from tests.twin.conftest import OwnProject
from tests.twin.stack.world import Stack

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("stack-own")]


def test_own_agent_uses_its_own_tool(own: OwnProject) -> None:
    tenant = own.stack.tenant()
    view = tenant.ask('What is the word count of "one two three four"?', agent="greeter")
    assert view["status"] == "succeeded"
    [call] = tenant.events(view["run_id"], "tool_call")
    assert (call["tool"], call["arguments"]) == ("word_count", {"text": "one two three four"})
    assert "4" in view["answer"]


def test_agents_are_listed_with_their_tools(own: OwnProject) -> None:
    agents = {agent["name"]: agent for agent in own.stack.tenant().get("/v1/agents")["items"]}
    assert set(agents) >= {"assistant", "greeter"}
    assert {tool["name"] for tool in agents["greeter"]["tools"]} == {
        "word_count",
        "departures",
        "ring_bell",
        "fire_cannon",
        "book_ticket",
        "post_ticket",
    }


def test_a_tool_has_its_package_and_its_settings(scripted: Stack) -> None:
    tenant = scripted.tenant()
    sailing = "\r\n".join(
        ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", "BEGIN:VEVENT", "SUMMARY:Ferry", "END:VEVENT", "END:VCALENDAR"]
    )
    asked = {"name": "departures", "arguments": {"calendar": sailing}}
    scripted.simulator.load_script({"reply": {"tool_calls": [asked]}}, {"reply": {"text": "One."}})
    view = tenant.ask("Which ferries leave?", agent="greeter")
    [call] = tenant.events(view["run_id"], "tool_call")
    assert json.loads(call["result"]) == ["Ferry at South Pier, 2 gates"]


def test_a_tool_that_ships_sends_by_its_own_role_once_a_human_agrees(scripted: Stack) -> None:
    tenant = scripted.tenant()
    scripted.aws("sesv2").create_email_identity(EmailIdentity="harbour.example")
    before = float(scripted.aws("ses").get_send_quota()["SentLast24Hours"])
    arguments = {"to": ["mary@harbour.example"], "subject": "Fog", "text": "The ferry waits."}
    asked = {"name": "send_email", "arguments": arguments}
    scripted.simulator.load_script({"reply": {"tool_calls": [asked]}}, {"reply": {"text": "Sent."}})
    view = tenant.ask("Tell Mary about the fog.", agent="postmaster")
    approval = view["pending_approval"]
    assert tenant.decide(approval, "approve").status_code == 200
    assert tenant.settle(view["run_id"], after=approval)["status"] == "succeeded"
    [call] = tenant.events(view["run_id"], "tool_call")
    assert json.loads(call["result"])["accepted"] == ["mary@harbour.example"]
    # Notices of approvals, this one's too, are sent by SES as well, whenever their queue is worked off.
    assert float(scripted.aws("ses").get_send_quota()["SentLast24Hours"]) >= before + 1


def test_session_of_one_agent_is_not_taken_by_another(own: OwnProject) -> None:
    tenant = own.stack.tenant()
    tenant.ask("Hello", agent="greeter", session="daily")
    refused = tenant.post("/v1/runs", {"agent": "assistant", "message": "Hello", "session": "daily"})
    assert (refused.status_code, refused.json()["field"]) == (409, "session")


def test_an_agent_searches_the_documents_itself_and_cites_what_it_found(scripted: Stack) -> None:
    tenant, stranger = scripted.tenant(), scripted.tenant()
    tenant.ingest("harbour/fog.md", "# Fog\n\nIn fog the harbour master of Brackwater hoists the yellow flag.\n")
    stranger.ingest("harbour/fog.md", "# Fog\n\nIn fog the harbour master of Brackwater hoists the purple flag.\n")
    search = {"name": "search_knowledge", "arguments": {"query": "flag in fog", "filter": {"documents": []}}}
    scripted.simulator.load_script({"reply": {"tool_calls": [search]}}, {"reply": {"text": "I have looked."}})
    view = tenant.ask("Which flag is hoisted?", agent="librarian", session="books")
    assert view["status"] == "succeeded"
    [call] = tenant.events(view["run_id"], "tool_call")
    [passage] = json.loads(call["result"])["passages"]
    assert ("yellow" in passage["text"], passage["document"]) == (True, "harbour/fog.md")
    scripted.simulator.load_script({"reply": {"text": f"The yellow one {passage['cite']}."}})
    view = tenant.ask("So which one?", agent="librarian", session="books")
    [citation] = view["citations"]
    assert (citation["document"], citation["marker"]) == ("harbour/fog.md", passage["cite"])
    assert view["notices"] == []


def test_a_result_past_a_functions_answer_is_kept_whole_and_read_by_those_who_go_on_for_the_run(
    scripted: Stack,
) -> None:
    tenant = scripted.tenant()
    log = {"name": "ship_log", "arguments": {"lines": 100_000}}
    scripted.simulator.load_script({"reply": {"tool_calls": [log]}}, {"reply": {"text": "I have read it."}})
    view = tenant.ask("Read the log.", agent="librarian")
    [call] = tenant.events(view["run_id"], "tool_call")
    handle = re.search(r'kept: read them with read_result, handle "(res_1_0_[0-9a-f]{12})"', call["result"])
    assert handle is not None and len(call["result"].encode()) <= 65_536
    assert call["result"].endswith("line 99999 of the log: all is well, and the sea is calm today\n")
    read = {"name": "read_result", "arguments": {"handle": handle[1], "search": "line 41234 "}}
    scripted.simulator.load_script({"reply": {"tool_calls": [read]}}, {"reply": {"text": "All was well."}})
    forked = tenant.post(f"/v1/runs/{view['run_id']}/fork", {"at": 1}).json()["run_id"]
    assert tenant.settle(forked)["status"] == "succeeded"
    [found] = [one for one in tenant.events(forked, "tool_call") if one["tool"] == "read_result"]
    assert found["result"].startswith("[1 lines have these words]\n41235: line 41234 of the log")


def test_an_agent_with_too_many_tools_finds_one_and_calls_it_and_its_prefix_stays(scripted: Stack) -> None:
    tenant = scripted.tenant()
    scripted.simulator.load_script(
        {"reply": {"tool_calls": [{"name": "find_tools", "arguments": {"query": "how many words a text has"}}]}},
        {
            "reply": {
                "tool_calls": [
                    {"name": "use_tool", "arguments": {"name": "word_count", "arguments": {"text": "a b c"}}}
                ]
            }
        },
        {"reply": {"text": "Three."}},
    )
    view = tenant.ask("Count the words of a b c.", agent="purser")
    assert view["status"] == "succeeded"
    found, called = tenant.events(view["run_id"], "tool_call")
    first, *more = json.loads(found["result"])["tools"]
    assert (first["name"], "text" in first["parameters"]["properties"]) == ("word_count", True)
    assert (called["tool"], called["arguments"], json.loads(called["result"])) == (
        "word_count",
        {"text": "a b c"},
        {"words": 3},
    )
    [tools, *_] = tenant.get(f"/v1/runs/{view['run_id']}/trace")["context"]["pieces"]
    assert (tools["kind"], tools["count"], tools["left_out"]) == ("tools", 3, 3)
    assert tools["signals"]["loaded"] == 1 + len(more)
