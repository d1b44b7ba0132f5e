"""A folder in agents/ and a file in functions/tools/ are an agent and a tool after one synth."""

import json

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
