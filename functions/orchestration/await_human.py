"""The AwaitHuman state: asks humans, reminds them, hands on or closes what nobody answered in time."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pentad.domain.ids import AgentName, RunId, SessionId, TenantId
from pentad.runtime.entrypoint import LambdaContext, entrypoint
from pentad.runtime.wiring import await_human as wiring


class Expire(BaseModel):
    """The time is over."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    op: Literal["expire"]
    tenant: TenantId
    run: RunId
    session: SessionId | None = None
    agent: AgentName
    step: int = Field(ge=1)


class Request(Expire):
    """A human has to decide."""

    op: Literal["request"]  # type: ignore[assignment]
    task_token: str = Field(min_length=1, max_length=2048, repr=False)


@entrypoint("await-human", Annotated[Request | Expire, Field(discriminator="op")])
def handler(event: Request | Expire, context: LambdaContext) -> dict[str, Any]:
    """Ask, or return what the execution goes on with now that the time is over."""
    if isinstance(event, Request):
        stored = wiring.make_asking().request(event.tenant, event.run, event.step, event.task_token)
        return {"approval": stored.approval}
    return wiring.make_asking().expire(event.tenant, event.run, event.step)
