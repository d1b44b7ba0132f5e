"""What a turn asks about kill switches and unavailable tools."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Standing:
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

    def standing(self, tenant: str, agent: str, tools: Sequence[str]) -> Standing:
        """Return what may go on, in one request whatever the number of tools.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def tool_failed(self, tenant: str, tool: str, error: str) -> None:
        """Count a failure for good; enough of them in a row mark the tool unavailable for a time."""
        ...

    def tool_succeeded(self, tenant: str, tool: str) -> None:
        """Forget a tool's failures; costs nothing where there are none."""
        ...
