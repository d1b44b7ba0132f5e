"""Telemetry for tests: it keeps what it is told and refuses what the real one would drop."""

import pytest

from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.observability.adapters.null import NullTelemetry


def test_spans_are_recorded_with_parent_and_error() -> None:
    telemetry = MemoryTelemetry()
    with pytest.raises(ValueError), telemetry.span("outer"), telemetry.span("inner") as span:
        span.set("k", 1)
        raise ValueError
    outer, inner = telemetry.spans
    assert (outer.parent, inner.parent, inner.attributes) == (None, "outer", {"k": 1})
    assert outer.error == inner.error == "ValueError" and outer.ended and inner.ended


@pytest.mark.parametrize(("name", "options"), [("ToolCalls", {"tenant": "acme"}), ("ToolDuration", {"unit": "Count"})])
def test_an_unlisted_dimension_or_a_wrong_unit_is_refused(name: str, options: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        MemoryTelemetry().count(name, 1, **options)


def test_events_have_the_bound_keys() -> None:
    telemetry = MemoryTelemetry()
    with telemetry.bind(run="r1"):
        telemetry.log_event("inside", level="ERROR", x=1)
    telemetry.log_event("outside")
    assert [event.fields for event in telemetry.events] == [{"run": "r1", "x": 1}, {}]


def test_the_null_telemetry_takes_everything_and_lets_errors_through() -> None:
    telemetry = NullTelemetry()
    telemetry.count("X", anything="goes")
    telemetry.log_event("e")
    with pytest.raises(KeyError), telemetry.bind(run="r"), telemetry.span("s") as span:
        span.set("k", 1)
        raise KeyError
