"""The chat model for LangChain: what it asks of the gateway, and what it makes of the reply."""

from datetime import UTC, datetime
from typing import Any

import pytest

pytest.importorskip("langgraph", reason="the extra `graphs` is not installed")

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from pydantic import BaseModel

from pentad.domain.errors import BudgetExceeded, InvalidInput, MalformedReply, ModelUnavailable
from pentad.domain.messages import Message, TextBlock, ThinkingBlock, ToolCallBlock, ToolResultBlock
from pentad.domain.models import CallContext, ChatReply, ChatRequest, StopReason
from pentad.domain.usage import Usage
from pentad.tools.graphs.adapters.langgraph_messages import sanitise_name
from pentad.tools.graphs.adapters.langgraph_model import PentadChatModel

CONTEXT = CallContext(tenant_id="acme", run_id="run_1", step=3, purpose="graph")


class Scripted:
    """A gateway that gives its replies in order and keeps what it was asked."""

    def __init__(self, *replies: Any) -> None:
        self.replies = list(replies)
        self.requests: list[ChatRequest] = []
        self.deadlines: list[float] = []

    def complete(self, request: ChatRequest, *, deadline: float) -> ChatReply:
        self.requests.append(request)
        self.deadlines.append(deadline)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        assert isinstance(reply, ChatReply)
        return reply


def reply(*blocks: Any) -> ChatReply:
    message = Message(
        message_id="m",
        role="assistant",
        blocks=tuple(TextBlock(text=block) if isinstance(block, str) else block for block in blocks),
        created_at=datetime(2026, 11, 22, tzinfo=UTC),
    )
    usage = Usage(input_tokens=10, output_tokens=4, cache_read_tokens=100, cache_write_5m_tokens=7, thinking_tokens=2)
    return ChatReply(
        message=message,
        stop=StopReason.END,
        usage=usage,
        cost_nanousd=1234,
        provider="anthropic",
        model="m-1",
    )


def call(called: str, **arguments: Any) -> ToolCallBlock:
    return ToolCallBlock(call_id="c1", tool=called, arguments=arguments)


def model(*replies: Any, **options: Any) -> tuple[PentadChatModel, Scripted]:
    gateway = Scripted(*replies)
    return PentadChatModel(gateway=gateway, context=CONTEXT, deadline=lambda: 99.0, **options), gateway


@tool
def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"rain in {city}"


def test_a_call_carries_the_runs_context_task_and_deadline() -> None:
    chat, gateway = model(reply("hello"), task="summarize", max_output_tokens=50)
    assert chat.invoke([SystemMessage("Be short."), HumanMessage("hi")]).text == "hello"
    [request] = gateway.requests
    assert (request.context, request.task, request.max_output_tokens) == (CONTEXT, "summarize", 50)
    assert request.system == "Be short."
    assert [(one.role, one.text) for one in request.messages] == [("user", "hi")]
    assert gateway.deadlines == [99.0]


def test_usage_counts_cached_tokens_as_langchain_does_and_tells_the_cost() -> None:
    chat, _ = model(reply("hello"))
    answer = chat.invoke("hi")
    assert answer.usage_metadata == {
        "input_tokens": 117,
        "output_tokens": 4,
        "total_tokens": 121,
        "input_token_details": {"cache_read": 100, "cache_creation": 7},
        "output_token_details": {"reasoning": 2},
    }
    assert answer.response_metadata["cost_nanousd"] == 1234
    assert answer.response_metadata["model_name"] == "m-1"


def test_tools_go_out_as_specs_and_calls_come_back_under_their_own_names() -> None:
    class Forecast(BaseModel):
        """A forecast."""

        days: int

    name = sanitise_name("Forecast")
    chat, gateway = model(reply(call(name, days=2)))
    answer = chat.bind_tools([weather, Forecast], tool_choice="any").invoke("hi")
    assert [spec.name for spec in gateway.requests[0].tools] == ["weather", name]
    assert gateway.requests[0].tools[0].description == "Tell the weather of a city."
    assert gateway.requests[0].tools[0].input_schema["required"] == ["city"]
    assert gateway.requests[0].tool_choice == "required"
    assert answer.tool_calls == [{"name": "Forecast", "args": {"days": 2}, "id": "c1", "type": "tool_call"}]


def test_naming_the_tool_to_call_shows_the_model_that_one_only() -> None:
    @tool
    def other(x: int) -> int:
        """Do something else."""
        return x

    chat, gateway = model(reply(call("weather", city="Bonn")))
    chat.bind_tools([weather, other], tool_choice="weather").invoke("hi")
    assert [spec.name for spec in gateway.requests[0].tools] == ["weather"]
    assert gateway.requests[0].tool_choice == "required"


def test_a_conversation_with_tools_goes_back_in_our_blocks() -> None:
    chat, gateway = model(reply("done"))
    asked = AIMessage("I look.", tool_calls=[{"name": "weather", "args": {"city": "Bonn"}, "id": "c1"}])
    chat.invoke([HumanMessage("hi"), asked, ToolMessage("rain", tool_call_id="c1"), HumanMessage("and?")])
    roles = [message.role for message in gateway.requests[0].messages]
    assert roles == ["user", "assistant", "user"]
    assert gateway.requests[0].messages[1].tool_calls == (call("weather", city="Bonn"),)
    result, text = gateway.requests[0].messages[2].blocks
    assert result == ToolResultBlock(call_id="c1", content="rain", untrusted=True)
    assert text == TextBlock(text="and?")


