"""The Deliver and Abort states, and the end of tool calls that died."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pentad.domain.ids import RunId, TenantId
from pentad.runtime.entrypoint import LambdaContext, entrypoint
from pentad.runtime.wiring import deliver as wiring


class DeliverRun(BaseModel):
    """The run has come to an answer, or to a stop."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    op: Literal["deliver"]
    tenant: TenantId
    run: RunId
    step: int = Field(ge=1)
    kind: Literal["answer", "stop"]
    reason: str | None = None


class AbortRun(BaseModel):
    """A state failed for good."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    op: Literal["abort"]
    tenant: TenantId
    run: RunId
    step: int = Field(default=1, ge=1)
    error: str
    cause: str = ""


class CallFailed(AbortRun):
    """A tool's function failed for good."""

    op: Literal["call_failed"]  # type: ignore[assignment]
    index: int = Field(ge=0, le=99)


@entrypoint("deliver", Annotated[DeliverRun | CallFailed | AbortRun, Field(discriminator="op")])
def handler(event: DeliverRun | CallFailed | AbortRun, context: LambdaContext) -> dict[str, Any]:
    """End a run or a call and return its reference."""
    service = wiring.make_deliver()
    if isinstance(event, CallFailed):
        call = service.call_failed(event.tenant, event.run, event.step, event.index, event.error, event.cause)
        return {"index": call.index, "status": call.status.value}
    if isinstance(event, AbortRun):
        run = service.abort(event.tenant, event.run, event.error, event.cause, event.step)
    else:
        run = service.deliver(event.tenant, event.run, event.step, event.kind, event.reason)
    return {"tenant": run.tenant, "run": run.run, "status": run.status.value}
