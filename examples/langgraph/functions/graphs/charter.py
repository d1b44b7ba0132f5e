"""A graph that stops to ask: which boats hold the guests, which of them a human wants, and what becomes of that."""

from typing import Any, TypedDict

from langchain_core.language_models import BaseChatModel
from langchain_core.tools import BaseTool
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt

BOATS = {"Wren": 4, "Petrel": 12, "Albatross": 40}
"""Boats and the guests that they hold."""


class Charter(TypedDict, total=False):
    """What the steps hand on."""

    guests: int
    boats: list[str]
    boat: str


def build(model: BaseChatModel, tools: list[BaseTool]) -> StateGraph[Any]:
    """Return the graph; it needs no model."""

    def look(state: Charter) -> Charter:
        return {"boats": [name for name, places in BOATS.items() if places >= state["guests"]]}

    def choose(state: Charter) -> Charter:
        # Where it is answered the node runs again from its top, and this returns the answer.
        return {"boat": interrupt(f"Which boat for {state['guests']} guests: {' or '.join(state['boats'])}?")}

    graph = StateGraph(Charter).add_node("look", look).add_node("choose", choose)
    return graph.add_edge(START, "look").add_edge("look", "choose").add_edge("choose", END)
