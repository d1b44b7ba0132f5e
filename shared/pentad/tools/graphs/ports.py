"""What is asked of the store of graphs' nodes. No framework is imported here."""

from typing import Protocol

from pentad.tools.graphs.nodes import GRAPHS, GraphNodes


class GraphNodeStore(Protocol):
    """Where the nodes of graphs' calls are kept."""

    def put(self, nodes: GraphNodes) -> None:
        """Store what is known of a call, in the place of what was.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def get(self, tenant_id: str, run_id: str, step: int, index: int) -> GraphNodes | None:
        """Return what is known of a call, or None.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def list_for_run(self, tenant_id: str, run_id: str, *, limit: int = GRAPHS) -> list[GraphNodes]:
        """Return what is known of the calls of a run, in order, the first ``limit`` of them.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...
