"""What each band of confidence does, driven end to end: the question says how sure the simulator is."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pentad.cli.main import app
from tests.twin.conftest import OwnProject
from tests.twin.stack.world import Json, Tenant, word

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("stack-own")]

TEXT = "Gate closed at nine"


@pytest.fixture
def tenant(own: OwnProject) -> Tenant:
    return own.stack.tenant()


def asked(tenant: Tenant, marker: str, *, agent: str = "warden") -> Json:
    """Ask for an entry in the log, with a marker that sets how sure the simulator is."""
    return tenant.ask(f'Write the log entry "{TEXT}". {marker}', agent=agent)


def log(tenant: Tenant) -> list[str]:
    """Return what the tool wrote."""
    return [item["body"] for item in tenant.items() if item["pk"] == f"T#{tenant.name}#LOG"]


def assessments(tenant: Tenant, run_id: str) -> list[tuple[float, str]]:
    """Return the confidence and the band of each step."""
    found = [step["assessment"] for step in tenant.events(run_id, "step")]
    return [(one["confidence"], one["band"]) for one in found if one]


def reviews(tenant: Tenant) -> list[tuple[str, str, int]]:
    return [(one["run_id"], one["cause"], one["step"]) for one in tenant.get("/v1/reviews")["items"]]


def test_autonomous_acts_at_once_and_leaves_nothing_to_look_at(tenant: Tenant) -> None:
    view = asked(tenant, "[confidence 0.9]")
    assert view["status"] == "succeeded"
    assert len(log(tenant)) == 1
    assert assessments(tenant, view["run_id"]) == [(0.9, "autonomous"), (0.9, "autonomous")]
    assert (view["confidence"], reviews(tenant)) == (0.9, [])


def test_every_source_is_told_and_billed_to_the_run(tenant: Tenant) -> None:
    view = asked(tenant, "[self-report 1.0] [judge 0.9]")
    first = tenant.events(view["run_id"], "step")[0]["assessment"]
    told = {signal["source"]: signal["score"] for signal in first["signals"]}
    assert told == {"self_report": 1.0, "judge": 0.9, "validators": 1.0}
    assert first["confidence"] == 0.925
    attempts = tenant.events(view["run_id"], "model_attempt")
    purposes = [attempt["purpose"] for attempt in attempts]
    assert sorted(purposes) == sorted(["turn", "self_report", "judge"] * 2)
    judges = {attempt["tier"] for attempt in attempts if attempt["purpose"] == "judge"}
    assert judges == {"fast"}
    assert view["cost_nanousd"] == sum(attempt["cost_nanousd"] for attempt in attempts)
    [run, *_] = tenant.get(f"/v1/runs/{view['run_id']}/trace")["spans"]
    thinks = [span for span in tenant.get(f"/v1/runs/{view['run_id']}/trace")["spans"] if span["name"] == "Think"]
    assert run["attributes"]["confidence"] == 0.925
    assert [span["attributes"]["band"] for span in thinks] == ["autonomous"] * 2


def test_self_report_reads_the_conversation_from_the_providers_cache(tenant: Tenant) -> None:
    long = " ".join(f"Entry {number}: the gate was closed." for number in range(200))
    view = tenant.ask(f"{long} Hello [confidence 0.95]", agent="warden")
    attempts = {one["purpose"]: one["usage"] for one in tenant.events(view["run_id"], "model_attempt")}
    turn, own = attempts["turn"], attempts["self_report"]
    assert own["cache_read_tokens"] >= turn["cache_write_5m_tokens"] > 1000
    assert own["input_tokens"] < 1000


def test_review_acts_and_is_on_the_list_until_a_human_closes_it(tenant: Tenant) -> None:
    view = asked(tenant, "[confidence 0.7]")
    assert (view["status"], len(log(tenant))) == ("succeeded", 1)
    assert reviews(tenant) == [(view["run_id"], "confidence", 1), (view["run_id"], "confidence", 2)]
    for one in tenant.get("/v1/reviews")["items"]:
        closed = tenant.post(f"/v1/reviews/{one['review']}", {"verdict": "correct"})
        assert (closed.status_code, closed.json()["verdict"]) == (200, "correct")
    assert reviews(tenant) == []


def test_drafted_calls_and_then_the_drafted_answer_wait_and_are_what_was_shown(tenant: Tenant) -> None:
    view = asked(tenant, "[confidence 0.69]")
    assert (view["status"], log(tenant)) == ("awaiting_human", [])
    shown = tenant.get(f"/v1/approvals/{view['pending_approval']}")
    [call] = shown["calls"]
    assert (shown["kind"], shown["group"], shown["confidence"]) == ("calls", "wardens", 0.69)
    assert (call["tool"], call["arguments"]) == ("log_entry", {"text": TEXT})
    assert tenant.decide(shown["approval"], "approve", arguments_hash=shown["arguments_hash"]).status_code == 200
    view = tenant.settle(view["run_id"], after=shown["approval"])
    assert [TEXT in body for body in log(tenant)] == [True]
    draft = tenant.get(f"/v1/approvals/{view['pending_approval']}")
    assert (draft["kind"], view["answer"]) == ("answer", None)
    assert tenant.decide(draft["approval"], "approve").status_code == 200
    view = tenant.settle(view["run_id"], after=draft["approval"])
    assert (view["status"], view["answer"]) == ("succeeded", draft["text"])
    assert len(log(tenant)) == 1


def test_rejected_calls_are_not_run_and_the_model_is_told_why(tenant: Tenant) -> None:
    view = asked(tenant, "[confidence 0.5]")
    refused = tenant.decide(view["pending_approval"], "reject", reason="it closed at ten")
    assert refused.status_code == 200
    tenant.settle(view["run_id"], after=view["pending_approval"])
    assert log(tenant) == []
    told = [result["content"] for one in tenant.messages(view["session"]) for result in one["tool_results"]]
    assert any("it closed at ten" in words for words in told)


@pytest.fixture
def draft(tenant: Tenant) -> Json:
    """A run whose answer waits as a draft."""
    view = tenant.ask("What is 6 * 7? [confidence 0.6]", agent="warden")
    assert (view["status"], view["answer"]) == ("awaiting_human", None)
    return view


def test_edited_draft_is_the_answer(tenant: Tenant, draft: Json) -> None:
    approval = draft["pending_approval"]
    assert tenant.decide(approval, "edit", text="It is 42, says the warden.").status_code == 200
    view = tenant.settle(draft["run_id"], after=approval)
    assert (view["status"], view["answer"]) == ("succeeded", "It is 42, says the warden.")


def test_rejected_draft_is_tried_again_and_confidence_is_tracked_across_both(tenant: Tenant, draft: Json) -> None:
    approval = draft["pending_approval"]
    assert tenant.decide(approval, "reject", reason="say it in words").status_code == 200
    view = tenant.settle(draft["run_id"], after=approval)
    # What the human said is the newest of the user's words, and sets no rating.
    assert assessments(tenant, view["run_id"])[0] == (0.6, "draft")
    assert len(assessments(tenant, view["run_id"])) == 2
    assert view["confidence"] == min(sure for sure, _ in assessments(tenant, view["run_id"]))


def test_unsure_turn_is_escalated_and_listed_before_anything_is_done(tenant: Tenant) -> None:
    view = asked(tenant, "[confidence 0.49]")
    assert (view["status"], log(tenant)) == ("awaiting_human", [])
    assert assessments(tenant, view["run_id"]) == [(0.49, "escalate")]
    assert reviews(tenant) == [(view["run_id"], "escalated", 1)]
    approval = view["pending_approval"]
    assert tenant.get(f"/v1/approvals/{approval}")["kind"] == "escalation"
    assert tenant.decide(approval, "answer", text="I closed it myself.").status_code == 200
    view = tenant.settle(view["run_id"], after=approval)
    assert (view["status"], view["answer"], log(tenant)) == ("succeeded", "I closed it myself.", [])


def test_sources_that_disagree_are_held_to_the_doubting_one(tenant: Tenant) -> None:
    view = asked(tenant, "[self-report 1.0] [judge 0.5]")
    # (0.75 + 0.5) / 2: the mean alone would have acted.
    assert assessments(tenant, view["run_id"]) == [(0.625, "draft")]
    assert view["status"] == "awaiting_human"


def test_judge_that_is_down_is_no_signal_and_no_failed_turn(tenant: Tenant) -> None:
    mark = word()
    stack = tenant.stack
    down = [{"kind": "status", "status": 529, "model": model} for model in ("claude-haiku", "gpt-6-luna")]
    with stack.fault(mark, *down):
        view = tenant.ask(f"Hello {mark} [self-report 0.95]", agent="warden")
    assert view["status"] == "succeeded"
    [step] = tenant.events(view["run_id"], "step")
    assert [signal["source"] for signal in step["assessment"]["signals"]] == ["self_report", "validators"]
    assert step["assessment"]["confidence"] == 0.95


def test_samples_that_agree_are_sure(tenant: Tenant) -> None:
    view = asked(tenant, "", agent="scribe")
    assert (view["status"], view["confidence"]) == ("succeeded", 1.0)
    purposes = [attempt["purpose"] for attempt in tenant.events(view["run_id"], "model_attempt")]
    assert purposes.count("sample") == 4
    assert len(log(tenant)) == 1


class Pentad:
    """The command line in this process, with a tenant's key."""

    def __init__(self, tenant: Tenant) -> None:
        self._given = ["--url", tenant.stack.url, "--key", tenant.token]

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, [*self._given, *arguments])

    def json(self, *arguments: str) -> Any:
        done = self("--json", *arguments)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)


