"""The lines that Powertools writes: logs, spans and metrics of one invocation, and nothing of another."""

import io
import itertools
import json
import threading
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from pentad.domain.tracing import EndedSpan, TraceContext, find_root_place, get_open_place
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


def test_what_becomes_known_is_on_the_lines_that_follow_until_its_block_ends() -> None:
    lines = Lines()
    with lines.telemetry.bind(run="r1"):
        lines.telemetry.log_event("e.before")
        lines.telemetry.add_keys(session="s1", agent=None)
        with lines.telemetry.bind():
            lines.telemetry.add_keys(tenant="acme")
            lines.telemetry.log_event("e.message")
        lines.telemetry.log_event("e.after")
    lines.telemetry.add_keys(run="r2")
    with lines.telemetry.bind():
        lines.telemetry.log_event("e.next")
    known = [{name for name in ("run", "session", "tenant", "agent") if name in event} for event in lines.events]
    assert known == [{"run"}, {"run", "session", "tenant"}, {"run", "session"}, set()]


def test_a_thread_of_the_invocation_has_its_keys() -> None:
    lines = Lines()
    with lines.telemetry.bind(run="r1"):
        thread = threading.Thread(target=lambda: lines.telemetry.log_event("in thread"))
        thread.start()
        thread.join()
    assert lines.events[0]["run"] == "r1"


def test_a_span_of_no_run_is_the_first_of_its_trace_and_links_x_rays_segment() -> None:
    lines = Lines()
    with lines.telemetry.bind(), lines.telemetry.span("outer"), lines.telemetry.span("inner"):
        pass
    outer, inner = lines.spans["outer"], lines.spans["inner"]
    assert outer["trace_id"] == inner["trace_id"] == "5759e988bd862e3fe1be46a994272793"
    assert outer["parent_id"] is None and inner["parent_id"] == outer["span_id"]
    assert outer["links"] == [{"trace_id": outer["trace_id"], "span_id": "53995c3f42cd8ad8"}]
    assert "links" not in inner
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


def run_twice(**keys: Any) -> list[list[dict[str, Any]]]:
    """The spans of two tries of the same invocation, as a retry of a state makes them."""
    found = []
    for number in (1, 2):
        lines = Lines(header=HEADER.replace("5759e988", f"5759e98{number}"))
        bound = lines.telemetry.bind(request_id=f"req-{number}", tenant="acme", run="run_1", **keys)
        with bound, lines.telemetry.span("outer"):
            for _ in range(2):
                with lines.telemetry.span("inner"):
                    pass
        found.append([line["span"] for line in lines.all if "span" in line])
    return found


def test_a_retry_writes_spans_of_the_same_ids_below_the_runs_root() -> None:
    first, second = run_twice(step=2)
    places = [
        [(one["name"], one["trace_id"], one["span_id"], one["parent_id"]) for one in tries] for tries in (first, second)
    ]
    assert places[0] == places[1]
    assert len({one["span_id"] for one in first}) == 3
    root = find_root_place("acme", "run_1")
    outer = first[-1]
    assert (outer["trace_id"], outer["parent_id"]) == (root.trace_id, root.span_id)


def test_invocations_of_other_steps_and_calls_have_spans_of_their_own() -> None:
    ids = [
        one["span_id"] for keys in ({"step": 1}, {"step": 2}, {"step": 2, "index": 1}) for one in run_twice(**keys)[0]
    ]
    assert len(set(ids)) == len(ids)


def test_x_rays_segment_is_a_link_of_a_runs_span() -> None:
    span = run_twice()[0][0]
    assert span["links"] == [{"trace_id": "5759e981bd862e3fe1be46a994272793", "span_id": "53995c3f42cd8ad8"}]
    assert span["attributes"]["pentad.xray.trace_id"] == "1-5759e981-bd862e3fe1be46a994272793"


