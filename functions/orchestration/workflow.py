"""What the states of workflows call: begin, steps of agents and tools, words, the end."""

from typing import Annotated, Any, Literal

from pydantic import Field

from pentad.orchestration.workflows.finish import Finished, Stopped
from pentad.orchestration.workflows.steps import Entered, EnteredStep
from pentad.runtime import workflow_services as services
from pentad.runtime.entrypoint import LambdaContext, entrypoint


class Begin(Entered):
    """The run begins."""

    op: Literal["begin"]


class DoStep(EnteredStep):
    """A state of a step; which one, the operation says."""

    op: Literal["child", "child_done", "call", "text"]


class CallDone(EnteredStep):
    """A tool's function has ended, as it may."""

    op: Literal["call_done"]
    error: str | None = None
    cause: str = ""


class Finish(Finished):
    """All steps are done."""

    op: Literal["finish"]


class Stop(Stopped):
    """The run may not go on."""

    op: Literal["stop"]


Event = Begin | DoStep | CallDone | Finish | Stop


@entrypoint("workflow", Annotated[Event, Field(discriminator="op")])
def handler(event: Event, context: LambdaContext) -> dict[str, Any]:
    """Do what one state asks for and return references only."""
    if isinstance(event, Begin):
        return services.ends().begin(event)
    if isinstance(event, Finish):
        return services.ends().finish(event)
    if isinstance(event, Stop):
        return services.ends().stop(event)
    if isinstance(event, CallDone):
        return services.calls().collect(event, event.error, event.cause)
    return services.step(event.op)(event)
