"""Composite alarms: moto 5.2.5 has no PutCompositeAlarm, although its put_metric_alarm understands AlarmRule."""

from typing import Any

from twin.moto_patches.patching import Patches, apply_once


def serve_composite_alarms() -> None:
    """Let moto answer PutCompositeAlarm. Idempotent."""
    apply_once(apply)


def apply(patches: Patches) -> None:
    """Install the patch of this module."""
    from moto.cloudwatch.responses import CloudWatchResponse

    responder: Any = CloudWatchResponse
    if not hasattr(responder, "put_composite_alarm"):
        patches.set_attribute(responder, "put_composite_alarm", responder.put_metric_alarm)
