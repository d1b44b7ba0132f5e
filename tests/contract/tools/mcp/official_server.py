"""The official server of the Model Context Protocol, as a process of its own: both eras at one address."""

import sys
from typing import Annotated, Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.types import EmbeddedResource, ImageContent, TextContent, TextResourceContents
from pydantic import BaseModel, Field


class City(BaseModel):
    """Where."""

    name: str
    degrees: float


class Confirm(BaseModel):
    """A form."""

    sure: bool


server = MCPServer("weather")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool()
def forecast(city: City, region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})]) -> City:
    """Tell the weather of a city."""
    return City(name=f"{city.name} in {region}", degrees=city.degrees + 1)


@server.tool()
def fail(why: str) -> str:
    """Fail."""
    raise ValueError(why)


@server.tool()
def mixed() -> list[Any]:
    """Return all kinds of content."""
    resource = TextResourceContents(uri="file:///a.txt", text="inside", mime_type="text/plain")
    return [
        TextContent(type="text", text="words"),
        ImageContent(type="image", data="AAAA", mime_type="image/png"),
        EmbeddedResource(type="resource", resource=resource),
    ]


@server.tool()
async def talk(context: Context) -> str:
    """Tell of progress, so that the answer comes as a stream."""
    await context.report_progress(1, 2, "half\u2028way")
    return "told\u2028all"


@server.tool()
async def ask(context: Context) -> str:
    """Ask the client's user."""
    answer = await context.elicit("Sure?", Confirm)
    return str(answer)


if __name__ == "__main__":
    server.run("streamable-http", port=int(sys.argv[1]))
