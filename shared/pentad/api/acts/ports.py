"""What is asked of the log of what people did."""

from typing import Literal, Protocol

from pydantic import Field

from pentad.domain.ids import TenantId
from pentad.domain.runs import Actor
from pentad.domain.values import FrozenValue

MAX_TARGET = 600
"""Characters of what an act was done to: more than a document's name may have."""


class Act(FrozenValue):
    """One line of the log: who asked for what, when and from where; or what came of it."""

    tenant_id: TenantId | None = Field(description="whose; none of what is no tenant's")
    subject: str = Field(max_length=64, description="the run's id, or one of pentad.api.acts.subjects")
    name: str = Field(max_length=40, description="what was done: a route's name, or what an operator did")
    target: str = Field(max_length=MAX_TARGET, description="to what: the path of the request, or the thing's name")
    stage: Literal["asked", "ended"]
    status: int | None = Field(default=None, description="of HTTP, where it has ended")
    body_hash: str | None = Field(default=None, description="SHA-256 of the request's body, in hex")
    actor: Actor
    groups: tuple[str, ...] = Field(default=(), description="the groups of the credential; * is all of them")
    request_id: str = Field(max_length=100, description="of the request; the two entries of an act have the same")


class ActLog(Protocol):
    """What was written stays as it is: no method changes or removes an entry."""

    def append(self, act: Act) -> None:
        """Append an act; the same again changes nothing.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...
