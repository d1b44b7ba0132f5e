"""The kit that users test their agents with: scripts, records, documents, faults, approvals and time of one test."""

import json
from pathlib import Path

import pytest

from pentad.testing.kit import Kit
from pentad.testing.model import UnexpectedRequest
from pentad.testing.stack.world import Tenant

pytestmark = pytest.mark.twin

NOTE = {"title": "Oil", "text": "Order two barrels."}


def test_a_scripted_turn_runs_the_real_tool_and_a_repeated_request_takes_no_line(kit: Kit) -> None:
    kit.model.calls("calculator", expression="6 * 7").when("42").says("It is 42.")
    run = kit.ask("assistant", "What is 6 times 7?")
    assert (run.status, run.answer) == ("succeeded", "It is 42."), run
    [call] = run.calls
    assert (call.tool, call.arguments, call.status) == ("calculator", {"expression": "6 * 7"}, "succeeded")
    assert "42" in str(call.result)


def test_two_sessions_with_the_same_words_follow_their_own_scripts(kit: Kit) -> None:
    one, two = kit.converse("assistant"), kit.converse("assistant")
    one.model.says("First.").says("First again.")
    two.model.says("Second.")
    assert [talk.ask("Who is it?").answer for talk in (one, two, one)] == ["First.", "Second.", "First again."]
    assert [message["role"] for message in two.messages()] == ["user", "assistant"]


def test_what_the_script_does_not_say_fails_the_test_with_what_was_asked(kit: Kit) -> None:
    kit.model.when("tomorrow").says("Never said.")
    with pytest.raises(UnexpectedRequest) as told:
        kit.ask("assistant", "What is planned for today?")
    message = str(told.value)
    assert "What is planned for today?" in message
    assert "just told 'tomorrow'" in message
    kit.model.close()


def test_a_line_that_nobody_asked_for_is_told_by_its_number(kit: Kit) -> None:
    kit.model.says("Said.").says("Never said.")
    kit.ask("assistant", "Hello")
    with pytest.raises(UnexpectedRequest, match="was not asked for 1 of its lines:\n  line 2: Never said"):
        kit.check_used()
    kit.model.close()


def test_a_provider_that_fails_is_asked_again_and_the_line_after_it_is_the_answer(kit: Kit) -> None:
    kit.model.fails(529).says("After all.")
    run = kit.ask("assistant", "Are you there?")
    assert (run.status, run.answer) == ("succeeded", "After all."), run


def test_models_fail_for_the_test_alone_until_it_clears_the_fault(kit: Kit, tenant: Tenant) -> None:
    kit.faults.fail_models()
    assert kit.ask("assistant", "What is 2 + 2?").status == "degraded"
    assert tenant.ask("What is 2 + 2?")["status"] == "succeeded"
    kit.faults.clear()
    assert kit.ask("assistant", "What is 2 + 2?").status == "succeeded"


def test_a_fault_is_of_a_kind_of_a_provider_and_for_so_many_calls(kit: Kit) -> None:
    kit.model.says("From the other provider.").says("After a retry.")
    kit.faults.fail_models("status", provider="anthropic", status=500)
    fallen_back = kit.ask("assistant", "Are you there?")
    assert (fallen_back.status, fallen_back.answer) == ("succeeded", "From the other provider.")
    assert fallen_back.view["notices"], "another model than the first of the chain answered"
    kit.faults.clear()
    kit.faults.fail_models("html", times=1)
    assert kit.ask("assistant", "And now?").answer == "After a retry."
    with pytest.raises(ValueError, match="nobody"):
        kit.faults.fail_models(provider="nobody")


def test_a_tool_that_is_killed_is_called_again(kit: Kit) -> None:
    kit.model.calls("date_time", operation="now").says("Told.")
    run_id = kit.start("assistant", "What day is it?")
    kit.faults.kill_tool("date_time")
    run = kit.read(run_id)
    assert (run.status, run.answer, [call.status for call in run.calls]) == ("succeeded", "Told.", ["succeeded"])


def test_each_agent_follows_a_script_of_its_own_and_a_line_waits_for_words_of_the_request(kit: Kit) -> None:
    kit.model_of("assistant").when_asked("lighthouse").says("The assistant's.")
    kit.model_of("analyst").says("The analyst's.")
    assert kit.ask("analyst", "Who is it?").answer == "The analyst's."
    assert kit.ask("assistant", "Who keeps the lighthouse?").answer == "The assistant's."


