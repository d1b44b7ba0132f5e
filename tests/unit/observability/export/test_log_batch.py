"""Batches of log lines, as a subscription filter delivers them; and what is none."""

import base64
import gzip
import json
from typing import Any

import pytest

from pentad.domain.errors import InvalidInput
from pentad.observability.export import log_batch
from pentad.observability.export.log_batch import read_batch

SPAN = {"trace_id": "a" * 32, "span_id": "b" * 16, "name": "n", "start": 1, "end": 2, "attributes": {"x": 1}}


def batch(*messages: str, **values: Any) -> dict[str, Any]:
    content = {
        "messageType": "DATA_MESSAGE",
        "logGroup": "/aws/lambda/pentad-dev-gateway",
        "logEvents": [{"id": str(number), "timestamp": 1, "message": one} for number, one in enumerate(messages)],
    }
    data = base64.b64encode(gzip.compress(json.dumps(content | values).encode())).decode()
    return {"awslogs": {"data": data}}


def test_the_spans_of_the_lines_are_read_and_other_lines_passed_over() -> None:
    lines = [
        json.dumps({"span": SPAN}),
        "START RequestId",
        json.dumps({"span": {"trace_id": "x"}}),
        json.dumps({"span": SPAN | {"span_id": "not hex"}}),
        json.dumps({"span": None}),
        json.dumps(["span"]),
        json.dumps({"span": SPAN}),
    ]
    assert read_batch(batch(*lines)) == ("pentad-dev-gateway", [SPAN, SPAN])


def test_a_span_has_the_run_of_its_line() -> None:
    [span] = read_batch(batch(json.dumps({"span": SPAN, "tenant": "acme", "run": "run_1", "session": 7}))).spans
    assert span == {**SPAN, "tenant": "acme", "run": "run_1"}


def test_the_message_on_trial_of_a_new_filter_has_no_spans() -> None:
    assert read_batch(batch("CWL CONTROL MESSAGE", messageType="CONTROL_MESSAGE")).spans == []


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"awslogs": None},
        {"awslogs": {"data": "no base64!"}},
        {"awslogs": {"data": base64.b64encode(b"no gzip").decode()}},
        {"awslogs": {"data": base64.b64encode(gzip.compress(b"no json")).decode()}},
        {"awslogs": {"data": base64.b64encode(gzip.compress(b"{}")[:-4]).decode()}},
        {"awslogs": {"data": base64.b64encode(gzip.compress(b"[]")).decode()}},
    ],
)
def test_what_is_no_batch_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        read_batch(event)


def test_a_batch_that_unpacks_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_batch, "MOST_BYTES", 1_000)
    with pytest.raises(InvalidInput):
        read_batch(batch("x" * 1_000))
