"""The nodes of graphs in a dictionary: for tests and for one process."""

from pentad.tools.graphs.nodes import GRAPHS, GraphNodes


class MemoryGraphNodes:
    """A `pentad.tools.graphs.ports.GraphNodeStore`."""

    def __init__(self) -> None:
        self._nodes: dict[tuple[str, str, int, int], GraphNodes] = {}

    def put(self, nodes: GraphNodes) -> None:
        """See `GraphNodeStore`."""
        self._nodes[nodes.tenant_id, nodes.run_id, nodes.step, nodes.index] = nodes

    def get(self, tenant_id: str, run_id: str, step: int, index: int) -> GraphNodes | None:
        """See `GraphNodeStore`."""
        return self._nodes.get((tenant_id, run_id, step, index))

    def list_for_run(self, tenant_id: str, run_id: str, *, limit: int = GRAPHS) -> list[GraphNodes]:
        """See `GraphNodeStore`."""
        return [nodes for place, nodes in sorted(self._nodes.items()) if place[:2] == (tenant_id, run_id)][:limit]