def test_another_human_decides_under_a_name_and_groups(kit: Kit) -> None:
    kit.model.calls("notes", **NOTE).says("Saved.")
    waiting = kit.ask("assistant", "Please note that.")
    run = kit.approvals.act_as("ann", groups=("*",)).approve(waiting)
    assert (run.status, run.answer) == ("succeeded", "Saved.")
    assert "ann" in json.dumps(kit.tenant.get(f"/v1/approvals/{waiting.approval_id}")["decider"])


def test_a_human_edits_what_the_model_asked_for_and_the_record_holds_it(kit: Kit) -> None:
    kit.model.calls("notes", **NOTE).says("Saved.")
    waiting = kit.ask("assistant", "Please note that.")
    assert (waiting.status, waiting.approval is not None) == ("awaiting_human", True)
    run = kit.approvals.edit(waiting, NOTE | {"text": "Order one barrel."})
    assert run.answer == "Saved."
    [note] = kit.records.read("NOTE").values()
    assert note["text"] == "Order one barrel."


def test_what_nobody_decides_expires_at_once(kit: Kit) -> None:
    kit.model.calls("notes", **NOTE).says("Nobody had time.")
    run = kit.clock.expire(kit.ask("assistant", "Please note that."))
    assert (run.status, run.answer) == ("succeeded", "Nobody had time.")
    assert kit.records.read("NOTE") == {}
    with pytest.raises(AssertionError, match="waits for no human"):
        kit.approvals.approve(run)


def test_a_document_is_recalled_and_cited_by_its_name(kit: Kit) -> None:
    kit.documents.add("lamp.md", "# Lamp\n\nThe lamp of the Skerry lighthouse burns colza oil.\n")
    run = kit.ask("assistant", "What does the lamp of the Skerry lighthouse burn?")
    assert "lamp.md" in run.citations
    assert [one["name"] for one in kit.documents.list()] == ["lamp.md"]
    kit.documents.delete("lamp.md")
    assert kit.documents.list() == []


def test_records_are_filled_and_read_back_in_key_order(kit: Kit) -> None:
    kit.records.fill("ORDER", {"9": {"state": "new"}, "10": {"state": "shipped"}})
    assert list(kit.records.read("ORDER")) == ["10", "9"]
    assert kit.records.get("ORDER", "9") == {"state": "new"}
    assert kit.records.get("ORDER", "8") is None


def test_what_no_tool_could_have_is_refused_at_once(kit: Kit) -> None:
    with pytest.raises(AssertionError, match=r"'order' is no kind of record: .* such as ORDER"):
        kit.records.fill("order", {"9": {"state": "new"}})
    with pytest.raises(AssertionError, match="the record '9' is 5, and no mapping"):
        kit.records.fill("ORDER", {"9": 5})  # type: ignore[dict-item]
    with pytest.raises(AssertionError, match="no tool 'calculater' is deployed"):
        kit.faults.kill_tool("calculater")


def test_a_recording_from_a_file_runs_with_the_real_tools(kit: Kit, tmp_path: Path) -> None:
    talk = kit.converse("assistant")
    talk.model.says("Good day.").calls("calculator", expression="6 * 7").calls("notes", **NOTE).says("42, and saved.")
    talk.ask("Good day")
    edited = kit.approvals.edit(talk.ask("What is 6 times 7? Note it."), NOTE | {"text": "It is 42."})
    recording = kit.tenant.get(f"/v1/runs/{edited.run_id}/recording")
    file = tmp_path / "run.json"
    file.write_text(json.dumps(recording))

    again = kit.replay(file, ignore=["note"])
    assert again.same, again.differences
    assert [call.arguments.get("text") for call in again.run.calls] == [None, "It is 42."]
    assert len(kit.records.read("NOTE")) == 2

    recording["steps"][0]["calls"][0]["result"] = "41"
    recording["steps"][1]["human"]["status"] = "rejected"
    changed = kit.replay(recording)
    assert {one.split(":")[0] for one in changed.differences} == {"call 1, calculator", "call 2, notes"}
    assert "recorded 41" in changed.differences[0]