def test_command_line_lists_what_waits_and_what_was_logged_and_closes_it(tenant: Tenant) -> None:
    pentad = Pentad(tenant)
    logged = tenant.ask("What is 6 * 7? [confidence 0.8]", agent="warden")
    waits = tenant.ask("What is 6 * 8? [confidence 0.6]", agent="warden")
    listed = pentad.json("review")
    assert [(one["run_id"], one["kind"]) for one in listed["waiting"]] == [(waits["run_id"], "answer")]
    [review] = listed["logged"]
    assert (review["run_id"], review["confidence"]) == (logged["run_id"], 0.8)
    words = pentad("review").stdout
    assert waits["pending_approval"] in words
    assert review["review"] in words
    shown = pentad("review", "show", review["review"])
    assert shown.exit_code == 0
    for told in ("42", "self_report", "judge", "0.80", "review"):
        assert told in shown.stdout
    assert pentad("review", "close", review["review"], "--verdict", "maybe").exit_code == 2
    closed = pentad.json("review", "close", review["review"], "--verdict", "wrong", "--note", "it is 43")
    assert (closed["verdict"], closed["note"]) == ("wrong", "it is 43")
    assert pentad.json("review")["logged"] == []
    other = pentad("review", "close", review["review"], "--verdict", "correct")
    assert other.exit_code == 1
    assert "409" in other.output
