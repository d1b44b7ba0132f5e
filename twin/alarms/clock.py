"""The time that metrics and alarms go by."""

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class MetricClock:
    """The time that metrics and alarms go by.

    Attributes:
        factor: how much faster it passes than the system's.
        began: the system's time at which both are equal, in seconds since the epoch.
    """

    factor: float = 1.0
    began: float = 0.0

    def convert(self, at: float) -> float:
        """Return the time for a time of the system."""
        return self.began + (at - self.began) * self.factor

    def now(self) -> float:
        """Return the time, in seconds since the epoch."""
        return self.convert(time.time())
