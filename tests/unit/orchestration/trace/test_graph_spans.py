"""A run's graphs in its waterfall: nodes below the call, model attempts below their nodes, and the bound of both."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from pentad.domain.models import Attempt
from pentad.domain.runs import CallStatus, ToolCall
from pentad.orchestration.trace.run_spans import TraceSpan, build_spans
from pentad.tools.graphs.equipment import PURPOSE
from pentad.tools.graphs.nodes import ATTEMPTS, GRAPHS, NODES, GraphNodes, NodeRun
from tests.unit.orchestration.trace.test_run_spans import RUN, _attempt, _call, _history, _run
from tests.unit.orchestration.world import START, TENANT


def node(name: str, at_ms: int, duration_ms: int | None = 5, **values: Any) -> NodeRun:
    fields: dict[str, Any] = {"status": "ok", "step": 1} | values
    return NodeRun(name=name, started_at=START + timedelta(milliseconds=at_ms), duration_ms=duration_ms, **fields)


def graph(*nodes: NodeRun, index: int = 0, omitted: int = 0) -> GraphNodes:
    return GraphNodes(tenant_id=TENANT, run_id=RUN, step=1, index=index, nodes=nodes, omitted=omitted)


def asked(at_ms: int, name: str = "") -> Attempt:
    made = _attempt(1, at_ms, 2)
    context = made.context.model_copy(update={"purpose": PURPOSE})
    return made.model_copy(update={"context": context, "attempt_id": name or made.attempt_id})


def drawn(
    graphs: Sequence[GraphNodes], attempts: Sequence[Attempt] = (), calls: Sequence[ToolCall] | None = None
) -> tuple[TraceSpan, ...]:
    # The run's first tool ends after 90 ms, its other, which is tried twice, after 80.
    given = [_call(0, "calculator", 55, 90), _call(1, "date_time", 71, 80)] if calls is None else calls
    return build_spans(_run(), _history().events, [], attempts, given, graphs=graphs, now=START)


def below(spans: tuple[TraceSpan, ...], name: str) -> list[str]:
    """The names of what hangs right below a span, the first of its name."""
    place = next(place for place, span in enumerate(spans) if span.name == name)
    found = []
    for span in spans[place + 1 :]:
        if span.depth <= spans[place].depth:
            break
        if span.depth == spans[place].depth + 1:
            found.append(span.name)
    return found


def test_nodes_hang_below_their_call_with_step_duration_and_status() -> None:
    spans = drawn([graph(node("a", 56), node("b", 62, status="error", error="ModelThrottled", step=2))])
    assert below(spans, "calculator") == ["a", "b"]
    [first, second] = [span for span in spans if span.kind == "node"]
    assert (first.duration_ms, first.attributes) == (5, {"status": "ok", "graph_step": 1})
    assert second.attributes == {"status": "error", "error": "ModelThrottled", "graph_step": 2}


def test_nodes_of_a_graph_within_the_graph_hang_below_the_node_that_it_is() -> None:
    spans = drawn([graph(node("outer", 56, 20), node("outer/deep", 57))])
    assert below(spans, "calculator") == ["outer"]
    assert below(spans, "outer") == ["outer/deep"]


def test_a_model_attempt_hangs_below_the_node_that_names_it_though_others_ran_then() -> None:
    side_by_side = graph(node("a", 56, 20, attempts=("att_x",)), node("b", 56, 20))
    spans = drawn([side_by_side], [asked(58, "att_x"), asked(60)])
    assert below(spans, "a") == ["model-1"]
    assert below(spans, "b") == ["model-1"]


def test_attempts_of_two_graphs_at_once_go_to_their_own() -> None:
    calls = [_call(0, "calculator", 53, 90), _call(1, "date_time", 53, 90)]
    graphs = [graph(node("a", 56, 20, attempts=("att_x",))), graph(node("b", 57, 20), index=1)]
    spans = drawn(graphs, [asked(58, "att_x")], calls)
    assert below(spans, "a") == ["model-1"]
    assert below(spans, "b") == []


def test_an_attempt_that_no_node_names_hangs_below_its_call() -> None:
    spans = drawn([graph(node("a", 56, 2))], [asked(80)])
    assert below(spans, "calculator") == ["a", "model-1"]
    assert "model-1" not in below(spans, "Think")


def test_a_graphs_attempts_are_not_the_turns() -> None:
    spans = drawn([], [asked(60)])
    assert [span.depth for span in spans if span.name == "model-1"] == [5]
    assert "pentad-dev-gateway" not in [one.name for one in spans if "model-1" in below(spans, one.name)]


def test_what_ran_in_an_earlier_try_hangs_below_that_try() -> None:
    nodes = graph(node("a", 53, 1), node("b", 55, None, status="cut_off"), node("b", 72), index=1)
    spans = drawn([nodes])
    tries = [place for place, span in enumerate(spans) if span.name == "pentad-dev-run-tool"][1:]
    assert [span.name for span in spans[tries[0] + 1 : tries[0] + 3]] == ["a", "b"]
    # One that was cut off ends where its function did.
    assert spans[tries[0] + 2].end == START + timedelta(milliseconds=60)
    assert below(spans, "date_time") == ["b"]


def test_a_graph_that_still_runs_shows_its_nodes_below_its_function() -> None:
    running = _call(0, "calculator", 55, 90).model_copy(
        update={"started_at": None, "ended_at": None, "status": CallStatus.PENDING}
    )
    spans = drawn([graph(node("a", 56), node("b", 62, None, status="running"))], [asked(63)], [running])
    assert below(spans, "pentad-dev-run-tool") == ["a", "b"]
    assert below(spans, "b") == ["model-1"]


def test_what_is_not_kept_is_told() -> None:
    spans = drawn([graph(*[node("a", 56, 0)] * NODES, omitted=900)])
    assert len([span for span in spans if span.kind == "node"]) == NODES + 1
    [more] = [span for span in spans if span.name == "900 more nodes"]
    assert more.attributes == {"omitted": 900, "shown": NODES}


def test_a_run_of_very_many_graphs_says_of_how_many_the_nodes_are_shown() -> None:
    several = [graph(node("a", 56), index=index) for index in range(GRAPHS)]
    assert drawn(several)[0].attributes["graphs_shown"] == GRAPHS
    assert "graphs_shown" not in drawn(several[1:])[0].attributes


def test_of_many_attempts_the_others_are_summed_up() -> None:
    attempts = [asked(56 + number % 30, f"att_{number}") for number in range(1000)]
    spans = drawn([graph(node("a", 56, 30))], attempts)
    shown = [span for span in spans if span.kind == "model"]
    assert len(shown) == ATTEMPTS
    [more] = [span for span in spans if span.name == "900 more model attempts"]
    assert more.attributes["cost_nanousd"] == sum(one.cost_nanousd for one in attempts[ATTEMPTS:])
    assert more.attributes["omitted"] == 900


def test_without_a_history_nodes_hang_below_their_call_all_the_same() -> None:
    spans = build_spans(
        _run(), [], [], [asked(57)], [_call(0, "calculator", 55, 75)], graphs=[graph(node("a", 56))], now=START
    )
    assert below(spans, "calculator") == ["a"]
    assert below(spans, "a") == ["model-1"]
