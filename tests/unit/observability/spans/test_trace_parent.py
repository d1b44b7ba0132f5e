"""X-Ray's header read into OpenTelemetry's identifiers."""

import re

import pytest

from pentad.observability.spans.trace_parent import TraceParent

ROOT = "1-5759e988-bd862e3fe1be46a994272793"


@pytest.mark.parametrize(
    ("header", "parent"),
    [
        (f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=1", "53995c3f42cd8ad8"),
        (f"Self=1-5759e988-aaaaaaaaaaaaaaaaaaaaaaaa;Root={ROOT};Parent=53995C3F42CD8AD8", "53995c3f42cd8ad8"),
        (f"Root={ROOT}", None),
    ],
)
def test_the_header_names_trace_and_parent(header: str, parent: str | None) -> None:
    assert TraceParent.from_header(header) == TraceParent("5759e988bd862e3fe1be46a994272793", parent)


@pytest.mark.parametrize("header", [None, "", "Root=nonsense", "garbage;;="])
def test_without_a_readable_header_a_new_trace_begins(header: str | None) -> None:
    first, second = TraceParent.from_header(header), TraceParent.from_header(header)
    assert re.fullmatch(r"[0-9a-f]{32}", first.trace_id) and first.span_id is None
    assert first.trace_id != second.trace_id
