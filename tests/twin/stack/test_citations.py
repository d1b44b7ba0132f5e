"""What an agent cites: by Claude's own citations, and by markers where another provider answers."""

from typing import Any

import pytest

from pentad.models.providers.request_names import name_part
from pentad.testing.kit import Kit

pytestmark = pytest.mark.twin

LAMP = "# Lamp\n\nThe lamp of the Skerry lighthouse burns colza oil and is wound every four hours."
QUESTION = "What does the lamp of the Skerry lighthouse burn?"
SEARCH_RESULT = 'document="[cite:'
"""How the simulator's rules and scripts see a search result; a passage that is text is of its document's bare name."""


def script_claude(kit: Kit, *content: dict[str, Any]) -> None:
    """Let Claude answer one request that has search results, with these blocks."""
    message = {"type": "message", "role": "assistant", "content": content, "stop_reason": "end_turn"}
    body = message | {"usage": {"input_tokens": 900, "output_tokens": 20}}
    match = {"provider": "anthropic", "contains": SEARCH_RESULT}
    of = [name_part("tenant", kit.tenant.name, kit.tenant.name)]
    kit.tenant.stack.simulator.extend_private_script(of, {"match": match, "raw": {"status": 200, "body": body}})


def test_what_claude_cites_by_itself_is_what_the_run_cites(kit: Kit) -> None:
    kit.documents.add("lamp.md", LAMP)
    location = {"type": "search_result_location", "search_result_index": 0, "start_block_index": 0}
    cited = location | {"end_block_index": 1, "cited_text": LAMP, "source": None, "title": "Lamp"}
    thinking = {"type": "thinking", "thinking": "The passage says it.", "signature": "s"}
    words = {"type": "text", "text": "It burns colza oil", "citations": [cited, cited]}
    script_claude(kit, thinking, words, {"type": "text", "text": ". See x[0].", "citations": None})
    run = kit.ask("assistant", QUESTION)
    view = kit.tenant.get(f"/v1/runs/{run.run_id}")
    [citation] = view["citations"]
    assert run.answer == f"It burns colza oil {citation['marker']}. See x[0]."
    assert (citation["document"], citation["quote"]) == ("lamp.md", LAMP)
    assert not [notice for notice in view["notices"] if "cites" in notice]
    assert kit.tenant.get(citation["link"])["text"] == LAMP
    again = kit.replay(kit.tenant.get(f"/v1/runs/{run.run_id}/recording"))
    assert again.same, again.differences


def test_a_provider_that_answers_in_claudes_place_cites_by_markers(kit: Kit) -> None:
    kit.documents.add("lamp.md", LAMP)
    kit.faults.fail_models(provider="anthropic")
    run = kit.ask("assistant", QUESTION)
    attempts = [one for one in kit.tenant.events(run.run_id, "model_attempt") if one["tier"] != "embeddings"]
    assert [attempts[0]["provider"], attempts[-1]["provider"]] == ["anthropic", "openai"]
    assert run.citations == ["lamp.md"]
    assert "[cite:" in str(run.answer)
    # The conversation goes on with Claude, which gets the other one's markers as they are.
    kit.faults.clear()
    following = kit.tenant.ask("And how often is the lamp wound?", session=run.session_id)
    assert following["status"] == "succeeded"
    assert [one["document"] for one in following["citations"]] == ["lamp.md"]
