"""One tool call through the runtime: policy, validation, result, audit."""

import json
from typing import Any

import pytest
from pydantic import BaseModel

from pentad.domain.errors import NotFound, PolicyDenied, ToolUnavailable
from pentad.domain.runs import CallStatus, RunStatus
from pentad.tools.declare import Ask, over, tool
from pentad.tools.runtime.sanitise import MAX_RESULT_BYTES
from tests.unit.tools import sample_tools
from tests.unit.tools.worlds import RUN, Crash, Crashing, World

KEY = "sk-ant-" + "a1" * 12


def test_a_call_runs_and_its_result_is_stored() -> None:
    world = World(sample_tools.echo)
    world.add_call({"text": "hi", "times": 2})
    assert world.execute() == {"index": 0, "status": "succeeded"}
    assert (world.call.result, world.call.is_error, world.call.untrusted) == ("hihi", False, False)
    assert world.call.started_at is not None and world.call.ended_at is not None


def test_a_call_that_has_ended_is_not_run_again() -> None:
    world = World(sample_tools.echo)
    world.add_call({"text": "hi"})
    world.execute()
    assert world.execute() == {"index": 0, "status": "succeeded"}
    assert sample_tools.ran == ["echo"]
    assert len(world.audited) == 1


def test_a_rejected_call_is_not_run() -> None:
    world = World(sample_tools.store)
    world.add_call({"to": "bob"}, status=CallStatus.REJECTED)
    assert world.execute()["status"] == "rejected"
    assert sample_tools.ran == []


def test_another_tenants_call_is_not_found() -> None:
    world = World(sample_tools.echo)
    world.add_call({"text": "hi"})
    with pytest.raises(NotFound):
        world.runtime().execute("other", RUN, "helper", 1, 0, invocation=world.invocation())


@pytest.mark.parametrize(
    "case",
    [
        {"agent_tools": ()},
        {"agent": "intruder"},
        {"call": {"tool": "another"}},
        {"call": {"run_status": RunStatus.FAILED}},
        {"call": {"stored_hash": "0" * 64}},
        {"call": {"status": CallStatus.PENDING}},
        {"call": {"status": CallStatus.AWAITING}},
    ],
    ids=[
        "agent has not the tool",
        "not the run's agent",
        "not this tool",
        "run ended",
        "hash differs",
        "not approved",
        "awaiting",
    ],
)
def test_a_call_that_policy_forbids_is_denied_and_audited(case: dict[str, object]) -> None:
    world = World(sample_tools.store, agent_tools=case.get("agent_tools"))  # type: ignore[arg-type]
    world.add_call({"to": "bob"}, **case.get("call", {}))  # type: ignore[arg-type]
    with pytest.raises(PolicyDenied):
        world.execute(agent=str(case.get("agent", "helper")))
    assert sample_tools.ran == []
    assert world.audited == [("denied", "refused", "PolicyDenied")]


def test_an_approved_call_runs_with_the_arguments_that_were_shown() -> None:
    world = World(sample_tools.store)
    world.add_call({"to": "bob"}, status=CallStatus.APPROVED)
    assert world.execute()["status"] == "succeeded"
    assert world.call.result == "stored for bob"


def test_arguments_of_another_form_with_one_meaning_are_taken() -> None:
    world = World(sample_tools.echo)
    world.add_call({"text": 3, "times": "2", "colour": None})
    world.execute()
    assert (world.call.status, world.call.result) == (CallStatus.SUCCEEDED, "33")


class Part(BaseModel):
    amount: float = 10


@tool(effects="external", approval=[Ask(when=over("part.amount", 50))])
def pay_part(part: Part, times: int = 1) -> str:
    """Pay."""
    return f"{part.amount:g} x {times}"


def test_a_field_that_a_rule_did_not_see_is_refused_before_the_function_runs() -> None:
    world = World(pay_part)
    calls: list[dict[str, Any]] = [{"part": {}, "times": "2"}, {"part": {"amt": 5000}}, {"part": {"amount": 51}}]
    for index, given in enumerate(calls):
        world.add_call(given, index=index)
    world.execute(index=0)
    assert world.call.result == "10 x 2"
    world.execute(index=1)
    refused = world.calls.get_call("acme", RUN, 1, 1)
    assert refused.is_error and "part.amt: no such field" in (refused.result or "")
    with pytest.raises(PolicyDenied, match="needs approval"):
        world.execute(index=2)


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ({}, ["text: Field required", "Fix: give text as", '"description": "words"']),
        ({"text": True}, ["text: Input should be a valid string"]),
        ({"text": "x", "times": "3 times"}, ["times: Input should be a valid integer", '"type": "integer"']),
        ({"text": "x", "colour": "red"}, ["colour: no such parameter", "the parameters are: text, times"]),
    ],
)
def test_wrong_arguments_are_told_to_the_model_by_field_and_fix(arguments: dict[str, object], parts: list[str]) -> None:
    world = World(sample_tools.echo)
    world.add_call(arguments)
    assert world.execute()["status"] == "failed"
    assert world.call.is_error and world.call.error_type == "InvalidInput"
    for part in parts:
        assert part in (world.call.result or "")
    assert sample_tools.ran == []
    assert world.audited == [("denied", "refused", "InvalidInput")]


def test_a_tool_that_fails_ends_the_call_with_its_class_message_and_fix() -> None:
    world = World(sample_tools.echo)
    world.add_call({"text": "hi"})
    sample_tools.failures.append(sample_tools.FAILED)
    assert world.execute()["status"] == "failed"
    assert world.call.result == "ToolFailed: the backend said no Fix: ask it nicely"
    assert world.audited == [("executed", "error", "ToolFailed")]


