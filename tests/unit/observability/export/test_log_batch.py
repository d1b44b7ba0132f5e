"""Batches of log lines, as a subscription filter delivers them; and what is none."""

import base64
import gzip
import json
from typing import Any

import pytest

from pentad.domain.errors import InvalidInput
from pentad.observability.export import log_batch
from pentad.observability.export.log_batch import read_batch
from pentad.observability.export.requests import encode_for
from pentad.observability.export.targets import Target

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
    assert read_batch(batch(*lines)) == ("pentad-dev-gateway", [SPAN, SPAN], 2)


@pytest.mark.parametrize(
    "bad",
    [
        {"start": "soon"}, {"start": -1}, {"end": 1.5}, {"end": None}, {"start": True}, {"end": 2**63},
        {"trace_id": "ab"}, {"trace_id": "0" * 32}, {"trace_id": 7}, {"trace_id": "A" * 32}, {"span_id": "b" * 17},
        {"parent_id": "zz"}, {"parent_id": 7}, {"parent_id": ["c" * 16]}, {"links": [{}]}, {"links": {"a": 1}},
        {"links": [{"trace_id": "a" * 32}]}, {"attributes": ["x"]}, {"attributes": "x"}, {"name": 7}, {"name": None},
        {"kind": ["CLIENT"]}, {"status": {}}, {"attributes": {"x": [[[[[[1]]]]]]}},
        {"attributes": {"pentad.cost.nanousd": 10**400}}, {"attributes": {"x": [-(10**400)]}},
    ],
)  # fmt: skip
def test_a_line_with_a_field_that_no_span_has_is_left_out_and_counted(bad: dict[str, Any]) -> None:
    read = read_batch(batch(json.dumps({"span": SPAN}), json.dumps({"span": SPAN | bad})))
    assert (read.spans, read.unreadable) == ([SPAN], 1)


@pytest.mark.parametrize(
    "odd",
    [
        {"parent_id": None}, {"parent_id": ""}, {"links": None}, {"attributes": None}, {"kind": "NEW"}, {"status": "?"},
        {"attributes": {"a": -(2**63), "b": {"x": [1]}, "c": [None, 2**70], "d": float("nan"), "e": "x" * 9_000}},
        {"attributes": {"pentad.cost.nanousd": 2**128, "gen_ai.usage.input_tokens": -(2**128)}},
        {"links": [{"trace_id": "a" * 32, "span_id": "b" * 16}]}, {"gen_ai.input.messages": "no json"},
    ],
)  # fmt: skip
def test_what_is_read_can_be_written_for_every_product(odd: dict[str, Any]) -> None:
    [span] = read_batch(batch(json.dumps({"span": SPAN | odd}))).spans
    for kind in ("otlp", "phoenix", "arize", "weave", "langsmith", "langfuse", "xray"):
        assert encode_for(Target(name="one", kind=kind), span) is not None
    for said in ("no json", "[1]", "[]", '[{"parts": 1}]', '[{"parts": [{"type": "text"}]}]', "[" * 5_000):
        forged = span | {"attributes": {"gen_ai.input.messages": said, "gen_ai.operation.name": ["chat"]}}
        assert encode_for(Target(name="one", kind="phoenix"), forged) is not None


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
