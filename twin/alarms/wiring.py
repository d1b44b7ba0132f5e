"""Connect the alarms of a twin to what measures, and to whom they tell."""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from twin.alarms.alarms import CompositeAlarm, MetricAlarm
from twin.alarms.services import measure_functions, measure_queues
from twin.alarms.target import MotoAlarms, ServiceMay
from twin.alarms.watch import AlarmWatch
from twin.moto_patches import metrics
from twin.moto_patches.patching import Patches

if TYPE_CHECKING:
    from twin.host.host import FunctionHost


def start_watch(
    alarms: tuple[Mapping[str, MetricAlarm], Mapping[str, CompositeAlarm]],
    host: "FunctionHost",
    service_may: ServiceMay,
    place: tuple[str, str],
    stopping: ExitStack,
) -> AlarmWatch:
    """Return the running watch of a deployment.

    Args:
        alarms: of metrics, and those of other alarms.
        host: whose functions are measured.
        service_may: what resources' policies let AWS's services do.
        place: account and region.
        stopping: ends the watch.
    """
    from moto.sqs.models import sqs_backends

    account, region = place
    queues: Any = sqs_backends[account][region]
    watch = AlarmWatch(
        *alarms,
        MotoAlarms(account, region, service_may),
        samples=[
            measure_functions(host.list_reports, host.count_instances),
            measure_queues(lambda: list(queues.queues.values())),
        ],
    )
    patches = Patches()
    metrics.apply(patches, on_metrics=watch.on_put_metrics, on_state=watch.on_set_state)
    stopping.callback(patches.undo)
    stopping.callback(watch.stop)
    watch.start()
    return watch
