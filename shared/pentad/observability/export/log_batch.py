"""Read the spans of a batch of log lines, as a subscription filter of CloudWatch Logs delivers it. Pure."""

import base64
import binascii
import gzip
import io
import re
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from pentad.domain.errors import InvalidInput
from pentad.domain.reading.json_text import read_json

FILTER_PATTERN = '{ $.span.trace_id = "*" }'
"""Of the subscription filter: the lines that are spans."""
MOST_BYTES = 64 * 1024 * 1024
"""Of a batch as it is unpacked; Lambda takes 6 MB packed, which may be anything."""
_OF_LINE = ("tenant", "run")
_TRACE_ID, _SPAN_ID = re.compile(r"(?!0+\Z)[0-9a-f]{32}"), re.compile(r"(?!0+\Z)[0-9a-f]{16}")
_LATEST = 2**63
_LARGEST = 2**128
"""Of a number: past OTLP's own it is sent as text, and dollars are made of it."""
_DEEPEST = 4
"""Lists in lists of an attribute."""


class SpanBatch(NamedTuple):
    """The spans of one log group, and how many lines say that they are one and can not be read as one."""

    service: str
    spans: list[dict[str, Any]]
    unreadable: int = 0


def read_batch(event: Mapping[str, Any]) -> SpanBatch:
    """Return the spans of an event ``{"awslogs": {"data": base64 of gzip of JSON}}``; none of a control message.

    A line that is no span is passed over: the filter is a matter of configuration. What a tool prints is a line of the
    same log, so every field is checked.

    Raises:
        InvalidInput: it is no such event.
    """
    try:
        packed = base64.b64decode(event["awslogs"]["data"], validate=True)
        content = read_json(_unpack(packed))
        group, lines = str(content["logGroup"]), content["logEvents"]
    except (KeyError, TypeError, ValueError, binascii.Error, EOFError, OSError, zlib.error) as error:
        raise InvalidInput("the event is not a batch of log lines", field="awslogs") from error
    if content.get("messageType") != "DATA_MESSAGE":
        return SpanBatch("", [])
    records = [one for one in map(_read_record, lines) if one is not None]
    found = [one for one in map(_read_span, records) if one is not None]
    return SpanBatch(group.rpartition("/")[2], found, len(records) - len(found))


def _unpack(packed: bytes) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError("the batch is too large")
    return content


def _read_record(line: Any) -> dict[str, Any] | None:
    """Return a line that says that it is a span; None of another."""
    try:
        record = read_json(line["message"])
    except (KeyError, TypeError, ValueError):
        return None
    return record if isinstance(record, dict) and isinstance(record.get("span"), dict) else None


def _read_span(record: dict[str, Any]) -> dict[str, Any] | None:
    span = record["span"]
    # Of which run it is says the line, as all lines do.
    place = {name: record[name] for name in _OF_LINE if isinstance(record.get(name), str)}
    return {**span, **place} if _is_span(span) else None


def _is_span(span: dict[str, Any]) -> bool:
    """Tell whether every field of a span is what it has to be, whoever wrote it."""
    parent_id, links = span.get("parent_id"), span.get("links") or []
    return (
        _is_id(_TRACE_ID, span.get("trace_id"))
        and _is_id(_SPAN_ID, span.get("span_id"))
        and (parent_id is None or parent_id == "" or _is_id(_SPAN_ID, parent_id))
        and all(isinstance(span.get(name, ""), str) for name in ("kind", "status"))
        and isinstance(span.get("name"), str)
        and _is_time(span.get("start"))
        and _is_time(span.get("end"))
        and isinstance(span.get("attributes") or {}, dict)
        and all(_is_value(one, 0) for one in (span.get("attributes") or {}).values())
        and isinstance(links, list)
        and all(_is_link(one) for one in links)
    )


def _is_id(form: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None


def _is_time(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LATEST


def _is_value(value: Any, depth: int) -> bool:
    if isinstance(value, list):
        return depth < _DEEPEST and all(_is_value(one, depth + 1) for one in value)
    if isinstance(value, int) and abs(value) > _LARGEST:
        return False
    return value is None or isinstance(value, str | int | float | dict)  # an object is sent as text


def _is_link(value: Any) -> bool:
    return (
        isinstance(value, dict) and _is_id(_TRACE_ID, value.get("trace_id")) and _is_id(_SPAN_ID, value.get("span_id"))
    )
