"""How many targets a rule has.

What moto gets wrong: a rule takes any number of targets.
"""

from typing import Any, Final

from moto.core.exceptions import AWSError
from moto.events.models import EventsBackend

from twin.moto_patches.patching import Patches

TARGETS: Final = 5
"""Most targets of a rule (EventBridge user guide, "Amazon EventBridge quotas")."""


class LimitExceededError(AWSError):
    """A rule would have too many targets."""

    TYPE = "LimitExceededException"
    STATUS = 400


def _wrap_put(original: Any) -> Any:
    def put_targets(self: Any, name: str, event_bus_arn: str | None, targets: list[dict[str, Any]]) -> None:
        bus = self._get_event_bus(self._normalize_event_bus_arn(event_bus_arn))
        there = {target["Id"] for target in bus.rules[name].targets} if name in bus.rules else set()
        if len(there | {target["Id"] for target in targets}) > TARGETS:
            raise LimitExceededError("The requested resource exceeds the maximum number allowed.")
        original(self, name, event_bus_arn, targets)

    return put_targets


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    patches.set_attribute(EventsBackend, "put_targets", _wrap_put(EventsBackend.put_targets))
