"""Values that are put into CloudWatch, and states that alarms are set to.

moto 5.2.5 keeps both and evaluates no alarm: an alarm never changes its state by what is put, SetAlarmState calls no
action, and a state that was set stays for good. The twin's alarms hear of both here.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twin.moto_patches.patching import Patches

OnMetrics = Callable[[str, Sequence[Mapping[str, Any]]], None]
"""Takes a namespace and the data of one PutMetricData."""
OnState = Callable[[str, str, str], None]
"""Takes an alarm's name, the state that SetAlarmState names, and the reason."""


def apply(patches: Patches, *, on_metrics: OnMetrics, on_state: OnState) -> None:
    """Install the patch of this module.

    Args:
        patches: where to record it.
        on_metrics: is told of what was put.
        on_state: is told of the state that an alarm was set to.
    """
    from moto.cloudwatch.models import CloudWatchBackend

    put = CloudWatchBackend.put_metric_data

    def put_and_tell(self: Any, namespace: str, metric_data: list[dict[str, Any]]) -> None:
        put(self, namespace, metric_data)
        on_metrics(namespace, metric_data)

    patches.set_attribute(CloudWatchBackend, "put_metric_data", put_and_tell)
    set_state = CloudWatchBackend.set_alarm_state

    def set_and_tell(self: Any, alarm_name: str, reason: str, reason_data: str, state_value: str) -> None:
        set_state(self, alarm_name, reason, reason_data, state_value)
        on_state(alarm_name, state_value, reason)

    patches.set_attribute(CloudWatchBackend, "set_alarm_state", set_and_tell)
