"""What the end of a task says of how long its function's process took to begin."""

import json
from typing import Any

import pytest

from pentad.orchestration.trace.cold_starts import COLD_START, find_cold_start


def ended(answer: Any, *, key: str = "taskSucceededEventDetails") -> dict[str, Any]:
    return {"type": "TaskSucceeded", key: {"output": json.dumps(answer)}}


@pytest.mark.parametrize(
    ("event", "found"),
    [
        (ended({"ExecutedVersion": "3", "Payload": {"passages": 1, COLD_START: 812}}), {"cold_start_ms": 812}),
        (ended({"passages": 1, COLD_START: 0}, key="lambdaFunctionSucceededEventDetails"), {"cold_start_ms": 0}),
        (ended({"Payload": {COLD_START: "snap-start"}}), {COLD_START: "snap-start"}),
        (ended({"Payload": {"passages": 1}}), {}),
        (ended({"Payload": {COLD_START: "<script>"}}), {}),
        (ended({"Payload": {COLD_START: -1}}), {}),
        (ended({"Payload": {COLD_START: True}}), {}),
        (ended({"Payload": {COLD_START: 10**9}}), {}),
        (ended(["x"]), {}),
        ({"type": "TaskSucceeded", "taskSucceededEventDetails": {"output": "no JSON"}}, {}),
        ({"type": "TaskFailed"}, {}),
    ],
)
def test_only_what_a_first_answer_says_is_told(event: dict[str, Any], found: dict[str, Any]) -> None:
    assert find_cold_start(event) == found
