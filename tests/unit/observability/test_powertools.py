"""The lines that Powertools writes: logs, spans and metrics of one invocation, and nothing of another."""

import io
import itertools
import json
import threading
from typing import Any

import pytest

from pentad.observability.adapters.powertools import PowertoolsTelemetry

KEY = "sk-ant-" + "a1" * 12
HEADER = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
_names = itertools.count()


class Lines:
    """A telemetry with the lines it wrote."""

    def __init__(self, header: str | None = HEADER, **options: Any) -> None:
        self.stream = io.StringIO()
        self.header = header
        self.clock = itertools.count(1_000, 10)
        self.telemetry = PowertoolsTelemetry(
            # A logger's name is global to the process, so each test has its own.
            service=f"test-{next(_names)}",
            stage="dev",
            stream=self.stream,
            trace_header=lambda: self.header,
            clock_ns=lambda: next(self.clock),
            **options,
        )

    @property
    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    @property
    def spans(self) -> dict[str, dict[str, Any]]:
        return {line["span"]["name"]: line["span"] for line in self.all if "span" in line}

    @property
    def events(self) -> list[dict[str, Any]]:
        return [line for line in self.all if "event" in line]

    @property
    def documents(self) -> list[dict[str, Any]]:
        return [line for line in self.all if "_aws" in line]


def test_an_event_has_the_invocations_keys_and_its_own_fields() -> None:
    lines = Lines()
    with lines.telemetry.bind(tenant="acme", run="r1", user=None):
        lines.telemetry.log_event("tool.ran", level="WARNING", tool="notes", missing=None)
    (event,) = lines.events
    assert (event["level"], event["event"], event["tenant"], event["run"], event["tool"]) == (
        "WARNING",
        "tool.ran",
        "acme",
        "r1",
        "notes",
    )
    assert "user" not in event and "missing" not in event


def test_nothing_of_one_invocation_is_left_in_the_next() -> None:
    lines = Lines()
    with pytest.raises(RuntimeError), lines.telemetry.bind(tenant="acme", run="r1"), lines.telemetry.bind(step=3):
        raise RuntimeError
    lines.header = HEADER.replace("5759e988", "66666666")
    with lines.telemetry.bind(tenant="other"), lines.telemetry.span("s"):
        lines.telemetry.log_event("e")
    (event,) = lines.events
    assert event["tenant"] == "other" and "run" not in event and "step" not in event
    assert lines.spans["s"]["trace_id"].startswith("66666666")


def test_keys_of_an_inner_block_end_with_it() -> None:
    lines = Lines()
    with lines.telemetry.bind(run="r1"):
        with lines.telemetry.bind(step=2):
            lines.telemetry.log_event("inside")
        lines.telemetry.log_event("outside")
    inside, outside = lines.events
    assert inside["step"] == 2 and inside["run"] == "r1"
    assert "step" not in outside and outside["run"] == "r1"


def test_a_thread_of_the_invocation_has_its_keys() -> None:
    lines = Lines()
    with lines.telemetry.bind(run="r1"):
        thread = threading.Thread(target=lambda: lines.telemetry.log_event("in thread"))
        thread.start()
        thread.join()
    assert lines.events[0]["run"] == "r1"


def test_spans_nest_below_the_invocations_segment() -> None:
    lines = Lines()
    with lines.telemetry.bind(run="r1"), lines.telemetry.span("outer"), lines.telemetry.span("inner"):
        pass
    outer, inner = lines.spans["outer"], lines.spans["inner"]
    assert outer["trace_id"] == inner["trace_id"] == "5759e988bd862e3fe1be46a994272793"
    assert outer["parent_id"] == "53995c3f42cd8ad8" and inner["parent_id"] == outer["span_id"]
    assert outer["start"] <= inner["start"] <= inner["end"] <= outer["end"]


def test_a_span_has_its_attributes_and_the_class_of_its_error() -> None:
    lines = Lines()
    with pytest.raises(KeyError), lines.telemetry.span("chat", {"gen_ai.request.model": "m"}) as span:
        span.set("gen_ai.usage.input_tokens", 7)
        raise KeyError("a private word")
    recorded = lines.spans["chat"]
    assert recorded["status"] == "ERROR"
    assert recorded["attributes"] == {
        "gen_ai.request.model": "m",
        "gen_ai.usage.input_tokens": 7,
        "error.type": "KeyError",
    }
    assert "private" not in lines.stream.getvalue()


def test_secrets_are_in_no_line() -> None:
    lines = Lines()
    with lines.telemetry.bind(note=f"x {KEY}"), lines.telemetry.span("s", {"url": f"https://a:{KEY}@b"}):
        lines.telemetry.log_event(f"saw {KEY}", header=f"Bearer {KEY}", api_key="short")
    assert KEY not in lines.stream.getvalue() and "short" not in lines.stream.getvalue()


def test_a_field_whose_name_logging_uses_is_kept_under_another() -> None:
    lines = Lines()
    lines.telemetry.log_event("e", message="m", args="a", module="b")
    (event,) = lines.events
    assert (event["message_"], event["args_"], event["module_"]) == ("m", "a", "b")


def test_lines_below_the_level_are_not_written() -> None:
    lines = Lines(level="WARNING")
    lines.telemetry.log_event("quiet")
    lines.telemetry.log_event("loud", level="ERROR")
    assert [event["event"] for event in lines.events] == ["loud"]


def test_metrics_are_written_at_the_end_grouped_by_dimensions() -> None:
    lines = Lines()
    with lines.telemetry.bind(run="r1"):
        for _ in range(3):
            lines.telemetry.count("ToolCalls", tool="notes", outcome="ok", run="r1")
        lines.telemetry.count("ToolDuration", 12.5, unit="Milliseconds", tool="notes")
        assert lines.documents == []
    calls, duration = lines.documents
    definition = calls["_aws"]["CloudWatchMetrics"][0]
    assert definition["Namespace"] == "Pentad"
    assert definition["Dimensions"] == [["stage"], ["stage", "outcome", "tool"]]
    assert definition["Metrics"] == [{"Name": "ToolCalls", "Unit": "Count"}]
    assert (calls["ToolCalls"], calls["stage"], calls["tool"]) == ([1.0, 1.0, 1.0], "dev", "notes")
    assert duration["ToolDuration"] == [12.5] and "run" not in calls


def test_metrics_of_a_failed_invocation_are_written_too() -> None:
    lines = Lines()
    with pytest.raises(RuntimeError), lines.telemetry.bind(run="r1"):
        lines.telemetry.count("Errors", error="RuntimeError")
        raise RuntimeError
    assert lines.documents[0]["Errors"] == [1.0]


def test_more_values_than_a_document_takes_are_split() -> None:
    lines = Lines()
    with lines.telemetry.bind(run="r1"):
        for _ in range(250):
            lines.telemetry.count("ToolCalls")
    assert sum(len(document["ToolCalls"]) for document in lines.documents) == 250
    assert all(len(document["ToolCalls"]) < 100 for document in lines.documents)


def test_a_metric_outside_of_an_invocation_is_written_at_once() -> None:
    lines = Lines()
    lines.telemetry.count("ColdStarts")
    assert lines.documents[0]["ColdStarts"] == [1.0]