def test_a_failed_tool_is_told_as_an_error() -> None:
    chat, gateway = model(reply("done"))
    asked = AIMessage("", tool_calls=[{"name": "weather", "args": {}, "id": "c1"}])
    chat.invoke([HumanMessage("hi"), asked, ToolMessage("no such city", tool_call_id="c1", status="error")])
    [result] = gateway.requests[0].messages[2].blocks
    assert isinstance(result, ToolResultBlock)
    assert result.is_error


def test_thinking_goes_back_byte_for_byte_unless_the_graph_changed_the_answer() -> None:
    thought = ThinkingBlock(text="hm", signature="sig", provider="anthropic")
    chat, gateway = model(reply(thought, "one"), reply("two"), reply("three"))
    first = chat.invoke("hi")
    chat.invoke([HumanMessage("hi"), first, HumanMessage("again")])
    assert thought in gateway.requests[1].messages[1].blocks
    changed = first.model_copy(update={"content": "ONE"})
    chat.invoke([HumanMessage("hi"), changed, HumanMessage("again")])
    assert [block.type for block in gateway.requests[2].messages[1].blocks] == ["text"]
    assert gateway.requests[2].messages[1].text == "ONE"


def test_structured_output_is_a_value_of_the_class() -> None:
    class City(BaseModel):
        name: str

    chat, gateway = model(reply('{"name": "Bonn"}'), reply('{"name": 3}'))
    asking = chat.with_structured_output(City)
    assert asking.invoke("hi") == City(name="Bonn")
    assert gateway.requests[0].output_schema is not None
    assert gateway.requests[0].output_schema["required"] == ["name"]
    with pytest.raises(MalformedReply):
        asking.invoke("hi")


def test_structured_output_of_a_json_schema_is_a_dictionary_and_may_keep_the_raw_answer() -> None:
    schema = {"title": "City", "type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    chat, _ = model(reply('{"name": "Bonn"}'), reply("nothing"))
    asking = chat.with_structured_output(schema, include_raw=True)
    assert asking.invoke("hi")["parsed"] == {"name": "Bonn"}
    failed = asking.invoke("hi")
    assert failed["parsed"] is None
    assert isinstance(failed["parsing_error"], MalformedReply)


def test_langchains_own_way_of_structured_output_works_too() -> None:
    class City(BaseModel):
        """A city."""

        name: str

    chat, _ = model(reply(call(sanitise_name("City"), name="Bonn")))
    assert chat.with_structured_output(City, method="function_calling").invoke("hi") == City(name="Bonn")


def test_streaming_yields_the_answer_in_one_piece() -> None:
    chat, _ = model(reply("hello there"))
    assert [piece.text for piece in chat.stream("hi") if piece.text] == ["hello there"]


def test_a_stop_sequence_cuts_the_text() -> None:
    chat, _ = model(reply("Action: look\nObservation: none"))
    assert chat.invoke("hi", stop=["\nObservation:"]).text == "Action: look"


@pytest.mark.parametrize("error", [BudgetExceeded("used up"), ModelUnavailable("down")])
def test_the_gateways_errors_pass_as_they_are(error: Exception) -> None:
    chat, _ = model(error)
    with pytest.raises(type(error)):
        chat.invoke("hi")


@pytest.mark.parametrize(
    "content",
    [[{"type": "video", "data": "x"}], [{"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}]],
)
def test_content_that_the_gateway_does_not_take_is_refused(content: Any) -> None:
    chat, gateway = model(reply("hello"))
    with pytest.raises(InvalidInput):
        chat.invoke([HumanMessage(content)])
    assert not gateway.requests


def test_an_image_goes_out_as_an_image() -> None:
    chat, gateway = model(reply("a cat"))
    chat.invoke([HumanMessage([{"type": "image", "mime_type": "image/png", "base64": "aGk="}])])
    assert gateway.requests[0].messages[0].blocks[0].type == "image"


def test_an_option_that_the_gateway_does_not_know_is_refused() -> None:
    chat, _ = model(reply("hello"))
    with pytest.raises(InvalidInput, match="temperature"):
        chat.invoke("hi", temperature=0.2)


def test_an_agent_of_langgraph_runs_on_it() -> None:
    chat, gateway = model(reply(call("weather", city="Bonn")), reply("It rains in Bonn."))

    def think(state: MessagesState) -> Any:
        return {"messages": [chat.bind_tools([weather]).invoke(state["messages"])]}

    graph = StateGraph(MessagesState).add_node("think", think).add_node("tools", ToolNode([weather]))
    graph.add_edge(START, "think").add_conditional_edges("think", tools_condition, ["tools", END])
    found = graph.add_edge("tools", "think").compile().invoke({"messages": [HumanMessage("weather?")]})
    assert found["messages"][-1].text == "It rains in Bonn."
    assert gateway.requests[1].messages[-1].blocks[0] == ToolResultBlock(
        call_id="c1", content="rain in Bonn", untrusted=True
    )


def test_names_that_the_gateway_does_not_take_stay_different() -> None:
    names = ["weather", "Weather", "wea-ther", "wea.ther", "x" * 70, "x" * 71, "9lives"]
    assert sanitise_name("weather") == "weather"
    assert len({sanitise_name(name) for name in names}) == len(names)
    assert all(len(sanitise_name(name)) <= 64 for name in names)
