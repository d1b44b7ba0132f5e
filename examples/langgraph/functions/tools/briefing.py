"""The graph of functions/graphs/briefing.py as a tool."""

from functions.graphs.briefing import build
from pydantic import BaseModel, Field

from functions.tools.calculator import calculator
from pentad.tools.graphs.adapters.langgraph_tool import from_langgraph


class Wanted(BaseModel):
    """What the briefing is to be about."""

    topic: str = Field(min_length=1, max_length=2000, description="what the briefing is about, with all figures")


briefing = from_langgraph(
    build,
    name="briefing",
    description="Write a briefing on a topic: it outlines, works out figures, and writes. Takes up to a minute.",
    effects="none",
    arguments=Wanted,
    enter=lambda arguments: {"topic": arguments["topic"]},
    leave=lambda state: {"text": state["text"], "figures": state["figures"]},
    tools=[calculator],
)
