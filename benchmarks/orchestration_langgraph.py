"""The same turn in LangGraph with its in-memory checkpointer: what it stores and how long it takes."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict
from uuid import uuid4

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import BaseTool, tool
from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from benchmarks.timing import Spread, spread

QUESTION = "What is the capital of France?"
ANSWER = "That is settled: the answer is Paris."


@tool
def calculator(expression: str) -> str:
    """Calculate exactly."""
    return f"{expression} = 122.5"


class ScriptedModel(BaseChatModel):
    """Says what it is told to, at once."""

    replies: list[AIMessage]

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        """Return itself: the script knows the tools."""
        return self

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        reply = self.replies.pop(0).model_copy(update={"id": uuid4().hex})
        return ChatResult(generations=[ChatGeneration(message=reply)])


@dataclass(frozen=True)
class GraphTurn:
    """One turn of the graph.

    Attributes:
        messages: in the thread before it.
        tool_calls: that the turn makes.
        deltas: whether the messages are in a channel of deltas.
        supersteps: checkpoints it stored; the input is one.
        bytes_written: of checkpoints, channel values and pending writes, as serialised.
        milliseconds: of the turn.
    """

    messages: int
    tool_calls: int
    deltas: bool
    supersteps: int
    bytes_written: int
    milliseconds: Spread


def appended(state: list[BaseMessage], writes: list[list[BaseMessage]]) -> list[BaseMessage]:
    """Return the messages with those that were written."""
    return [*state, *(message for write in writes for message in write)]


class Deltas(TypedDict):
    """Messages in LangGraph's channel of deltas (beta): what is new is stored, and all of it each hundredth time."""

    messages: Annotated[list[BaseMessage], DeltaChannel(appended)]


def agent(model: ScriptedModel, tools: list[BaseTool], *, deltas: bool = False) -> StateGraph[Any]:
    """Return the usual loop: the model, then its tools, then the model."""

    def think(state: Any) -> Any:
        return {"messages": [model.bind_tools(tools).invoke(state["messages"])]}

    graph: StateGraph[Any] = StateGraph(Deltas if deltas else MessagesState)
    graph.add_node("think", think)
    graph.add_node("tools", ToolNode(tools))
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", tools_condition, ["tools", END])
    graph.add_edge("tools", "think")
    return graph


def replies(tool_calls: int) -> list[AIMessage]:
    """Return what the model says in a turn."""
    answer = AIMessage(ANSWER)
    if not tool_calls:
        return [answer]
    arguments = {"expression": "17.5 * (3 + 4)"}
    calls = [{"name": "calculator", "args": arguments, "id": uuid4().hex[:12]} for _ in range(tool_calls)]
    return [AIMessage("", tool_calls=calls), answer]


def history(messages: int) -> Iterator[BaseMessage]:
    """Yield so many messages of a conversation: the question and the answer, again and again."""
    for number in range(messages):
        kind = HumanMessage if number % 2 == 0 else AIMessage
        yield kind(QUESTION if number % 2 == 0 else ANSWER, id=f"m{number}")


def measure(messages: int, tool_calls: int, samples: int, *, deltas: bool = False) -> GraphTurn:
    """Run a turn behind so many messages, each sample in a thread of its own, and return what it did."""
    found: list[tuple[int, int, float]] = []
    for _ in range(samples):
        saver, model = InMemorySaver(), ScriptedModel(replies=replies(tool_calls))
        compiled = agent(model, [calculator], deltas=deltas).compile(checkpointer=saver)
        config: Any = {"configurable": {"thread_id": uuid4().hex}}
        compiled.update_state(config, {"messages": list(history(messages))}, as_node="think")
        before, size = _checkpoints(saver), _bytes(saver)
        began = time.perf_counter()
        compiled.invoke({"messages": [HumanMessage(QUESTION, id="asked")]}, config, durability="sync")
        took = (time.perf_counter() - began) * 1000
        found.append((_checkpoints(saver) - before, _bytes(saver) - size, took))
    steps, written, _ = found[0]
    times = spread([took for _, _, took in found])
    assert times is not None
    return GraphTurn(messages, tool_calls, deltas, steps, written, times)


def _checkpoints(saver: InMemorySaver) -> int:
    return sum(len(one) for thread in saver.storage.values() for one in thread.values())


def _bytes(saver: InMemorySaver) -> int:
    """Return the bytes of all that the checkpointer holds; it never overwrites, so what is added was written."""
    blobs = sum(len(data) for _, data in saver.blobs.values())
    writes = sum(len(write[2][1]) for each in saver.writes.values() for write in each.values())
    checkpoints = sum(
        len(checkpoint[1]) + len(metadata[1])
        for thread in saver.storage.values()
        for one in thread.values()
        for checkpoint, metadata, _ in one.values()
    )
    return blobs + writes + checkpoints
