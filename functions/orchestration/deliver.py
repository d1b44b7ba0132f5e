"""The Deliver and Abort states, and the end of tool calls that died."""

from typing import Annotated, Any, Literal

from pydantic import Field

from pentad.domain.ids import RunId, TenantId
from pentad.domain.values import FrozenValue
from pentad.runtime.entrypoint import LambdaContext, entrypoint
from pentad.runtime.wiring import deliver as wiring


class DeliverRun(FrozenValue):
    """The run has come to an answer, or to a stop."""

    op: Literal["deliver"]
    tenant_id: TenantId
    run_id: RunId
    step: int = Field(ge=1)
    kind: Literal["answer", "stop"]
    reason: str | None = None


class AbortRun(FrozenValue):
    """A state failed for good."""

    op: Literal["abort"]
    tenant_id: TenantId
    run_id: RunId
    step: int = Field(default=1, ge=1)
    error: str
    cause: str = ""


class CallFailed(FrozenValue):
    """A tool's function failed for good."""

    op: Literal["call_failed"]
    tenant_id: TenantId
    run_id: RunId
    step: int = Field(default=1, ge=1)
    index: int = Field(ge=0, le=99)
    error: str
    cause: str = ""


Event = DeliverRun | AbortRun | CallFailed


@entrypoint("deliver", Annotated[Event, Field(discriminator="op")])
def handler(event: Event, context: LambdaContext) -> dict[str, Any]:
    """End a run or a call and return its reference."""
    service = wiring.make_deliver()
    match event:
        case CallFailed():
            call = service.record_call_failure(
                event.tenant_id, event.run_id, event.step, event.index, event.error, event.cause
            )
            return {"index": call.index, "status": call.status.value}
        case AbortRun():
            run = service.abort(event.tenant_id, event.run_id, event.error, event.cause, event.step)
        case DeliverRun():
            run = service.deliver(event.tenant_id, event.run_id, event.step, event.kind, event.reason)
    return {"tenant": run.tenant_id, "run": run.run_id, "status": run.status.value}
