"""The AwaitHuman state: asks humans, reminds them, hands on or closes what nobody answered in time."""

from typing import Annotated, Any, Literal

from pydantic import Field

from pentad.domain.ids import AgentName, RunId, SessionId, TenantId
from pentad.domain.values import FrozenValue
from pentad.runtime.entrypoint import LambdaContext, entrypoint
from pentad.runtime.wiring import await_human as wiring


class Request(FrozenValue):
    """A human has to decide."""

    op: Literal["request"]
    tenant_id: TenantId
    run_id: RunId
    session_id: SessionId | None = None
    agent: AgentName
    step: int = Field(ge=1)
    task_token: str = Field(min_length=1, max_length=2048, repr=False)


class Expire(FrozenValue):
    """The time to decide is over."""

    op: Literal["expire"]
    tenant_id: TenantId
    run_id: RunId
    session_id: SessionId | None = None
    agent: AgentName
    step: int = Field(ge=1)


@entrypoint("await-human", Annotated[Request | Expire, Field(discriminator="op")])
def handler(event: Request | Expire, context: LambdaContext) -> dict[str, Any]:
    """Ask, or return what the execution goes on with now that the time is over."""
    match event:
        case Request():
            stored = wiring.make_asking().ask_for_step(event.tenant_id, event.run_id, event.step, event.task_token)
            return {"approval": stored.approval_id}
        case Expire():
            return wiring.make_asking().expire(event.tenant_id, event.run_id, event.step)
