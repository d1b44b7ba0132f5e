"""What a drill asks of where its results are kept, and the results."""

from datetime import datetime
from typing import Protocol

from pydantic import Field

from pentad.domain.models import Outcome
from pentad.domain.values import FrozenValue

MAX_KEPT = 100


class LinkResult(FrozenValue):
    """What became of one link."""

    tier: str
    link: int = Field(ge=0, description="position in the chain; 0 is the primary")
    provider: str
    model: str
    ok: bool
    outcome: Outcome | None = Field(default=None, description="None: nothing was sent")
    duration_ms: int = Field(default=0, ge=0)
    cost_nanousd: int = Field(default=0, ge=0)
    error: str | None = None


class DrillResult(FrozenValue):
    """One drill: every link of every chain."""

    started_at: datetime
    links: tuple[LinkResult, ...]

    @property
    def broken(self) -> tuple[LinkResult, ...]:
        """The links that did not answer."""
        return tuple(link for link in self.links if not link.ok)


class DrillLog(Protocol):
    """Where the results of drills are kept, for a while."""

    def record(self, result: DrillResult) -> None:
        """Keep a result.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...
