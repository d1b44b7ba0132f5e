"""Conformance of the stores of graphs' nodes."""

from datetime import timedelta

import pytest

from pentad.domain.errors import Unreadable
from pentad.tools.graphs.adapters.nodes_dynamodb import DynamoGraphNodes
from pentad.tools.graphs.adapters.nodes_memory import MemoryGraphNodes
from pentad.tools.graphs.nodes import NAME_CHARACTERS, NODES, GraphNodes, NodeRun
from pentad.tools.graphs.ports import GraphNodeStore

from .stores import KINDS, START, Stores

RUN, OTHER = "run_" + "0" * 26, "run_" + "1" * 26


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest) -> GraphNodeStore:
    if request.param == "memory":
        return MemoryGraphNodes()
    state = request.getfixturevalue("dynamodb").state
    return DynamoGraphNodes(state)


def nodes(count: int = 2, *, tenant_id: str = "acme", run_id: str = RUN, step: int = 1, index: int = 0) -> GraphNodes:
    made = (
        NodeRun(name=f"n{place}", step=place, started_at=START + timedelta(seconds=place), attempts=("att_1",))
        for place in range(count)
    )
    return GraphNodes(tenant_id=tenant_id, run_id=run_id, step=step, index=index, nodes=tuple(made), omitted=3)


def test_what_is_stored_comes_back_and_replaces_what_was(store: GraphNodeStore) -> None:
    store.put(nodes(1))
    store.put(nodes(2))
    assert store.get("acme", RUN, 1, 0) == nodes(2)
    assert store.get("acme", RUN, 1, 1) is None


def test_a_runs_graphs_come_in_the_order_of_their_calls(store: GraphNodeStore) -> None:
    several = [nodes(step=1), nodes(step=1, index=12), nodes(step=9), nodes(step=10)]
    for one in (*reversed(several), nodes(run_id=OTHER), nodes(tenant_id="other")):
        store.put(one)
    assert store.list_for_run("acme", RUN) == several
    assert store.list_for_run("acme", RUN, limit=2) == several[:2]


def test_a_full_item_is_small(dynamodb: Stores) -> None:
    assert dynamodb.state is not None
    full = nodes(NODES).model_copy(
        update={
            "nodes": tuple(
                NodeRun(name="n" * NAME_CHARACTERS, step=1000, started_at=START, attempts=("att_" + "0" * 26,))
                for _ in range(NODES)
            )
        }
    )
    DynamoGraphNodes(dynamodb.state).put(full)
    item = dynamodb.state.get(f"T#acme#G#{RUN}", "NODES#00001#00")
    assert item is not None
    assert len(item["body"]) < 30_000


def test_an_item_that_can_not_be_read_says_so(dynamodb: Stores) -> None:
    assert dynamodb.state is not None
    dynamodb.state.put({"pk": f"T#acme#G#{RUN}", "sk": "NODES#00001#00", "body": "{"})
    with pytest.raises(Unreadable):
        DynamoGraphNodes(dynamodb.state).get("acme", RUN, 1, 0)