def test_any_exception_of_a_tool_is_a_result_without_the_secret_in_it() -> None:
    world = World(sample_tools.echo)
    world.add_call({"text": "hi"})
    sample_tools.failures.append(RuntimeError(f"401 for {KEY} \x1b[31m"))
    world.execute()
    assert world.call.result == "RuntimeError: 401 for [masked] "
    assert world.call.error_type == "RuntimeError"


def test_a_transient_error_goes_to_the_state_and_the_retry_succeeds() -> None:
    world = World(sample_tools.echo)
    world.add_call({"text": "hi"})
    sample_tools.failures.append(sample_tools.UNAVAILABLE)
    with pytest.raises(ToolUnavailable):
        world.execute()
    assert world.call.status is CallStatus.PENDING
    assert world.execute()["status"] == "succeeded"


@pytest.mark.parametrize("pad", [0, 400_000], ids=["as a value", "as text, since it is large"])
def test_a_signed_link_that_a_tool_declares_safe_reaches_the_model_and_the_rest_is_told(pad: int) -> None:
    world = World(sample_tools.share)
    world.add_call({"pad": pad})
    world.execute()
    shown = world.call.result or ""
    assert (shown.count(sample_tools.SIGNED), shown.count("[masked]"), world.call.masked) == (1, 1, 1)
    assert "1 value was masked" in shown
    assert len(shown.encode()) <= 65_536


def test_a_replayed_effect_says_what_was_masked_too() -> None:
    world = World(sample_tools.share)
    world.add_call({})
    world.audit = Crashing(world.audit, "append")
    with pytest.raises(Crash):
        world.execute()
    world.execute()
    assert (sample_tools.ran, world.call.masked) == (["share"], 1)


def test_the_context_is_the_runs_and_untrusted_output_is_marked() -> None:
    world = World(sample_tools.fetch)
    world.add_call({})
    world.execute()
    assert world.result == {"tenant": "acme", "session": "s1", "user": "ada", "left": 30.0}
    assert world.call.untrusted


def test_a_result_that_is_not_json_is_an_error_that_says_the_tool_ran() -> None:
    world = World(sample_tools.bad_json)
    world.add_call({})
    world.execute()
    assert world.call.is_error and "the tool ran, but its result can't be used" in (world.call.result or "")


def test_a_result_of_another_type_than_declared_is_an_error() -> None:
    world = World(sample_tools.mistyped)
    world.add_call({})
    world.execute()
    assert world.call.is_error and "total" in (world.call.result or "")


def test_a_result_too_large_is_cut_and_says_so() -> None:
    world = World(sample_tools.echo)
    world.add_call({"text": "ü" * 50_000})
    world.execute()
    assert len((world.call.result or "").encode()) <= MAX_RESULT_BYTES
    text = world.call.result or ""
    assert text.startswith("üü") and text.endswith("üü") and "of 100,000 (lines 1 to 1 of 1) are left out" in text


def test_records_of_a_kind_without_grant_are_refused() -> None:
    world = World(sample_tools.reader)
    world.add_call({"kind": "SECRET"})
    world.execute()
    assert world.call.error_type == "PolicyDenied"
    assert 'Grant("records", "read", keys="SECRET")' in (world.call.result or "")


def test_records_of_another_tenant_are_out_of_reach() -> None:
    world = World(sample_tools.reader)
    world.records.get_store("other").put("NOTE", "theirs", {})
    world.records.get_store("acme").put("NOTE", "ours", {})
    world.add_call({"kind": "NOTE"})
    world.execute()
    assert world.result == ["ours"]


def test_a_table_without_any_grant_is_a_clear_error() -> None:
    world = World(sample_tools.ungranted)
    world.add_call({})
    world.execute()
    assert world.call.error_type == "ConfigurationError"
    assert "declares no grant" in (world.call.result or "")


def test_undo_data_that_is_too_large_is_reported_and_the_effect_stays_done() -> None:
    world = World(sample_tools.huge_undo)
    world.add_call({})
    world.execute()
    assert world.call.status is CallStatus.SUCCEEDED and world.call.undo_token is None
    assert "can't be undone" in (world.call.result or "")


def test_a_call_that_another_try_ended_meanwhile_keeps_that_end() -> None:
    world = World(sample_tools.echo)
    world.add_call({"text": "hi"})
    first = world.calls.save_call

    def overtaken(call: object) -> None:
        first(world.call.model_copy(update={"status": CallStatus.FAILED, "result": "gave up"}))
        first(call)

    world.calls.save_call = overtaken
    assert world.execute()["status"] == "failed"
    assert world.call.result == "gave up"


def test_spans_and_metrics_name_the_tool_and_hold_no_arguments() -> None:
    world = World(sample_tools.echo)
    world.add_call({"text": "a private word"})
    world.execute()
    (span,) = world.telemetry.spans
    assert span.name == "execute_tool echo"
    assert span.attributes["gen_ai.tool.call.id"] == "call_0"
    assert {count.name for count in world.telemetry.counts} == {"ToolCalls", "ToolDuration"}
    told = json.dumps([vars(span), [vars(count) for count in world.telemetry.counts]], default=vars)
    assert "private" not in told


def test_the_audit_entry_has_the_hash_of_the_arguments_and_the_request() -> None:
    world = World(sample_tools.echo)
    world.add_call({"text": "a private word"})
    world.execute()
    (entry,) = world.audit.list_for_run("acme", RUN)
    assert entry.arguments_hash == world.call.arguments_hash
    assert (entry.request_id, entry.agent, entry.tool, entry.step, entry.index) == ("request-1", "helper", "echo", 1, 0)
    assert "private" not in entry.model_dump_json()
