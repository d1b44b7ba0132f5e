"""Write spans as OTLP in protobuf, which every tracing product takes. Pure.

An encoder of our own: the SDK with its exporter takes a quarter of a second and 400 modules to import. It writes an
`ExportTraceServiceRequest` of opentelemetry-proto 1.x (opentelemetry/proto/trace/v1/trace.proto), whose field numbers
never change; the tests read what it writes with the package `opentelemetry-proto`.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from pentad.domain.reading.json_text import read_json

_VARINT, _FIXED64, _BYTES = 0, 1, 2
_KINDS = {"INTERNAL": 1, "SERVER": 2, "CLIENT": 3, "PRODUCER": 4, "CONSUMER": 5}
_STATUSES = {"OK": 1, "ERROR": 2}
_SCOPE = "pentad"
_MAX_INTEGER = 2**63 - 1


def encode_request(spans: Iterable[Mapping[str, Any]], resource: Mapping[str, Any]) -> bytes:
    """Return the body of a request with spans as the log has them (`docs/layers/observability.md`).

    Args:
        spans: of one resource.
        resource: its attributes, such as ``service.name``.

    Raises:
        ValueError: a span has an id that is no hex number, or a time that is none.
        KeyError: a span lacks a field.
    """
    return pack_request(map(encode_span, spans), resource)


def pack_request(spans: Iterable[bytes], resource: Mapping[str, Any]) -> bytes:
    """Return the body of a request with spans that `encode_span` has written."""
    scope = _encode_message(1, _encode_text(1, _SCOPE))
    scoped = scope + b"".join(_encode_message(2, one) for one in spans)
    return _encode_message(1, _encode_message(1, _encode_attributes(1, resource)) + _encode_message(2, scoped))


def encode_span(span: Mapping[str, Any]) -> bytes:
    """Return a span as the message of its kind.

    Raises:
        ValueError, KeyError: as `encode_request`.
    """
    parent_id = span.get("parent_id")
    parts = [
        _encode_bytes(1, bytes.fromhex(span["trace_id"])),
        _encode_bytes(2, bytes.fromhex(span["span_id"])),
        _encode_bytes(4, bytes.fromhex(parent_id)) if parent_id else b"",
        _encode_text(5, str(span["name"])),
        _encode_number(6, _KINDS.get(span.get("kind", "INTERNAL"), 1)),
        _encode_time(7, int(span["start"])),
        _encode_time(8, int(span["end"])),
        _encode_attributes(9, span.get("attributes") or {}),
    ]
    for link in span.get("links") or ():
        ids = _encode_bytes(1, bytes.fromhex(link["trace_id"])) + _encode_bytes(2, bytes.fromhex(link["span_id"]))
        parts.append(_encode_message(13, ids))
    parts.append(_encode_message(15, _encode_status(span)))
    return b"".join(parts)


def _encode_status(span: Mapping[str, Any]) -> bytes:
    """Return a Status: products show its message, which is the error's class."""
    status = span.get("status", "")
    error = (span.get("attributes") or {}).get("error.type") if status == "ERROR" else None
    return (_encode_text(2, str(error)) if error else b"") + _encode_number(3, _STATUSES.get(status, 0))


def _encode_attributes(field: int, attributes: Mapping[str, Any]) -> bytes:
    pairs = ((_encode_text(1, name), _encode_any(value)) for name, value in attributes.items() if value is not None)
    return b"".join(_encode_message(field, name + _encode_message(2, value)) for name, value in pairs)


def _encode_any(value: Any) -> bytes:
    """Return an AnyValue: a value of a kind that it has none for is its text."""
    if isinstance(value, bool):
        return _encode_number(2, int(value))
    if isinstance(value, int) and abs(value) <= _MAX_INTEGER:
        return _encode_number(3, value)
    if isinstance(value, float):
        return _encode_key(4, _FIXED64) + struct.pack("<d", value)
    if isinstance(value, list | tuple):
        return _encode_message(5, b"".join(_encode_message(1, _encode_any(one)) for one in value))
    return _encode_text(1, str(value))


def _encode_time(field: int, nanoseconds: int) -> bytes:
    if not 0 <= nanoseconds < 2**64:
        raise ValueError("a span's time cannot be read")
    return _encode_key(field, _FIXED64) + struct.pack("<Q", nanoseconds)


def _encode_text(field: int, text: str) -> bytes:
    return _encode_bytes(field, text.encode(errors="replace"))


def _encode_number(field: int, number: int) -> bytes:
    return _encode_key(field, _VARINT) + _encode_varint(number)


def _encode_message(field: int, content: bytes) -> bytes:
    return _encode_bytes(field, content)


def _encode_bytes(field: int, content: bytes) -> bytes:
    return _encode_key(field, _BYTES) + _encode_varint(len(content)) + content


def _encode_key(field: int, kind: int) -> bytes:
    return _encode_varint(field << 3 | kind)


def _encode_varint(number: int) -> bytes:
    number &= 2**64 - 1  # a negative one is its two's complement
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


class Rejected(NamedTuple):
    """What a target says of a request that it took in part: how many spans it did not take, and why."""

    spans: int = 0
    reason: str = ""


def read_rejected(body: bytes) -> Rejected:
    """Return what an `ExportTraceServiceResponse` says in ``partial_success``; nothing of a body that is none.

    Args:
        body: protobuf, or JSON, which some products answer with.
    """
    try:
        if body.lstrip()[:1] == b"{":
            said = read_json(body).get("partialSuccess") or {}
            count, words = int(said.get("rejectedSpans") or 0), str(said.get("errorMessage") or "")
        else:
            fields = dict(_iter_fields(dict(_iter_fields(body)).get(1, b"")))
            count, text = fields.get(1, 0), fields.get(2, b"")
            if not isinstance(count, int) or not isinstance(text, bytes):
                return Rejected()
            words = text.decode(errors="replace")
    except (ValueError, TypeError, AttributeError, IndexError, OverflowError, RecursionError):
        return Rejected()
    return Rejected(count if 0 <= count < 2**63 else 0, words)  # what is past it is a number below 0


def _iter_fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Yield the numbers and the values of a message's fields: whole numbers, and what has a length."""
    at = 0
    while at < len(message):
        key, at = _read_varint(message, at)
        if key & 7 == _VARINT:
            value, at = _read_varint(message, at)
            yield key >> 3, value
        elif key & 7 == _BYTES:
            length, at = _read_varint(message, at)
            yield key >> 3, message[at : at + length]
            at += length
        else:
            raise ValueError("a field of a kind that no answer has")


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    number, shift = 0, 0
    while message[at] & 0x80 and shift < 63:
        number |= (message[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return number | message[at] << shift, at + 1
