"""Processes that are killed in the middle, and parts that fail for good: a trace is one tree all the same.

As a tracing product builds it: one root, and the parent of each span is there.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pentad.domain.tracing import find_root_place
from pentad.memory.remember.remember import RECEIVES
from pentad.orchestration.lifecycle.announce_end import FINISHED
from tests.twin.conftest import OwnProject
from tests.twin.graphs.span_lines import read_spans
from tests.twin.stack.test_crashes import hang, kill, records, started, until_taken
from tests.twin.stack.world import Json, Stack, Tenant, until, word
from tests.unit.functions.events import sqs

# Processes are the whole twin's, so these have one that the other workers do not use.
pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("stack-own")]

Spans = list[Json]
WRITING = "Write the briefing on {mark}"
"""What a node of the graph asks, after two others have ended."""


@pytest.fixture
def stack(own: OwnProject) -> Stack:
    return own.stack


@pytest.fixture
def mark(stack: Stack) -> Iterator[str]:
    """A word; faults for it end with the test."""
    made = word()
    yield made
    for text in (made, WRITING.format(mark=made)):
        stack.simulator.clear_faults(text)


def await_tree(tenant: Tenant, run_id: str, enough: Callable[[Spans], bool] = lambda _: True) -> Spans:
    """Return a run's spans once they are a tree and enough; fail with those that have no place in it."""
    place = find_root_place(tenant.name, run_id)
    seen: Spans = []

    def look() -> Spans | None:
        seen[:] = [one for one in read_spans(tenant.stack) if one["trace_id"] == place.trace_id]
        ids = {one["span_id"] for one in seen}
        roots = {one["span_id"] for one in seen if one["parent_id"] is None}
        return seen if roots == {place.span_id} and not find_orphans(seen, ids) and enough(seen) else None

    try:
        return until(look, "one tree", 30)
    except AssertionError as error:
        lost = [f"{one['name']} {one['line']}" for one in find_orphans(seen, {one["span_id"] for one in seen})]
        raise AssertionError(f"{[one['name'] for one in seen]}; without a parent: {lost}") from error


def find_orphans(spans: Spans, ids: set[str]) -> Spans:
    return [one for one in spans if one["parent_id"] is not None and one["parent_id"] not in ids]


def list_cut_off(spans: Spans) -> list[str]:
    return sorted(one["name"].split(" ")[0] for one in spans if one["attributes"].get("error.type") == "cut_off")


@pytest.mark.parametrize(
    ("path", "function", "lost"),
    [
        ("/v1/messages", "gateway", ["chat"]),
        # Whether an embedding still gets its answer, no later part of the run knows: it has no span where it does not.
        ("/v1/embeddings", "gateway", []),
        ("/v1/embeddings", "recall", []),
    ],
)
def test_a_run_whose_turn_or_recall_is_killed(stack: Stack, mark: str, path: str, function: str, lost: Any) -> None:
    tenant = stack.tenant()
    hang(stack, mark, path)
    run = started(tenant, f"Hello {mark}")
    until_taken(stack, mark)
    kill(stack, function)
    assert tenant.settle(run)["status"] == "succeeded"
    assert list_cut_off(await_tree(tenant, run, lambda spans: list_cut_off(spans) == lost)) == lost


@pytest.mark.parametrize("function", ["tool-ring-bell", "run-tool"])
def test_a_run_whose_tool_or_its_runner_is_killed(stack: Stack, function: str) -> None:
    tenant = stack.tenant()
    run = started(tenant, 'Ring bell "north"', agent="greeter")
    until(lambda: records(tenant, "BELL"), "the effect")
    kill(stack, function)
    assert tenant.settle(run)["status"] == "succeeded"
    calls = [one for one in await_tree(tenant, run) if one["name"] == "execute_tool ring_bell"]
    assert [one["status"] for one in calls].count("OK") == 1


def kill_graph(stack: Stack, tenant: Tenant, mark: str, *, times: int) -> str:
    """Let a run's graph be killed in its third node, so often or until its call has failed; return the run."""
    text, run = WRITING.format(mark=mark), ""
    for _ in range(times):
        hanging = {"kind": "delay", "seconds": 20, "path": "/v1/messages", "text": text, "times": 1}
        stack.simulator.add_faults(hanging)
        run = run or started(tenant, f'Briefing "{mark}"', agent="briefer")

        def look(run: str = run) -> str | None:
            if any(one["status"] == "failed" for one in tenant.events(run, "tool_call")):
                return "failed"
            return None if any(fault["text"] == text for fault in stack.simulator.add_faults()) else "taken"

        if until(look, "the call that hangs") == "failed":
            break
        kill(stack, "tool-briefing")
    stack.simulator.clear_faults(text)
    return run


def test_a_graph_that_is_killed_and_goes_on_has_the_node_in_which_it_died(stack: Stack, mark: str) -> None:
    pytest.importorskip("langgraph", reason="the extra `graphs` is not installed")
    tenant = stack.tenant()
    run = kill_graph(stack, tenant, mark, times=1)
    assert tenant.settle(run)["status"] == "succeeded"
    spans = await_tree(tenant, run)
    nodes = Counter((one["name"], one["status"]) for one in spans if one["name"].startswith("graph_node"))
    # Killed by whoever sees it first, the runner or the graph's next try: the same span.
    assert set(nodes) == {
        ("graph_node outline", "OK"),
        ("graph_node figures", "OK"),
        ("graph_node write", "ERROR"),
        ("graph_node write", "OK"),
    }
    assert len({one["span_id"] for one in spans if one["name"].startswith("graph_node")}) == 4


def test_a_graph_that_is_killed_in_every_try_has_each_node_in_which_it_died(stack: Stack, mark: str) -> None:
    pytest.importorskip("langgraph", reason="the extra `graphs` is not installed")
    tenant = stack.tenant()
    run = kill_graph(stack, tenant, mark, times=8)
    assert tenant.settle(run)["status"] == "succeeded"
    [call] = tenant.events(run, "tool_call")
    assert call["status"] == "failed"
    spans = await_tree(tenant, run)
    died = {one["span_id"] for one in spans if one["name"] == "graph_node write"}
    assert len(died) > 1
    # What the gateway answered to processes that were gone is below the nodes that had asked.
    assert {one["parent_id"] for one in spans if one["line"].get("op") == "complete"} >= died


def test_memories_that_the_last_delivery_could_not_make_either(stack: Stack, mark: str) -> None:
    tenant = stack.tenant()
    stack.simulator.add_faults({"kind": "status", "status": 500, "path": "/v1/embeddings", "text": mark, "times": 500})
    run = started(tenant, f"Hello {mark}")
    view = tenant.settle(run)
    place = find_root_place(tenant.name, run)
    detail = {"tenant": tenant.name, "run": run, "session": view["session"], "traceparent": place.header}
    event = sqs(json.dumps({"detail-type": FINISHED, "detail": detail}))
    event["Records"][0]["attributes"]["ApproximateReceiveCount"] = str(RECEIVES)

    def deliver() -> bool:
        """The queue's own deliveries come again for ten minutes; another one may be at work."""
        stack.aws("lambda").invoke(FunctionName="pentad-dev-remember", Payload=json.dumps(event))
        spans = [one for one in read_spans(stack) if one["trace_id"] == place.trace_id]
        return not find_orphans(spans, {one["span_id"] for one in spans})

    until(deliver, "the last delivery", 60)
    failed = [one for one in await_tree(tenant, run) if one["name"] == "upsert_memory turn-vectors"]
    assert failed and {one["status"] for one in failed} == {"ERROR"}
