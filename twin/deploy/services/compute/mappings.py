"""What Lambda refuses of an event source mapping of a queue (API reference, `CreateEventSourceMapping`)."""

from typing import Any, Final

BATCH: Final = 10_000
"""Most messages of a batch of a standard queue."""

SMALL_BATCH: Final = 10
"""Most messages of a batch of a FIFO queue, and of one without a window."""

WINDOW_SECONDS: Final = 300
"""Longest batching window."""

CONCURRENCY: Final = (2, 1000)
"""Bounds of a mapping's greatest concurrency."""

FILTERS: Final = 5
"""Most filters of a mapping (developer guide, "Control which events Lambda sends to your function"; adjustable)."""


def find_fault(queue_arn: str, properties: dict[str, Any]) -> str | None:
    """Return why a mapping is not made, None where it is."""
    size, window = int(properties.get("BatchSize", 10)), int(properties.get("MaximumBatchingWindowInSeconds", 0))
    if not 1 <= size <= BATCH or not 0 <= window <= WINDOW_SECONDS:
        return f"BatchSize is 1 to {BATCH} and MaximumBatchingWindowInSeconds 0 to {WINDOW_SECONDS}"
    if queue_arn.endswith(".fifo") and (size > SMALL_BATCH or window):
        return f"a FIFO queue has batches of at most {SMALL_BATCH} messages, and no batching window"
    if size > SMALL_BATCH and not window:
        return "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
    concurrency = properties.get("ScalingConfig", {}).get("MaximumConcurrency")
    if concurrency is not None and not CONCURRENCY[0] <= int(concurrency) <= CONCURRENCY[1]:
        return f"MaximumConcurrency is {CONCURRENCY[0]} to {CONCURRENCY[1]}"
    if len(properties.get("FilterCriteria", {}).get("Filters", [])) > FILTERS:
        return f"a mapping has at most {FILTERS} filters"
    return None
