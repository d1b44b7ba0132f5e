"""The nodes of a graph: what is kept of them for the trace, what is logged, and the bound of both."""

import json
from datetime import timedelta
from functools import partial
from io import StringIO
from typing import Any

import pytest

pytest.importorskip("langgraph", reason="the extra `graphs` is not installed")

from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

from pentad.domain.errors import ModelThrottled, StoreUnavailable, ToolUnavailable
from pentad.domain.tracing import TraceContext, enter_place, find_call_place, find_node_place, read_traceparent
from pentad.observability.adapters.powertools import PowertoolsTelemetry
from pentad.tools.graphs.adapters.langgraph_tool import from_langgraph
from pentad.tools.graphs.node_spans import LostNodes
from pentad.tools.graphs.nodes import NODES, GraphNodes, NodeRun
from tests.unit.tools.graphs.test_langgraph_model import reply
from tests.unit.tools.graphs.test_langgraph_tool import GraphWorld, Nodes, State, agent_graph, chain
from tests.unit.tools.worlds import RUN, Crash


def kept(world: GraphWorld, index: int = 0) -> list[NodeRun]:
    found = world.nodes.get("acme", RUN, 1, index)
    return [] if found is None else list(found.nodes)


def told(world: GraphWorld) -> list[tuple[str, int, str]]:
    return [(one.name, one.step, one.status) for one in kept(world)]


def call_place() -> TraceContext:
    return find_call_place("acme", RUN, 1, 0)


def run(world: GraphWorld, error: type[BaseException] | None = None) -> None:
    if error is None:
        world.execute()
        return
    with pytest.raises(error):
        world.execute()


def test_each_node_is_kept_with_its_step_its_time_and_how_it_ended() -> None:
    world = GraphWorld(chain(Nodes()))
    world.add_call({"word": "x"})
    run(world)
    assert told(world) == [("a", 1, "ok"), ("b", 2, "ok"), ("c", 3, "ok")]
    assert all(one.duration_ms is not None and one.started_at > world.call.started_at for one in kept(world))  # type: ignore[operator]


def test_each_node_is_a_span_of_the_log_within_the_tools() -> None:
    world = GraphWorld(chain(Nodes()))
    world.add_call({"word": "x"})
    run(world)
    spans = [span for span in world.telemetry.spans if span.name.startswith("graph_node")]
    assert [span.name for span in spans] == ["graph_node a", "graph_node b", "graph_node c"]
    assert {span.parent for span in spans} == {"execute_tool chain"}
    assert all(span.ended and span.error is None for span in spans)
    assert [span.attributes["pentad.graph.step"] for span in spans] == [1, 2, 3]


def test_a_model_call_names_its_attempts_at_its_node_and_its_span_is_the_gateways() -> None:
    world = GraphWorld(
        from_langgraph(agent_graph, name="research", description="Research.", effects="none"),
        reply("Paris.").model_copy(update={"attempts": (attempt("att_1"), attempt("att_2"))}),
    )
    world.add_call({"request": "capital of France?"})
    run(world)
    # The gateway's function writes the span of each attempt: written here as well, its tokens would count twice.
    assert not [span for span in world.telemetry.spans if span.name.startswith("chat")]
    assert [one.attempts for one in kept(world)] == [("att_1", "att_2")]


def attempt(name: str) -> Any:
    from tests.unit.orchestration.trace.test_run_spans import _attempt

    return _attempt(1, 0).model_copy(update={"attempt_id": name})


def test_a_node_that_fails_is_kept_with_its_errors_class_and_the_next_try_with_its_own() -> None:
    failures: list[Exception] = [ModelThrottled("later")]

    def second() -> None:
        if failures:
            raise failures.pop()

    world = GraphWorld(chain(Nodes(second)))
    world.add_call({"word": "x"})
    run(world, ModelThrottled)
    assert [(one.name, one.status, one.error) for one in kept(world)] == [
        ("a", "ok", None),
        ("b", "error", "ModelThrottled"),
    ]
    run(world)
    assert [one.status for one in kept(world)] == ["ok", "error", "ok", "ok"]
    [failed] = [span for span in world.telemetry.spans if span.error and span.name.startswith("graph_node")]
    assert failed.error == "ModelThrottled"
    # Each run of a node is a span of its own, that of the failed one too: what it asked is below it.
    nodes = [span for span in world.telemetry.spans if span.name.startswith("graph_node")]
    assert len({span.place for span in nodes}) == len(nodes) == 4
    assert failed.is_final


