"""Alarms: moto 5.2.5 has no PutCompositeAlarm, and a new alarm of it is OK before anything was evaluated.

Its put_metric_alarm understands AlarmRule. On AWS an alarm begins as INSUFFICIENT_DATA.
"""

from typing import Any

from twin.moto_patches.patching import Patches, apply_once


def repair_alarms() -> None:
    """Let moto answer PutCompositeAlarm, and begin alarms as CloudWatch does. Idempotent."""
    apply_once(apply)


def apply(patches: Patches) -> None:
    """Install the patch of this module."""
    from moto.cloudwatch.models import Alarm
    from moto.cloudwatch.responses import CloudWatchResponse

    responder: Any = CloudWatchResponse
    if not hasattr(responder, "put_composite_alarm"):
        patches.set_attribute(responder, "put_composite_alarm", responder.put_metric_alarm)
    make = Alarm.__init__

    def begin(self: Any, *args: Any, **kwargs: Any) -> None:
        make(self, *args, **kwargs)
        self.state_value = "INSUFFICIENT_DATA"

    patches.set_attribute(Alarm, "__init__", begin)
