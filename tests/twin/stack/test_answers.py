"""What a user gets: answers with citations, tools, memory, and an end that is told whatever the models do."""

import pytest

from tests.twin.stack.world import Stack, Tenant, word

pytestmark = pytest.mark.twin

HANDBOOK = """# Lighthouse handbook

## Lamp

The lamp of the Skerry lighthouse burns colza oil and is wound every four hours.

## Keepers

Three keepers live at the Skerry lighthouse, and the relief boat comes on the first Monday of a month.
"""


def test_plain_answer_takes_four_transitions_and_cites_text_that_is_there(tenant: Tenant) -> None:
    assert tenant.ingest("handbook.md", HANDBOOK)["status"] == "indexed"
    view = tenant.ask("What does the lamp of the Skerry lighthouse burn?")
    assert view["status"] == "succeeded"
    assert "colza oil" in view["answer"]
    [citation] = view["citations"]
    assert citation["document"] == "handbook.md"
    assert HANDBOOK[citation["start"] : citation["end"]].startswith(citation["quote"])
    place = tenant.get(citation["link"])
    assert (place["text"], place["is_newest"]) == (HANDBOOK[citation["start"] : citation["end"]], True)
    assert tenant.transitions(view["run_id"]) == 4


def test_two_tools_run_in_one_turn_of_three_and_two_transitions(tenant: Tenant) -> None:
    view = tenant.ask("What is 17.5 * (3 + 4), and how many days are there between 2026-01-01 and 2026-11-22?")
    assert view["status"] == "succeeded"
    assert "122.5" in view["answer"]
    assert "325" in view["answer"]
    calls = tenant.events(view["run_id"], "tool_call")
    assert {(call["tool"], call["step"], call["status"]) for call in calls} == {
        ("calculator", 1, "succeeded"),
        ("date_time", 1, "succeeded"),
    }
    # Recall; Think, Decide, Act and each call; Think, Decide, Deliver.
    assert tenant.transitions(view["run_id"]) == 1 + (3 + 2) + 3


def test_session_remembers_and_another_session_does_not(tenant: Tenant) -> None:
    first = tenant.ask("What is 12 * 12?")
    again = tenant.ask("What did I ask you before?", session=first["session"])
    assert "12 * 12" in again["answer"]
    other = tenant.ask("What did I ask you before?")
    assert "12 * 12" not in other["answer"]


def test_other_provider_answers_with_a_notice_when_the_first_is_overloaded(stack: Stack, tenant: Tenant) -> None:
    mark = word()
    with stack.overload(mark, "anthropic"):
        view = tenant.ask(f"What is 6 * 7? ({mark})")
    assert view["status"] == "succeeded"
    assert "42" in view["answer"]
    assert any("answered because" in notice for notice in view["notices"])
    attempts = [one for one in tenant.events(view["run_id"], "model_attempt") if one["tier"] != "embeddings"]
    assert attempts[0]["provider"] == "anthropic"
    assert attempts[-1]["provider"] == "openai"


def test_all_providers_down_is_a_degraded_run_that_frees_its_session(stack: Stack, tenant: Tenant) -> None:
    mark = word()
    with stack.overload(mark, "anthropic", "openai"):
        view = tenant.ask(f"What is 6 * 7? ({mark})")
    assert view["status"] == "degraded"
    assert view["answer"]
    assert tenant.lease_is_free(view["session"])
    assert tenant.ask("What is 6 * 7?", session=view["session"])["status"] == "succeeded"


def test_lease_is_free_once_a_run_has_ended(tenant: Tenant) -> None:
    view = tenant.ask("What is 2 + 3?")
    assert tenant.lease_is_free(view["session"])