def test_the_node_in_which_a_process_died_is_kept_as_cut_off() -> None:
    world = GraphWorld(chain(Nodes(lambda: None)))
    world.add_call({"word": "x"})
    real = world.nodes

    class Dies:
        """The process dies as the second node begins, and writes nothing more."""

        writes = 0
        get = staticmethod(real.get)

        def put(self, nodes: Any) -> None:
            self.writes += 1
            if self.writes <= 2:
                real.put(nodes)
            if self.writes == 2:
                raise Crash

    world.nodes = Dies()
    world.tool = world.tool.with_equipment(world.equipment())
    run(world, Crash)
    assert told(world) == [("a", 1, "ok"), ("b", 2, "running")]
    world.nodes = real
    world.tool = world.tool.with_equipment(world.equipment())
    run(world)
    assert [(one.name, one.status) for one in kept(world)] == [
        ("a", "ok"),
        ("b", "cut_off"),
        ("b", "ok"),
        ("c", "ok"),
    ]
    [lost] = world.telemetry.ended
    assert (lost.name, lost.error, lost.parent_id) == ("graph_node b", "cut_off", call_place().span_id)
    assert lost.place == find_node_place(call_place(), 1)


def test_a_runner_writes_the_spans_of_nodes_whose_process_died_those_within_nodes_below_these() -> None:
    world = GraphWorld(chain(Nodes()))
    world.add_call({"word": "x"})
    outer = NodeRun(name="a", step=1, started_at=world.now())
    done = NodeRun(name="a/b", step=1, started_at=world.now(), duration_ms=700, status="ok", within=0)
    inner = NodeRun(name="a/c", step=2, started_at=world.now(), within=0)
    nodes = GraphNodes(tenant_id="acme", run_id=RUN, step=1, index=0, nodes=(outer, done, inner))
    world.nodes.put(nodes)
    lost = LostNodes(world.nodes, ["chain"], world.telemetry)
    with enter_place(call_place()):
        for _ in range(2):  # again is the same spans
            lost.record(world.call)
        LostNodes(world.nodes, [], world.telemetry).record(world.call)
    first, second, *again = world.telemetry.ended
    assert again == [first, second]
    assert [(one.name, one.error) for one in (first, second)] == [
        ("graph_node a", "cut_off"),
        ("graph_node a/c", "cut_off"),
    ]
    assert (first.parent_id, second.parent_id) == (call_place().span_id, first.place.span_id)
    assert first.end == done.started_at + timedelta(milliseconds=700)
    assert second.end == second.start


def test_nodes_that_can_not_be_read_keep_no_call_from_its_end() -> None:
    world = GraphWorld(chain(Nodes()))
    world.add_call({"word": "x"})

    class Down:
        def get(self, *_: object) -> None:
            raise StoreUnavailable("down")

    with enter_place(call_place()):
        LostNodes(Down(), ["chain"], world.telemetry).record(world.call)
    assert [one.name for one in world.telemetry.events] == ["graph.nodes_not_told"]


def test_a_question_is_no_failure_of_its_node() -> None:
    world = GraphWorld(chain(Nodes(lambda: interrupt("which one?"))))
    world.add_call({"word": "x"})
    run(world)
    assert told(world) == [("a", 1, "ok"), ("b", 2, "asked")]


def test_nodes_of_a_graph_within_the_graph_stand_behind_its_name() -> None:
    def build(model: Any, tools: Any) -> Any:
        inner = StateGraph(State).add_node("deep", lambda state: {"done": ["deep"]})
        inner = inner.add_edge(START, "deep").add_edge("deep", END)
        graph = StateGraph(State).add_node("outer", inner.compile())
        return graph.add_edge(START, "outer").add_edge("outer", END)

    world = GraphWorld(
        from_langgraph(build, name="chain", description="Chain.", effects="none", enter=lambda _: {"done": []})
    )
    world.add_call({"request": "x"})
    run(world)
    assert [(name, status) for name, _, status in told(world)] == [("outer", "ok"), ("outer/deep", "ok")]


def test_a_jump_out_of_a_graph_is_no_failure() -> None:
    def build(model: Any, tools: Any) -> Any:
        inner = StateGraph(State).add_node("deep", lambda state: Command(graph=Command.PARENT, goto="last"))
        inner = inner.add_edge(START, "deep")
        graph = StateGraph(State).add_node("outer", inner.compile(), destinations=("last",))
        graph = graph.add_node("last", lambda state: {"done": ["last"]})
        return graph.add_edge(START, "outer")

    world = GraphWorld(
        from_langgraph(build, name="chain", description="Chain.", effects="none", enter=lambda _: {"done": []})
    )
    world.add_call({"request": "x"})
    run(world)
    assert world.result == {"done": ["last"]}
    assert {status for _, _, status in told(world)} == {"ok"}


