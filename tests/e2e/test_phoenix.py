"""Opt-in: a real Phoenix shows what a twin's runs did. ``make check-phoenix`` installs it and sets PENTAD_PHOENIX."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pentad.observability.export.dialects import KINDS
from pentad.testing.kit import Kit
from pentad.testing.runs import KitRun
from pentad.testing.stack import keeper
from tests.e2e.phoenix import Phoenix
from tests.twin import copies
from tests.twin.stack.world import Json, Stack, until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        not os.environ.get("PENTAD_PHOENIX"), reason="make check-phoenix sends a twin's spans to a real Phoenix"
    ),
]
PROJECT = "pentad-check"
CALLER_TRACE, CALLER_SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SECONDS = 300.0
"""A share comes again after waits that double: an outage of a minute is made up for within two more."""


@dataclass
class Shown:
    """A twin whose spans go to a Phoenix, and what was done on it.

    Attributes:
        stack: the twin.
        phoenix: where its spans go.
        kit: of the tenant whose runs they are.
        runs: by what they did.
    """

    stack: Stack
    phoenix: Phoenix
    kit: Kit
    runs: dict[str, KitRun]


@pytest.fixture(scope="module")
def shown(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    folder = tmp_path_factory.mktemp("phoenix")
    phoenix = Phoenix(Path(os.environ["PENTAD_PHOENIX"]).absolute(), folder, PROJECT)
    project = tmp_path_factory.mktemp("project")
    target = {"name": "phoenix", "kind": "phoenix", "endpoint": phoenix.url, "project": PROJECT}
    copies.copy(root, project)
    traces = {"dev": [target | {"contents": True, "feedback": True}]}
    assembly = copies.synthesize(project, traces=traces, contents={"dev": {"agents": ["assistant"], "days": 1}})
    try:
        phoenix.start()
        with keeper.running(assembly, project / ".pentad") as facts, Stack(facts) as stack:
            kit = Kit(stack, stack.tenant())
            yield Shown(stack, phoenix, kit, use(kit))
    finally:
        phoenix.close()


def use(kit: Kit) -> dict[str, KitRun]:
    """Run agents with tools, documents, a human and a workflow, and let a user say what the answers are worth."""
    kit.documents.add("harbour.md", "# Harbour\n\nThe ferry to the island leaves at nine from the south pier.")
    runs = {
        "documents": kit.ask("assistant", "When does the ferry to the island leave, and from which pier?"),
        "tools": kit.ask("assistant", "What is 17.5 * (3 + 4), and how many days from 2026-01-01 to 2026-11-22?"),
    }
    waiting = kit.ask("assistant", 'Save a note titled "Check" with the text "Phoenix sees it."')
    runs["approval"] = kit.approvals.approve(waiting)
    runs["workflow"] = kit.ask("report", "When does the ferry leave?")
    asked = {"agent": "assistant", "message": "What is 6 * 7?"}
    begun = kit.tenant.post("/v1/runs", asked, traceparent=f"00-{CALLER_TRACE}-{CALLER_SPAN}-01")
    runs["caller"] = kit.read(begun.json()["run_id"])
    for name, score in (("documents", 1), ("tools", 0)):
        path = f"/v1/runs/{runs[name].run_id}/feedback"
        answer = kit.tenant.post(path, {"score": score, "comment": "CANARY"})
        assert answer.is_success, answer.text
    return runs


def read_log(stack: Stack) -> dict[str, Json]:
    """Return the spans that functions have logged, by id."""
    logs: Any = stack.aws("logs")
    pages = logs.get_paginator("describe_log_groups").paginate()
    groups = [one["logGroupName"] for page in pages for one in page["logGroups"]]
    found: dict[str, Json] = {}
    for group in groups:
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group, filterPattern='"span_id"'):
            for event in page["events"]:
                span = read_span(event["message"])
                if span is not None:
                    found.setdefault(span["span_id"], span)
    return found


def read_span(message: str) -> Json | None:
    try:
        span = json.loads(message).get("span")
    except ValueError:
        return None
    return span if isinstance(span, dict) else None


def await_all(shown: Shown) -> tuple[dict[str, Json], dict[str, Json]]:
    """Return what was logged and what Phoenix has of it, by id, once it has all; each is there once."""

    def look() -> tuple[dict[str, Json], dict[str, Json]] | None:
        logged, there = read_log(shown.stack), shown.phoenix.read_spans()
        ids = Counter(one["context"]["span_id"] for one in there)
        assert max(ids.values(), default=1) == 1, ids.most_common(3)
        found = {one["context"]["span_id"]: one for one in there}
        return (logged, found) if logged and logged.keys() <= found.keys() else None

    return until(look, "that Phoenix has all spans", SECONDS)


def test_every_span_is_there_once_with_its_parent_and_its_kind(shown: Shown) -> None:
    logged, there = await_all(shown)
    assert there.keys() == logged.keys()
    for span_id, span in logged.items():
        seen = there[span_id]
        told = (seen["name"], seen["context"]["trace_id"], seen["parent_id"], seen["status_code"])
        assert told == (span["name"], span["trace_id"], span.get("parent_id"), span["status"]), span
        assert seen["span_kind"] == KINDS.get(span["name"].split(" ")[0], "CHAIN")
    kinds = Counter(one["span_kind"] for one in there.values())
    assert {"AGENT", "LLM", "TOOL", "RETRIEVER", "EMBEDDING", "CHAIN"} <= kinds.keys()


def test_the_spans_of_a_run_are_one_tree_with_its_caller_and_its_workflow(shown: Shown) -> None:
    _, there = await_all(shown)
    lost = [one for one in there.values() if one["parent_id"] and one["parent_id"] not in there]
    assert {one["name"] for one in lost} <= {"invoke_agent assistant"}  # whose caller's span is the caller's
    root = find_root(there, shown.runs["caller"])
    assert (root["context"]["trace_id"], root["parent_id"]) == (CALLER_TRACE, CALLER_SPAN)
    workflow = find_root(there, shown.runs["workflow"])["context"]
    below = [one for one in there.values() if one["parent_id"] == workflow["span_id"]]
    assert {"invoke_agent editor", "invoke_agent analyst", "invoke_agent reviewer"} <= {one["name"] for one in below}
    assert {one["context"]["trace_id"] for one in below} == {workflow["trace_id"]}


def read_attribute(span: Json, name: str) -> Any:
    return span["attributes"].get(name)


def find_root(there: dict[str, Json], run: KitRun) -> Json:
    """Return the root of a run; feedback on it names the run too."""
    [root] = [
        one
        for one in there.values()
        if read_attribute(one, "pentad.run") == run.run_id and one["name"].startswith("invoke_")
    ]
    return root


def test_attempts_have_their_tokens_and_their_cost(shown: Shown) -> None:
    logged, there = await_all(shown)
    attempts = {span_id: one for span_id, one in logged.items() if "gen_ai.request.model" in one["attributes"]}
    assert len(attempts) > 10
    for span_id, span in attempts.items():
        given, seen = span["attributes"], there[span_id]
        assert read_attribute(seen, "llm.token_count.prompt") == given["gen_ai.usage.input_tokens"]
        assert read_attribute(seen, "llm.token_count.completion") == given["gen_ai.usage.output_tokens"]
        assert read_attribute(seen, "llm.cost.total") == pytest.approx(given["pentad.cost.nanousd"] / 1e9)


def test_what_the_trace_of_a_run_shows_is_there(shown: Shown) -> None:
    _, there = await_all(shown)
    for run in shown.runs.values():
        trace = shown.kit.tenant.get(f"/v1/runs/{run.run_id}/trace")
        root = find_root(there, run)
        mine = [one for one in there.values() if one["context"]["trace_id"] == root["context"]["trace_id"]]
        told = Counter(
            (one["name"], one["attributes"]["cost_nanousd"]) for one in trace["spans"] if one["kind"] == "model"
        )
        seen = Counter(
            (read_attribute(one, "gen_ai.request.model"), read_attribute(one, "pentad.cost.nanousd"))
            for one in mine
            if one["span_kind"] in ("LLM", "EMBEDDING")
        )
        assert told <= seen
        tools = Counter(one["name"] for one in trace["spans"] if one["kind"] == "tool")
        assert tools <= Counter(read_attribute(one, "gen_ai.tool.name") for one in mine if one["span_kind"] == "TOOL")


def test_the_sums_of_its_page_are_ours(shown: Shown) -> None:
    _, there = await_all(shown)
    sums = shown.phoenix.read_sums()
    by_id = {edge["node"]["spanId"]: edge["node"] for edge in sums["spans"]["edges"]}
    assert by_id.keys() == there.keys()
    # It sums up chats alone, and has no price for embeddings; both are ours all the same.
    chats = [one for one in there.values() if one["span_kind"] == "LLM"]
    assert sums["tokenCountPrompt"] == sum(read_attribute(one, "llm.token_count.prompt") for one in chats)
    cost = sum(read_attribute(one, "pentad.cost.nanousd") for one in chats) / 1e9
    assert sums["costSummary"]["total"]["cost"] == pytest.approx(cost)
    for root in (one for one in there.values() if one["parent_id"] is None):
        below = [one for one in chats if one["context"]["trace_id"] == root["context"]["trace_id"]]
        assert by_id[root["context"]["span_id"]]["cumulativeTokenCountPrompt"] == sum(
            read_attribute(one, "llm.token_count.prompt") for one in below
        )


def test_what_was_said_is_shown_of_the_agent_that_is_named(shown: Shown) -> None:
    _, there = await_all(shown)
    root = find_root(there, shown.runs["tools"])
    assert "17.5" in read_attribute(root, "input.value")
    assert read_attribute(root, "output.value") == shown.runs["tools"].answer
    mine = [one for one in there.values() if one["parent_id"] == root["context"]["span_id"]]
    tool = next(one for one in mine if one["name"] == "execute_tool calculator")
    assert "17.5" in read_attribute(tool, "input.value") and "122.5" in read_attribute(tool, "output.value")
    chat = next(one for one in mine if one["span_kind"] == "LLM")
    assert any(name.startswith("llm.input_messages.0.") for name in chat["attributes"]), chat["attributes"]
    assert any(name.startswith("llm.output_messages.0.") for name in chat["attributes"]), chat["attributes"]
    assert read_attribute(find_root(there, shown.runs["workflow"]), "input.value") is None


def test_feedback_is_an_annotation_of_its_runs_root(shown: Shown) -> None:
    _, there = await_all(shown)
    roots = {name: find_root(there, run)["context"]["span_id"] for name, run in shown.runs.items()}

    def look() -> Json | None:
        spans = [edge["node"] for edge in shown.phoenix.read_sums()["spans"]["edges"]]
        found = {one["spanId"]: one["spanAnnotations"] for one in spans if one["spanAnnotations"]}
        return found if len(found) >= 2 else None

    found = until(look, "that Phoenix has the feedback", SECONDS)
    assert found.keys() == {roots["documents"], roots["tools"]}
    for name, label, score in (("documents", "correct", 1), ("tools", "wrong", 0)):
        [one] = found[roots[name]]
        assert (one["name"], one["label"], one["score"], one["annotatorKind"]) == (
            "user_feedback",
            label,
            score,
            "HUMAN",
        )
    assert "CANARY" not in json.dumps(found)


def test_an_outage_of_phoenix_loses_nothing_and_doubles_nothing(shown: Shown) -> None:
    before, _ = await_all(shown)
    shown.phoenix.stop()
    for number in range(5):
        shown.kit.ask("assistant", f"What is {number} + 30?")
    run = shown.kit.ask("assistant", "What is 40 + 2?")
    shown.kit.tenant.post(f"/v1/runs/{run.run_id}/feedback", {"score": 1})
    until(lambda: len(read_log(shown.stack)) > len(before) + 20, "that there are spans that nobody takes")
    until(lambda: count_refused(shown.stack) > 3, "that shares were sent and not taken")
    shown.phoenix.start()
    logged, there = await_all(shown)
    assert there.keys() == logged.keys()
    assert len(logged) > len(before)
    dead = shown.stack.aws("sqs").get_queue_attributes(
        QueueUrl=shown.stack.queue_url("spans-dlq"), AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert dead["Attributes"]["ApproximateNumberOfMessages"] == "0"


def count_refused(stack: Stack) -> int:
    """Return how often the exporter said that the target did not take a share."""
    logs: Any = stack.aws("logs")
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName="/aws/lambda/pentad-dev-export", filterPattern='"export.refused"'
    )
    return sum(len(page["events"]) for page in pages)
