"""What is asked about kill switches and failing tools: by a turn, and of their store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from pydantic import Field

from pentad.domain.values import FrozenValue

REASON_CHARACTERS = 200
Scope = Literal["all", "tenant", "agent", "tool"]
EVERYTHING = "*"


@dataclass(frozen=True)
class Availability:
    """What may go on right now.

    Attributes:
        stopped: why nothing more may run (a kill switch on the tenant or the agent), or None.
        unavailable: tools that may not run now, each with the sentence that the model is told.
        agent_only: the switch that stops is the agent's: another agent may run.
    """

    stopped: str | None = None
    unavailable: Mapping[str, str] = field(default_factory=dict)
    agent_only: bool = False


class Switchboard(Protocol):
    """Kill switches and tools out of order, read once a turn."""

    def get_availability(self, tenant_id: str, agent: str, tools: Sequence[str]) -> Availability:
        """Return what may go on, in one request whatever the number of tools.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def record_failure(self, tenant_id: str, tool: str, error: str) -> None:
        """Count a failure for good; enough of them in a row mark the tool unavailable for a time."""
        ...

    def record_success(self, tenant_id: str, tool: str) -> None:
        """Forget a tool's failures; costs nothing where there are none."""
        ...


class Switch(FrozenValue):
    """An operator's word that something may not run."""

    scope: Scope
    subject: str = Field(description=f"the tenant, agent or tool; {EVERYTHING} for all")
    reason: str = Field(default="", max_length=REASON_CHARACTERS)
    by: str
    at: datetime

    @property
    def sentence(self) -> str:
        """What the caller, or the model, is told."""
        what = {"all": "Everything", "tenant": "This tenant"}.get(self.scope, f"The {self.scope} '{self.subject}'")
        because = f": {self.reason}" if self.reason else ""
        return f"{what} has been switched off by an operator{because}."


class ToolHealth(FrozenValue):
    """A tool that has failed since its last success, for one tenant."""

    tool: str
    failures: int = Field(ge=1)
    error: str
    failed_at: datetime
    until: datetime | None = Field(default=None, description="out of order until then")
    tried_by: str | None = Field(default=None, description="key of the call that tries it until then")
    version: int = Field(default=0, ge=0)

    def is_out_of_order(self, now: datetime) -> bool:
        """No call may be made now."""
        return self.until is not None and now < self.until

    @property
    def sentence(self) -> str:
        """What the model is told while the tool is out of order."""
        until = f"{self.until:%H:%M:%S}" if self.until else "now"
        return (
            f"The tool '{self.tool}' is out of order: its last {self.failures} calls failed ({self.error}). "
            f"It may be tried again after {until} UTC; go on without it."
        )


class SwitchStore(Protocol):
    """Where switches and the health of tools are kept."""

    def read(
        self, tenant_id: str, agent: str | None, tools: Sequence[str]
    ) -> tuple[Sequence[Switch], dict[str, ToolHealth]]:
        """Return the switches that concern these, and the health of those tools that have failed; in one request.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def put(self, switch: Switch) -> None:
        """Switch something off; again replaces the reason."""
        ...

    def remove(self, scope: Scope, subject: str) -> bool:
        """Take a switch back, and return whether there was one."""
        ...

    def get_all(self) -> list[Switch]:
        """Return every switch."""
        ...

    def save(self, tenant_id: str, health: ToolHealth) -> bool:
        """Store a tool's health as the version after its own, and return whether that one still stood."""
        ...

    def forget(self, tenant_id: str, tool: str) -> None:
        """Clear a tool."""
        ...

    def list_failing(self, tenant_id: str) -> list[ToolHealth]:
        """Return the tools of a tenant that have failed since their last success."""
        ...
