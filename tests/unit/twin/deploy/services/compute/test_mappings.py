"""Mappings of queues have the bounds that Lambda sets them."""

from typing import Any

import pytest

from twin.deploy.services.compute.mappings import find_fault

_QUEUE = "arn:aws:sqs:us-east-1:123456789012:q"


@pytest.mark.parametrize(
    ("queue", "properties", "fault"),
    [
        (_QUEUE, {"BatchSize": 0}, "BatchSize is 1 to"),
        (_QUEUE, {"BatchSize": 10_001, "MaximumBatchingWindowInSeconds": 1}, "BatchSize is 1 to"),
        (_QUEUE, {"MaximumBatchingWindowInSeconds": 301}, "MaximumBatchingWindowInSeconds 0 to 300"),
        (_QUEUE, {"BatchSize": 11}, "Maximum batch window in seconds must be greater than 0"),
        (f"{_QUEUE}.fifo", {"BatchSize": 11, "MaximumBatchingWindowInSeconds": 1}, "a FIFO queue"),
        (f"{_QUEUE}.fifo", {"MaximumBatchingWindowInSeconds": 1}, "a FIFO queue"),
        (_QUEUE, {"ScalingConfig": {"MaximumConcurrency": 1}}, "MaximumConcurrency is 2 to 1000"),
        (_QUEUE, {"FilterCriteria": {"Filters": [{"Pattern": "{}"}] * 6}}, "at most 5 filters"),
    ],
)
def test_what_lambda_refuses_is_refused(queue: str, properties: dict[str, Any], fault: str) -> None:
    assert fault in (find_fault(queue, properties) or "")


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"BatchSize": 10_000, "MaximumBatchingWindowInSeconds": 300},
        {"ScalingConfig": {"MaximumConcurrency": 2}, "FilterCriteria": {"Filters": [{"Pattern": "{}"}] * 5}},
    ],
)
def test_what_lambda_takes_is_taken(properties: dict[str, Any]) -> None:
    assert find_fault(_QUEUE, properties) is None
