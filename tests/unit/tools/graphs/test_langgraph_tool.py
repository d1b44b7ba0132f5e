"""A graph as a tool: under the tool runtime, with the gateway, checkpoints, audit, and calls that were cut off."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from operator import add
from typing import Annotated, Any, TypedDict

import pytest

pytest.importorskip("langgraph", reason="the extra `graphs` is not installed")

from langchain_core.tools import tool as langchain_tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import interrupt
from pydantic import BaseModel, ConfigDict, Field

from functions.tools.calculator import calculator
from functions.tools.notes import notes
from pentad.domain.errors import BudgetExceeded, ConfigurationError, LimitReached, ModelThrottled, ToolUnavailable
from pentad.domain.messages import ToolResultBlock
from pentad.tools.declare import Grant, ToolContext
from pentad.tools.declare import tool as declare_tool
from pentad.tools.graphs.adapters.langgraph_tool import GraphTool, from_langgraph
from pentad.tools.graphs.adapters.nodes_memory import MemoryGraphNodes
from pentad.tools.graphs.equipment import Equipment
from tests.unit.tools.graphs.test_langgraph_model import Scripted, call, reply
from tests.unit.tools.worlds import RUN, Crash, World


class State(TypedDict):
    done: Annotated[list[str], add]


class Chained(BaseModel):
    word: str = Field(min_length=1, description="a word")
    times: int = Field(default=1, ge=1, le=3)


class Nodes:
    """A graph of three nodes that keeps what ran, and does something in the second."""

    def __init__(self, second: Any = lambda: None) -> None:
        self.ran: list[str] = []
        self.second = second

    def build(self, model: Any, tools: Any) -> Any:
        def node(name: str) -> Any:
            def run(state: State) -> dict[str, list[str]]:
                self.ran.append(name)
                found = self.second() if name == "b" else None
                return {"done": [str(found or name)]}

            return run

        graph = StateGraph(State)
        for name in "abc":
            graph.add_node(name, node(name))
        return graph.add_edge(START, "a").add_edge("a", "b").add_edge("b", "c").add_edge("c", END)


class GraphWorld(World):
    """The world of a tool that runs a graph."""

    def __init__(self, tool: GraphTool, *replies: Any) -> None:
        super().__init__(tool)
        self.gateway = Scripted(*replies)
        self.saver = InMemorySaver()
        self.nodes: Any = MemoryGraphNodes()
        self.tool = tool.with_equipment(self.equipment())

    def equipment(self) -> Equipment:
        return Equipment(
            gateway=self.gateway,
            checkpoints=lambda tenant: self.saver,
            audit=self.audit,
            nodes=self.nodes,
            telemetry=self.telemetry,
            agent="helper",
            now=self.now,
        )


def chain(nodes: Nodes, **options: Any) -> GraphTool:
    given: dict[str, Any] = {"effects": "none", "arguments": Chained, "enter": lambda given: {"done": [given["word"]]}}
    return from_langgraph(nodes.build, name="chain", description="Chain words.", **(given | options))


def agent_graph(model: Any, tools: Any) -> Any:
    def think(state: MessagesState) -> Any:
        return {"messages": [model.bind_tools(tools).invoke(state["messages"])]}

    graph = StateGraph(MessagesState).add_node("think", think).add_node("tools", ToolNode(tools))
    graph.add_edge(START, "think").add_conditional_edges("think", tools_condition, ["tools", END])
    return graph.add_edge("tools", "think").compile()


def test_the_arguments_schema_is_that_of_the_model() -> None:
    spec = chain(Nodes()).spec
    assert spec.input_schema["required"] == ["word"]
    assert spec.input_schema["properties"]["word"]["description"] == "a word"
    assert spec.input_schema["properties"]["times"]["default"] == 1


def test_a_graph_runs_and_its_last_state_is_the_result() -> None:
    world = GraphWorld(chain(Nodes()))
    world.add_call({"word": "x"})
    assert world.execute()["status"] == "succeeded"
    assert world.result == {"done": ["x", "a", "b", "c"]}


def test_arguments_that_do_not_fit_do_not_start_the_graph() -> None:
    nodes = Nodes()
    world = GraphWorld(chain(nodes))
    world.add_call({"word": "x", "times": 9})
    world.execute()
    assert world.call.error_type == "InvalidInput"
    assert nodes.ran == []


def test_a_retry_goes_on_at_the_last_checkpoint_and_repeats_no_finished_node() -> None:
    failures: list[Exception] = [ModelThrottled("later")]

    def second() -> None:
        if failures:
            raise failures.pop()

    nodes = Nodes(second)
    world = GraphWorld(chain(nodes))
    world.add_call({"word": "x"})
    with pytest.raises(ModelThrottled):
        world.execute()
    assert world.execute()["status"] == "succeeded"
    assert nodes.ran == ["a", "b", "b", "c"]
    assert world.result == {"done": ["x", "a", "b", "c"]}


def test_with_little_time_left_the_graph_stops_after_a_node_and_goes_on_in_the_next_try() -> None:
    world: GraphWorld

    def second() -> None:
        world.left = 3.0

    nodes = Nodes(second)
    world = GraphWorld(chain(nodes))
    world.add_call({"word": "x"})
    with pytest.raises(ToolUnavailable, match="continues"):
        world.execute()
    assert nodes.ran == ["a", "b"]
    world.left = 30.0
    assert world.execute()["status"] == "succeeded"
    assert nodes.ran == ["a", "b", "c"]


def test_a_graph_that_has_finished_is_not_run_again_where_only_its_result_was_lost() -> None:
    nodes = Nodes()
    world = GraphWorld(chain(nodes))
    world.add_call({"word": "x"})
    world.execute()
    world.add_call({"word": "x"})  # as if the result had not been stored
    assert world.execute()["status"] == "succeeded"
    assert nodes.ran == ["a", "b", "c"]


def test_a_graph_with_effects_goes_on_only_where_it_is_idempotent() -> None:
    def crashing() -> None:
        if len(nodes.ran) == 2:
            raise Crash

    for idempotent, ran, status in ((True, ["a", "b", "b", "c"], "succeeded"), (False, ["a", "b"], "failed")):
        nodes = Nodes(crashing)
        world = GraphWorld(chain(nodes, effects="external", idempotent=idempotent))
        world.add_call({"word": "x"})
        with pytest.raises(Crash):
            world.execute()
        assert world.execute()["status"] == status
        assert nodes.ran == ran


def test_each_call_of_a_run_has_a_thread_of_its_own() -> None:
    world = GraphWorld(chain(Nodes()))
    for index in (0, 1):
        world.add_call({"word": "x"}, index=index)
        world.execute(index=index)
    assert set(world.saver.storage) == {f"{RUN}.00001.00", f"{RUN}.00001.01"}


def test_model_calls_go_through_the_gateway_with_the_runs_context_and_deadline() -> None:
    made = from_langgraph(agent_graph, name="research", description="Research.", effects="none", task="summarize")
    world = GraphWorld(made, reply("Paris."))
    world.add_call({"request": "capital of France?"})
    world.execute()
    assert world.call.result == "Paris."
    [request] = world.gateway.requests
    context = request.context
    assert (context.tenant_id, context.run_id, context.step, context.agent) == ("acme", RUN, 1, "helper")
    assert (context.session_id, context.user_id, context.purpose) == ("s1", "ada", "graph")
    assert request.task == "summarize"


def test_a_budget_that_is_used_up_ends_the_call_and_the_model_is_told() -> None:
    made = from_langgraph(agent_graph, name="research", description="Research.", effects="none")
    world = GraphWorld(made, BudgetExceeded("tenant acme, day: used up"))
    world.add_call({"request": "capital of France?"})
    assert world.execute()["status"] == "failed"
    assert world.call.error_type == "BudgetExceeded"


def test_a_limit_that_is_used_up_ends_the_call_and_the_model_is_told() -> None:
    made = from_langgraph(agent_graph, name="research", description="Research.", effects="none")
    world = GraphWorld(made, LimitReached("the run has used its 9 tokens", limit="tokens"))
    world.add_call({"request": "capital of France?"})
    assert world.execute()["status"] == "failed"
    assert world.call.error_type == "LimitReached"
    assert "has used its 9 tokens" in (world.call.result or "")


def test_tools_inside_a_graph_run_validated_and_are_audited() -> None:
    @langchain_tool
    def weather(city: str) -> str:
        """Tell the weather of a city."""
        return f"rain in {city}"

    made = from_langgraph(
        agent_graph, name="research", description="Research.", effects="none", tools=[calculator, weather]
    )
    world = GraphWorld(
        made,
        reply(call("calculator", expression="2+3")),
        reply(call("weather", city="Bonn")),
        reply(call("calculator", expression="2+")),
        reply("5, and rain."),
    )
    world.add_call({"request": "2+3, and the weather?"})
    world.execute()
    assert world.call.result == "5, and rain."
    told = [request.messages[-1].blocks[0] for request in world.gateway.requests[1:]]
    assert '"result": "5"' in told[0].content  # type: ignore[union-attr]
    assert told[2].is_error  # type: ignore[union-attr]
    entries = [(entry.tool, entry.outcome) for entry in world.audit.list_for_run("acme", RUN)]
    assert entries == [("calculator", "ok"), ("weather", "ok"), ("calculator", "error"), ("research", "ok")]


def test_a_tool_with_effects_can_not_be_given_to_a_graph() -> None:
    with pytest.raises(ConfigurationError, match="'notes' can't be called inside a graph"):
        from_langgraph(agent_graph, name="research", description="Research.", effects="none", tools=[notes])


class Place(BaseModel):
    model_config = ConfigDict(frozen=True)

    host: str = "api.example.com"


def inner(**options: Any) -> Any:
    """Return a tool that declares a little more than nothing."""

    def ask(word: str, context: ToolContext) -> str:
        """Ask."""
        return word

    ask.__annotations__ = {"word": str, "context": ToolContext, "return": str}
    return declare_tool(**{"effects": "none", **options})(ask)


def give(tool: Any, **options: Any) -> GraphTool:
    return from_langgraph(
        agent_graph, name="research", description="Research.", effects="none", tools=[tool], **options
    )


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("effects", {"effects": "external"}),
        ("permissions", {"permissions": [Grant("records", "read", keys="NOTE")]}),
        ("permissions", {"permissions": [Grant("files", "read", keys="in/")]}),
        ("approval", {"approval": "always"}),
        ("rate_limit", {"rate_limit": "1/day per tenant"}),
        ("parallel", {"parallel": False}),
        ("secrets", {"secrets": ["crm"], "egress": ["api.example.com"]}),
        ("settings", {"settings": Place}),
        ("egress", {"egress": ["public"]}),
    ],
)
def test_a_tool_is_not_given_to_a_graph_that_keeps_nothing_of_what_it_declares(field: str, options: Any) -> None:
    with pytest.raises(ConfigurationError, match="'ask' can't be called inside a graph") as caught:
        give(inner(**options), egress=["api.example.com", "public"])
    assert (caught.value.field, "let the agent call it" in str(caught.value.fix)) == (field, True)


def test_a_graph_declares_the_hosts_and_packages_of_its_tools() -> None:
    tool = inner(egress=["api.example.com", "*.example.org"], packages=["pypdf"])
    assert give(tool, egress=["*.example.org", "api.example.com"], packages=["pypdf"]).egress
    with pytest.raises(ConfigurationError, match=r"does not: api\.example\.com") as caught:
        give(tool, egress=["*.example.org"], packages=["pypdf"])
    assert caught.value.fix == "add to the graph's declaration: egress=['*.example.org', 'api.example.com']"
    with pytest.raises(ConfigurationError, match="packages that the graph does not: pypdf"):
        give(tool, egress=["*.example.org", "api.example.com"])
    assert give(inner(egress=[]))


def test_a_graph_does_not_call_text_its_own_that_its_tools_bring_from_outside() -> None:
    tool = inner(egress=["api.example.com"])
    with pytest.raises(ConfigurationError, match="'ask' inside it brings text from outside") as caught:
        give(tool, egress=["api.example.com"], trusted_output=True)
    assert caught.value.field == "trusted_output"
    assert give(inner(), trusted_output=True).spec.trusted_output


def test_a_tool_inside_a_graph_reaches_what_it_declares_and_nothing_of_the_graphs() -> None:
    seen: list[ToolContext] = []
    held: list[tuple[str, tuple[str, ...]]] = []

    def make(name: str, **options: Any) -> Any:
        def ask(context: ToolContext) -> str:
            seen.append(context)
            return "seen"

        ask.__name__ = ask.__qualname__ = name
        ask.__doc__ = "Ask."
        ask.__annotations__ = {"context": ToolContext, "return": str}
        return declare_tool(**{"effects": "none", **options})(ask)

    @contextmanager
    def reach(tool: str, egress: tuple[str, ...]) -> Iterator[Any]:
        held.append((tool, egress))
        yield f"client of {tool}" if egress else None
        held.append((tool, ()))

    tools = [make("one", egress=["a.example.com"]), make("two"), make("three", egress=[])]
    hosts = ["a.example.com", "b.example.com"]
    graph = from_langgraph(
        agent_graph, name="research", description="R.", effects="none", tools=tools, egress=hosts,
        permissions=[Grant("records", "read", keys="NOTE")],
    )  # fmt: skip
    calls = [call(name).model_copy(update={"call_id": name}) for name in ("one", "two", "three")]
    world = GraphWorld(graph, reply(*calls), reply("Done."))
    world.outside = "the graph's client"
    world.tool = graph.with_equipment(replace(world.equipment(), reach=reach))
    world.add_call({"request": "look"})
    assert world.execute()["status"] == "succeeded"
    assert sorted(held) == [("one", ()), ("one", ("a.example.com",)), ("three", ()), ("three", ())]
    assert sorted(str(one.outside) for one in seen) == ["None", "None", "client of one"]
    assert all((dict(one.tables), one.kept, dict(one.secrets)) == ({}, None, {}) for one in seen)


def test_an_interrupt_is_told_to_the_model_as_a_failure() -> None:
    nodes = Nodes(lambda: interrupt("which one?"))
    world = GraphWorld(chain(nodes))
    world.add_call({"word": "x"})
    world.execute()
    assert world.call.error_type == "ToolFailed"
    assert world.call.result is not None
    assert "which one?" in world.call.result


def test_an_interrupt_of_a_graph_that_asks_is_answered_by_a_second_call() -> None:
    nodes = Nodes(lambda: interrupt("which one?"))
    world = GraphWorld(chain(nodes, asks=True))
    world.add_call({"word": "x"})
    world.execute()
    assert world.call.result is not None
    assert f"thread={RUN}.00001.00" in world.call.result
    world.add_call({"word": "x", "thread": f"{RUN}.00001.00", "answer": "this"}, index=1)
    world.execute(index=1)
    answered = world.calls.get_call("acme", RUN, 1, 1)
    assert answered.result == '{"done": ["x", "a", "this", "c"]}'
    assert nodes.ran == ["a", "b", "b", "c"]


@pytest.mark.parametrize("thread", ["run_" + "1" * 26 + ".00001.00", f"{RUN}.00009.00"])
def test_an_answer_to_another_runs_thread_or_to_none_is_refused(thread: str) -> None:
    nodes = Nodes()
    world = GraphWorld(chain(nodes, asks=True))
    world.add_call({"word": "x", "thread": thread, "answer": "this"})
    world.execute()
    assert world.call.error_type == "InvalidInput"
    assert nodes.ran == []


def test_a_graph_that_does_not_end_is_stopped_and_the_model_is_told() -> None:
    def endless(model: Any, tools: Any) -> Any:
        graph = StateGraph(State).add_node("a", lambda state: {"done": ["a"]})
        return graph.add_edge(START, "a").add_edge("a", "a")

    made = from_langgraph(
        endless, name="chain", description="Chain.", effects="none", enter=lambda _: {"done": []}, steps=4
    )
    world = GraphWorld(made)
    world.add_call({"request": "x"})
    world.execute()
    assert world.call.error_type == "ToolFailed"
    assert world.call.result is not None
    assert "more than 4 steps" in world.call.result


def test_without_its_equipment_it_says_what_is_missing() -> None:
    world = World(chain(Nodes()))
    world.add_call({"word": "x"})
    world.execute()
    assert world.call.error_type == "ConfigurationError"


LINES = "".join(f"line {number} of the log: all is well\n" for number in range(5_000))


def logbook(**options: Any) -> GraphTool:
    @langchain_tool
    def foreign_log() -> str:
        """Read somebody's log."""
        return LINES

    def own_log(context: ToolContext) -> str:
        """Read our log."""
        return LINES

    own_log.__annotations__ = {"context": ToolContext, "return": str}
    tools: list[Any] = [foreign_log, declare_tool(effects="none")(own_log)]
    return from_langgraph(agent_graph, name="book", description="Books.", effects="none", tools=tools, **options)


