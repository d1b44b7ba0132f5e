"""Read the spans of a batch of log lines, as a subscription filter of CloudWatch Logs delivers it. Pure."""

import base64
import binascii
import gzip
import io
import json
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from pentad.domain.errors import InvalidInput

FILTER_PATTERN = '{ $.span.trace_id = "*" }'
"""Of the subscription filter: the lines that are spans."""
MOST_BYTES = 64 * 1024 * 1024
"""Of a batch as it is unpacked; Lambda takes 6 MB packed, which may be anything."""
_OF_LINE = ("tenant", "run")
_FIELDS = ("trace_id", "span_id", "name", "start", "end")


class SpanBatch(NamedTuple):
    """The spans of one log group."""

    service: str
    spans: list[dict[str, Any]]


def read_batch(event: Mapping[str, Any]) -> SpanBatch:
    """Return the spans of an event ``{"awslogs": {"data": base64 of gzip of JSON}}``; none of a control message.

    A line that is no span is passed over: the filter is a matter of configuration.

    Raises:
        InvalidInput: it is no such event.
    """
    try:
        packed = base64.b64decode(event["awslogs"]["data"], validate=True)
        content = json.loads(_unpack(packed))
        group, lines = str(content["logGroup"]), content["logEvents"]
    except (KeyError, TypeError, ValueError, binascii.Error, EOFError, OSError, zlib.error) as error:
        raise InvalidInput("the event is not a batch of log lines", field="awslogs") from error
    if content.get("messageType") != "DATA_MESSAGE":
        return SpanBatch("", [])
    found = [_read_span(line) for line in lines]
    return SpanBatch(group.rpartition("/")[2], [one for one in found if one is not None])


def _unpack(packed: bytes) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError("the batch is too large")
    return content


def _read_span(line: Any) -> dict[str, Any] | None:
    try:
        record = json.loads(line["message"])
        span = record["span"]
        is_span = all(name in span for name in _FIELDS) and _is_hex(span["trace_id"]) and _is_hex(span["span_id"])
    except (KeyError, TypeError, ValueError):
        return None
    # Of which run it is says the line, as all lines do.
    place = {name: record[name] for name in _OF_LINE if isinstance(record.get(name), str)}
    return {**span, **place} if is_span else None


def _is_hex(text: str) -> bool:
    return bool(bytes.fromhex(text))
