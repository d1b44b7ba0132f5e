"""Cut spans into requests that a target takes: by their size as protobuf, what was said included. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from pentad.observability.export.dialects import convert_span
from pentad.observability.export.otlp import encode_span
from pentad.observability.export.targets import Target

REQUEST_BYTES: Final = 2_000_000
"""Of a request before it is packed. Products take from 4 MB on; one that takes less says 413, and gets halves."""
SPAN_BYTES: Final = 1_000_000
"""Of a span: one that is larger leaves without what was said."""
CONTENTS: Final = (
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
)
"""The attributes with what was said."""
DROPPED: Final = "pentad.contents.dropped"
"""The attribute of a span that left without it."""


class EncodedSpan(NamedTuple):
    """A span as it is read, and as it is sent."""

    span: Mapping[str, Any]
    body: bytes

    @property
    def has_contents(self) -> bool:
        """Whether what was said is in it."""
        return any(name in (self.span.get("attributes") or {}) for name in CONTENTS)


def encode_for(target: Target, span: Mapping[str, Any]) -> EncodedSpan | None:
    """Return a span as a target wants it; None where it cannot be written, so that it takes no other with it."""
    try:
        return EncodedSpan(span, encode_span(convert_span(target, span)))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None


def drop_contents(span: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a span without what was said, which it says."""
    kept = {name: value for name, value in (span.get("attributes") or {}).items() if name not in CONTENTS}
    return {**span, "attributes": {**kept, DROPPED: True}}


def cut_requests(spans: Iterable[EncodedSpan]) -> Iterator[Sequence[EncodedSpan]]:
    """Yield spans in groups of at most `REQUEST_BYTES`; a larger span is one for itself."""
    group: list[EncodedSpan] = []
    size = 0
    for one in spans:
        if group and size + len(one.body) > REQUEST_BYTES:
            yield group
            group, size = [], 0
        group.append(one)
        size += len(one.body)
    if group:
        yield group