def find_result(world: GraphWorld, turn: int) -> str:
    """Return the text of the last tool's result in what the model was sent."""
    block = world.gateway.requests[turn].messages[-1].blocks[-1]
    assert isinstance(block, ToolResultBlock)
    return block.content


@pytest.mark.parametrize("name", ["foreign_log", "own_log"])
def test_a_graphs_model_reads_on_in_a_result_that_was_cut(name: str) -> None:
    world = GraphWorld(logbook(reads_on=True), reply(call(name)), reply("Done."))
    world.add_call({"request": "look"})
    world.execute()
    shown = find_result(world, 1)
    assert len(shown.encode()) <= 65_536 and "line 2500 of" not in shown and "line 4999 of" in shown
    [handle] = set(re.findall(r"res_g_[0-9a-f]{12}", shown))
    reading = [
        call("read_result", handle=handle, from_line=2_501, lines=2).model_copy(update={"call_id": "r1"}),
        call("read_result", handle=handle, search="line 4321 of").model_copy(update={"call_id": "r2"}),
        call("read_result", handle="res_g_000000000000").model_copy(update={"call_id": "r3"}),
        call("read_result", handle=handle, from_line=-1).model_copy(update={"call_id": "r4"}),
    ]
    world = GraphWorld(logbook(reads_on=True), reply(call(name)), *(reply(one) for one in reading), reply("Done."))
    world.add_call({"request": "look"})
    assert world.execute()["status"] == "succeeded"
    lines, found, missing, wrong = (find_result(world, turn) for turn in (2, 3, 4, 5))
    assert lines.startswith("[lines 2,501 to 2,502") and "line 2500 of" in lines and "line 2501 of" in lines
    assert found.startswith("[1 lines have these words]") and "line 4321 of" in found
    assert missing.startswith("NotFound") and wrong.startswith("InvalidInput: from_line")
    offered = [one.name for one in world.gateway.requests[0].tools]
    assert offered == ["foreign_log", "own_log", "read_result"]
    assert "state" not in world.gateway.requests[0].tools[-1].input_schema["properties"]


def test_a_graph_that_does_not_read_on_has_no_further_tool_and_no_handle() -> None:
    world = GraphWorld(logbook(), reply(call("foreign_log")), reply("Done."))
    world.add_call({"request": "look"})
    world.execute()
    assert [one.name for one in world.gateway.requests[0].tools] == ["foreign_log", "own_log"]
    assert "res_g_" not in find_result(world, 1) and "not kept" in find_result(world, 1)


def test_a_graph_that_reads_on_has_one_tool_of_that_name() -> None:
    @langchain_tool
    def read_result() -> str:
        """Read."""
        return ""

    with pytest.raises(ConfigurationError, match="has a tool 'read_result'"):
        from_langgraph(agent_graph, name="b", description="B.", effects="none", tools=[read_result], reads_on=True)
