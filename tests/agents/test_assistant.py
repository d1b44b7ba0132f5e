"""What the agent "assistant" does, on a twin of this project (docs/test-your-agent.md)."""

from pentad.testing.kit import Kit


def test_assistant_saves_a_note_once_a_human_has_seen_it(kit: Kit) -> None:
    kit.model.calls("notes", title="Oil", text="Order two barrels.").says("Saved.")
    waiting = kit.ask("assistant", "Please note that we need two barrels of oil.")
    assert waiting.status == "awaiting_human", waiting
    run = kit.approvals.approve(waiting)
    assert (run.status, run.answer) == ("succeeded", "Saved."), run
    assert [note["title"] for note in kit.records.read("NOTE").values()] == ["Oil"]


def test_assistant_searches_the_documents_again_in_its_own_words(kit: Kit) -> None:
    kit.documents.add("fog.md", "# Fog\n\nIn fog the harbour master of Brackwater hoists the yellow flag.\n")
    kit.model.calls("search_knowledge", query="flag in fog").when("yellow").says("The yellow one.")
    run = kit.ask("assistant", "Good day")
    assert (run.status, run.answer) == ("succeeded", "The yellow one."), run
    [call] = run.calls
    assert (call.tool, call.status) == ("search_knowledge", "succeeded")
    assert "hoists the yellow flag" in str(call.result)
