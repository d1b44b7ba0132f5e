"""The graph of functions/graphs/charter.py as a tool; what it asks may be answered by a second call."""

from functions.graphs.charter import build
from pydantic import BaseModel, Field

from pentad.tools.graphs.adapters.langgraph_tool import from_langgraph


class Wanted(BaseModel):
    """What is to be chartered."""

    guests: int = Field(ge=1, le=40, description="how many guests")


charter = from_langgraph(
    build,
    name="charter",
    description="Choose a boat for a number of guests.",
    effects="none",
    arguments=Wanted,
    enter=lambda arguments: {"guests": arguments["guests"]},
    leave=lambda state: {"boat": state["boat"]},
    asks=True,
)
