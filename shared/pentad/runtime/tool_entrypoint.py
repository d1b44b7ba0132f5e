"""The handler of every tool's function; ``TOOL_MODULE`` says which tool."""

from typing import Annotated, Any, Literal

from pydantic import Field

from pentad.domain.ids import AgentName, RunId, TenantId
from pentad.domain.values import FrozenValue
from pentad.runtime.entrypoint import LambdaContext, entrypoint
from pentad.runtime.wiring import tool as wiring
from pentad.tools.runtime.runtime import Invocation


class RunCall(FrozenValue):
    """Run a call: from the Act state."""

    op: Literal["run"]
    tenant_id: TenantId
    run_id: RunId
    agent: AgentName
    step: int = Field(ge=1)
    index: int = Field(ge=0, le=99)


class UndoCall(FrozenValue):
    """Undo a call: from the API."""

    op: Literal["undo"]
    tenant_id: TenantId
    run_id: RunId
    step: int = Field(ge=1)
    index: int = Field(ge=0, le=99)


@entrypoint(lambda: wiring.tool_service(), Annotated[RunCall | UndoCall, Field(discriminator="op")])
def handler(event: RunCall | UndoCall, context: LambdaContext) -> dict[str, Any]:
    """Run or undo one tool call and return its reference."""
    runtime = wiring.make_tool_runtime()
    invocation = Invocation(context.aws_request_id, lambda: context.get_remaining_time_in_millis() / 1000)
    if isinstance(event, UndoCall):
        return runtime.undo(event.tenant_id, event.run_id, event.step, event.index, invocation=invocation)
    return runtime.execute(event.tenant_id, event.run_id, event.agent, event.step, event.index, invocation=invocation)
