"""What a tool call's span says, by the names of OpenTelemetry's conventions. Pure."""

from typing import Final

from pentad.domain.declarations.remote_tools import find_server
from pentad.domain.runs import ToolCall
from pentad.domain.tracing import SpanValue

MCP_CALL: Final = "tools/call"


def build_call_attributes(call: ToolCall) -> dict[str, SpanValue]:
    """Return the attributes of a tool call's span; neither arguments nor result are among them.

    A call of a remote server's tool says so here: where a span of the tool's execution is open, the conventions for MCP
    want its attributes on that, and no span of the request beside it ("Semantic conventions for Model Context
    Protocol", Client; v0.1.0).
    """
    server = find_server(call.tool)
    remote: dict[str, SpanValue] = {} if server is None else {"mcp.method.name": MCP_CALL, "pentad.mcp.server": server}
    return remote | {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": call.tool,
        "gen_ai.tool.call.id": call.call_id,
        "pentad.step": call.step,
        "pentad.index": call.index,
    }
