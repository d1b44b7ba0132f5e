"""The tool runner: the Act state's calls, tools' steps of workflows, and undo."""

from typing import Annotated, Any, Literal

from pydantic import Field

from pentad.domain.ids import AgentName, RunId, TenantId
from pentad.domain.values import FrozenValue
from pentad.runtime.entrypoint import LambdaContext, deadline_of, entrypoint
from pentad.runtime.wiring.tools import run_tool as wiring
from pentad.tools.runtime.runner import Invocation

_STORE_SECONDS = 8.0
"""Left after the tool's answer, to store it."""


class RunCall(FrozenValue):
    """Run a call: from the Act state or a workflow."""

    op: Literal["run"]
    tenant_id: TenantId
    run_id: RunId
    agent: AgentName
    step: int = Field(ge=1)
    index: int = Field(ge=0, le=99)
    function: str | None = Field(
        default=None, max_length=300, description="ARN of the version of the tool's function that the run began with"
    )


class UndoCall(FrozenValue):
    """Undo a call: from the API."""

    op: Literal["undo"]
    tenant_id: TenantId
    run_id: RunId
    step: int = Field(ge=1)
    index: int = Field(ge=0, le=99)


@entrypoint("run-tool", Annotated[RunCall | UndoCall, Field(discriminator="op")], tells=(RunCall,))
def handler(event: RunCall | UndoCall, context: LambdaContext) -> dict[str, Any]:
    """Run or undo one tool call and return its reference."""
    runner = wiring.make_tool_runner()
    until = deadline_of(context, spare_seconds=_STORE_SECONDS)
    if isinstance(event, UndoCall):
        invocation = Invocation(context.aws_request_id, deadline=until)
        return runner.undo(event.tenant_id, event.run_id, event.step, event.index, invocation=invocation)
    invocation = Invocation(context.aws_request_id, function=event.function, deadline=until)
    return runner.execute(event.tenant_id, event.run_id, event.agent, event.step, event.index, invocation=invocation)
