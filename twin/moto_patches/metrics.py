"""Values that are put into CloudWatch: moto keeps them, and no alarm of it looks at them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twin.moto_patches.patching import Patches

OnMetrics = Callable[[str, Sequence[Mapping[str, Any]]], None]
"""Takes a namespace and the data of one PutMetricData."""


def apply(patches: Patches, *, on_metrics: OnMetrics) -> None:
    """Install the patch of this module.

    Args:
        patches: where to record it.
        on_metrics: is told of what was put.
    """
    from moto.cloudwatch.models import CloudWatchBackend

    put = CloudWatchBackend.put_metric_data

    def put_and_tell(self: Any, namespace: str, metric_data: list[dict[str, Any]]) -> None:
        put(self, namespace, metric_data)
        on_metrics(namespace, metric_data)

    patches.set_attribute(CloudWatchBackend, "put_metric_data", put_and_tell)
