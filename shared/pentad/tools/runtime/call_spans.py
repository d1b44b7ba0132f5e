"""What a tool call's span says, by the names of OpenTelemetry's conventions. Pure."""

from pentad.domain.runs import ToolCall
from pentad.domain.tracing import SpanValue


def build_call_attributes(call: ToolCall) -> dict[str, SpanValue]:
    """Return the attributes of a tool call's span; neither arguments nor result are among them."""
    return {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": call.tool,
        "gen_ai.tool.call.id": call.call_id,
        "pentad.step": call.step,
        "pentad.index": call.index,
    }
