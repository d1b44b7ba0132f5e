"""The checkpointer over DynamoDB: LangGraph's own conformance suite, and what the suite does not ask."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from operator import add
from typing import Annotated, Any, TypedDict
from uuid import uuid4

import pytest

pytest.importorskip("langgraph.checkpoint.conformance", reason="the extra `graphs` is not installed")

from langchain_core.runnables import RunnableConfig
from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.base import BaseCheckpointSaver, empty_checkpoint
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

from pentad.domain.errors import InvalidInput
from pentad.memory.objects.adapters.objects_s3 import S3Objects
from pentad.tools.graphs.adapters.langgraph_checkpoints import DynamoDBSaver

from .stores import Stores

BASE = ("put", "put_writes", "get_tuple", "list", "delete_thread")


def saver_of(stores: Stores, tenant_id: str = "acme") -> DynamoDBSaver:
    assert stores.state is not None
    return DynamoDBSaver(stores.state, S3Objects(stores.s3, "payload"), tenant_id, clock=lambda: 1_000.0)


@pytest.fixture
def saver(dynamodb: Stores) -> DynamoDBSaver:
    return saver_of(dynamodb)


@pytest.fixture(params=("memory", "dynamodb"))
def either(request: pytest.FixtureRequest) -> Iterator[BaseCheckpointSaver[Any]]:
    if request.param == "memory":
        yield InMemorySaver()
        return
    yield saver_of(request.getfixturevalue("dynamodb"))


@pytest.mark.parametrize("capability", [*BASE, "copy_thread"])
def test_langgraphs_own_conformance_suite_passes(dynamodb: Stores, capability: str) -> None:
    @checkpointer_test(name=f"DynamoDBSaver {capability}")
    async def registered() -> AsyncIterator[DynamoDBSaver]:
        yield saver_of(dynamodb)

    report = asyncio.run(validate(registered, capabilities={capability}))
    result = report.results[capability]
    assert result.passed, result.failures
    assert result.tests_passed > 3


class State(TypedDict):
    done: Annotated[list[str], add]


def chain(saver: BaseCheckpointSaver[Any], seen: list[str], fails: set[str]) -> Any:
    """A graph of three nodes, of which one may fail."""

    def node(name: str) -> Any:
        def run(state: State) -> dict[str, list[str]]:
            seen.append(name)
            if name in fails:
                raise RuntimeError(name)
            return {"done": [name]}

        return run

    graph = StateGraph(State)
    for name in ("a", "b", "c"):
        graph.add_node(name, node(name))
    graph.add_edge(START, "a")
    graph.add_edge("a", "b")
    graph.add_edge("b", "c")
    graph.add_edge("c", END)
    return graph.compile(checkpointer=saver)


def thread() -> Any:
    return {"configurable": {"thread_id": uuid4().hex}}


def test_a_graph_that_was_cut_off_goes_on_at_its_last_checkpoint(either: BaseCheckpointSaver[Any]) -> None:
    seen: list[str] = []
    config, fails = thread(), {"b"}
    graph = chain(either, seen, fails)
    with pytest.raises(RuntimeError):
        graph.invoke({"done": []}, config, durability="sync")
    fails.clear()
    # As a new process: another graph over the same store.
    assert chain(either, seen, fails).invoke(None, config)["done"] == ["a", "b", "c"]
    assert seen == ["a", "b", "b", "c"]


def test_of_parallel_nodes_those_whose_result_is_stored_do_not_run_again(
    either: BaseCheckpointSaver[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    fails = {"right"}
    stored = threading.Event()
    put_writes = either.put_writes

    def put(config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = "") -> None:
        put_writes(config, writes, task_id, task_path)
        if ("done", ["left"]) in writes:
            stored.set()

    def left(state: State) -> dict[str, list[str]]:
        seen.append("left")
        return {"done": ["left"]}

    def right(state: State) -> dict[str, list[str]]:
        seen.append("right")
        if fails:
            # LangGraph stores nothing more once a node has failed.
            assert stored.wait(30)
            raise RuntimeError("right")
        return {"done": ["right"]}

    monkeypatch.setattr(either, "put_writes", put)
    graph = StateGraph(State).add_node("left", left).add_node("right", right)
    graph.add_edge(START, "left").add_edge(START, "right")
    compiled, config = graph.compile(checkpointer=either), thread()
    with pytest.raises(RuntimeError):
        compiled.invoke({"done": []}, config, durability="sync")
    fails.clear()
    assert compiled.invoke(None, config)["done"] == ["left", "right"]
    assert sorted(seen) == ["left", "right", "right"]


def test_an_interrupted_graph_takes_its_answer_from_another_process(either: BaseCheckpointSaver[Any]) -> None:
    def ask(state: State) -> dict[str, list[str]]:
        return {"done": [interrupt("which?")]}

    graph = StateGraph(State).add_node("ask", ask).add_edge(START, "ask")
    config = thread()
    first = graph.compile(checkpointer=either).invoke({"done": []}, config)
    assert first["__interrupt__"][0].value == "which?"
    assert graph.compile(checkpointer=either).invoke(Command(resume="this"), config)["done"] == ["this"]


def test_the_history_of_a_thread_is_listed_and_can_be_forked_from(either: BaseCheckpointSaver[Any]) -> None:
    seen: list[str] = []
    config = thread()
    graph = chain(either, seen, set())
    graph.invoke({"done": []}, config)
    history = list(graph.get_state_history(config))
    assert [state.next for state in history] == [(), ("c",), ("b",), ("a",), ("__start__",)]
    seen.clear()
    assert graph.invoke(None, history[1].config)["done"] == ["a", "b", "c"]
    assert seen == ["c"]


def test_the_async_methods_run_a_graph(either: BaseCheckpointSaver[Any]) -> None:
    config = thread()
    graph = chain(either, [], set())

    async def run() -> list[Any]:
        await graph.ainvoke({"done": []}, config)
        return [state.values["done"] async for state in graph.aget_state_history(config)]

    assert asyncio.run(run())[0] == ["a", "b", "c"]


def extended(state: list[str], writes: list[list[str]]) -> list[str]:
    return [*state, *(word for write in writes for word in write)]


class Deltas(TypedDict):
    done: Annotated[list[str], DeltaChannel(extended, snapshot_frequency=3)]


def test_a_channel_of_deltas_is_put_together_again(either: BaseCheckpointSaver[Any]) -> None:
    config = thread()

    def compiled() -> Any:
        graph = StateGraph(Deltas).add_node("a", lambda state: {"done": [str(len(state["done"]))]})
        return graph.add_edge(START, "a").compile(checkpointer=either)

    for _ in range(5):
        found = compiled().invoke({"done": ["in"]}, config)
    assert found["done"] == ["in", "1", "in", "3", "in", "5", "in", "7", "in", "9"]
    states = list(compiled().get_state_history(config))
    assert states[0].values["done"] == found["done"]
    assert states[-1].values.get("done", []) == []


def test_a_large_value_goes_to_the_bucket_and_is_stored_once_while_it_does_not_change(
    dynamodb: Stores, saver: DynamoDBSaver
) -> None:
    checkpoint = empty_checkpoint() | {"channel_values": {"big": "x" * 500_000, "small": 1}}
    checkpoint["channel_versions"] = {"big": 1, "small": 1}
    config: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
    stored = saver.put(config, checkpoint, {"step": 0}, {"big": 1, "small": 1})
    after = checkpoint | {"id": empty_checkpoint()["id"], "channel_versions": {"big": 1, "small": 2}}
    newest = saver.put(stored, after, {"step": 1}, {"small": 2})
    objects = dynamodb.s3.list_objects_v2(Bucket="payload")["Contents"]
    assert [one["Key"].split("/")[:2] for one in objects] == [["graphs", "acme"]]
    found = saver.get_tuple(newest)
    assert found is not None
    assert len(found.checkpoint["channel_values"]["big"]) == 500_000
    assert found.parent_config == stored


def test_every_item_begins_with_the_tenant_and_expires(dynamodb: Stores, saver: DynamoDBSaver) -> None:
    chain(saver, [], set()).invoke({"done": ["x" * 5_000]}, {"configurable": {"thread_id": "a#b/c d"}})
    assert dynamodb.state is not None
    items = list(dynamodb.state.iter_items("T#acme#G#a%23b%2Fc%20d"))
    assert {item["kind"] for item in items} == {"checkpoint", "value", "write"}
    assert {int(item["ttl"]) for item in items} == {1_000 + 30 * 86_400}


def test_a_tenant_sees_nothing_of_anothers_thread(dynamodb: Stores) -> None:
    config = thread()
    chain(saver_of(dynamodb), [], set()).invoke({"done": []}, config)
    other = saver_of(dynamodb, "globex")
    assert other.get_tuple(config) is None
    assert list(other.list(config)) == []
    other.delete_thread(config["configurable"]["thread_id"])
    assert saver_of(dynamodb).get_tuple(config) is not None


def test_all_namespaces_of_a_thread_are_listed_newest_first(saver: DynamoDBSaver) -> None:
    for ns in ("", "child:1", "", "child:1"):
        saver.put({"configurable": {"thread_id": "t", "checkpoint_ns": ns}}, empty_checkpoint(), {}, {})
    found = [one.config["configurable"] for one in saver.list({"configurable": {"thread_id": "t"}})]
    assert [one["checkpoint_ns"] for one in found] == ["child:1", "", "child:1", ""]


@pytest.mark.parametrize("name", ["", "x" * 601])
def test_a_thread_id_that_fits_no_key_is_refused(saver: DynamoDBSaver, name: str) -> None:
    with pytest.raises(InvalidInput, match="thread"):
        saver.get_tuple({"configurable": {"thread_id": name}})


def test_all_threads_at_once_are_not_listed(saver: DynamoDBSaver) -> None:
    with pytest.raises(InvalidInput, match="thread"):
        list(saver.list(None))
