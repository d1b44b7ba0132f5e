"""What the agent "assistant" does, on a twin of this project (docs/test-your-agent.md)."""

from pentad.testing.kit import Kit


def test_assistant_saves_a_note_once_a_human_has_seen_it(kit: Kit) -> None:
    kit.model.calls("notes", title="Oil", text="Order two barrels.").says("Saved.")
    waiting = kit.ask("assistant", "Please note that we need two barrels of oil.")
    assert waiting.status == "awaiting_human", waiting
    run = kit.approvals.approve(waiting)
    assert (run.status, run.answer) == ("succeeded", "Saved."), run
    assert [note["title"] for note in kit.records.read("NOTE").values()] == ["Oil"]
