"""The spans of runs, waits and calls that failed for good."""

from datetime import timedelta
from typing import Any

import pytest

from pentad.domain.runs import CallStatus, RunStatus
from pentad.domain.tracing import EndedSpan, find_call_place, find_root_place, find_run_place
from pentad.domain.usage import Spent, Usage
from pentad.observability.spans.conventions import check_span
from pentad.orchestration.trace.root_spans import build_failed_call_span, build_root_span
from tests.unit.orchestration.trace.test_run_spans import RUN, _call, _run
from tests.unit.orchestration.world import START, TENANT, World

CALLER = f"00-{'a' * 32}-{'b' * 16}-01"


def test_the_root_has_the_runs_real_times_and_what_it_cost() -> None:
    spent = Spent(steps=2, usage=Usage(input_tokens=3, output_tokens=4, cache_read_tokens=5), cost_nanousd=6)
    span = build_root_span(_run(spent=spent))
    check_span(span.name, span.kind, span.attributes)
    assert (span.name, span.start, span.end) == ("invoke_agent assistant", START, START + timedelta(milliseconds=131))
    assert (span.place, span.parent_id, span.error) == (find_root_place(TENANT, RUN), None, None)
    assert span.attributes["gen_ai.usage.input_tokens"] == 8
    assert span.attributes["pentad.cost.nanousd"] == 6


def test_the_root_is_below_its_caller() -> None:
    span = build_root_span(_run(traceparent=CALLER))
    assert (span.place.trace_id, span.parent_id) == ("a" * 32, "b" * 16)
    assert span.place.span_id == find_root_place(TENANT, RUN).span_id


def test_a_workflow_is_an_operation_of_its_own() -> None:
    span = build_root_span(_run(kind="workflow", agent="research"))
    check_span(span.name, span.kind, span.attributes)
    assert span.name == "invoke_workflow research"


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"status": RunStatus.FAILED, "error": "ModelUnavailable: no model could be reached"}, "ModelUnavailable"),
        ({"status": RunStatus.FAILED, "error": "the execution died"}, "failed"),
        ({"status": RunStatus.FAILED, "error": None}, "failed"),
        ({"status": RunStatus.CANCELLED, "stop_reason": "Cancelled by x"}, None),
        ({"status": RunStatus.STOPPED}, None),
    ],
)
def test_only_a_run_that_failed_is_an_error_and_its_text_is_in_no_span(
    values: dict[str, Any], error: str | None
) -> None:
    span = build_root_span(_run(**values))
    assert span.error == error
    assert "reached" not in str(span)


def test_a_run_that_goes_on_for_another_names_it() -> None:
    other = "run_" + "1" * 26
    assert build_root_span(_run(redrive_of_run_id=other)).links == (find_root_place(TENANT, other),)


def test_a_call_whose_function_was_killed_has_a_span_at_the_calls_place() -> None:
    call = _call(0, "calculator", 55, 75).model_copy(
        update={"status": CallStatus.FAILED, "error_type": "Sandbox.Timedout"}
    )
    span = build_failed_call_span(_run(traceparent=CALLER), call)
    check_span(span.name, span.kind, span.attributes)
    assert span.place == find_call_place(TENANT, RUN, 1, 0, CALLER)
    assert (span.error, span.attributes["pentad.tool.status"]) == ("Sandbox.Timedout", "failed")


def roots(world: World) -> list[EndedSpan]:
    return [span for span in world.telemetry.ended if span.name.startswith("invoke_")]


def test_every_end_of_a_run_writes_its_root_and_a_repeat_the_same() -> None:
    world = World()
    cancelled = world.begin()
    aborted = world.begin()
    for _ in range(2):
        world.cancel(TENANT, cancelled.run_id, by="ann")
        world.deliver.abort(TENANT, aborted.run_id, "ExecutionTimedOut", "")
    found = roots(world)
    assert len(found) == 4
    assert {span.place for span in found} == {find_run_place(cancelled), find_run_place(aborted)}
    assert {(span.name, span.error) for span in found} == {
        ("invoke_agent assistant", None),
        ("invoke_agent assistant", "ExecutionTimedOut"),
    }
    # The same times in each try: a backend keeps one.
    assert len({(span.place, span.start, span.end) for span in found}) == 2


def test_a_run_whose_execution_died_unseen_has_a_root() -> None:
    world = World()
    run = world.begin(session="s")
    world.engine.dead.add(str(run.execution_arn))
    world.start.advance(TENANT, "s")
    [root] = roots(world)
    assert (root.place, root.attributes["pentad.status"]) == (find_run_place(run), "failed")


@pytest.mark.parametrize(("tool", "server"), [("notes", None), ("github__search", "github")])
def test_a_call_of_a_remote_servers_tool_says_so_in_its_own_span(tool: str, server: str | None) -> None:
    failed = {"status": CallStatus.FAILED, "error_type": "ToolFailed"}
    call = _call(0, tool, 55, 75).model_copy(update=failed)
    span = build_failed_call_span(_run(), call)
    check_span(span.name, span.kind, span.attributes)
    assert span.attributes.get("mcp.method.name") == (None if server is None else "tools/call")
    assert (span.name, span.attributes.get("pentad.mcp.server")) == (f"execute_tool {tool}", server)