def loop(times: int) -> Any:
    def build(model: Any, tools: Any) -> Any:
        graph = StateGraph(State).add_node("a", lambda state: {"done": ["a"]})
        graph = graph.add_edge(START, "a")
        return graph.add_conditional_edges("a", lambda state: "a" if len(state["done"]) < times else END, ["a", END])

    return build


def test_of_a_thousand_nodes_a_hundred_are_kept_and_logged_and_the_others_counted() -> None:
    made = from_langgraph(
        loop(1000), name="chain", description="Chain.", effects="none", enter=lambda _: {"done": []}, steps=1001
    )
    world = GraphWorld(made)
    world.add_call({"request": "x"})
    run(world)
    found = world.nodes.get("acme", RUN, 1, 0)
    assert found is not None
    assert (len(found.nodes), found.omitted) == (NODES, 1000 - NODES)
    assert len(found.model_dump_json()) < 20_000
    assert len([span for span in world.telemetry.spans if span.name == "graph_node a"]) == NODES
    [event] = [event for event in world.telemetry.events if event.name == "graph.nodes_omitted"]
    assert event.fields == {"session": "s1", "agent": "helper", "omitted": 1000 - NODES, "kept": NODES}


def test_what_runs_beyond_the_bound_is_counted_over_all_tries() -> None:
    nodes = Nodes()
    world = GraphWorld(chain(nodes))
    world.add_call({"word": "x"})
    full = NodeRun(name="before", step=0, started_at=world.now(), status="ok", duration_ms=1)
    world.left = 3.0
    run(world, ToolUnavailable)
    found = world.nodes.get("acme", RUN, 1, 0)
    world.nodes.put(found.model_copy(update={"nodes": (full,) * NODES, "omitted": 4}))
    world.left = 30.0
    run(world)
    after = world.nodes.get("acme", RUN, 1, 0)
    assert (len(after.nodes), after.omitted) == (NODES, 6)


def test_a_store_that_does_not_answer_keeps_no_graph_from_its_work() -> None:
    world = GraphWorld(chain(Nodes()))
    world.add_call({"word": "x"})

    class Down:
        def put(self, nodes: Any) -> None:
            raise StoreUnavailable("down")

    world.nodes = Down()
    world.tool = world.tool.with_equipment(world.equipment())
    run(world)
    assert world.call.status == "succeeded"
    assert "graph.nodes_not_kept" in {event.name for event in world.telemetry.events}


def test_in_the_structured_log_nodes_stand_below_the_tool_and_what_they_send_names_them() -> None:
    sent: dict[str, str | None] = {}

    def build(model: Any, tools: Any) -> Any:
        graph = StateGraph(State)
        for name in ("a", "b"):
            graph.add_node(name, partial(ask, name, model))
            graph.add_edge(START, name)  # side by side
        return graph

    def ask(name: str, model: Any, state: Any) -> Any:
        sent[name] = read_traceparent()
        return {"done": [model.invoke("hi").text]}

    made = from_langgraph(build, name="chain", description="Chain.", effects="none", enter=lambda _: {"done": []})
    world = GraphWorld(made, reply("one"), reply("two"))
    lines = StringIO()
    world.telemetry = PowertoolsTelemetry(service="tool-chain", stage="test", stream=lines)  # type: ignore[assignment]
    world.tool = world.tool.with_equipment(world.equipment())
    world.add_call({"request": "x"})
    run(world)
    spans = [json.loads(line)["span"] for line in lines.getvalue().splitlines() if '"span"' in line]
    by_id = {span["span_id"]: span for span in spans}
    nested = sorted((span["name"], by_id[span["parent_id"]]["name"]) for span in spans if span["parent_id"] in by_id)
    assert nested == [
        ("graph_node a", "execute_tool chain"),
        ("graph_node b", "execute_tool chain"),
    ]
    assert sent == {
        span["name"].removeprefix("graph_node "): f"00-{span['trace_id']}-{span['span_id']}-01"
        for span in spans
        if span["name"].startswith("graph_node")
    }
    assert {span["status"] for span in spans} == {"OK"}
    assert all(span["end"] >= span["start"] for span in spans)
