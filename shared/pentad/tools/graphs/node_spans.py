"""The spans of nodes that nobody lived to write, since the graph's process was killed in them."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final, Protocol

from pentad.domain.errors import PentadError
from pentad.domain.runs import ToolCall
from pentad.domain.tracing import EndedSpan, TraceContext, find_node_place, get_open_place
from pentad.observability.ports import Telemetry
from pentad.tools.graphs.nodes import GraphNodes, NodeRun

CUT_OFF: Final = "cut_off"
"""The error of such a span."""


class ReadNodes(Protocol):
    """What is asked of the store of graphs' nodes here."""

    def get(self, tenant_id: str, run_id: str, step: int, index: int) -> GraphNodes | None:
        """See `pentad.tools.graphs.ports.GraphNodeStore`."""
        ...


def name_node_span(name: str) -> str:
    """Return the name of the span of a node."""
    return f"graph_node {name}"


def build_cut_off_spans(nodes: GraphNodes, call: TraceContext) -> list[EndedSpan]:
    """Return the spans of the nodes that no end is known of. Again is the same spans.

    Args:
        nodes: of one call of a graph, none of which runs any more.
        call: the place of the call's span.
    """
    return [_build_span(nodes.nodes, number, call) for number, one in enumerate(nodes.nodes) if one.status == "running"]


def _build_span(nodes: tuple[NodeRun, ...], number: int, call: TraceContext) -> EndedSpan:
    one = nodes[number]
    above = call if one.within is None else find_node_place(call, one.within)
    return EndedSpan(
        name=name_node_span(one.name),
        place=find_node_place(call, number),
        start=one.started_at,
        # As far as is known: nobody noted when the process died.
        end=max([one.started_at, *(_find_end(inner) for inner in nodes if inner.within == number)]),
        parent_id=above.span_id,
        attributes={"pentad.graph.step": one.step, "pentad.graph.status": CUT_OFF},
        error=CUT_OFF,
    )


def _find_end(one: NodeRun) -> datetime:
    return one.started_at + timedelta(milliseconds=one.duration_ms or 0)


class LostNodes:
    """Writes the spans of nodes in which a graph's process was killed. The runner has it, which outlives that.

    Args:
        store: where graphs keep which nodes ran.
        graphs: names of the tools that are graphs; of others nothing is read.
        telemetry: takes the spans.
    """

    def __init__(self, store: ReadNodes, graphs: Collection[str], telemetry: Telemetry) -> None:
        self._store = store
        self._graphs = frozenset(graphs)
        self._telemetry = telemetry

    def record(self, call: ToolCall) -> None:
        """Write what a call's graph did not get to write, below the span that is open, which is the call's.

        A store that does not answer keeps no call from its end.
        """
        place = get_open_place()
        if call.tool not in self._graphs or place is None:
            return
        try:
            found = self._store.get(call.tenant_id, call.run_id, call.step, call.index)
        except PentadError as error:
            self._telemetry.log_event("graph.nodes_not_told", level="WARNING", error=type(error).__name__)
            return
        for span in [] if found is None else build_cut_off_spans(found, place):
            self._telemetry.record_span(span)
