"""Add a run's graphs to its waterfall: nodes below the tool's call, model attempts below the nodes. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pentad.domain.models import Attempt
from pentad.orchestration.trace.span_tree import Node, Value, choose_function, make_model_node
from pentad.tools.graphs.nodes import ATTEMPTS, NODES, GraphNodes, NodeRun


@dataclass
class Hung:
    """A tool call's place in the waterfall.

    Attributes:
        step: of the run.
        index: of the call in its step.
        place: what it is below where no function of it is known.
        functions: those that were to run it, one for each try.
        tool: its own span; None while it has not ended.
    """

    step: int
    index: int
    place: Node
    functions: Sequence[Node]
    tool: Node | None = None

    def find_parent(self, start: datetime) -> Node:
        """Return below what something hangs that began then: the call, or the function of an earlier try of it."""
        if self.tool is not None and self.tool.start <= start:
            return self.tool
        return choose_function(self.functions, start, self.place)


def attach_graphs(
    root: Node, hung: Sequence[Hung], graphs: Sequence[GraphNodes], attempts: Sequence[Attempt], now: datetime
) -> None:
    """Hang what ran inside graphs below their calls.

    Args:
        root: the run.
        hung: its tool calls.
        graphs: the nodes of those that are graphs.
        attempts: the model attempts of all of them.
        now: the end of what has not ended.
    """
    places = {(one.step, one.index): one for one in hung}
    drawn = [_Graph(graph, places[graph.step, graph.index], now) for graph in graphs if _has_call(graph, places)]
    for attempt in attempts:
        step = attempt.context.step
        own = [graph for graph in drawn if graph.step == step]
        graph = next((one for one in own if one.has_attempt(attempt)), None) or _find_graph(own, attempt.started_at)
        if graph is not None:
            graph.add_attempt(attempt)
            continue
        found = next((one for one in hung if one.step == step), None)
        (root if found is None else found.find_parent(attempt.started_at)).children.append(make_model_node(attempt))
    for graph in drawn:
        graph.add_omissions()


def _has_call(graph: GraphNodes, places: dict[tuple[int, int], Hung]) -> bool:
    return (graph.step, graph.index) in places


def _find_graph(graphs: Sequence["_Graph"], start: datetime) -> "_Graph | None":
    """Return the graph in which something ran then: the last that had begun; the first where none had."""
    begun = [graph for graph in graphs if graph.began is not None and graph.began <= start]
    return next(iter([*sorted(begun, key=lambda one: one.began or start, reverse=True), *graphs]), None)


class _Graph:
    """One call of a graph as it is drawn."""

    def __init__(self, graph: GraphNodes, hung: Hung, now: datetime) -> None:
        self._hung = hung
        self._now = now
        self._omitted = graph.omitted
        self._beyond: list[Attempt] = []
        self._shown = 0
        self.step = graph.step
        self._nodes: list[Node] = []
        self._named: dict[str, Node] = {}
        for one in graph.nodes:
            node = self._add_node(one)
            self._nodes.append(node)
            self._named |= dict.fromkeys(one.attempts, node)
        self.began = min((one.started_at for one in graph.nodes), default=None)

    def has_attempt(self, attempt: Attempt) -> bool:
        """Tell whether one of its nodes says that it made the attempt."""
        return attempt.attempt_id in self._named

    def add_attempt(self, attempt: Attempt) -> None:
        """Hang an attempt below the node that made it; one that no node names below the last that had begun."""
        if self._shown >= ATTEMPTS:
            self._beyond.append(attempt)
            return
        self._shown += 1
        start = attempt.started_at
        running = [node for node in self._nodes if node.start <= start <= node.end]
        place = self._named.get(attempt.attempt_id) or (running[-1] if running else self._hung.find_parent(start))
        place.children.append(make_model_node(attempt))

    def add_omissions(self) -> None:
        """Say what is not shown."""
        if self._omitted:
            told: dict[str, Value] = {"omitted": self._omitted, "shown": NODES}
            self._add_summary(f"{self._omitted:,} more nodes", told, self._nodes[-1].end if self._nodes else self._now)
        if self._beyond:
            told = {
                "omitted": len(self._beyond),
                "shown": ATTEMPTS,
                "tokens": sum(one.usage.total_tokens for one in self._beyond),
                "cost_nanousd": sum(one.cost_nanousd for one in self._beyond),
            }
            self._add_summary(f"{len(self._beyond):,} more model attempts", told, self._beyond[0].started_at)

    def _add_summary(self, name: str, told: dict[str, Value], start: datetime) -> None:
        parent = self._hung.find_parent(start)
        parent.children.append(Node(name, "node", start, max(start, min(parent.end, self._now)), told, []))

    def _add_node(self, one: NodeRun) -> Node:
        # A node of a graph within the graph hangs below the node that is that graph.
        outer = one.name.rpartition("/")[0]
        around = [node for node in self._nodes if node.name == outer and node.start <= one.started_at]
        parent = around[-1] if around else self._hung.find_parent(one.started_at)
        end = parent.end if one.duration_ms is None else one.started_at + timedelta(milliseconds=one.duration_ms)
        node = Node(one.name, "node", one.started_at, end, dict(_iter_attributes(one)), [])
        parent.children.append(node)
        return node


def _iter_attributes(one: NodeRun) -> Iterator[tuple[str, Value]]:
    yield "status", one.status
    if one.error is not None:
        yield "error", one.error
    yield "graph_step", one.step
