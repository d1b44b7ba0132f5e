"""What the encoder writes is read by OpenTelemetry's own generated code."""

from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from pentad.observability.export.otlp import encode_request, read_rejected

TRACE, SPAN, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "1" * 16


def span(**values: Any) -> dict[str, Any]:
    fields = {
        "trace_id": TRACE,
        "span_id": SPAN,
        "parent_id": PARENT,
        "name": "chat m-1",
        "kind": "CLIENT",
        "start": 1_796_040_000_123_456_000,
        "end": 1_796_040_001_000_000_000,
        "status": "OK",
        "attributes": {},
    }
    return fields | values


def read(*spans: dict[str, Any], resource: dict[str, Any] | None = None) -> ExportTraceServiceRequest:
    found: ExportTraceServiceRequest = ExportTraceServiceRequest.FromString(encode_request(spans, resource or {}))
    return found


def read_one(**values: Any) -> Span:
    found: Span = read(span(**values)).resource_spans[0].scope_spans[0].spans[0]
    return found


def test_a_spans_ids_name_kind_times_and_status() -> None:
    found = read_one()
    assert (found.trace_id.hex(), found.span_id.hex(), found.parent_span_id.hex()) == (TRACE, SPAN, PARENT)
    assert (found.name, found.kind) == ("chat m-1", Span.SPAN_KIND_CLIENT)
    assert found.start_time_unix_nano == 1_796_040_000_123_456_000
    assert found.end_time_unix_nano == 1_796_040_001_000_000_000
    assert found.status.code == Status.STATUS_CODE_OK
    failed = read_one(status="ERROR", attributes={"error.type": "timeout"}).status
    assert (failed.code, failed.message) == (Status.STATUS_CODE_ERROR, "timeout")
    assert read_one(status="ERROR").status.message == ""
    assert found.status.message == ""
    assert read_one(parent_id=None).parent_span_id == b""


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ("", "string_value"),
        ("Gr\u00fc\u00dfe \U0001f600 \u0000", "string_value"),
        ("x" * 100_000, "string_value"),
        (True, "bool_value"),
        (False, "bool_value"),
        (0, "int_value"),
        (-1, "int_value"),
        (127, "int_value"),
        (128, "int_value"),
        (2**63 - 1, "int_value"),
        (-(2**63) + 1, "int_value"),
        (0.1, "double_value"),
        (float("inf"), "double_value"),
    ],
)
def test_values_of_every_kind_arrive_as_they_are(value: Any, field: str) -> None:
    [attribute] = read_one(attributes={"a.b": value}).attributes
    assert attribute.key == "a.b"
    assert attribute.value.WhichOneof("value") == field
    assert getattr(attribute.value, field) == value


def test_lists_links_and_values_that_protobuf_has_no_kind_for() -> None:
    found = read_one(
        attributes={"reasons": ["stop", "length"], "gone": None, "huge": 2**70, "half": "a\ud800"},
        links=[{"trace_id": "2" * 32, "span_id": "3" * 16}],
    )
    values = {one.key: one.value for one in found.attributes}
    assert [one.string_value for one in values["reasons"].array_value.values] == ["stop", "length"]
    assert values["huge"].string_value == str(2**70)
    assert values["half"].string_value == "a?"
    assert "gone" not in values
    assert [(one.trace_id.hex(), one.span_id.hex()) for one in found.links] == [("2" * 32, "3" * 16)]


def test_many_spans_of_one_resource_and_none() -> None:
    found = read(*(span(span_id=f"{number:016x}") for number in range(1, 501)), resource={"service.name": "gateway"})
    [resource] = found.resource_spans
    assert [(one.key, one.value.string_value) for one in resource.resource.attributes] == [("service.name", "gateway")]
    assert [int(one.span_id.hex(), 16) for one in resource.scope_spans[0].spans] == list(range(1, 501))
    assert resource.scope_spans[0].scope.name == "pentad"
    assert not read().resource_spans[0].scope_spans[0].spans


@pytest.mark.parametrize("broken", [{"trace_id": "no hex"}, {"start": -1}, {"end": 2**64}])
def test_a_span_that_is_none_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"hex|time"):
        encode_request([span(**broken)], {})


def _partial(count: int, words: str) -> bytes:
    partial = ExportTracePartialSuccess(rejected_spans=count, error_message=words)
    return bytes(ExportTraceServiceResponse(partial_success=partial).SerializeToString())


@pytest.mark.parametrize(
    ("body", "rejected"),
    [
        (_partial(3, "too old"), (3, "too old")),
        (b'{"partialSuccess": {"rejectedSpans": "2", "errorMessage": "no"}}', (2, "no")),
        (b"", (0, "")),
        (_partial(-5, "?"), (0, "?")),
        (b'{"partialSuccess": {"rejectedSpans": -5, "errorMessage": "?"}}', (0, "?")),
        (b'{"partialSuccess": {"rejectedSpans": 1e999}}', (0, "")),
        (b'{"partialSuccess": [1]}', (0, "")),
        (b"\x0a\x0a\x10\xff\xff\xff\xff\xff\xff\xff\xff\x7f", (0, "")),  # the words as a number
        (b"\x0a\x06\x10\x80\x94\xeb\xdc\x03", (0, "")),  # as one for which a gigabyte would be made
        (b"\x0a\x02\x0a\x00", (0, "")),  # the count as bytes
        (b"\x08\x01", (0, "")),  # the whole as a number
        (b"<html>", (0, "")),
    ],
)
def test_what_a_target_did_not_take_is_read_of_any_answer(body: bytes, rejected: tuple[int, str]) -> None:
    assert read_rejected(body) == rejected
