"""What the states of workflows call: steps of agents, tools and humans, words, the end."""

from typing import Annotated, Any, Literal

from pydantic import Field

from pentad.orchestration.workflows.run_ends import Finished, Stopped
from pentad.orchestration.workflows.steps import EnteredStep
from pentad.runtime.entrypoint import LambdaContext, entrypoint
from pentad.runtime.wiring import workflow as wiring


class DoStep(EnteredStep):
    """A state of a step; ``op`` says which one."""

    op: Literal["child", "child_done", "call", "settle", "expire", "text"]


class CallDone(EnteredStep):
    """A tool's function has ended, well or with an error."""

    op: Literal["call_done"]
    error: str | None = None
    cause: str = ""


class Ask(EnteredStep):
    """A human is asked; the token wakes the state."""

    op: Literal["ask"]
    task_token: str = Field(min_length=1, max_length=2048, repr=False)


class HumanDone(EnteredStep):
    """A human has decided, or the time is over."""

    op: Literal["human_done"]
    strict: bool = False


class Finish(Finished):
    """All steps are done."""

    op: Literal["finish"]


class Stop(Stopped):
    """The run may not go on."""

    op: Literal["stop"]


Event = DoStep | CallDone | Ask | HumanDone | Finish | Stop


@entrypoint("workflow", Annotated[Event, Field(discriminator="op")])
def handler(event: Event, context: LambdaContext) -> dict[str, Any]:
    """Do what one state asks for and return references only."""
    services = wiring.make_workflow()
    match event:
        case DoStep():
            return _do_step(event, services)
        case CallDone():
            return services.calls.collect(event, event.error, event.cause)
        case Ask():
            return services.humans.ask(event, event.task_token)
        case HumanDone():
            return services.humans.collect(event, strict=event.strict)
        case Finish():
            return services.ends.finish(event)
        case Stop():
            return services.ends.stop(event)


def _do_step(event: DoStep, services: wiring.Workflow) -> dict[str, Any]:
    match event.op:
        case "child":
            return services.children.begin(event)
        case "child_done":
            return services.children.collect(event)
        case "call":
            return services.calls.plan(event)
        case "settle":
            return services.humans.settle(event)
        case "expire":
            return services.humans.expire(event)
        case "text":
            return services.ends.build_text(event)
