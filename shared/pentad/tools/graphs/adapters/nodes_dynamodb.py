"""The nodes of graphs in the state table: an item a call, beside the checkpoints of its run."""

from pentad.aws.readable import check_readable, from_stored
from pentad.aws.table import Item, Table
from pentad.domain import keys
from pentad.tools.graphs.nodes import GRAPHS, GraphNodes


class DynamoGraphNodes:
    """A `pentad.tools.graphs.ports.GraphNodeStore`.

    Args:
        table: the state table.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def put(self, nodes: GraphNodes) -> None:
        """See `GraphNodeStore`."""
        self._table.put(
            {
                "pk": keys.graph_pk(nodes.tenant_id, nodes.run_id),
                "sk": keys.graph_nodes_sk(nodes.step, nodes.index),
                "type": "graph_nodes",
                "body": nodes.model_dump_json(exclude_defaults=True),
            }
        )

    def get(self, tenant_id: str, run_id: str, step: int, index: int) -> GraphNodes | None:
        """See `GraphNodeStore`."""
        item = self._table.get(keys.graph_pk(tenant_id, run_id), keys.graph_nodes_sk(step, index))
        return None if item is None else _parse_nodes(item)

    def list_for_run(self, tenant_id: str, run_id: str, *, limit: int = GRAPHS) -> list[GraphNodes]:
        """See `GraphNodeStore`."""
        items, _ = self._table.query(keys.graph_pk(tenant_id, run_id), begins=keys.GRAPH_NODES, limit=limit)
        if not items:  # Runs of the release 0.1.0 have them beside their calls.
            items, _ = self._table.query(keys.run_pk(tenant_id, run_id), begins=keys.GRAPH_NODES, limit=limit)
        return [_parse_nodes(item) for item in items]


def _parse_nodes(item: Item) -> GraphNodes:
    with check_readable(f"{item['sk']} of the run"):
        return from_stored(GraphNodes, item["body"])
