"""What the schema of logs takes and refuses; the lines of the twins' functions are held against it after the tests."""

import ast
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from pentad.observability.adapters.powertools import PowertoolsTelemetry
from pentad.observability.logs.schema import ALWAYS, CORRELATING, LogLine, find_line_faults

LINE = {
    "timestamp": "2026-11-30T10:58:57.065+00:00",
    "level": "INFO",
    "service": "gateway",
    "message": "run.started",
    "event": "run.started",
    "tenant": "acme",
    "step": 1,
}


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"step": "1"}, "'step': Input should be a valid integer"),
        ({"colour": "red"}, "'colour': Extra inputs are not permitted"),
        ({"timestamp": "yesterday"}, "'timestamp': String should match pattern"),
        ({"timestamp": "2026-11-30T10:58:57.065+02:00"}, "'timestamp': String should match pattern"),
        ({"level": "LOUD"}, "'level': Input should be"),
        ({"message": "something else"}, "'message' is not the name of the event or span"),
        ({"event": "Started", "message": "Started"}, "'event': String should match pattern"),
        ({"span": {"trace_id": "0"}}, "'span.trace_id': String should match pattern"),
        ({"service": None}, "'service': Input should be a valid string"),
    ],
)
def test_what_is_not_as_the_schema_says_is_told_by_its_field(changed: dict[str, Any], fault: str) -> None:
    assert find_line_faults(json.dumps(LINE)) == []
    found = find_line_faults(json.dumps({**LINE, **changed}))
    assert found and found[0].startswith(fault)


@pytest.mark.parametrize("name", ALWAYS)
def test_what_every_line_has_may_not_be_missing(name: str) -> None:
    assert find_line_faults(json.dumps({key: value for key, value in LINE.items() if key != name}))


@pytest.mark.parametrize(
    "text",
    [
        "START RequestId: 0a1b Version: 3",
        "REPORT RequestId: 0a1b\tDuration: 1.00 ms\tStatus: timeout",
        "2026-11-30T10:58:57.065Z 0a1b Task timed out after 3.00 seconds",
        "[WARNING]\t2026-11-30T10:58:57.065Z\t0a1b\tConnection pool is full",
        "RequestId: 0a1b Error: Runtime exited with error: signal: killed",
    ],
)
def test_what_lambda_and_libraries_write_is_text(text: str) -> None:
    assert find_line_faults(text) == []


@pytest.mark.parametrize("text", ["hello", "[1]", "null", '"x"', '{"level": "INFO"'])
def test_other_text_is_a_fault(text: str) -> None:
    assert find_line_faults(text)


def test_a_document_of_metrics_has_the_numbers_and_dimensions_that_it_names() -> None:
    directive = {"Namespace": "Pentad", "Dimensions": [["stage", "tool"]], "Metrics": [{"Name": "ToolCalls"}]}
    document = {"_aws": {"CloudWatchMetrics": [directive]}, "stage": "dev", "service": "x", "tool": "n", "ToolCalls": 1}
    assert find_line_faults(json.dumps(document)) == []
    assert find_line_faults(json.dumps({**document, "ToolCalls": [1, "2"]})) == ["'ToolCalls' is not a number"]
    assert find_line_faults(json.dumps({**document, "tool": None})) == ["the dimension 'tool' is missing"]


def test_all_that_telemetry_writes_is_as_the_schema_says() -> None:
    stream = io.StringIO()
    telemetry = PowertoolsTelemetry(service="test-schema", stage="dev", stream=stream)
    with telemetry.bind(tenant="acme", run="r", step=1, request_id="q"):
        telemetry.add_keys(session="s", agent="clerk", attempt=None)
        telemetry.log_event("tool.failed", level="ERROR", tool="notes", error="KeyError")
        with telemetry.span("chat m", {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}, kind="CLIENT"):
            telemetry.count("ToolCalls", 1, tool="notes", outcome="ok")
    lines = stream.getvalue().splitlines()
    assert len(lines) == 3
    assert [find_line_faults(line) for line in lines] == [[]] * 3
    assert json.loads(lines[0])["session"] == json.loads(lines[1])["session"] == "s"


def test_every_field_that_a_call_gives_is_in_the_schema(root: Path) -> None:
    given: set[str] = set()
    for tree in ("shared/pentad", "functions"):
        for path in (root / tree).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            if not re.search(r"\b(?:log_event|add_keys|bind)\(", text):
                continue
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Call) and getattr(node.func, "attr", None) in {"log_event", "add_keys", "bind"}:
                    given |= {word.arg for word in node.keywords if word.arg}
    given -= {"tools", "tool_choice", "tool_names", "output_schema"}  # LangChain's own ``bind``
    assert len(given) > 45
    assert not given - set(LogLine.model_fields)
    assert set(ALWAYS) | set(CORRELATING) <= set(LogLine.model_fields)
