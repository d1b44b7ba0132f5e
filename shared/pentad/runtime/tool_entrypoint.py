"""The handler of every tool's function; ``TOOL_MODULE`` says which tool. The tool runner invokes it, nobody else."""

import time

from pentad.runtime.entrypoint import LambdaContext, entrypoint
from pentad.runtime.wiring.tools import tool as wiring
from pentad.tools.runtime.handed import HandedCall, ToolAnswer


@entrypoint(lambda: wiring.tool_service(), HandedCall)
def handler(event: HandedCall, context: LambdaContext) -> ToolAnswer:
    """Run or undo the call that is handed over, and return what came of it."""
    serve = wiring.make_served_tool(event)
    return serve(
        event,
        remaining_seconds=lambda: min(context.get_remaining_time_in_millis() / 1000, event.deadline - time.time()),
    )