def test_a_try_that_fails_leaves_the_spans_place_to_the_next() -> None:
    lines, place = Lines(), TraceContext("a" * 32, "b" * 16)
    for request_id, fails in (("req-1", True), ("req-2", True), ("req-3", False)):
        with suppress(KeyError), lines.telemetry.bind(request_id=request_id, tenant="acme", run="run_1"):
            with lines.telemetry.span("execute_tool x", place=place):
                if fails:
                    raise KeyError
    spans = [line["span"] for line in lines.all if "span" in line]
    assert [one["status"] for one in spans] == ["ERROR", "ERROR", "OK"]
    assert spans[2]["span_id"] == place.span_id
    assert len({one["span_id"] for one in spans}) == 3


@pytest.mark.parametrize("name", ["retrieval documents", "search_memory turns", "graph_node n", "anything"])
def test_a_failed_try_and_the_good_one_after_it_are_two_spans_of_any_name(name: str) -> None:
    lines, bound = Lines(), {"tenant": "acme", "run": "r1", "op": "recall"}
    for request_id, fails in (("1", True), ("2", True), ("3", False), ("4", False)):
        with suppress(ValueError), lines.telemetry.bind(request_id=request_id, **bound):
            with lines.telemetry.span("outer"), lines.telemetry.span(name):
                if fails:
                    raise ValueError
    for which in ("outer", name):
        tries = [line["span"] for line in lines.all if "span" in line and line["span"]["name"] == which]
        assert [one["status"] for one in tries] == ["ERROR", "ERROR", "OK", "OK"]
        first, second, third, fourth = (one["span_id"] for one in tries)
        assert third == fourth and len({first, second, third}) == 3


def test_a_try_that_none_follows_keeps_its_place_which_what_it_has_asked_is_below() -> None:
    lines, place = Lines(), TraceContext("a" * 32, "b" * 16)
    for error, again in ((KeyError, False), (ValueError, True)):
        with suppress(KeyError, ValueError), lines.telemetry.bind(request_id="1", tenant="acme", run="run_1"):
            with lines.telemetry.span("upsert_memory x", place=place, final=(KeyError,)):
                raise error
        [span] = [line["span"] for line in lines.all[-1:]]
        assert (span["span_id"] != place.span_id) is again, error


def test_each_try_of_no_run_is_a_span_of_its_own_and_what_it_asked_is_below_it() -> None:
    lines = Lines()
    for request_id in ("1", "2"):
        with suppress(KeyError), lines.telemetry.bind(request_id=request_id), lines.telemetry.span("memory.ingest"):
            with lines.telemetry.span("inner"):
                pass
            raise KeyError
    spans = [line["span"] for line in lines.all if "span" in line]
    assert len({one["span_id"] for one in spans}) == 4
    assert [one["parent_id"] for one in spans] == [spans[1]["span_id"], None, spans[3]["span_id"], None]


def test_what_is_joined_ends_with_the_invocation() -> None:
    lines = Lines(header=None)
    with lines.telemetry.bind(tenant="acme", run="run_1"):
        lines.telemetry.join(TraceContext("a" * 32, "b" * 16))
        seen: list[TraceContext | None] = []
        thread = threading.Thread(target=lambda: seen.append(get_open_place()))
        thread.start()
        thread.join()
        assert seen == [TraceContext("a" * 32, "b" * 16)]
        with lines.telemetry.span("joined"):
            pass
    with lines.telemetry.bind(tenant="acme", run="run_2"), lines.telemetry.span("next"):
        pass
    assert (lines.spans["joined"]["trace_id"], lines.spans["joined"]["parent_id"]) == ("a" * 32, "b" * 16)
    assert lines.spans["next"]["trace_id"] == find_root_place("acme", "run_2").trace_id
    assert get_open_place() is None


def test_a_span_that_is_over_is_written_as_it_was() -> None:
    lines = Lines(header=None)
    at = datetime(2026, 11, 30, 12, 0, 0, 123_456, tzinfo=UTC)
    span = EndedSpan(
        "chat m", TraceContext("a" * 32, "b" * 16), at, at, None, {"gen_ai.response.finish_reasons": ("stop",)}
    )
    lines.telemetry.record_span(span)
    written = lines.spans["chat m"]
    assert written["start"] == written["end"] == 1796040000123456000
    assert written["attributes"] == {"gen_ai.response.finish_reasons": ["stop"]}
    assert written["parent_id"] is None and "links" not in written
