"""A LangGraph graph in three steps: outline, figures (with tools), text. Any graph that a function builds will do."""

from typing import Any, TypedDict

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage
from langchain_core.tools import BaseTool
from langgraph.graph import END, START, StateGraph


class Briefing(TypedDict, total=False):
    """What the steps hand on."""

    topic: str
    outline: str
    figures: list[str]
    text: str


def build(model: BaseChatModel, tools: list[BaseTool]) -> StateGraph[Any]:
    """Return the graph; the model and the tools come from the deployment."""
    by_name = {tool.name: tool for tool in tools}

    def outline(state: Briefing) -> Briefing:
        reply = model.invoke([HumanMessage(f"Outline a briefing on {state['topic']}")])
        return {"outline": reply.text}

    def figures(state: Briefing) -> Briefing:
        asked = model.bind_tools(tools).invoke([HumanMessage(f"Work out the figures for {state['topic']}")])
        return {"figures": [str(by_name[call["name"]].invoke(call).text) for call in asked.tool_calls]}

    def write(state: Briefing) -> Briefing:
        figures = "; ".join(state["figures"]) or "none"
        request = f"Write the briefing on {state['topic']}\n\nOutline: {state['outline']}\n\nFigures: {figures}"
        return {"text": model.invoke([HumanMessage(request)]).text}

    graph = StateGraph(Briefing)
    graph.add_node("outline", outline)
    graph.add_node("figures", figures)
    graph.add_node("write", write)
    graph.add_edge(START, "outline")
    graph.add_edge("outline", "figures")
    graph.add_edge("figures", "write")
    graph.add_edge("write", END)
    return graph
